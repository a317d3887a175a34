"""Worklist, selection and viewer: from the case that is asked for to the case on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.ui.project import CaseContent

AHEAD = (1, 2, -1)  # neighbours in the worklist that are decoded ahead, likeliest first


class CasesWiring(Wiring):
    """The Case menu and the worklist.

    Attributes:
        content: the case on the screen.
    """

    content: CaseContent | None = None
    _turn = 0
    _turn_of = ""

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Case menu does."""
        return {
            "previous": lambda _: self.window.case_list.step(-1),
            "next": lambda _: self.window.case_list.step(1),
            "switch_pane": lambda _: self.viewer.switch_active(),
            "next_unplaced": lambda _: self._leaf(),
        }

    def connect_shell(self) -> None:
        """The worklist asks for cases."""
        self.window.case_list.case_chosen.connect(self.window.selection.open_case)

    def connect_rest(self) -> None:
        """What is asked for is shown, what is shown is noted."""
        self.project.cases_changed.connect(self.refresh)
        self.window.selection.requested.connect(self._on_requested)
        self.viewer.swapped.connect(self._on_swapped)

    def present(self) -> set[str]:
        """Whether there are cases."""
        return {"cases"} if self.window.case_list.model.rowCount() else set()

    def refresh(self) -> None:
        """Show the cases of the project as they are now."""
        rows = self.project.rows()
        self.window.case_list.set_rows(rows)
        if not rows:
            self.window.projects.show_no_cases()
        self.window.enable()

    def show_first(self) -> None:
        """A project was opened: show its cases and open the first."""
        self.refresh()
        cases = self.window.case_list
        first = cases.model.case_at(0)
        if first:
            self.go_to(first)
            cases.table.setFocus()

    def go_to(self, case_id: str, *, turn: int = 0) -> None:
        """Open a case and mark it in the worklist.

        Args:
            case_id: the case.
            turn: how far to leaf through its views without a place; 0 hangs the first of them first.
        """
        self._turn, self._turn_of = turn, case_id
        self.window.case_list.set_current(case_id)
        self.window.selection.open_case(case_id)

    def forget(self) -> None:
        """The project was closed."""
        self.content = None
        self.window.case_list.set_rows(())

    def _on_requested(self, case_id: str) -> None:
        if not case_id:
            return
        if case_id != self._turn_of:
            self._turn, self._turn_of = 0, case_id
        content = self.project.content(case_id, turn=self._turn)
        if content is not None:
            self.window.middle.setCurrentWidget(self.viewer)
            self.viewer.set_case(content)

    def _on_swapped(self, case_id: str) -> None:
        window = self.window
        self.content = self.viewer.content
        window.selection.note_shown(case_id)
        window.resolving.show_case_banner()
        window.enable()
        row = window.case_list.model.row_of(case_id)
        near = [window.case_list.model.case_at(row + step) for step in AHEAD]
        contents = [self.project.content(name) for name in near if name]
        self.viewer.decode_ahead(content for content in contents if content is not None)
        window.settled.emit()

    def _leaf(self) -> None:
        if self.content is not None and self.content.waiting:
            self._turn += 1
            self.window.selection.open_case(self.content.case.id)
