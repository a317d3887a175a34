"""Decisions about views and blocks: recorded at once, taken back at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.case import Case, Projection, Side, View
from app.store.project import ProjectStore
from app.store.resolve import (
    Decision,
    block_study,
    decisions_since,
    record_decisions,
    release_study,
    undo_decision,
)
from app.ui.project import Project


class Decisions:
    """Records decisions of the user and remembers them, so that each can be taken back in one step.

    Args:
        project: where they are recorded.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._steps: list[tuple[tuple[int, ...], str]] = []

    @property
    def last(self) -> str:
        """What was recorded last and can be taken back, in words; empty when there is nothing."""
        return self._steps[-1][1] if self._steps else ""

    def forget(self) -> None:
        """Another project: nothing was decided in it yet."""
        self._steps.clear()

    def answer(
        self,
        views: Sequence[View],
        words: str,
        *,
        projection: Projection | None = None,
        side: Side | None = None,
    ) -> list[Case] | None:
        """Record the same answer for some views."""
        made = [Decision(view_id=view.id, projection=projection, side=side) for view in views]
        return self._record(lambda store, author: record_decisions(store, made, author=author), words)

    def confirm(self, view: View, words: str) -> list[Case] | None:
        """Record that a view shows what it is taken to show."""
        return self.answer([view], words, projection=view.projection.value, side=view.side.value)

    def pair(self, frontal: View, lateral: View, words: str) -> list[Case] | None:
        """Record that of two views one is frontal and one lateral; a kind of lateral that is known stays."""
        kinds = {view.projection.value for view in (frontal, lateral)} - {None, Projection.FRONTAL, Projection.OBLIQUE}
        kind = kinds.pop() if len(kinds) == 1 else Projection.LATERAL
        made = [
            Decision(view_id=frontal.id, projection=Projection.FRONTAL),
            Decision(view_id=lateral.id, projection=kind),
        ]
        return self._record(lambda store, author: record_decisions(store, made, author=author), words)

    def exclude(self, view_ids: Sequence[str], reason: str, words: str) -> list[Case] | None:
        """Take views out of their cases; with an empty reason back in."""
        made = [Decision(view_id=name, excluded=reason) for name in view_ids]
        return self._record(lambda store, author: record_decisions(store, made, author=author), words)

    def release(self, study_id: str, reason: str, words: str) -> list[Case] | None:
        """Lift the block of a study."""
        return self._record(lambda store, author: release_study(store, study_id, reason=reason, author=author), words)

    def block(self, study_id: str, reason: str, words: str) -> list[Case] | None:
        """Say that a study must not be read."""
        return self._record(lambda store, author: block_study(store, study_id, reason=reason, author=author), words)

    def take_back(self) -> list[Case] | None:
        """Take back what was recorded last; None when there is nothing, or it has been decided anew meanwhile."""
        if not self._steps:
            return None
        events, _ = self._steps.pop()
        return self._project.record(lambda store, author: undo_decision(store, events, author=author))

    def _record(self, change: Callable[[ProjectStore, str], list[Case]], words: str) -> list[Case] | None:
        def remembered(store: ProjectStore, author: str) -> list[Case]:
            with store.transaction():
                before = store.events.head()[0]
                cases = change(store, author)
                events = tuple(event.id for event in decisions_since(store, before))
            if events:  # remembered before anybody hears of the change, so that it can be offered to take it back
                self._steps.append((events, words))
            return cases

        return self._project.record(remembered)
