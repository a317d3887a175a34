"""The window: builds the widgets and calls the wirings, which make every connection.

The shell (menus, toolbar, worklist, start page) needs nothing but PySide6 and is shown first. What reads and shows
images (numpy, cv2, pyqtgraph, sqlite) is imported after the first paint, in `_load_rest`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.ui.case_list import CaseList
from app.ui.command_set import CommandSet
from app.ui.crash import CrashReporter
from app.ui.demo_task import DemoTask
from app.ui.jobs_strip import JobsStrip
from app.ui.language import tr
from app.ui.notices import BannerArea
from app.ui.selection import Selection
from app.ui.start_page import StartPage
from app.ui.start_plan import Start
from app.ui.theme import GAP_S
from app.ui.tool_bar import CommandBar
from app.ui.wiring.annotating import AnnotatingWiring
from app.ui.wiring.care import CareWiring
from app.ui.wiring.cases import CasesWiring
from app.ui.wiring.images import ImagesWiring
from app.ui.wiring.importing import ImportingWiring
from app.ui.wiring.looks import LooksWiring
from app.ui.wiring.projects import ProjectsWiring
from app.ui.wiring.resolving import ResolvingWiring
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.ui.project import Project
    from app.ui.viewer import Viewer


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
        self.start = start
        self._is_painted = False
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
        self.pixel = QLabel("", self)
        self.state = QLabel("", self)
        self.jobs = JobsStrip(self)
        self.projects = ProjectsWiring(self)
        self.importing = ImportingWiring(self)
        self.care = CareWiring(self)
        self.cases = CasesWiring(self)
        self.images = ImagesWiring(self)
        self.resolving = ResolvingWiring(self)
        self.annotating = AnnotatingWiring(self)
        self.looks = LooksWiring(self)
        self.wirings: tuple[Wiring, ...] = (
            self.projects, self.importing, self.care, self.cases, self.images, self.resolving, self.annotating,
            self.looks,
        )  # fmt: skip
        effects: dict[str, Callable[[bool], object]] = {}
        for wiring in self.wirings:
            effects |= wiring.effects()
        self.commands = CommandSet(self, effects, shortcuts=start.settings.settings.shortcuts)
        self.actions_by_id = self.commands.actions
        self._build()
        for wiring in self.wirings:
            wiring.connect_shell()
        self.retranslate()
        self.first_painted.connect(self._load_rest, Qt.ConnectionType.QueuedConnection)
        self.enable()

    def _build(self) -> None:
        self.commands.fill_menus(self.menuBar())
        self.bar = CommandBar(self.commands, self)
        self.addToolBar(self.bar)
        dock = QDockWidget(self)
        dock.setObjectName("cases")
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
        layout.addWidget(self.jobs)
        self.setCentralWidget(middle)
        self.research = QLabel(self)
        self.research.setObjectName("research")
        self.hidden_mark = QLabel(self)
        self.hidden_mark.setObjectName("hidden-mark")
        self.hidden_mark.hide()
        status = self.statusBar()
        status.setSizeGripEnabled(False)
        status.addWidget(self.pixel, 1)
        status.addPermanentWidget(self.state)
        status.addPermanentWidget(self.hidden_mark)
        status.addPermanentWidget(self.research)

    def enable(self) -> None:
        """Enable the commands that have something to work on."""
        present: set[str] = set()
        for wiring in self.wirings:
            present |= wiring.present()
        self.commands.enable(frozenset(present))

    def event(self, event: QEvent) -> bool:
        """Notice the first paint."""
        result = super().event(event)
        if event.type() == QEvent.Type.Paint and not self._is_painted:
            self._is_painted = True
            self.first_painted.emit()
        return result

    def changeEvent(self, event: QEvent) -> None:
        """Another language: say everything anew."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language. Widgets look after themselves; wirings after what they said."""
        self.research.setText(tr("Research use only · not for diagnosis"))
        self.commands.retranslate()
        self.bar.retranslate()
        for wiring in self.wirings:
            wiring.retranslate()

    def _load_rest(self) -> None:
        """Import what shows images, connect it, and open what was asked for."""
        from app.ui.project import Project
        from app.ui.viewer import Viewer

        self.project = Project(self.start.settings.settings.author or self.start.author, self)
        self.viewer = Viewer(self)
        self.middle.addWidget(self.viewer)
        for wiring in self.wirings:
            wiring.connect_rest()
        self.projects.begin()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave the project clean and no work behind."""
        for wiring in self.wirings:
            wiring.close()
        if self.project is not None:
            self.project.close()
        event.accept()
