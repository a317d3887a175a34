"""Status, assignment, comments and history of the case on the screen; the next case that is new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget

from app.core.errors import UserError
from app.ui.commands.review import STATUSES
from app.ui.docks import bring_forward, fill, reserve, switch_dock
from app.ui.language import moment, tr
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.case import Case, View
    from app.core.event import Json
    from app.store.annotations import Annotations
    from app.ui.case_notes import CaseNotes, CaseState
    from app.ui.history_panel import HistoryPanel
    from app.ui.main_window import MainWindow

PANEL_PX, LEAST_PX = (320, 320), (75, 72)  # what the panels ask for, and their least


class ReviewingWiring(Wiring):
    """The lower half of the Case menu, with its two docks.

    Attributes:
        notes: status, assignment and comments; after the first paint.
        history: who said what and when; after the first paint.
    """

    late_turn = 7
    late_imports = ("app.ui.case_notes", "app.ui.history_panel")
    notes: CaseNotes | None = None
    history: HistoryPanel | None = None
    _is_leaving = False

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._unrecorded: list[tuple[str, str]] = []  # comments, with their cases, that are not stored yet

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What these commands do."""
        return {
            "next_new": lambda _: self.next_new(),
            **{f"status:{name}": self._setting_status(name) for name, _ in STATUSES},
            "assign": lambda _: self._write("assign"),
            "comment": lambda _: self._write("comment"),
            "show_notes": lambda is_on: switch_dock(self._notes_dock, is_on),
            "show_history": lambda is_on: switch_dock(self._history_dock, is_on),
        }

    def connect_shell(self) -> None:
        """The docks are there from the start, so that their places can be restored."""
        self._notes_dock = self._dock("notes", "show_notes")
        self._history_dock = self._dock("history", "show_history")
        self.window.tabifyDockWidget(self._notes_dock, self._history_dock)

    def connect_rest(self) -> None:
        """The panels and what they follow."""
        from app.ui.case_notes import CaseNotes
        from app.ui.history_panel import HistoryPanel

        project = self.project
        self.notes, self.history = CaseNotes(self._notes_dock), HistoryPanel(self._history_dock)
        fill(self._notes_dock, self.notes)
        fill(self._history_dock, self.history)
        self.notes.status_chosen.connect(lambda status: self.set_status(status.value))
        self.notes.assigned.connect(lambda name: self._record("assigned", name or None, "Assigned"))
        self.notes.commented.connect(self._add_comment)
        self.window.selection.leaving.connect(self._leave)
        project.closing.connect(self._leave)
        project.waiting_changed.connect(self.refresh)
        self.notes.left.connect(lambda: self.window.case_list.table.setFocus())
        self.history.chosen.connect(self.go_to)
        self.viewer.swapped.connect(lambda _: self.refresh())
        project.annotated.connect(lambda _: self.refresh())
        project.cases_changed.connect(self.refresh)
        project.author_changed.connect(self.refresh)
        project.closed.connect(self._on_closed)
        self._say_keys()

    def reserve(self) -> None:
        """The docks."""
        for dock in (self._notes_dock, self._history_dock):
            reserve(dock, PANEL_PX, LEAST_PX)

    def catch_up(self) -> None:
        """Show what is said about the case on the screen."""
        self.refresh()

    def retranslate(self) -> None:
        """Titles and keys."""
        self._notes_dock.setWindowTitle(tr("Status and comments"))
        self._history_dock.setWindowTitle(tr("History"))
        self._say_keys()
        if self.window.project is not None and self.window.viewer is not None:
            self.refresh()

    def refresh(self) -> None:
        """Show what is said about the case on the screen; panels that are hidden cost nothing."""
        case = self._case()
        if self._unrecorded:
            self._give_back()
        if self.notes is not None and self._notes_dock.isVisible():
            self.notes.show_state(self._state(case))
        if self.history is not None and self._history_dock.isVisible():
            self._show_history(case)

    def next_new(self) -> None:
        """Open the next case below whose status is new; from the end of the list go on at its beginning."""
        cases = self.window.case_list
        model = cases.model
        count = model.rowCount()
        here = model.row_of(cases.current_case)
        for step in range(1, count + 1):
            row = model.row_at((here + step) % count)
            if row is None or row.status != "new" or row.blocked_reason or row.case_id == self._case_id():
                continue
            case = self.project.look().cases.get(row.case_id)  # the list follows a moment later
            if case is not None and case.status.value == "new":
                self.window.cases.go_to(case.id)
                return
        banner = Banner(tr("No other case of the list is new."), (tr("All of them have a status."),), tone="info")
        self.window.banners.show_banner("incomplete", banner)

    def set_status(self, name: str) -> None:
        """Set the review status."""
        self._record("status", name, "Status")

    def go_to(self, event_id: int) -> None:
        """Bring back an earlier state."""
        case_id = self._case_id()
        if case_id:

            def change(annotations: Annotations, author: str) -> object:
                return annotations.go_to(case_id, event_id, author=author)

            self.project.annotate(case_id, change)

    # --- how it is recorded ---

    def _record(self, field: str, value: Json, text: str) -> None:
        from app.core.event import target_of

        case_id = self._case_id()
        if not case_id:
            return
        if self.window.labelling.refuses_other_hip():
            self.refresh()
            return
        target = target_of("case", case_id)

        def change(annotations: Annotations, author: str) -> object:
            return annotations.record(case_id, [annotations.change(target, field, value)], author=author, text=text)

        self.project.annotate(case_id, change)
        self.refresh()  # also when it was refused: show what is stored

    def _add_comment(self, text: str) -> None:
        from app.core.event import target_of

        case_id = self._case_id()
        if not text:
            return
        if not case_id:  # the next case is on its way: nobody has seen yet what it is about
            self._take_back(text)
            return
        target = target_of("case", case_id)
        said = (case_id, text)

        def change(annotations: Annotations, author: str) -> object:
            changed = annotations.change(target, _free_field(annotations, case_id), text)  # free when it is recorded
            self._unrecorded.remove(said)
            try:
                return annotations.record(case_id, [changed], author=author, text="Comment")
            except UserError:
                self._unrecorded.append(said)
                raise

        self._unrecorded.append(said)
        self.project.annotate(case_id, change)
        self.refresh()

    def _leave(self) -> None:
        """Record what was typed about the case; if that fails it stays with its case, and out of the next one's box."""
        assert self.notes is not None, "connected with the panel"
        self._is_leaving = True
        self.notes.leave()
        self._is_leaving = False

    def _give_back(self) -> None:
        """A comment that was not recorded can be read and recorded again, where its case is on the screen."""
        case_id = self._case_id()
        if self._is_leaving or self.project.is_waiting or not case_id:
            return
        lost = [text for case, text in self._unrecorded if case == case_id]
        if lost:
            self._unrecorded = [said for said in self._unrecorded if said[0] != case_id]
            self._take_back("\n".join(lost))

    def _take_back(self, text: str) -> None:
        if self.notes is not None and text:
            self.notes.take_back(text)

    # --- what is shown ---

    def _state(self, case: Case | None) -> CaseState:
        from app.core.annotation import ASSIGNED, COMMENT
        from app.ui.case_notes import CaseState, Comment

        project = self.project
        if case is None:
            return CaseState()
        said = {
            annotation.field: annotation
            for annotation in project.annotations.all([case.id])
            if not annotation.reader and (annotation.field == ASSIGNED or annotation.field.startswith(COMMENT))
        }
        comments = sorted(
            (each for name, each in said.items() if name.startswith(COMMENT) and each.value),
            key=lambda each: each.event_id,
        )
        stored = project.look().cases.get(case.id)
        return CaseState(
            status=stored.status if stored is not None else case.status,
            assigned=str(said[ASSIGNED].value or "") if ASSIGNED in said else "",
            people=tuple(sorted({project.author, *(each.author for each in said.values())} - {""})),
            comments=tuple(
                Comment(author=each.author, when=moment(datetime.fromisoformat(each.at)), text=str(each.value))
                for each in comments
            ),
            is_writable=project.is_writable,
        )

    def _show_history(self, case: Case | None) -> None:
        from app.ui.history_words import history_entries

        assert self.history is not None, "asked for once the panels are there"
        project = self.project
        if case is None:
            self.history.show_entries(None, is_writable=False)
            return
        entries = history_entries(
            project.annotations.history(case.id),
            project.annotations.label_set,
            self._view_names(),
            reader=project.author,
        )
        self.history.show_entries(entries, is_writable=project.is_writable)

    def _view_names(self) -> dict[str, str]:
        from app.ui.captions import PROJECTION_WORDS

        content = self.viewer.content
        if content is None:
            return {}
        views: list[View] = [each.view for each in (content.frontal, content.lateral) if each.view is not None]
        words = {view.id: view.projection.value for view in views}
        return {name: tr(PROJECTION_WORDS[value]) if value is not None else name for name, value in words.items()}

    def _case(self) -> Case | None:
        viewer, project = self.window.viewer, self.window.project
        content = viewer.content if viewer is not None else None
        if content is None or project is None or not project.is_open or content.case.blocked_reason:
            return None
        return content.case

    def _case_id(self) -> str:
        """The case on the screen, if it is also the one that was asked for."""
        case = self._case()
        return case.id if case is not None and self.viewer.is_settled else ""

    def _setting_status(self, name: str) -> Callable[[bool], object]:
        return lambda _: self.set_status(name)

    def _write(self, what: str) -> None:
        if self._case_id() and self.window.labelling.refuses_other_hip():
            return
        bring_forward(self._notes_dock)
        if self.notes is not None:
            self.refresh()
            if what == "assign":
                self.notes.choose_person()
            else:
                self.notes.write_comment()

    def _dock(self, name: str, command: str) -> QDockWidget:
        window = self.window
        dock = QDockWidget(window)
        dock.setObjectName(name)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        dock.hide()
        dock.visibilityChanged.connect(lambda _: self._on_visible(dock, command))
        return dock

    def _on_visible(self, dock: QDockWidget, command: str) -> None:
        self.window.actions_by_id[command].setChecked(not dock.isHidden())  # behind a tab it is still open
        if self.window.project is not None and self.window.viewer is not None:
            self.refresh()

    def _on_closed(self) -> None:
        self._unrecorded.clear()
        if self.notes is not None:
            self.notes.forget()
        if self.history is not None:
            self.history.show_entries(None, is_writable=False)

    def _say_keys(self) -> None:
        if self.notes is not None:
            names = ("assign", "comment", *(f"status:{name}" for name, _ in STATUSES))
            self.notes.set_keys({name: self.window.commands.key_text(name) for name in names})


def _free_field(annotations: Annotations, case_id: str) -> str:
    """The field of the next comment about a case."""
    from app.core.annotation import COMMENT

    used = [
        int(number)
        for event in annotations.history(case_id)
        if event.field.startswith(COMMENT) and (number := event.field.removeprefix(COMMENT)).isdecimal()
    ]
    return f"{COMMENT}{max(used, default=0) + 1}"
