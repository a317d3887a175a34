"""A person's decisions about views, and the cases that follow from them, in one transaction."""

from __future__ import annotations

from app.core.case import Case, Projection, Side, View
from app.core.errors import UserError
from app.core.pairing import compose_cases
from app.store.project import ProjectStore


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
    with project.transaction():
        view = existing_view(project, view_id)
        project.views.include(view_id, author=author)
        return recompose_study(project, view.study_id, author=author)


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


def recompose_study(project: ProjectStore, study_id: str, *, author: str) -> list[Case]:
    """Compose the cases of a study anew from its views; cases that stay keep their id, status and place.

    Raises:
        UserError: `no-study`.
    """
    with project.transaction():
        study = project.studies.get(study_id)
        if study is None:
            raise UserError("There is no such study in this project.", kind="no-study")
        cases = compose_cases(study, project.views.of_study(study_id), previous=project.cases.of_study(study_id))
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
