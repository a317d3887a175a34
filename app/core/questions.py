"""What a person still has to decide about a case, one question at a time, and what speaks for which answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.case import Assessment, Case, Evidence, Projection, Side, View, ViewRole
from app.core.pairing import is_doubtful_part

AnyAssessment = Assessment[Projection] | Assessment[Side]


class QuestionKind(StrEnum):
    """What is asked about a view."""

    BODY_PART = "body-part"  # the header names another part of the body
    PROJECTION = "projection"
    SIDE = "side"
    REPEAT = "repeat"  # several views for one place
    APART = "apart"  # frontal and lateral were not taken at about the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to decide about one view.

    Args:
        view_id: the view.
        kind: what is asked.
        rivals: REPEAT: the other views for the same place; APART: the frontal view.
    """

    view_id: str
    kind: QuestionKind
    rivals: tuple[str, ...] = ()


def open_questions(case: Case, views: Mapping[str, View]) -> tuple[Question, ...]:
    """The questions of a case, in the order in which they are asked: view by view as they hang, then the pairing.

    Args:
        case: the case.
        views: its views by id; one that is missing is left out.
    """
    if case.blocked_reason:
        return ()
    present = [views[name] for name in case.view_ids if name in views]
    questions = [Question(view_id=view.id, kind=kind) for view in present for kind in _about_view(view)]
    for role, hung in ((ViewRole.FRONTAL, case.frontal_id), (ViewRole.LATERAL, case.lateral_id)):
        waiting = [view.id for view in present if view.id in case.unassigned_ids and _place(view) is role]
        if hung is not None and waiting and case.side is not None:
            questions.append(Question(view_id=hung, kind=QuestionKind.REPEAT, rivals=tuple(waiting)))
        elif hung is None and waiting and case.frontal_id is not None:
            questions.append(Question(view_id=waiting[0], kind=QuestionKind.APART, rivals=(case.frontal_id,)))
    return tuple(questions)


def evidence_by_value(assessment: AnyAssessment) -> tuple[tuple[str, tuple[Evidence, ...]], ...]:
    """The pieces of evidence, gathered by the value that they speak for.

    Returns:
        (value, pieces), strongest value first; pieces strongest first, advisory ones last.
    """
    gathered: dict[str, list[Evidence]] = {}
    for piece in sorted(assessment.evidence, key=lambda one: (one.is_advisory, one.rank)):
        gathered.setdefault(piece.says, []).append(piece)
    return tuple((value, tuple(pieces)) for value, pieces in gathered.items())


def alike(view: View, others: Sequence[View], kind: QuestionKind) -> tuple[View, ...]:
    """Other views to which the same answer may be given at once: open in the same way, on the same evidence.

    For a projection the files must say something: that two silent views of a study show the same projection is
    unlikely; they are a frontal and a lateral one, as a rule. The side of silent views of one study is mostly the same.

    Args:
        view: the view that is asked about.
        others: where to look; excluded views and views of other patients' studies do not count.
        kind: PROJECTION or SIDE.
    """
    asked = assessment_of(view, kind)
    if not asked.is_open or (kind is QuestionKind.PROJECTION and not asked.evidence):
        return ()
    return tuple(
        other
        for other in others
        if other.id != view.id
        and not other.excluded_reason
        and not is_doubtful_part(other)
        and assessment_of(other, kind) == asked
        and (other.study_id == view.study_id or bool(asked.evidence))
    )


def assessment_of(view: View, kind: QuestionKind) -> AnyAssessment:
    """What is known about the projection or the side of a view."""
    return view.projection if kind is QuestionKind.PROJECTION else view.side


def _about_view(view: View) -> list[QuestionKind]:
    kinds = [QuestionKind.BODY_PART] if is_doubtful_part(view) else []
    kinds += [QuestionKind.PROJECTION] if view.projection.is_open else []
    kinds += [QuestionKind.SIDE] if view.side.is_open else []
    return kinds


def _place(view: View) -> ViewRole | None:
    """Where a view would hang; None while something about it is open."""
    if view.projection.value is None or _about_view(view):
        return None
    return view.projection.value.role
