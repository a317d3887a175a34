"""Builds what is in the window: menus, toolbar, worklist, start page, and the wirings, which make every connection.

Nothing here needs more than PySide6; it is imported when the frame of the window has been painted.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.ui.case_list import NARROW_PX, NARROWEST_PX, CaseList
from app.ui.command_set import CommandSet
from app.ui.crash import CrashReporter
from app.ui.demo_task import DemoTask
from app.ui.dock_room import DockRoom
from app.ui.docks import DockFocus, DockTabs
from app.ui.dotted_label import DottedLabel
from app.ui.held_keys import mark_held_keys
from app.ui.jobs_strip import JobsStrip
from app.ui.late_parts import effects_of
from app.ui.main_window import MainWindow
from app.ui.notices import BannerArea
from app.ui.selection import Selection
from app.ui.start_page import StartPage
from app.ui.theme import GAP_M, GAP_S
from app.ui.tool_bar import CommandBar
from app.ui.wiring.adjudicating import AdjudicatingWiring
from app.ui.wiring.annotating import AnnotatingWiring
from app.ui.wiring.care import CareWiring
from app.ui.wiring.cases import CasesWiring
from app.ui.wiring.engine import EngineWiring
from app.ui.wiring.exporting import ExportingWiring
from app.ui.wiring.findings import FindingsWiring
from app.ui.wiring.images import ImagesWiring
from app.ui.wiring.importing import ImportingWiring
from app.ui.wiring.labelling import LabellingWiring
from app.ui.wiring.leaving import LeavingWiring
from app.ui.wiring.looks import LooksWiring
from app.ui.wiring.merging import MergingWiring
from app.ui.wiring.projects import ProjectsWiring
from app.ui.wiring.promoting import PromotingWiring
from app.ui.wiring.proposing import ProposingWiring
from app.ui.wiring.resolving import ResolvingWiring
from app.ui.wiring.reviewing import ReviewingWiring
from app.ui.wiring.texts import TextsWiring
from app.ui.wiring.training import TrainingWiring
from app.ui.worklist_room import WorklistRoom

WORKLIST_PX = 412
BAR_PX = 31  # height of the bottom bar: buttons that join it later must not push the images up
STATE_MIN_PX = 48  # of the project in the bottom bar: its name yields to what stands beside it


def build_shell(window: MainWindow) -> None:
    """Build everything that the window shows before a project is open, and connect it."""
    window.crash = CrashReporter(window)
    if window.is_catching_faults:
        window.crash.install()
    start = window.start
    window.selection = Selection(window)
    window.demo_task = DemoTask(start.demo_command, window)
    window.case_list = CaseList(window)
    window.banners = BannerArea(window)
    window.start_page = StartPage(window)
    window.middle = QStackedWidget(window)
    window.middle.setMinimumWidth(330)  # not that of the start page, which is hidden while docks are open
    window.middle.addWidget(window.start_page)
    window.pixel = DottedLabel(window)
    window.pixel.setContentsMargins(GAP_M, 0, 0, 0)
    window.state = DottedLabel(window, cut=Qt.TextElideMode.ElideMiddle, least_px=STATE_MIN_PX)
    window.jobs = JobsStrip(window)
    window.projects = ProjectsWiring(window)
    window.leaving = LeavingWiring(window)
    window.importing = ImportingWiring(window)
    window.care = CareWiring(window)
    window.cases = CasesWiring(window)
    window.images = ImagesWiring(window)
    window.resolving = ResolvingWiring(window)
    window.annotating = AnnotatingWiring(window)
    window.labelling = LabellingWiring(window)
    window.reviewing = ReviewingWiring(window)
    window.adjudicating = AdjudicatingWiring(window)
    window.merging = MergingWiring(window)
    window.exporting = ExportingWiring(window)
    window.texts = TextsWiring(window)
    window.engine = EngineWiring(window)
    window.findings = FindingsWiring(window)
    window.training = TrainingWiring(window)
    window.proposing = ProposingWiring(window)
    window.promoting = PromotingWiring(window)
    window.looks = LooksWiring(window)
    wirings = (
        window.projects, window.leaving, window.importing, window.care, window.cases, window.images, window.resolving,
        window.annotating, window.labelling, window.reviewing, window.adjudicating, window.merging, window.exporting,
        window.texts, window.engine, window.findings, window.training, window.proposing,
        window.promoting, window.looks,
    )  # fmt: skip
    effects: dict[str, Callable[[bool], object]] = {}
    for wiring in wirings:
        effects |= effects_of(wiring)
    window.commands = CommandSet(window, effects, shortcuts=start.settings.settings.shortcuts)
    window.actions_by_id = window.commands.actions
    worklist = _furnish(window)
    window.wirings = wirings
    for wiring in wirings:
        wiring.connect_shell()
    window.say()
    window.enable()
    is_kept = start.geometry is not None and start.geometry.is_file()
    mark_held_keys(window)
    DockTabs(window)
    DockFocus(window, worklist, window.cases.take_focus)
    window.dock_room = DockRoom(window, worklist)
    WorklistRoom(window, worklist, (NARROWEST_PX, NARROW_PX), is_kept=is_kept)


def _furnish(window: MainWindow) -> QDockWidget:
    """Put everything in its place; the dock of the worklist."""
    window.commands.fill_menus(window.menuBar())
    window.bar = CommandBar(window.commands, window)
    window.addToolBar(window.bar)
    dock = QDockWidget(window)
    dock.setObjectName("cases")
    dock.setTitleBarWidget(QWidget(dock))
    dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
    dock.setWidget(window.case_list)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    middle = QWidget(window)
    layout = QVBoxLayout(middle)
    layout.setContentsMargins(0, 0, GAP_S, 0)
    layout.setSpacing(GAP_S)
    layout.addWidget(window.banners)
    layout.addWidget(window.middle, 1)
    layout.addWidget(window.jobs)
    window.setCentralWidget(middle)
    for widget in (middle, dock):  # the window is on the screen: a dock that is not has no width yet
        widget.show()
    window.resizeDocks([dock], [WORKLIST_PX], Qt.Orientation.Horizontal)
    window.research = QLabel(window)
    window.research.setObjectName("research")
    window.hidden_mark = QLabel(window)
    window.hidden_mark.setObjectName("hidden-mark")
    window.hidden_mark.hide()
    status = window.statusBar()
    status.setSizeGripEnabled(False)
    status.setMinimumHeight(BAR_PX)
    status.addWidget(window.pixel, 1)
    status.addPermanentWidget(window.state)
    status.addPermanentWidget(window.hidden_mark)
    status.addPermanentWidget(window.research)
    return dock
