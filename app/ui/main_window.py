"""The window: builds everything and makes every connection.

The shell (menus, toolbar, worklist, start page) needs nothing but PySide6 and is shown first. What reads and shows
images (numpy, cv2, pyqtgraph, sqlite) is imported after the first paint, in `_load_rest`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QFileDialog,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import UserError
from app.ui.actions import COMMANDS, EXCLUSION_REASONS, build_actions, enable, fill_bar, fill_menus
from app.ui.case_list import CaseList
from app.ui.demo_task import DemoTask
from app.ui.notices import Banner, BannerArea, CrashReporter
from app.ui.selection import Selection
from app.ui.start_page import StartPage
from app.ui.start_plan import Start
from app.ui.theme import GAP_S

if TYPE_CHECKING:
    from app.ui.project import CaseContent, Project
    from app.ui.viewer import Viewer

RESEARCH_USE = "Research use only · not for diagnosis"
DEMO_IS_BROKEN = frozenset({"damaged", "key-missing", "not-a-project"})  # then it is made anew
AHEAD = (1, 2, -1)  # neighbours in the worklist that are decoded ahead, likeliest first


class MainWindow(QMainWindow):
    """Coxa's window.

    Signals:
        first_painted: the shell is on the screen.
        settled: there is nothing more to wait for: a case is shown, or there is none to show.
    """

    first_painted = Signal()
    settled = Signal()

    def __init__(self, start: Start) -> None:
        super().__init__()
        self._start = start
        self._is_painted = False
        self._turn = 0
        self._last_error = ""
        self._content: CaseContent | None = None
        self.selection = Selection(self)
        self.project: Project | None = None
        self.viewer: Viewer | None = None
        self.demo_task = DemoTask(start.demo_command, self)
        self.crash = CrashReporter(self)
        self.setWindowTitle("Coxa")
        self.resize(1280, 800)
        self.setMinimumSize(960, 600)
        self.case_list = CaseList(self)
        self.banners = BannerArea(self)
        self.start_page = StartPage(self)
        self.middle = QStackedWidget(self)
        self.middle.addWidget(self.start_page)
        self._pixel = QLabel("", self)
        self._state = QLabel("", self)
        self.actions_by_id = build_actions(self, self._effects())
        self._build()
        self._connect()
        self._enable()

    # --- building ---

    def _build(self) -> None:
        fill_menus(self.menuBar(), self.actions_by_id)
        bar = QToolBar("Tools", self)
        bar.setMovable(False)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        fill_bar(bar, self.actions_by_id)
        self.addToolBar(bar)
        dock = QDockWidget("Cases", self)
        dock.setTitleBarWidget(QWidget(dock))
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setWidget(self.case_list)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        self.resizeDocks([dock], [412], Qt.Orientation.Horizontal)
        middle = QWidget(self)
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, GAP_S, 0)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.banners)
        layout.addWidget(self.middle, 1)
        self.setCentralWidget(middle)
        research = QLabel(RESEARCH_USE, self)
        research.setObjectName("research")
        status = self.statusBar()
        status.setSizeGripEnabled(False)
        status.addWidget(self._pixel, 1)
        status.addPermanentWidget(self._state)
        status.addPermanentWidget(research)

    def _connect(self) -> None:
        """Every connection of the shell; those of the viewer and the project follow in `_load_rest`."""
        self.first_painted.connect(self._load_rest, Qt.ConnectionType.QueuedConnection)
        self.case_list.case_chosen.connect(self.selection.open_case)
        self.demo_task.progressed.connect(self.start_page.show_step)
        self.demo_task.finished.connect(self._on_demo_made)
        self.demo_task.failed.connect(self._on_demo_failed)

    def _effects(self) -> dict[str, Callable[[bool], None]]:
        """What every command does."""
        decisions = [command.id for command in COMMANDS if command.needs == "question"]
        return {
            "open": lambda _: self._ask_for_project(),
            "demo": lambda _: self.open_demo(),
            "quit": lambda _: self._quit(),
            "previous": lambda _: self.case_list.step(-1),
            "next": lambda _: self.case_list.step(1),
            "switch_pane": lambda _: self._viewer().switch_active(),
            "ask": lambda _: self._viewer().ask_about_active(),
            "next_unplaced": lambda _: self._leaf(),
            "pan": lambda _: self._use_tool("pan"),
            "window": lambda _: self._use_tool("window"),
            "fit": lambda _: self._viewer().active_pane.fit(),
            "one_to_one": lambda _: self._viewer().active_pane.one_to_one(),
            "zoom_in": lambda _: self._viewer().active_pane.zoom_by(1.25),
            "zoom_out": lambda _: self._viewer().active_pane.zoom_by(0.8),
            "auto": lambda _: self._viewer().use_preset("auto"),
            "file": lambda _: self._viewer().use_preset("file"),
            "bone": lambda _: self._viewer().use_preset("bone"),
            "soft-tissue": lambda _: self._viewer().use_preset("soft-tissue"),
            "invert": lambda is_on: self._viewer().set_inverted(is_on),
            "link": lambda is_on: self._set_linked(is_on),
            **{name: _with_name(self._decide_active, name) for name in decisions},
        }

    def event(self, event: QEvent) -> bool:
        """Notice the first paint."""
        result = super().event(event)
        if event.type() == QEvent.Type.Paint and not self._is_painted:
            self._is_painted = True
            self.first_painted.emit()
        return result

    def _load_rest(self) -> None:
        """Import what shows images, connect it, and open what was asked for."""
        from app.ui.project import Project
        from app.ui.viewer import Viewer

        self.project = Project(self._start.author, self)
        self.viewer = Viewer(self)
        self.middle.addWidget(self.viewer)
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._on_closed)
        self.project.cases_changed.connect(self._refresh)
        self.project.failed.connect(self._on_failed)
        self.selection.requested.connect(self._on_requested)
        self.viewer.swapped.connect(self._on_swapped)
        self.viewer.active_changed.connect(self._enable)
        self.viewer.answered.connect(self._decide)
        self.viewer.pointed_at.connect(self._pixel.setText)
        self.viewer.inverted.connect(self.actions_by_id["invert"].setChecked)
        self._set_linked(self.actions_by_id["link"].isChecked())
        self._use_tool("window" if self.actions_by_id["window"].isChecked() else "pan")
        if self._start.is_demo:
            self.open_demo()
        elif self._start.project is not None:
            self.open_project(self._start.project, is_read_only=self._start.is_read_only)
        else:
            self._show_beginning()

    # --- projects ---

    def open_project(self, path: Path, *, is_read_only: bool = False) -> None:
        """Open a project; the present one stays if that fails."""
        assert self.project is not None
        if not self.project.open(path, is_read_only=is_read_only) and not self.project.is_open:
            self._show_beginning()

    def open_demo(self) -> None:
        """Open the demo project; make it first if it is not there, or broken."""
        project = self._project()
        if self._start.is_demo_ready():
            if project.open(self._start.demo, is_read_only=self._start.is_read_only):
                return
            if self._last_error not in DEMO_IS_BROKEN:
                self._show_beginning()
                return
            self.banners.remove("error")
        project.close()
        self.start_page.say(
            "Making the demo project",
            "Synthetic hips are computed and imported as any other radiographs. This takes about a minute on two "
            "processors and happens once.",
            buttons=(("Cancel", self._cancel_demo),),
            is_busy=True,
        )
        self.middle.setCurrentWidget(self.start_page)
        self.demo_task.start()

    def _cancel_demo(self) -> None:
        self.demo_task.stop()
        self._show_beginning()

    def _on_demo_made(self) -> None:
        self.open_project(self._start.demo, is_read_only=self._start.is_read_only)

    def _on_demo_failed(self, error: UserError) -> None:
        self.banners.show_error(error)
        self._show_beginning()

    def _on_failed(self, error: UserError) -> None:
        self._last_error = error.kind
        self.banners.show_error(error)

    def _ask_for_project(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a project folder")
        if path:
            self.open_project(Path(path))

    def _show_beginning(self) -> None:
        self.start_page.say(
            "Open a project to begin",
            "A project is a folder of paired hip radiographs. Make one from your own files with the command below; "
            "names and dates are replaced by pseudonyms on the way in.",
            buttons=(("Open project…", self._ask_for_project), ("Open the demo project", self.open_demo)),
            command="coxa import RADIOGRAPHS --project MY_PROJECT",
        )
        self.middle.setCurrentWidget(self.start_page)
        self._enable()
        self.settled.emit()

    def _on_opened(self) -> None:
        project, viewer = self._project(), self._viewer()
        viewer.open_images(project.load_image)
        self.banners.remove("error")
        self.setWindowTitle(f"{project.name} — Coxa")
        self._state.setText(project.name if project.is_writable else f"{project.name} (read-only)")
        self._state.setToolTip(str(project.path))
        if project.read_only_reason:
            title = "Read-only: nothing can be changed here."
            self.banners.show_banner("read-only", Banner(title, (project.read_only_reason,), tone="caution"))
        if project.was_unclean:
            words = "Everything that was recorded is there. `coxa check` looks at the whole project."
            self.banners.show_banner(
                "unclean", Banner("The last session ended unexpectedly.", (words,), is_closable=True)
            )
        self._refresh()
        first = self.case_list.model.case_at(0)
        if first:
            self.case_list.set_current(first)
            self.selection.open_case(first)
            self.case_list.table.setFocus()

    def _on_closed(self) -> None:
        self._viewer().close_images()
        self._content = None
        for key in ("read-only", "unclean", "case"):
            self.banners.remove(key)
        self.case_list.set_rows(())
        self.setWindowTitle("Coxa")
        self._state.setText("")
        self._enable()

    # --- cases ---

    def _refresh(self) -> None:
        rows = self._project().rows()
        self.case_list.set_rows(rows)
        if not rows:
            self.start_page.say(
                "No radiographs in this project yet",
                "Import files, folders, zip archives or a DICOMDIR with the command below, then open the project "
                "again. Close this window first, or the command will find the project in use.",
                buttons=(("Open another project…", self._ask_for_project),),
                command=f'coxa import RADIOGRAPHS --project "{self._project().path}"',
            )
            self.middle.setCurrentWidget(self.start_page)
            self.settled.emit()
        self._enable()

    def _on_requested(self, case_id: str) -> None:
        if not case_id:
            return
        if self._content is None or self._content.case.id != case_id:
            self._turn = 0
        content = self._project().content(case_id, turn=self._turn)
        if content is not None:
            self.middle.setCurrentWidget(self._viewer())
            self._viewer().set_case(content, is_writable=self._project().is_writable)

    def _on_swapped(self, case_id: str) -> None:
        self._content = self._viewer().content
        self.selection.note_shown(case_id)
        self._show_case_banner()
        self._enable()
        row = self.case_list.model.row_of(case_id)
        near = [self.case_list.model.case_at(row + step) for step in AHEAD]
        contents = [self._project().content(name) for name in near if name]
        self._viewer().decode_ahead(content for content in contents if content is not None)
        self.settled.emit()

    def _show_case_banner(self) -> None:
        self.banners.remove("case")
        if self._content is None:
            return
        case = self._content.case
        if case.blocked_reason:
            remedy = (
                "When you have made sure who this is: "
                f"coxa cases release {case.study_id} --reason TEXT --project {self._project().path}"
            )
            self.banners.show_banner(
                "case", Banner("Do not read this case.", (case.blocked_reason, remedy), tone="danger")
            )
            return
        # what the strips under the panes ask already is not said twice
        asked = tuple(f"{place.hanging.view.id}:" for place in self._viewer().places if place.hanging.view is not None)
        lines = [question for question in case.questions if not question.startswith(asked)]
        if count := self._content.waiting:
            lines.append(f"{count} more {'view waits' if count == 1 else 'views wait'} for a place: press U.")
        if lines:
            self.banners.show_banner("case", Banner("To be decided", tuple(lines), tone="caution"))

    def _leaf(self) -> None:
        if self._content is not None and self._content.waiting:
            self._turn += 1
            self.selection.open_case(self._content.case.id)

    def _decide_active(self, command: str) -> None:
        view = self._viewer().active_view
        if view is not None and self._viewer().may_decide:
            self._decide(view.id, command)

    def _decide(self, view_id: str, command: str) -> None:
        """Record a decision and go on with the case that the view is in now."""
        from app.core.case import Projection, Side

        if self._content is None:
            return
        project, case_id = self._project(), self._content.case.id
        if command.startswith("exclude:") and command.removeprefix("exclude:") in EXCLUSION_REASONS:
            after = project.exclude(case_id, view_id, command.removeprefix("exclude:"))
        elif command in {side.value for side in Side}:
            after = project.resolve(case_id, view_id, side=Side(command))
        else:
            after = project.resolve(case_id, view_id, projection=Projection(command))
        if not after:
            after = self.case_list.model.case_at(0)
        self._turn = 0
        if after:
            self.case_list.set_current(after)
            self.selection.open_case(after)
        else:
            self._viewer().clear("")

    # --- the rest ---

    def _use_tool(self, name: str) -> None:
        if self.viewer is not None:
            from app.ui.image_pane import Tool

            self.viewer.set_tool(Tool(name))

    def _set_linked(self, is_linked: bool) -> None:
        if self.viewer is not None:
            self.viewer.set_linked(is_linked)

    def _enable(self) -> None:
        """Enable the commands that have something to work on."""
        present = set()
        if self.case_list.model.rowCount():
            present.add("cases")
        if self.viewer is not None and self.viewer.has_image:
            present.add("image")
        if self.viewer is not None and self.viewer.is_settled and self.viewer.active_view is not None:
            present.add("view")
            if self.viewer.may_decide and self._project().is_writable:
                present.add("question")
        enable(self.actions_by_id, frozenset(present))

    def _project(self) -> Project:
        assert self.project is not None, "commands that need a project are disabled without one"
        return self.project

    def _viewer(self) -> Viewer:
        assert self.viewer is not None, "commands that need an image are disabled without one"
        return self.viewer

    def _quit(self) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave the project clean and no work behind."""
        self.demo_task.stop()
        if self.project is not None:
            self.project.close()
        event.accept()


def _with_name(effect: Callable[[str], None], name: str) -> Callable[[bool], None]:
    return lambda _: effect(name)
