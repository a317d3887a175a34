"""Worklist, selection and viewer: from the case that is asked for to the case on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDockWidget

from app.ui.background import BackgroundCall, Ticket
from app.ui.docks import dock_named
from app.ui.language import say, tr
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.errors import UserError
    from app.store.worklist.index_file import IndexFile
    from app.ui.project import CaseContent
    from app.ui.thumbnails import Thumbnails

FORWARDS, BACKWARDS = (1, 2, -1), (-1, -2, 1)  # neighbours in the worklist that are decoded ahead, likeliest first


class CasesWiring(Wiring):
    """The Case menu and the worklist.

    Attributes:
        content: the case on the screen.
    """

    content: CaseContent | None = None
    _turn = 0
    _turn_of = ""
    _thumbnails: Thumbnails | None = None
    _preparing: BackgroundCall

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Case menu does."""
        return {
            "previous": lambda _: self.window.case_list.step(-1),
            "next": lambda _: self.window.case_list.step(1),
            "first_case": lambda _: self.window.case_list.go_to_row(0),
            "last_case": lambda _: self.window.case_list.go_to_row(-1),
            "find": lambda _: self._show_list(self.window.case_list.start_search),
            "filter": lambda _: self._show_list(self.window.case_list.open_filters),
            "show_all": lambda _: self._show_list(self.window.case_list.show_everything),
            "show_list": lambda is_on: self._set_list_shown(is_on),
            "small_rows": lambda is_on: self.window.case_list.set_small_rows(is_on),
            "switch_pane": lambda _: self.viewer.switch_active(),
            "next_unplaced": lambda _: self._leaf(),
        }

    def connect_shell(self) -> None:
        """The worklist asks for cases."""
        window = self.window
        self._preparing = BackgroundCall(window)
        self._preparing.progressed.connect(self._on_preparing)
        self._preparing.finished.connect(self._on_prepared)
        self._preparing.failed.connect(self._on_not_prepared)
        for strip in (window.banners, window.jobs):
            strip.focus_left.connect(self.take_focus)
        window.case_list.case_chosen.connect(window.selection.open_case)
        window.case_list.listed.connect(window.enable)
        window.case_list.failed.connect(
            window.banners.show_error, Qt.ConnectionType.QueuedConnection
        )  # may be painting
        window.case_list.saved_filters_changed.connect(self._keep_filters)
        window.case_list.set_saved_filters(window.start.settings.settings.filters)

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
        if self._preparing.is_running:
            return
        self.window.case_list.refresh()
        if self.window.case_list.is_empty:
            self.window.projects.show_no_cases()
        self.window.enable()

    def show_first(self) -> None:
        """A project was opened: show its cases and open the first."""
        from app.store.worklist.prepare import takes_long

        store = self.project.look()
        if self._preparing.is_running:
            return
        if self._thumbnails is None and takes_long(store.database, store.folder.cache):
            self._prepare_list()
        else:
            self._show_cases()

    def _show_cases(self) -> None:
        cases = self.window.case_list
        self._open_list()
        if cases.is_empty:
            self.window.projects.show_no_cases()
        self.window.enable()
        first = cases.model.case_at(0)
        if first:
            self.go_to(first)
            cases.table.setFocus()

    def _prepare_list(self) -> None:
        """Make the index of very many cases in a thread, and say so."""
        from app.store.worklist.prepare import prepare_index

        window, store = self.window, self.project.look()
        folder, is_writable = store.folder, not store.is_read_only

        def work(ticket: Ticket) -> object:
            return prepare_index(folder, is_writable=is_writable, note=ticket.note)

        window.start_page.say(
            tr("Preparing the list of cases"),
            tr("All cases are read once, so that searching and sorting is quick from then on."),
            is_busy=True,
        )
        window.middle.setCurrentWidget(window.start_page)
        self._preparing.start(work, name="worklist")

    def _on_preparing(self, done: int, total: int) -> None:
        self.window.start_page.show_step(done, total, tr("Reading cases"))

    def _on_prepared(self, index: IndexFile) -> None:
        self.project.look().use_index(index)
        self._show_cases()

    def _on_not_prepared(self, error: UserError) -> None:
        self.window.banners.show_error(error)
        self.window.start_page.say(tr("The list of cases cannot be shown"), say(error.remedy))
        self.window.settled.emit()

    def close(self) -> None:
        """Leave no work behind."""
        self._preparing.stop()

    def _open_list(self) -> None:
        """List the cases of the project that is open."""
        from app.core.orientation import hung
        from app.ui.thumbnails import Subject, Thumbnails

        store, cases = self.project.look(), self.window.case_list
        if self._thumbnails is not None:
            cases.refresh()
            return

        def look(view_id: str) -> Subject | None:
            view = store.views.get(view_id)
            if view is None:
                return None
            orientation = hung(view.projection.value, view.orientation)
            masks = view.pixel_review.masks if view.pixel_review is not None else ()
            return Subject(
                sha256=view.image_sha256, grey=view.grey, orientation=orientation, masks=masks, rows=view.rows
            )

        self._thumbnails = Thumbnails(look, store.images.load, store.derived, self.window)
        self._thumbnails.changed.connect(cases.table.viewport().update)
        cases.set_thumbnails(self._thumbnails)
        cases.set_source(store.worklist)

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
        self._preparing.stop()
        self.content = None
        self.window.selection.forget()
        self.window.case_list.set_source(None)
        self.window.case_list.set_thumbnails(None)
        if self._thumbnails is not None:
            self._thumbnails.close()
            self._thumbnails.deleteLater()
            self._thumbnails = None

    def _on_requested(self, case_id: str) -> None:
        if not case_id:
            return
        if case_id != self._turn_of:
            self._turn, self._turn_of = 0, case_id
        content = self.project.content(case_id, turn=self._turn)
        if content is not None:
            if self._thumbnails is not None:
                self._thumbnails.pause(True)  # the images come first
            if self.window.late is not None:
                self.window.late.want_for(content)
            self.window.middle.setCurrentWidget(self.viewer)
            self.viewer.set_case(content)

    def _on_swapped(self, case_id: str) -> None:
        window, before = self.window, self.content
        self.content = self.viewer.content
        window.selection.note_shown(case_id)
        window.resolving.show_case_banner()
        window.enable()
        if self._thumbnails is not None:
            self._thumbnails.pause(False)
        is_back = before is not None and window.case_list.neighbours((1,)) == [before.case.id]
        # after the paint, which must not wait for looking up what may be wanted next
        QTimer.singleShot(0, self.window, lambda: self._look_ahead(case_id, BACKWARDS if is_back else FORWARDS))
        window.settled.emit()

    def _look_ahead(self, case_id: str, steps: tuple[int, ...]) -> None:
        """Decode the neighbours of a case, if it is still the one on the screen."""
        if not self.project.is_open or self.viewer.content is None or self.viewer.content.case.id != case_id:
            return
        contents = [self.project.content(name) for name in self.window.case_list.neighbours(steps)]
        self.viewer.decode_ahead(content for content in contents if content is not None)

    def take_focus(self) -> None:
        """Give the keyboard to the worklist, where keys are commands, or to no widget while it is not in sight."""
        table = self.window.case_list.table
        (table if table.isVisible() else self.window).setFocus()

    def hide_list(self) -> None:
        """There is no project, and nothing to list, nor in any other panel."""
        self.window.looks.put_docks_away()
        self._list_dock().hide()

    def show_list_again(self) -> None:
        """A project was opened: the worklist is there, unless the user has put it away, and other panels are again."""
        self.window.looks.bring_docks_back()
        self._list_dock().setVisible(self.window.actions_by_id["show_list"].isChecked())

    def _set_list_shown(self, is_shown: bool) -> None:
        self._list_dock().setVisible(is_shown)
        (self.window.case_list.table if is_shown else self.window).setFocus()  # not some button of the toolbar

    def _show_list(self, then: Callable[[], None]) -> None:
        """Do something in the worklist, which must be seen for it."""
        self.window.actions_by_id["show_list"].setChecked(True)
        self._list_dock().show()
        then()

    def _list_dock(self) -> QDockWidget:
        dock = dock_named(self.window, "cases")
        assert dock is not None, "the window has a dock for the worklist"
        return dock

    def _keep_filters(self, saved: dict[str, str]) -> None:
        self.window.looks.change(filters=saved)

    def _leaf(self) -> None:
        """Hang the next view without a place; where both places are taken, after the last one what has its place."""
        if self.content is None:
            return
        case = self.content.case
        is_full = case.frontal_id is not None and case.lateral_id is not None
        if self.content.waiting or (is_full and case.unassigned_ids):
            self._turn += 1
            if is_full and self._turn > len(case.unassigned_ids):
                self._turn = 0
            self.window.selection.open_case(case.id)
