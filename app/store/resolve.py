"""A person's decisions about views, and the cases that follow from them, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.case import Case, Projection, Side, View
from app.core.errors import UserError
from app.core.event import COMPOSITION, Event, Json, target_of
from app.core.pairing import compose_cases
from app.store.project import ProjectStore
from app.store.studies import BLOCKED
from app.store.views import EXCLUDED, PROJECTION, SIDE

EVENTS_OF_ONE_DECISION = 1000  # at most looked at: its own fields, and the cases that it made and dissolved
DECISION_FIELDS = {"view": frozenset({PROJECTION, SIDE, EXCLUDED}), "study": frozenset({BLOCKED})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is decided about one view; None leaves a property as it is.

    Args:
        view_id: the view.
        projection: what it shows.
        side: which hip; BOTH for a pelvis.
        excluded: why it is taken out of its cases; empty takes it back in.
    """

    view_id: str
    projection: Projection | None = None
    side: Side | None = None
    excluded: str | None = None


def record_decisions(
    project: ProjectStore, decisions: Sequence[Decision], *, author: str, text: str = ""
) -> list[Case]:
    """Record several decisions and recompose the cases of every study they touch, in one transaction.

    Args:
        project: open for writing.
        decisions: what is decided, in this order.
        author: who decides.
        text: the person's own words, if any.

    Returns:
        The cases of the studies that were touched, as they are afterwards.

    Raises:
        UserError: `no-view`; nothing was recorded then.
    """
    with project.transaction():
        former: dict[str, list[Case]] = {}
        for decision in decisions:
            view = existing_view(project, decision.view_id)
            former.setdefault(view.study_id, [])
            if decision.projection is not None or decision.side is not None:
                project.views.confirm(
                    view.id, projection=decision.projection, side=decision.side, author=author, text=text
                )
            if decision.excluded:
                project.views.exclude(view.id, decision.excluded.strip(), author=author)
            elif decision.excluded is not None:
                history = [one for one in project.events.of(target_of("view", view.id)) if one.field == EXCLUDED]
                if view.excluded_reason and history:
                    former[view.study_id] += _dissolved_by(project, history[-1], view.study_id)
                project.views.include(view.id, author=author)
        return _recomposed(project, former, author)


def resolve_view(
    project: ProjectStore,
    view_id: str,
    *,
    projection: Projection | None = None,
    side: Side | None = None,
    author: str,
    text: str = "",
) -> list[Case]:
    """Record what a view shows and recompose its study's cases.

    Who, when and the evidence that was on the table are recorded with it. To take a decision back, decide again.

    Args:
        project: open for writing.
        view_id: the view.
        projection: what it shows; None leaves it.
        side: which hip; BOTH for a pelvis; None leaves it.
        author: who decides.
        text: the person's own words, if any.

    Returns:
        The study's cases afterwards.

    Raises:
        UserError: `no-view`, or `nothing-to-do` when neither is given.
    """
    if projection is None and side is None:
        raise UserError(
            "Nothing was decided.", reason="Neither a projection nor a side is given.", kind="nothing-to-do"
        )
    with project.transaction():
        view = existing_view(project, view_id)
        project.views.confirm(view_id, projection=projection, side=side, author=author, text=text)
        return recompose_study(project, view.study_id, author=author)


def exclude_view(project: ProjectStore, view_id: str, *, reason: str, author: str) -> list[Case]:
    """Take a view out of its cases and recompose them.

    Raises:
        UserError: `no-view`, or `nothing-to-do` without a reason.
    """
    if not reason.strip():
        raise UserError(
            "A view is excluded for a reason.", remedy="Say why, for example `repeat`.", kind="nothing-to-do"
        )
    with project.transaction():
        view = existing_view(project, view_id)
        project.views.exclude(view_id, reason.strip(), author=author)
        return recompose_study(project, view.study_id, author=author)


def include_view(project: ProjectStore, view_id: str, *, author: str) -> list[Case]:
    """Take an excluded view back in and recompose its study's cases.

    Raises:
        UserError: `no-view`.
    """
    return record_decisions(project, [Decision(view_id=view_id, excluded="")], author=author)


def release_study(project: ProjectStore, study_id: str, *, reason: str, author: str) -> list[Case]:
    """Release a blocked study after a person has looked at who it belongs to.

    Raises:
        UserError: `no-study`, or `nothing-to-do` when it is not blocked or no reason is given.
    """
    with project.transaction():
        study = project.studies.get(study_id)
        if study is None:
            raise UserError("There is no such study in this project.", kind="no-study")
        if not study.blocked_reason or not reason.strip():
            raise UserError(
                "Nothing was released.",
                reason="The study is not blocked." if not study.blocked_reason else "No reason was given.",
                kind="nothing-to-do",
            )
        project.studies.unblock(study_id, author=author, text=reason.strip())
        return recompose_study(project, study_id, author=author)


def block_study(project: ProjectStore, study_id: str, *, reason: str, author: str) -> list[Case]:
    """Say that a study must not be read, for a reason that a person found; nothing of it hangs any more.

    Raises:
        UserError: `no-study`, or `nothing-to-do` when it is blocked already or no reason is given.
    """
    with project.transaction():
        study = project.studies.get(study_id)
        if study is None:
            raise UserError("There is no such study in this project.", kind="no-study")
        if study.blocked_reason or not reason.strip():
            raise UserError(
                "Nothing was blocked.",
                reason="The study is blocked already." if study.blocked_reason else "No reason was given.",
                kind="nothing-to-do",
            )
        project.studies.block(study_id, reason.strip(), author=author)
        return recompose_study(project, study_id, author=author)


