"""From the views of one study to its cases: case = patient + study + side.

Pure and deterministic: the same views give the same cases. Nothing is paired when it is not certain; what is not
certain becomes a question. Rules: imaging.md §2.5 in short — same patient and study, same side (or a pelvis and one
side), acquired within 60 minutes, exactly one frontal and one lateral candidate, else a person is asked; of repeats
the latest that was not rejected is proposed and asked about; an image for processing steps back behind its twin for
presentation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.case import (
    Assessment,
    Case,
    Certainty,
    Projection,
    Side,
    Study,
    View,
    ViewFlag,
    ViewRole,
)
from app.core.pseudonym import readable_id

PAIR_WITHIN_MINUTES = 60.0
_TWIN_WITHIN_S = 2.0
_SIDES = (Side.RIGHT, Side.LEFT)


def compose_cases(study: Study, views: Sequence[View], *, previous: Sequence[Case] = ()) -> list[Case]:
    """The cases of one study.

    Args:
        study: the study; a blocked study gives blocked cases in which nothing is hung.
        views: its views, with the decisions of people laid over them. Excluded views are left out.
        previous: the study's cases before a change: a case keeps its id when only its side became known.

    Returns:
        The right hip, the left hip, then the case of the views whose side is open; those that have views.

    Raises:
        ValueError: a view belongs to another study.
    """
    if any(view.study_id != study.id for view in views):
        raise ValueError("a view of another study")
    usable = sorted((view for view in views if not view.excluded_reason), key=_order)
    cases = []
    for side in _SIDES:
        shown = [view for view in usable if view.side.value in (side, Side.BOTH)]
        if shown:
            cases.append(_case_of_side(study, side, shown))
    unknown = [view for view in usable if view.side.value is None]
    if unknown:
        cases.append(_case_without_side(study, unknown))
    if study.blocked_reason:
        cases = [_blocked(case, study.blocked_reason) for case in cases]
    return _with_stable_ids(cases, previous)


def is_frontal_candidate(view: View) -> bool:
    """Whether a view may hang as the frontal view of a hip."""
    return _role(view) is ViewRole.FRONTAL


def _case_of_side(study: Study, side: Side, views: Sequence[View]) -> Case:
    questions: list[str] = []
    frontal = _pick([view for view in views if _role(view) is ViewRole.FRONTAL], "frontal", side, questions)
    lateral = _pick([view for view in views if _role(view) is ViewRole.LATERAL], "lateral", side, questions)
    if frontal.chosen is not None and lateral.chosen is not None:
        gap = _minutes_apart(frontal.chosen, lateral.chosen)
        if gap is not None and gap > PAIR_WITHIN_MINUTES and not _paired_by_hand(frontal.chosen, lateral.chosen):
            questions.append(
                f"The frontal and the lateral view were taken {_duration(gap)} apart. If they belong together, confirm "
                f"projection and side of {lateral.chosen.id}; otherwise exclude one of them."
            )
            lateral = _Pick(None, lateral.twins)
    questions += [question for view in views for question in _open_questions(view, is_side_known=True)]
    hung = {view.id for view in (frontal.chosen, lateral.chosen) if view is not None}
    twins = frontal.twins | lateral.twins
    return Case(
        id=case_id(study.id, side),
        study_id=study.id,
        patient_id=study.patient_id,
        side=side,
        frontal_id=frontal.chosen.id if frontal.chosen else None,
        lateral_id=lateral.chosen.id if lateral.chosen else None,
        unassigned_ids=tuple(view.id for view in views if view.id not in hung and view.id not in twins),
        questions=tuple(questions),
    )


def _case_without_side(study: Study, views: Sequence[View]) -> Case:
    """Views whose side is open. A single one hangs by its projection; several might be different hips."""
    only = views[0] if len(views) == 1 else None
    role = _role(only) if only is not None else None
    questions = [question for view in views for question in _open_questions(view, is_side_known=False)]
    return Case(
        id=case_id(study.id, None),
        study_id=study.id,
        patient_id=study.patient_id,
        side=None,
        frontal_id=only.id if only is not None and role is ViewRole.FRONTAL else None,
        lateral_id=only.id if only is not None and role is ViewRole.LATERAL else None,
        unassigned_ids=() if role is not None else tuple(view.id for view in views),
        questions=tuple(questions),
    )


@dataclass(frozen=True, slots=True)
class _Pick:
    chosen: View | None
    twins: frozenset[str] = frozenset()  # for-processing twins of other views: neither hung nor asked about


def _pick(candidates: Sequence[View], role: str, side: Side, questions: list[str]) -> _Pick:
    twins = frozenset(view.id for view in candidates if _has_presentation_twin(view, candidates))
    rest = [view for view in candidates if view.id not in twins]
    if len(rest) <= 1:
        return _Pick(rest[0] if rest else None, twins)
    # latest that was not rejected; presentation before processing; the id makes the order total
    proposed = max(
        rest,
        key=lambda view: (
            ViewFlag.REJECTED not in view.flags,
            ViewFlag.FOR_PROCESSING not in view.flags,
            view.acquired_at,
            view.id,
        ),
    )
    others = ", ".join(view.id for view in rest if view.id != proposed.id)
    questions.append(
        f"There are {len(rest)} {role} views of the {side.value} hip. {proposed.id} is proposed; exclude it or the "
        f"others ({others})."
    )
    return _Pick(proposed, twins)


def _has_presentation_twin(view: View, candidates: Sequence[View]) -> bool:
    if ViewFlag.FOR_PROCESSING not in view.flags:
        return False
    for other in candidates:
        if ViewFlag.FOR_PROCESSING in other.flags or other.projection.value != view.projection.value:
            continue
        apart = _minutes_apart(view, other)
        if apart is not None and apart * 60.0 <= _TWIN_WITHIN_S:
            return True
    return False


def _role(view: View) -> ViewRole | None:
    """The pane in which a view may hang; None while that is open or the view may not show a hip at all."""
    if view.projection.value is None or is_doubtful_part(view):
        return None
    return view.projection.value.role


def is_doubtful_part(view: View) -> bool:
    """Whether the header names another part of the body and nobody has said that it shows a hip all the same."""
    return ViewFlag.OTHER_BODY_PART in view.flags and not _is_confirmed(view)


def _is_confirmed(view: View) -> bool:
    return view.projection.certainty is Certainty.CONFIRMED and view.side.certainty is Certainty.CONFIRMED


def _paired_by_hand(frontal: View, lateral: View) -> bool:
    return _is_confirmed(frontal) or _is_confirmed(lateral)


def _open_questions(view: View, *, is_side_known: bool) -> list[str]:
    questions = []
    if is_doubtful_part(view):
        questions.append(
            f"{view.id}: the header names another part of the body than the hip. Exclude it, or confirm projection "
            "and side if it does show a hip."
        )
    if not is_side_known:
        questions.append(f"{view.id}: which hip does it show, left, right or both? {_why(view.side)}")
    if view.projection.value is None:
        questions.append(f"{view.id}: which projection is it? {_why(view.projection)}")
    return questions


def _why(assessment: Assessment[Projection] | Assessment[Side]) -> str:
    said = [f"{piece.source} says {piece.says}" for piece in assessment.evidence]
    if assessment.certainty is Certainty.CONTRADICTORY:
        return f"The evidence disagrees: {'; '.join(dict.fromkeys(said))}."
    if said:
        return f"Hints only: {'; '.join(dict.fromkeys(said))}."
    return "Nothing in the file says."


def _blocked(case: Case, reason: str) -> Case:
    return replace(case, frontal_id=None, lateral_id=None, unassigned_ids=case.view_ids, blocked_reason=reason)


def case_id(study_id: str, side: Side | None) -> str:
    """The identifier that a case has from the start: from its study and side alone."""
    digest = hashlib.sha256(f"coxa-case|{study_id}|{side.value if side else 'open'}".encode()).digest()
    return readable_id("C", digest)


def _with_stable_ids(cases: Sequence[Case], previous: Sequence[Case]) -> list[Case]:
    """Keep the id of a case of the same side; hand the id of a vanished case to the new case of its views."""
    kept = {case.side: case.id for case in previous}
    sides = {case.side for case in cases}
    vanished = [case for case in previous if case.side not in sides]
    result = []
    taken = {kept[side] for side in sides if side in kept}
    for case in cases:
        identifier = kept.get(case.side)
        if identifier is None:
            views = set(case.view_ids)
            heir = next((old for old in vanished if old.id not in taken and views & set(old.view_ids)), None)
            identifier = heir.id if heir is not None else case.id
            if heir is None and identifier in taken:
                # this side's own id was handed on before; any free one will do, as long as it is always the same
                identifier = readable_id("C", hashlib.sha256(f"{identifier}|{len(taken)}".encode()).digest())
        taken.add(identifier)
        result.append(replace(case, id=identifier))
    return result


def _order(view: View) -> tuple[str, str]:
    return view.acquired_at, view.id


def _minutes_apart(first: View, second: View) -> float | None:
    """Minutes between two acquisitions; None when a time is missing; whole days count even without a time of day."""
    if not first.acquired_at or not second.acquired_at:
        return None
    if "T" in first.acquired_at and "T" in second.acquired_at:
        moments = [datetime.fromisoformat(view.acquired_at).replace(tzinfo=None) for view in (first, second)]
        return abs((moments[0] - moments[1]).total_seconds()) / 60.0
    days = [datetime.fromisoformat(view.acquired_at[:10]) for view in (first, second)]
    apart = abs((days[0] - days[1]).days)
    return apart * 1440.0 if apart else None


def _duration(minutes: float) -> str:
    if minutes < 180:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"
