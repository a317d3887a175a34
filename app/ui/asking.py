"""What the resolve panel asks about the active view, from the case on the screen and what is stored."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.case import Side, View
from app.core.questions import Question, QuestionKind, alike, open_questions
from app.store.project import ProjectStore
from app.ui.language import tr
from app.ui.project import CaseContent
from app.ui.resolve_panel import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What is open about one case.

    Args:
        views: every view of the case by id.
        questions: what is asked, in order.
    """

    views: dict[str, View]
    questions: tuple[Question, ...]

    @property
    def view_ids(self) -> tuple[str, ...]:
        """The views that are asked about, in order."""
        return tuple(dict.fromkeys(question.view_id for question in self.questions))

    def about(self, view_id: str) -> tuple[Question, ...]:
        """The questions in which a view takes part."""
        return tuple(one for one in self.questions if view_id == one.view_id or view_id in one.rivals)


def open_of(content: CaseContent, store: ProjectStore) -> Open:
    """What is open about a case."""
    found = (store.views.get(name) for name in content.case.view_ids)
    views = {view.id: view for view in found if view is not None}
    return Open(views=views, questions=open_questions(content.case, views))


def asked_about(
    view: View | None,
    content: CaseContent,
    store: ProjectStore,
    opened: Open | None = None,
    *,
    is_by_hand: bool,
    recorded: str,
) -> Asked:
    """What the panel shows for a view.

    Args:
        view: the active view, or None.
        content: the case on the screen.
        store: the open project.
        opened: what is open about the case, if that is known already.
        is_by_hand: the user asked about this view.
        recorded: what was decided last and can be taken back.
    """
    opened = opened or open_of(content, store)
    is_any_left = store.cases.next_open(content.case.id) != ""
    if view is None:
        return Asked(
            total=len(opened.view_ids), waiting=content.waiting, recorded=recorded, is_any_left=is_any_left,
            is_writable=not store.is_read_only,
        )  # fmt: skip
    questions = opened.about(view.id)
    kinds = frozenset(question.kind for question in questions)
    place = opened.view_ids.index(view.id) + 1 if view.id in opened.view_ids else 0
    is_asking = bool(kinds) or is_by_hand
    study = store.views.of_study(view.study_id) if is_asking else []
    return Asked(
        view=view,
        kinds=kinds,
        is_by_hand=is_by_hand,
        number=place,
        total=len(opened.view_ids),
        notes=tuple(_notes(view, content, store, questions)) if is_asking else (),
        rivals=max((len(question.rivals) for question in questions if question.kind is QuestionKind.REPEAT), default=0),
        alike={kind: alike(view, study, kind) for kind in (QuestionKind.PROJECTION, QuestionKind.SIDE)},
        may_swap=_may_swap(content),
        may_pair=_may_swap(content) and all(hanging.view.projection.is_open for hanging in
                                            (content.frontal, content.lateral) if hanging.view is not None),
        excluded=tuple(one for one in study if one.excluded_reason),
        waiting=content.waiting,
        is_writable=not store.is_read_only,
        recorded=recorded,
        is_any_left=is_any_left,
    )  # fmt: skip


def _may_swap(content: CaseContent) -> bool:
    left, right = content.frontal.view, content.lateral.view
    return left is not None and right is not None and left.id != right.id


def _notes(view: View, content: CaseContent, store: ProjectStore, questions: tuple[Question, ...]) -> list[str]:
    notes = []
    for question in questions:
        if question.kind is QuestionKind.BODY_PART:
            notes.append(
                tr(
                    "The header names another part of the body. If it does show a hip, say so with “It is as shown”; "
                    "otherwise exclude it."
                )
            )
        elif question.kind is QuestionKind.REPEAT and question.view_id == view.id:
            count = len(question.rivals) + 1
            notes.append(tr("There are {count} views for this place. This one is proposed.", count=count))
        elif question.kind is QuestionKind.REPEAT:
            notes.append(tr("Another view is proposed for this place: {view}.", view=question.view_id))
        elif question.kind is QuestionKind.APART:
            notes.append(
                tr(
                    "The frontal and the lateral view were not taken at the same time. If they belong together, say so "
                    "with “It is as shown”; otherwise exclude one of them."
                )
            )
    if view.side.value is Side.BOTH:
        others = [case for case in store.cases.of_study(view.study_id) if case.id != content.case.id]
        if any(view.id in case.view_ids for case in others):
            notes.append(tr("This image shows both hips: it also hangs in the case of the other hip."))
    copies = sum(record.outcome == "duplicate" for record in store.sources.of_view(view.id))
    if copies:
        notes.append(
            tr("Another copy of this image was read; it is held once.")
            if copies == 1
            else tr("{count} more copies of this image were read; it is held once.", count=copies)
        )
    return notes
