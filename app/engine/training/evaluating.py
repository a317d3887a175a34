"""Figures, curves and tables of one model on one set of cases, and of all folds of a cross-validation together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from app.core.evaluation import (
    CalibrationBin,
    CrossEvaluation,
    EvaluatedCase,
    Evaluation,
    GroupFigures,
    PrPoint,
    RocPoint,
    over_folds,
)
from app.core.model_card import ModelCard
from app.core.promotion import Comparison, Flip
from app.engine.statistics.calibration import BINS
from app.engine.statistics.comparison import mcnemar
from app.engine.statistics.folds import is_f1_possible
from app.engine.statistics.interval import clopper_pearson
from app.engine.statistics.roc import compare
from app.engine.training import deciding, measuring
from app.engine.training.deciding import Bools, Floats
from app.engine.training.judging import Judged

FEWEST_IN_A_GROUP = 5


def evaluated_cases(
    judged: Judged,
    ids: Sequence[str],
    card: ModelCard,
    distances: Floats,
    *,
    hit_radius_px: float,
    vendors: Mapping[str, str] | None = None,
) -> list[EvaluatedCase]:
    """What a model decides about cases, by the rules of its card.

    Args:
        judged: its opinions.
        ids: (N,) the cases.
        card: temperature, threshold, abstention.
        distances: (N,) from its training cases.
        hit_radius_px: of the fracture region around a click.
        vendors: case -> maker of the detector.
    """
    logit = deciding.finding_logit(judged.logits, card.finding, card.calibration.temperature)
    truth = deciding.is_finding(judged.labels, card.finding, judged.logits.shape[1])
    chance = 1 / (1 + np.exp(-logit))
    hits = measuring.peak_hits(judged, hit_radius_px)
    return [
        EvaluatedCase(
            id=name,
            patient=judged.patients[number],
            is_finding=bool(truth[number]),
            probability=float(chance[number]),
            is_found=bool(chance[number] >= card.threshold),
            distance=float(distances[number]),
            is_unsure=card.is_unsure(float(chance[number])) or card.is_outlier(float(distances[number])),
            vendor=(vendors or {}).get(name, ""),
            is_hit=None if np.isnan(hits[number]) else bool(hits[number]),
        )
        for number, name in enumerate(ids)
    ]


def evaluate(
    cases: Sequence[EvaluatedCase], card: ModelCard, *, measured_on: str, classes: tuple[str, str] | None = None
) -> Evaluation:
    """Measure decisions.

    Args:
        cases: at least one.
        card: of the model that decided.
        measured_on: which cases, in words.
        classes: without and with the finding; from the card when left out.
    """
    ordered = sorted(cases, key=lambda case: case.id)
    truth = np.array([case.is_finding for case in ordered])
    chance = np.array([case.probability for case in ordered])
    said = np.array([case.is_found for case in ordered])
    # folds decide by thresholds of their own, so the decision itself is counted
    table = measuring.table_of(truth, said)
    figures = measuring.figures_of_decisions(
        truth, said, chance, patients=[case.patient for case in ordered], measured_on=measured_on
    )
    roc, pr, area = _curves(truth, chance)
    hits = [case.is_hit for case in ordered if case.is_finding and case.is_found and case.is_hit is not None]
    if hits:
        share = clopper_pearson(sum(hits), len(hits))
        figures += (
            measuring.figure(
                "heatmap peak in the fracture region", share, cases=len(hits), measured_on=measured_on,
                method=measuring.EXACT,
            ),
        )  # fmt: skip
    return Evaluation(
        model_id=card.id,
        weights_sha256=card.weights_sha256,
        title=card.title,
        classes=classes or class_names(card),
        measured_on=measured_on,
        threshold=card.threshold,
        cases=tuple(ordered),
        counts=(table.true_positive, table.false_negative, table.true_negative, table.false_positive),
        figures=figures,
        roc=roc,
        pr=pr,
        average_precision=area,
        calibration=tuple(_bins(truth, chance)),
        by_class=tuple(_by_class(ordered, classes or class_names(card), measured_on)),
        by_vendor=tuple(_by_vendor(ordered, measured_on)),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def class_names(card: ModelCard) -> tuple[str, str]:
    """Without and with the finding."""
    if len(card.classes) == 1:
        return f"no {card.classes[0]}", card.classes[0]
    others = [name for number, name in enumerate(card.classes) if number != card.finding]
    return " or ".join(others), card.classes[card.finding]


def compare_models(new: Evaluation, active: Evaluation) -> Comparison | None:
    """The promotion gate: both on the same cases, DeLong paired; None where they have too few cases in common.

    Args:
        new: of the model that shall take the place.
        active: of the one that has it.
    """
    before = {case.id: case for case in active.cases}
    both = [(case, before[case.id]) for case in new.cases if case.id in before]
    truth = np.array([case.is_finding for case, _ in both], bool)
    if not len(truth) or truth.all() or not truth.any():
        return None
    one = np.array([case.probability for case, _ in both])
    other = np.array([case.probability for _, case in both])
    difference = compare(truth, one, other)
    flips = [
        Flip(
            case_id=case.id,
            is_finding=case.is_finding,
            before=old.probability,
            after=case.probability,
            is_better=case.is_right,
        )
        for case, old in both
        if case.is_found != old.is_found
    ]
    return Comparison(
        new_id=new.model_id,
        active_id=active.model_id,
        cases=len(both),
        patients=len({case.patient for case, _ in both}),
        new_auc=difference.first,
        active_auc=difference.second,
        gain=difference.estimate.value,
        low=difference.estimate.low,
        high=difference.estimate.high,
        p=difference.p,
        flips=tuple(flips),
        decisions_p=mcnemar([case.is_right for case, _ in both], [case.is_right for _, case in both]).p,
    )


def cross_evaluate(
    queue: str, folds: Sequence[Evaluation | None], card: ModelCard, *, title: str = ""
) -> CrossEvaluation:
    """All folds together.

    Args:
        queue: id that the runs share.
        folds: evaluation of each; None = not finished.
        card: of any fold, for the names of the classes.
        title: of the whole; that of the fold when left out.
    """
    done = [fold for fold in folds if fold is not None]
    rows = over_folds(folds)
    cases = [msgspec.structs.replace(case, threshold=fold.threshold) for fold in done for case in fold.cases]
    twice = len(cases) - len({case.id for case in cases})
    notes = []
    if len(done) < len(folds):
        notes.append(f"{len(folds) - len(done)} of {len(folds)} folds are not finished.")
    if twice:
        notes.append(f"{twice} cases were tested by more than one fold.")
    rare = [row.name for row in rows if row.counted < len(done)]
    if rare:
        notes.append(f"Not every fold defines {', '.join(rare)}: the mean is over those that do.")
    means = {row.name: row.mean for row in rows}
    if {"PPV", "sensitivity", "F1"} <= means.keys() and not is_f1_possible(
        means["PPV"], means["sensitivity"], means["F1"]
    ):
        notes.append("The mean F1 cannot belong to the mean PPV and sensitivity: some folds leave one of them open.")
    pooled = evaluate(
        cases, card, measured_on=f"{len(cases)} out-of-fold cases of {len(done)} folds, each by its own threshold"
    )
    return CrossEvaluation(
        queue=queue, done=len(done), folds=len(folds), per_fold=rows, notes=tuple(notes),
        pooled=msgspec.structs.replace(pooled, model_id=queue, weights_sha256="", title=title or pooled.title),
    )  # fmt: skip


def _curves(truth: Bools, chance: Floats) -> tuple[tuple[RocPoint, ...], tuple[PrPoint, ...], float | None]:
    if truth.all() or not truth.any():
        return (), (), None
    false_rate, sensitivity, at = roc_curve(truth, chance)
    roc = tuple(
        RocPoint(false_positive_rate=float(x), sensitivity=float(y), threshold=min(float(t), 2.0))
        for x, y, t in zip(false_rate, sensitivity, at, strict=True)
    )
    precision, recall, at = precision_recall_curve(truth, chance)
    pr = tuple(
        PrPoint(recall=float(r), precision=float(p), threshold=float(t))
        for p, r, t in zip(precision, recall, [*at, 2.0], strict=True)
    )
    return roc, pr, float(average_precision_score(truth, chance))


def _bins(truth: Bools, chance: Floats) -> list[CalibrationBin]:
    order = np.argsort(chance, kind="stable")
    parts = np.array_split(order, max(1, min(BINS, len(order) // FEWEST_IN_A_GROUP)))
    found = []
    for part in parts:
        share = clopper_pearson(int(truth[part].sum()), len(part))
        found.append(
            CalibrationBin(
                stated=float(chance[part].mean()), observed=share.value, low=share.low, high=share.high, cases=len(part)
            )
        )
    return found


def _by_class(cases: Sequence[EvaluatedCase], classes: tuple[str, str], words: str) -> list[GroupFigures]:
    rows = []
    for is_finding, name in enumerate(classes):
        inside = [case for case in cases if case.is_finding is bool(is_finding)]
        if inside:
            share = clopper_pearson(sum(case.is_right for case in inside), len(inside))
            figure = measuring.figure("decided rightly", share, cases=len(inside), measured_on=words,
                                      method=measuring.EXACT)  # fmt: skip
            rows.append(GroupFigures(name=name, cases=len(inside), figures=(figure,)))
    return rows


def _by_vendor(cases: Sequence[EvaluatedCase], words: str) -> list[GroupFigures]:
    rows = []
    for vendor in sorted({case.vendor for case in cases}):
        inside = [case for case in cases if case.vendor == vendor]
        figures = measuring.figures_of_decisions(
            np.array([case.is_finding for case in inside]),
            np.array([case.is_found for case in inside]),
            np.array([case.probability for case in inside]),
            patients=[case.patient for case in inside],
            measured_on=words,
            is_short=True,
        )
        rows.append(GroupFigures(name=vendor or "not known", cases=len(inside), figures=figures))
    return rows
