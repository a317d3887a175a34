"""What a model says about synthetic cases of which everything is known: figures, heatmap audit, decisions.

The cases are made on the spot by the phantom and cut by the same functions as those of a project, so an installation is
all that is needed. The seeds are those of the hold-out, which no bundled model was trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from app.core.errors import UserError
from app.core.geometry import mapped
from app.core.model_card import Figure, HeatmapAudit, ModelCard
from app.core.model_input import InputKind, ModelInput, input_crop, standardise
from app.engine.device import Choice
from app.engine.loaded_model import LoadedModel
from app.engine.opinion import Array
from app.engine.phantom.fracture import CaseKind
from app.engine.statistics.interval import clopper_pearson
from app.engine.synthesis.known_cases import CaseGroup, first_seed, known_case
from app.engine.synthesis.pool import worker_pool
from app.engine.training import deciding, measuring
from app.engine.training.batches import Batch
from app.engine.training.finish import HIT_RADIUS
from app.engine.training.finish_run import AUDITED, PASS
from app.engine.training.judging import look, random_similarity

SHARES = {CaseGroup.NECK: 450, CaseGroup.FROG: 150, CaseGroup.DISPLACED: 150, CaseGroup.SHAFT: 400}  # the hold-out
GROUPS = {
    "fracture": (CaseGroup.NECK, CaseGroup.FROG, CaseGroup.DISPLACED),
    "atypical": (CaseGroup.SHAFT,),
}  # question of the label set -> cases that answer it
PEAK = "heatmap peak within"  # how the name of the audit's figure begins
SEED = 1  # of the random weights
J = TypeVar("J")  # of which job
C = TypeVar("C")  # what is made
Job = tuple[ModelInput, CaseGroup, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FedCase:
    """A synthetic case as a model is fed it.

    Args:
        patient: pseudonym.
        is_positive: whether the finding is there.
        views: for each view (channels, size, size) float32.
        clicks_xy: (views, 2), where the fracture is, in input coordinates; NaN where none is to be seen.
    """

    patient: str
    is_positive: bool
    views: tuple[Array, ...]
    clicks_xy: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What came of an audit.

    Args:
        audit: of the heatmaps; None where no positive was found.
        figures: the card's figures, recomputed on these cases.
        measured_on: which cases, in words.
    """

    audit: HeatmapAudit | None
    figures: tuple[Figure, ...]
    measured_on: str


def audit_jobs(card: ModelCard, count: int, groups: Sequence[CaseGroup] = ()) -> list[Job]:
    """The cases that a model is shown.

    Args:
        card: of the model.
        count: how many in all.
        groups: which cases; empty = those that answer the model's question.

    Raises:
        UserError: `no-truth`: the phantom has no cases that answer the question.
    """
    chosen = tuple(groups) or GROUPS.get(card.task_id.partition(".")[0], ())
    is_clicked = card.input.kind is InputKind.ALIGNED_CROP
    if not chosen or (is_clicked and set(chosen) != {CaseGroup.SHAFT}):
        known = ", ".join(GROUPS)
        raise UserError(
            "There are no synthetic cases that this model could be asked about.",
            reason=f"It answers {card.task_id}; the phantom knows the truth of {known}"
            + (", and two clicks for broken shafts only." if is_clicked else "."),
            remedy="`coxa evaluate` measures it on the hold-out of a project.",
            kind="no-truth",
        )
    if CaseGroup.SHAFT in chosen and len(card.input.roles) > 1:
        raise UserError("Shafts are shown from the front only, and this model wants two views.", kind="no-truth")
    whole = sum(SHARES[group] for group in chosen)
    jobs = []
    for group in chosen:
        start = first_seed(group, is_held_out=True)
        jobs += [(card.input, group, start + number) for number in range(round(count * SHARES[group] / whole))]
    return jobs


def measured_words(groups: Sequence[CaseGroup]) -> str:
    """Which cases, in words; one entry for each case."""
    counts = {group: sum(one is group for one in groups) for group in CaseGroup}
    parts = ", ".join(f"{count} {group.value}" for group, count in counts.items() if count)
    return f"{len(groups)} synthetic patients of the hold-out seeds ({parts}), made by the phantom"


def fed_case(job: Job) -> FedCase:
    """Make one case and cut it for a model."""
    wanted, group, seed = job
    case = known_case(group, seed)
    views, clicks = [], []
    for role in wanted.roles:
        view = next(one for one in case.views if one.role is role)
        cut = input_crop(wanted, view.geometry)
        assert cut is not None, "what the crop needs is known"
        views.append(standardise(view.image, view.table, cut, wanted))
        place = (np.nan, np.nan)
        if view.fracture_xy is not None:
            x, y = mapped(cut.to_crop, view.fracture_xy)
            if 0 <= x < wanted.size_px and 0 <= y < wanted.size_px:
                place = (x, y)
        clicks.append(place)
    is_positive = case.kind is CaseKind.SHAFT_ATYPICAL if group is CaseGroup.SHAFT else case.kind is not CaseKind.NORMAL
    return FedCase(
        patient=case.patient, is_positive=is_positive, views=tuple(views), clicks_xy=np.array(clicks, np.float32)
    )


