"""A line of words that ends in dots where there is no room, and says all of it under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStyle, QStyleOption, QToolTip, QWidget


class DottedLabel(QLabel):
    """A plain label of one line that may be given less room than its words need.

    Args:
        parent: the widget that it lies in.
        cut: where the dots stand.
        least_px: width below which it never shrinks, px; shorter words need less.
    """

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        least_px: int = 24,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._cut = cut
        self._least_px = least_px

    @property
    def shown(self) -> str:
        """What is to be read now, with its dots."""
        return self.fontMetrics().elidedText(self.text(), self._cut, max(self.contentsRect().width(), 0))

    def minimumSizeHint(self) -> QSize:
        """It yields: words never widen a window."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), self._least_px), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """As any other label, with dots."""
        shown = self.shown
        if shown == self.text():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        self.drawFrame(painter)
        alignment = QStyle.visualAlignment(self.layoutDirection(), self.alignment())
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            alignment.value,
            option.palette,
            self.isEnabled(),
            shown,
            self.foregroundRole(),
        )

    def event(self, event: QEvent) -> bool:
        """Say all of it where the mouse rests on dots."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.shown != self.text():
            QToolTip.showText(event.globalPos(), "\n".join(filter(None, (self.text(), self.toolTip()))), self)
            return True
        return super().event(event)
