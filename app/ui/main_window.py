"""The window: paints its frame first, then lets `app.ui.shell` build what is in it, then loads what shows images.

Three steps, each seen before the next begins: the frame (this module, which imports as good as nothing), the shell
(menus, toolbar, worklist, start page: PySide6 only), and the rest (numpy, cv2, pyqtgraph, sqlite), in `_load_rest`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.ui.language import tr
from app.ui.start_plan import Start

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QStackedWidget

    from app.ui.case_list import CaseList
    from app.ui.command_set import CommandSet
    from app.ui.crash import CrashReporter
    from app.ui.demo_task import DemoTask
    from app.ui.dock_room import DockRoom
    from app.ui.jobs_strip import JobsStrip
    from app.ui.late_parts import LateParts
    from app.ui.notices import BannerArea
    from app.ui.project import Project
    from app.ui.selection import Selection
    from app.ui.start_page import StartPage
    from app.ui.tool_bar import CommandBar
    from app.ui.viewer import Viewer
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
    from app.ui.wiring.wiring import Wiring

SIZE_PX = (1280, 800)
SMALLEST_PX = (960, 600)
FRAME_PX = (4, 40)  # what the title and the frame of a window take of a screen
MOST_STEPS = 500  # of the keyboard, from one thing that can be seen to the next


class MainWindow(QMainWindow):
    """Coxa's window.

    Signals:
        first_painted: the frame is on the screen.
        shell_painted: menus, toolbar, worklist and start page are on the screen.
        settled: there is nothing more to wait for: a case is shown, or there is none to show.
    """

    first_painted = Signal()
    shell_painted = Signal()
    settled = Signal()

    # what `app.ui.shell` builds
    selection: Selection
    commands: CommandSet
    actions_by_id: dict[str, QAction]
    demo_task: DemoTask
    crash: CrashReporter
    case_list: CaseList
    banners: BannerArea
    start_page: StartPage
    middle: QStackedWidget
    pixel: QLabel
    state: QLabel
    jobs: JobsStrip
    bar: CommandBar
    dock_room: DockRoom
    research: QLabel
    hidden_mark: QLabel
    projects: ProjectsWiring
    importing: ImportingWiring
    leaving: LeavingWiring
    care: CareWiring
    cases: CasesWiring
    images: ImagesWiring
    resolving: ResolvingWiring
    annotating: AnnotatingWiring
    labelling: LabellingWiring
    reviewing: ReviewingWiring
    adjudicating: AdjudicatingWiring
    merging: MergingWiring
    exporting: ExportingWiring
    training: TrainingWiring
    proposing: ProposingWiring
    promoting: PromotingWiring
    texts: TextsWiring
    engine: EngineWiring
    findings: FindingsWiring
    looks: LooksWiring
    wirings: tuple[Wiring, ...] = ()

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.start = start
        self.project: Project | None = None
        self.viewer: Viewer | None = None
        self._is_painted = False
        self._is_shell_painted = False
        self._is_closed, self._may_ask = False, True
        self.late: LateParts | None = None
        self.is_catching_faults = False
        self.setWindowTitle("Coxa")
        self._fit_screen()
        self.resize(*self._on_screen(SIZE_PX))
        self.setCentralWidget(_frame(self))
        if start.geometry is not None:
            from app.ui.geometry import restore_geometry

            restore_geometry(self, start.geometry)
        self.first_painted.connect(lambda: QTimer.singleShot(0, self, self._build))
        self.shell_painted.connect(lambda: QTimer.singleShot(0, self, self._load_rest))

    def _on_screen(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """A size, or as much of it as the screen has room for, logical px: a small one enlarged twofold has little."""
        room = self.screen().availableGeometry()
        return min(size_px[0], room.width() - FRAME_PX[0]), min(size_px[1], room.height() - FRAME_PX[1])

    def _fit_screen(self) -> None:
        """All of the window can be on the screen, the bottom bar included."""
        self.setMinimumSize(*self._on_screen(SMALLEST_PX))

    @property
    def is_built(self) -> bool:
        """Whether there is more than the frame."""
        return bool(self.wirings)

    def catch_faults(self, *, is_on: bool) -> None:
        """Turn faults into a report to copy, from now on or as soon as the window is built; or stop doing so."""
        self.is_catching_faults = is_on
        if self.is_built:
            if is_on:
                self.crash.install()
            else:
                self.crash.remove()

    def _build(self) -> None:
        from app.ui.shell import build_shell

        if not self.is_built and not self._is_closed:
            build_shell(self)
            self.update()  # what was added is shown by the event loop, and painted then

    def enable(self) -> None:
        """Enable the commands that have something to work on."""
        present: set[str] = set()
        for wiring in self.wirings:
            is_there = wiring.is_connected or not wiring.is_late
            present |= wiring.present() if is_there else wiring.promised()
        self.commands.enable(frozenset(present))

    def event(self, event: QEvent) -> bool:
        """Notice the first paint of the frame and of the shell."""
        result = super().event(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # another screen, or another scaling
            self._fit_screen()
        if event.type() == QEvent.Type.Paint:
            if not self._is_painted:
                self._is_painted = True
                self.first_painted.emit()
            elif self.is_built and not self._is_shell_painted and self.middle.isVisible():
                self._is_shell_painted = True
                self.shell_painted.emit()
        return result

    def focusNextPrevChild(self, is_next: bool) -> bool:  # noqa: N802
        """Tab goes past what lies in a dock behind another one, which Qt counts as visible."""
        if not self.is_built:
            return super().focusNextPrevChild(is_next)
        from app.ui.docks import is_out_of_sight

        for _ in range(MOST_STEPS):
            if not super().focusNextPrevChild(is_next):
                return False
            now = self.focusWidget()
            if now is None or not is_out_of_sight(now):
                return True
        return True

    def changeEvent(self, event: QEvent) -> None:
        """Another language: say everything anew."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self.is_built:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language. Widgets look after themselves; wirings after what they said."""
        self.finish()
        self.commands.retranslate()
        self.say()

    def say(self) -> None:
        """Say what the commands do not say themselves."""
        self.research.setText(tr("Research use only · not for diagnosis"))
        self.bar.retranslate()
        for wiring in self.wirings:
            wiring.retranslate()

    def _load_rest(self) -> None:
        """Import what shows images, connect it, and open what was asked for."""
        if self._is_closed:
            return  # before it was ready: nothing may be opened that nobody would close
        from app.ui.plain_imports import import_numpy

        import_numpy()
        from app.ui.project import Project

        self.project = Project(self.start.settings.settings.author or self.start.author, self)
        self.projects.read_ahead()
        from app.ui.lazy_pyqtgraph import import_pyqtgraph

        import_pyqtgraph()
        from app.ui.late_parts import LateParts
        from app.ui.surroundings import Surroundings
        from app.ui.viewer import Viewer

        self.viewer = Viewer(self)
        self.middle.addWidget(self.viewer)
        self.viewer.stand_in(Surroundings((self.banners, self.jobs), self.middle))
        for wiring in self.wirings:
            if wiring.is_late:
                wiring.reserve()
            else:
                wiring.connect_rest()
                wiring.is_connected = True
        self.late = LateParts(self.wirings, self)
        self.late.finished.connect(self._copy_plainly)
        self.projects.begin()

    def _copy_plainly(self) -> None:
        from app.ui.clipboard import PlainCopies

        PlainCopies(self)

    def finish(self) -> None:
        """Connect at once what waits for a quiet moment after the first case, if there is still anything."""
        if self.late is not None:
            self.late.finish()

    def end(self) -> None:
        """Close without a question: nobody is there to answer it."""
        self._may_ask = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave the project clean and no work behind, after a question where something said would be lost.

        Leaving always works in the end, also when the folder is gone.
        """
        self.finish()
        if self.is_built and self._may_ask and not (self.leaving.may_close() and self.training.may_close()):
            event.ignore()
            return
        if self.is_built:
            self.selection.leaving.emit()
        self._is_closed = True
        closing = [wiring.close for wiring in self.wirings]
        if self.project is not None:
            closing.append(self.project.close)
        for close in closing:
            with contextlib.suppress(UserError):
                close()
        event.accept()


def _frame(parent: QWidget) -> QWidget:
    """What stands in the window for the blink of an eye until it is built."""
    frame = QWidget(parent)
    research = QLabel(tr("Research use only · not for diagnosis"), frame)
    research.setObjectName("research")
    foot = QHBoxLayout()
    foot.addStretch(1)
    foot.addWidget(research)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addStretch(1)
    layout.addLayout(foot)
    return frame
