"""What stands between a panel and its dock or dialog: it scrolls where there is less room than it needs."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

UNLIMITED_PX = 1 << 20


class PanelScroller(QScrollArea):
    """A panel, in the size of the place that it lies in or in its own least size, whichever is larger.

    Qt's own way (`widgetResizable`) asks panels with wrapped words for all the height they would like, and scrolls
    where nothing need be scrolled.
    """

    def __init__(self, parent: QWidget | None = None, *, panel: QWidget | None = None) -> None:
        super().__init__(parent)
        self._room = QSize(UNLIMITED_PX, UNLIMITED_PX)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setObjectName("panel-scroller")
        self.viewport().setAutoFillBackground(False)
        if panel is not None:
            self.put(panel)

    @property
    def comfort(self) -> QSize:
        """What the panel gets as long as the window has that much, logical px."""
        panel = self.widget()
        return panel.minimumSizeHint().expandedTo(panel.minimumSize()) if panel is not None else QSize(0, 0)

    @property
    def least(self) -> QSize:
        """What the panel needs, so that it need not scroll, logical px: what it set, else what is in it."""
        panel = self.widget()
        if panel is None:
            return QSize(0, 0)
        hint, given = panel.minimumSizeHint(), panel.minimumSize()
        return QSize(given.width() or hint.width(), given.height() or hint.height())

    def put(self, panel: QWidget) -> None:
        """Show a panel instead of the one before."""
        self.setWidget(panel)  # deletes what was there, and shows this one
        panel.setAutoFillBackground(False)
        self._fit()
        self.updateGeometry()

    def limit(self, room: QSize) -> None:
        """Let the window say how much there is; the place insists on no more than that.

        Args:
            room: width and height, logical px.
        """
        if room != self._room:
            self._room = room
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """What the panel would like."""
        panel = self.widget()
        return panel.sizeHint() if panel is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """What the panel needs, as far as there is room; with a bar to scroll it by, where there is not."""
        wanted = self.comfort
        if self.least.height() > self._room.height():
            wanted += QSize(self.verticalScrollBar().sizeHint().width(), 0)
        return wanted.boundedTo(self._room)

    def event(self, event: QEvent) -> bool:
        """The panel needs more now, or less."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
            self.updateGeometry()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There is more room, or less."""
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys belong to the window."""
        event.ignore()

    def _fit(self) -> None:
        panel = self.widget()
        if panel is None:
            return
        least, room = self.least, self.maximumViewportSize()
        least.setHeight(max(least.height(), _wrapped_px(panel, room.width())))
        if least.height() > room.height():
            room -= QSize(self.verticalScrollBar().sizeHint().width(), 0)
            least.setHeight(max(least.height(), _wrapped_px(panel, room.width())))
        if least.width() > room.width():
            room -= QSize(0, self.horizontalScrollBar().sizeHint().height())
        panel.resize(room.expandedTo(least))


def _wrapped_px(panel: QWidget, width_px: int) -> int:
    """The least height of a panel whose words wrap at a width, unless it looks after that itself, logical px."""
    layout = panel.layout()
    if layout is None or panel.minimumHeight() or not layout.hasHeightForWidth():
        return 0
    return layout.totalMinimumHeightForWidth(max(width_px, panel.minimumSizeHint().width()))