def decisions_since(project: ProjectStore, event_id: int) -> tuple[Event, ...]:
    """Decisions about views and blocks that were recorded after an event, oldest first."""
    return tuple(event for event in project.events.since(event_id) if is_decision(event))


def is_decision(event: Event) -> bool:
    """Whether an event is a person's decision about a view or a block, and not what followed from one."""
    return event.field in DECISION_FIELDS.get(event.target.partition(":")[0], frozenset())


def undo_decision(project: ProjectStore, event_ids: Sequence[int], *, author: str) -> list[Case]:
    """Take decisions back: what they replaced holds again. The events stay; new ones say which they revert.

    Taking back what a taking-back recorded does it again.

    Args:
        project: open for writing.
        event_ids: the events of the decisions; they are taken back together or not at all.
        author: who takes them back.

    Returns:
        The cases of the studies that were touched, as they are afterwards.

    Raises:
        UserError: `no-decision` when an event is no decision; `changed-meanwhile` when a later one has replaced it.
    """
    with project.transaction():
        former: dict[str, list[Case]] = {}
        for number in sorted(event_ids, reverse=True):
            event = project.events.get(number)
            if event is None or not is_decision(event):
                raise UserError(
                    "There is no such decision.",
                    reason=f"Event {number} is not a decision about a view or a block.",
                    remedy="`coxa cases show CASE --project DIR` lists the events of a case.",
                    kind="no-decision",
                )
            history = [one for one in project.events.of(event.target) if one.field == event.field]
            holding, replaced = _what_holds(history)
            if event.id not in (holding.id if holding is not None else 0, history[-1].id):
                raise UserError(
                    "This decision was not taken back.",
                    reason=f"It was decided anew since then (event {history[-1].id}).",
                    remedy="Decide again, or take the later decision back first.",
                    kind="changed-meanwhile",
                )
            earlier = replaced[event.id]
            after: Json = earlier.after if earlier is not None else None
            project.events.append(
                target=event.target,
                field=event.field,
                after=after,
                text="Taken back",
                author=author,
                reverts=event.id,
            )
            kind, _, identifier = event.target.partition(":")
            study_id = identifier if kind == "study" else existing_view(project, identifier).study_id
            former.setdefault(study_id, []).extend(_dissolved_by(project, event, study_id))
        return _recomposed(project, former, author)


def _what_holds(history: Sequence[Event]) -> tuple[Event | None, dict[int, Event | None]]:
    """The decision that holds after these events of one property, and what each of them replaced.

    An event that takes another one back makes hold again what that one had replaced.
    """
    holding: Event | None = None
    replaced: dict[int, Event | None] = {}
    for event in history:
        replaced[event.id] = holding
        holding = event if event.reverts is None else replaced.get(event.reverts)
    return holding, replaced


def _recomposed(project: ProjectStore, former: dict[str, list[Case]], author: str) -> list[Case]:
    return [
        case
        for study_id, cases in former.items()
        for case in recompose_study(project, study_id, author=author, former=cases)
    ]


def _dissolved_by(project: ProjectStore, decision: Event, study_id: str) -> list[Case]:
    """The cases that a decision dissolved: their ids, and so their labels, come back when it is taken back."""
    dissolved = []
    has_composed = False
    for event in project.events.since(decision.id, limit=EVENTS_OF_ONE_DECISION):
        if event.field == COMPOSITION:
            has_composed = True
            parts = event.before
            if event.after is None and parts is not None and parts["study_id"] == study_id:
                side = Side(parts["side"]) if parts["side"] else None
                views = [*filter(None, (parts["frontal_id"], parts["lateral_id"])), *parts["unassigned_ids"]]
                dissolved.append(
                    Case(
                        id=event.target.partition(":")[2],
                        study_id=study_id,
                        patient_id=parts["patient_id"],
                        side=side,
                        unassigned_ids=tuple(views),
                    )
                )
        elif has_composed or not is_decision(event):
            break  # something else has happened since
    return dissolved


def recompose_study(project: ProjectStore, study_id: str, *, author: str, former: Sequence[Case] = ()) -> list[Case]:
    """Compose the cases of a study anew from its views; cases that stay keep their id, status and place.

    Args:
        project: open for writing.
        study_id: the study.
        author: who brought the change about.
        former: cases that were dissolved and may come back under their ids.

    Raises:
        UserError: `no-study`.
    """
    with project.transaction():
        study = project.studies.get(study_id)
        if study is None:
            raise UserError("There is no such study in this project.", kind="no-study")
        present = project.cases.of_study(study_id)
        sides = {case.side for case in present}
        previous = [*present, *(case for case in former if case.side not in sides)]
        cases = compose_cases(study, project.views.of_study(study_id), previous=previous)
        project.cases.replace_for_study(study_id, cases, author=author)
        return project.cases.of_study(study_id)


def existing_view(project: ProjectStore, view_id: str) -> View:
    """A view of the project.

    Raises:
        UserError: `no-view`.
    """
    view = project.views.get(view_id)
    if view is None:
        raise UserError(
            "There is no such view in this project.",
            reason=f"No view has the identifier {view_id[:64]}.",
            remedy="`coxa cases --project DIR` lists the views of every case.",
            kind="no-view",
        )
    return view
