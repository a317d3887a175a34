"""What stands between the images and a panel below them: in a low window the panel scrolls and the images stay."""
# ruff: noqa: N802 — the names are those of Qt, which are overridden here

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

IMAGES_PX = 200  # height that is left to the images; in a very low window, half of what there is


class FootScroller(QScrollArea):
    """A panel in all the height it needs, as long as the images have enough; there while its panel is.

    Args:
        panel: the more narrow, the higher.
        parent: what the images lie in, too.
    """

    def __init__(self, panel: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._panel, self._frame = panel, parent
        self.setObjectName("foot")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.viewport().setAutoFillBackground(False)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)  # it takes the width there is and never makes the window wider
        is_hidden = panel.isHidden()
        self.setWidget(panel)  # which shows it
        panel.setAutoFillBackground(False)
        panel.setHidden(is_hidden)
        self.setHidden(is_hidden)
        panel.installEventFilter(self)
        parent.installEventFilter(self)

    def to_top(self) -> None:
        """Something else is asked: begin at its beginning."""
        self.verticalScrollBar().setValue(0)

    def heightForWidth(self, width: int) -> int:
        """What the panel needs, or its share, logical px."""
        layout, room = self._panel.layout(), self._frame.height()
        wanted = layout.totalHeightForWidth(width) if layout is not None else self._panel.sizeHint().height()
        return min(wanted, max(room // 2, room - IMAGES_PX))

    def event(self, event: QEvent) -> bool:
        """The panel needs another height."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The panel comes or goes, or there is another height to share."""
        kind = event.type()
        if watched is self._panel:
            if kind in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
                self.to_top()
                self.setVisible(kind == QEvent.Type.ShowToParent)
        elif watched is self._frame and kind == QEvent.Type.Resize:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys belong to the window."""
        event.ignore()
