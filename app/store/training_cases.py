"""What a project knows about its cases as far as training needs it: labels, gaps, and what would be cut.

What is cut agrees with what the window shows and the engine is fed: the same clicks and boxes, by the same rule
(`consulting`), through `input_crop`; a test compares the two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core.adjudication import Adjudication, answers_of, settled_value
from app.core.annotation import (
    ALIGNMENT,
    CASE,
    CROP_VERDICT,
    LABEL,
    REGION,
    alignment_of,
    labels_of,
    region_of,
    split_target,
)
from app.core.case import Case, ReviewStatus, View, ViewFlag, ViewRole
from app.core.errors import UserError
from app.core.event import PROJECT, Json
from app.core.geometry import Alignment
from app.core.model_input import InputKind, ModelInput, ViewGeometry
from app.core.region import RegionBox
from app.core.training_proposal import Candidate, Unfit
from app.core.training_run import RunCase, RunView
from app.core.training_task import TrainingTask
from app.store.crops import CropState, crop_state
from app.store.project import ProjectStore
from app.store.windows import kept_windows

HOLD_OUT = "hold-out"  # label that an import may bring, and field of the project's event
UNFIT_FLAGS = (ViewFlag.PARTIAL, ViewFlag.FALLBACK_DECODER)
MANUFACTURER = "00080070"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCases:
    """Every case of a project, for one task and one kind of input.

    Args:
        candidates: for `propose`.
        views: case -> what is cut; only cases that the network can be fed.
    """

    candidates: tuple[Candidate, ...]
    views: Mapping[str, RunCase]


class _Gap(Exception):  # not an error
    def __init__(self, reason: Unfit) -> None:
        super().__init__(reason.value)
        self.reason = reason


def training_cases(
    project: ProjectStore, task: TrainingTask, wanted: ModelInput, *, reader: str = "", has_localiser: bool = False
) -> TrainingCases:
    """Look through a project; reads no image.

    Args:
        project: the project.
        task: which question.
        wanted: what the network is fed.
        reader: whose clicks and boxes come first; another reader's count where this one has made none.
        has_localiser: whether a model proposes regions where nobody has drawn one.
    """
    views = {view.id: view for view in project.views.all()}
    said = _opinions(project)
    held_out = held_out_patients(project)
    vendors = _vendors(project)
    candidates: list[Candidate] = []
    cut: dict[str, RunCase] = {}
    for case in project.cases.all():
        opinions = said.get(case.id, {})
        label, is_disputed = common_label(opinions, task.field)
        readings = [opinions[name] for name in sorted(opinions, key=lambda name: (name != reader, name)) if name]
        gap: Unfit | None = None
        found: tuple[RunView, ...] = ()
        try:
            found = _run_views(project, case, views, readings, wanted, has_localiser=has_localiser)
        except _Gap as missing:
            gap = missing.reason
        if found:
            vendor = next((vendors[name] for name in case.view_ids if name in vendors), "")
            cut[case.id] = RunCase(id=case.id, views=found, vendor=vendor)
        candidates.append(
            Candidate(
                id=case.id,
                patient=case.patient_id,
                label=label,
                is_disputed=is_disputed,
                gap=Unfit.EXCLUDED if case.status is ReviewStatus.EXCLUDED else gap,
                images=tuple(view.image_sha256 for view in found),
                is_held_out=case.patient_id in held_out,
                has_click=any(view.click_xy is not None for view in found),
            )
        )
    return TrainingCases(candidates=tuple(candidates), views=cut)


def common_label(opinions: Mapping[str, Mapping[str, Json]], field: str) -> tuple[str, bool]:
    """What readers say about one question of one case.

    What came with the images counts only where no reader has answered; where readers disagree, what was adjudicated.

    Args:
        opinions: reader -> field -> JSON value; the reader `""` is the import.
        field: id of the question.

    Returns:
        The answer as text, empty when there is none or they disagree; whether they disagree.
    """
    given = {reader: labels.get(field) for reader, values in opinions.items() if (labels := labels_of(values))}
    answers = {reader: value for reader, value in given.items() if value is not None}
    readers = {reader: value for reader, value in answers.items() if reader} or answers
    if (decided := settled_value(readers, _adjudicated(opinions, field))) is not None:
        readers = {"": decided}
    texts = {" ".join(value) if isinstance(value, tuple) else str(value) for value in readers.values()}
    return (texts.pop(), False) if len(texts) == 1 else ("", len(texts) > 1)


def _adjudicated(opinions: Mapping[str, Mapping[str, Json]], field: str) -> dict[str, Adjudication]:
    """Who decided what about a field."""
    given = {reader: answers_of(values) for reader, values in opinions.items() if reader}
    return {reader: answers[field] for reader, answers in given.items() if field in answers}


def held_out_patients(project: ProjectStore) -> frozenset[str]:
    """Patients that no model of this project may ever be trained on: those of cases that came with `hold-out: yes`, and
    those that were frozen with the first run."""
    frozen = project.events.current(PROJECT, HOLD_OUT) or []
    rows = project.database.rows(
        "SELECT target FROM current WHERE field = ? AND value = ?", (f"{LABEL}{HOLD_OUT}", '"yes"')
    )
    cases = (project.cases.get(split_target(target)[1]) for (target,) in rows)
    return frozenset(frozen) | {case.patient_id for case in cases if case is not None}


def freeze_hold_out(project: ProjectStore, patients: Iterable[str], *, author: str) -> None:
    """Hold these patients out for good, besides those that are held out already."""
    before = project.events.current(PROJECT, HOLD_OUT) or []
    after = sorted({*before, *patients})
    if after != before:
        text = f"{len(after)} patients held out for judging models"
        project.events.append(target=PROJECT, field=HOLD_OUT, after=after, text=text, author=author)


def _opinions(project: ProjectStore) -> dict[str, dict[str, dict[str, Json]]]:
    """Case -> reader -> field -> value, of everybody."""
    rows = project.database.rows(
        "SELECT target, field, value FROM current WHERE target >= 'case:' AND target < 'case;'"
    )
    found: dict[str, dict[str, dict[str, Json]]] = defaultdict(lambda: defaultdict(dict))
    for target, field, value in rows:
        kind, case_id, reader = split_target(target)
        if kind == CASE:
            found[case_id][reader][field] = json.loads(value)
    return found


def _vendors(project: ProjectStore) -> dict[str, str]:
    """View -> maker of its detector, where the header names it."""
    path = f"$.{MANUFACTURER}.Value[0]"
    rows = project.database.rows('SELECT id, json_extract(header, ?) FROM "view"', (path,))
    return {view: str(maker) for view, maker in rows if maker}


def _run_views(
    project: ProjectStore,
    case: Case,
    views: Mapping[str, View],
    readings: Sequence[Mapping[str, Json]],
    wanted: ModelInput,
    *,
    has_localiser: bool,
) -> tuple[RunView, ...]:
    if case.blocked_reason:
        raise _Gap(Unfit.BLOCKED)
    ids = {ViewRole.FRONTAL: case.frontal_id, ViewRole.LATERAL: case.lateral_id}
    found = []
    for role in wanted.roles:
        view = views.get(ids[role] or "")
        if view is None:
            raise _Gap(Unfit.MISSING_VIEW)
        if any(flag in view.flags for flag in UNFIT_FLAGS):
            raise _Gap(Unfit.UNFIT_IMAGE)
        if case.side is None and wanted.is_right_mirrored:
            raise _Gap(Unfit.SIDE_OPEN)
        clicked, is_rejected = _alignment(view, readings)
        region = _region(view, readings) if wanted.kind is InputKind.REGION_CROP else None
        if wanted.kind is InputKind.ALIGNED_CROP and clicked is None:
            raise _Gap(Unfit.CROP_REJECTED if is_rejected else Unfit.NEEDS_CLICKS)
        if wanted.kind is InputKind.REGION_CROP and region is None and not has_localiser:
            raise _Gap(Unfit.NEEDS_REGION)
        windows = kept_windows(project.derived, view.image_sha256, view.grey)
        found.append(
            RunView(
                image_sha256=view.image_sha256,
                grey=view.grey,
                geometry=ViewGeometry(
                    rows=view.rows,
                    cols=view.cols,
                    spacing=view.spacing,
                    side=case.side,
                    alignment=clicked if wanted.kind is InputKind.ALIGNED_CROP else None,
                    region=region,
                ),
                window=None if windows is None else windows["auto"],
                click_xy=None if clicked is None else clicked.center_xy,
            )
        )
    return tuple(found)


def _alignment(view: View, readings: Sequence[Mapping[str, Json]]) -> tuple[Alignment | None, bool]:
    """The two clicks of the first reader who has made them and has not rejected the crop; whether one was rejected."""
    is_rejected = False
    for values in readings:
        alignment = None
        with suppress(UserError):
            alignment = alignment_of(values.get(f"{ALIGNMENT}{view.id}"))
        if alignment is None:
            continue
        if crop_state(alignment, view, values.get(f"{CROP_VERDICT}{view.id}")) is not CropState.REJECTED:
            return alignment, is_rejected
        is_rejected = True
    return None, is_rejected


def _region(view: View, readings: Sequence[Mapping[str, Json]]) -> RegionBox | None:
    for values in readings:
        with suppress(UserError):
            region = region_of(values.get(f"{REGION}{view.id}"))
            if region is not None:
                return region
    return None
