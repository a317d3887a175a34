"""The training panel: what would be trained, and the runs so far."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.ui.language import tr
from app.ui.promotion_view import PromotionView
from app.ui.runs_view import RunsView
from app.ui.theme import GAP_M, GAP_S
from app.ui.training_curves import TrainingCurves
from app.ui.training_form import TrainingForm

WIDTH_PX = 420
LEAST_PX, SCROLL_BAR_PX = 220, 14  # its least in a narrow window; what scrolls the choices
PAUSE_MS = 200
NEW, RUNS, GATE = 0, 1, 2


class TrainingPanel(QWidget):
    """Two pages.

    Signals:
        setup_wanted: something else is chosen: work out what it comes to.
        start_wanted: begin.
        page_changed: the other page is looked at.
    """

    setup_wanted = Signal()
    start_wanted = Signal()
    page_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.form = TrainingForm()
        self.runs = RunsView(TrainingCurves())
        self.gate = PromotionView()
        self.form.setObjectName("sheet")
        for sheet in (self.form, self.gate):
            sheet.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.form)
        self.go = QPushButton(self)
        self.go.setObjectName("primary")
        self.go.setEnabled(False)
        self.go.clicked.connect(self.start_wanted)
        foot = QHBoxLayout()
        foot.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_M)
        foot.addStretch(1)
        foot.addWidget(self.go)
        new = QWidget(self)
        page = QVBoxLayout(new)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(area, 1)
        page.addLayout(foot)
        self.tabs = QTabWidget(self)
        self.tabs.addTab(new, "")
        self.tabs.addTab(self.runs, "")
        self.tabs.addTab(self.gate, "")
        self.tabs.setTabVisible(GATE, False)
        self.tabs.currentChanged.connect(lambda _: self.page_changed.emit())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.tabs)
        self.setMinimumWidth(LEAST_PX)
        self._is_busy = False
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.setup_wanted)
        self.form.changed.connect(self.ask)
        self.retranslate()

    def minimumSizeHint(self) -> QSize:
        """As wide as the choices, where the window is: what is chosen can be read."""
        least = super().minimumSizeHint()
        return QSize(max(least.width(), self.form.comfort_px + SCROLL_BAR_PX), least.height())

    def sizeHint(self) -> QSize:
        """As wide as the export panel."""
        return QSize(WIDTH_PX, 640)

    @property
    def can_start(self) -> bool:
        """Whether what is chosen can be trained as it stands."""
        return self.form.setup is not None and not self._is_busy

    def ask(self) -> None:
        """Something else is chosen, or the cases have changed; what it comes to follows in a moment."""
        self.form.wait()
        self._follow()
        self._pause.start()

    def stop(self) -> None:
        """Nothing is asked any more."""
        self._pause.stop()

    def take_apart(self) -> None:
        """The window closes."""
        self.stop()
        self.runs.curves.stop()

    def show_problem(self, problem: UserError) -> None:
        """What is chosen cannot be trained."""
        self.form.show_problem(problem)
        self._follow()

    def set_busy(self, *, is_busy: bool) -> None:
        """Runs are being made."""
        self._is_busy = is_busy
        self._follow()

    def show_gate(self) -> None:
        """A model shall be compared with the one that answers now."""
        self.tabs.setTabVisible(GATE, True)
        self.tabs.setCurrentIndex(GATE)

    def hide_gate(self) -> None:
        """It is decided, or left as it is."""
        if self.tabs.currentIndex() == GATE:
            self.tabs.setCurrentIndex(RUNS)
        self.tabs.setTabVisible(GATE, False)

    def follow(self) -> None:
        """What is chosen has been worked out."""
        self._follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter begins."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and self.tabs.currentIndex() == NEW and self.can_start:
            self.start_wanted.emit()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        self.tabs.setTabText(NEW, tr("New run"))
        self.tabs.setTabText(RUNS, tr("Runs"))
        self.tabs.setTabText(GATE, tr("Promote"))
        self.go.setText(tr("Start training"))
        self.go.setToolTip(tr("Begin; labelling goes on meanwhile (Enter)"))

    def _follow(self) -> None:
        self.go.setEnabled(self.can_start)