def made(make: Callable[[J], C], jobs: Sequence[J], workers: int = 1) -> Iterator[C]:
    """All cases, in order, made by so many processes at a time."""
    if workers <= 1:
        yield from map(make, jobs)
        return
    with worker_pool(workers) as pool:
        yield from pool.map(make, jobs)


def audit_model(folder: Path, cases: Iterable[FedCase], choice: Choice, measured_on: str) -> AuditReport:
    """Let a model look at synthetic cases, and measure it and its heatmaps.

    Args:
        folder: of the model.
        cases: what it is shown.
        choice: device and precision to compute with.
        measured_on: which cases, in words.

    Raises:
        UserError: the model cannot be used.
    """
    model = LoadedModel(folder, device=choice.device, precision=choice.precision)
    card = model.card
    logit = 0 if len(card.classes) == 1 else card.finding
    patients: list[str] = []
    shown: list[Batch] = []  # positives, for the comparison with random weights

    def batches() -> Iterator[Batch]:
        for batch, names in _batches(cases, card):
            patients.extend(names)
            there = np.flatnonzero(deciding.is_finding(batch.labels, card.finding, len(card.classes)))
            room = AUDITED - sum(len(one.labels) for one in shown)
            if len(there) and room > 0:
                shown.append(_part(batch, there[:room]))
            yield batch

    judged = look(  # it asks whose the cases are when it has seen them all
        model.network, batches(), patients=patients, choice=choice, size_px=card.input.size_px, finding=logit
    )
    truth = deciding.is_finding(judged.labels, card.finding, judged.logits.shape[1])
    chance = deciding.finding_logit(judged.logits, card.finding, card.calibration.temperature)
    at = float(np.log(card.threshold / (1 - card.threshold)))
    rows = list(measuring.figures_of(truth, chance, threshold=at, patients=judged.patients, measured_on=measured_on))
    audit = None
    if shown:
        similarity = random_similarity(model.network, shown, choice=choice, finding=logit, seed=SEED)
        radius = card.input.size_px * HIT_RADIUS
        audit = measuring.audit_heatmaps(
            judged,
            truth & deciding.decided(chance, at),
            radius_px=radius,
            similarity=round(similarity, 4),
            measured_on=measured_on,
        )
        if audit is not None:
            share = clopper_pearson(audit.hits, audit.positives)
            name = f"{PEAK} {radius:.0f} px of the fracture"
            rows.append(
                measuring.figure(
                    name, share, cases=audit.positives, measured_on=measured_on, method=measuring.EXACT
                )
            )  # fmt: skip
    return AuditReport(audit=audit, figures=tuple(rows), measured_on=measured_on)


def with_audit(card: ModelCard, report: AuditReport) -> ModelCard:
    """The card with an audit in the place of the one that it had; its other figures stay those of its own cases."""
    rows = [figure for figure in card.figures if not figure.name.startswith(PEAK)]
    rows += [figure for figure in report.figures if figure.name.startswith(PEAK)]
    return msgspec.structs.replace(card, heatmap_audit=report.audit, figures=tuple(rows))


def _batches(cases: Iterable[FedCase], card: ModelCard) -> Iterator[tuple[Batch, list[str]]]:
    """So many cases at a time, with whose they are."""
    waiting: list[FedCase] = []
    begun = 0
    for case in cases:
        waiting.append(case)
        if len(waiting) == PASS:
            yield _batch(waiting, begun, card), [one.patient for one in waiting]
            begun += len(waiting)
            waiting = []
    if waiting:
        yield _batch(waiting, begun, card), [one.patient for one in waiting]


def _batch(cases: list[FedCase], begun: int, card: ModelCard) -> Batch:
    positive = 1 if len(card.classes) == 1 else card.finding
    negative = next(number for number in range(max(len(card.classes), 2)) if number != positive)
    return Batch(
        numbers=np.arange(begun, begun + len(cases), dtype=np.int64),
        views=tuple(np.stack(views) for views in zip(*(case.views for case in cases), strict=True)),
        labels=np.array([positive if case.is_positive else negative for case in cases], np.int64),
        clicks=np.stack([case.clicks_xy for case in cases]),
    )


def _part(batch: Batch, at: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Batch:
    return Batch(batch.numbers[at], tuple(view[at] for view in batch.views), batch.labels[at], batch.clicks[at])
