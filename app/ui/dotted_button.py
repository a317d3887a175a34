"""A button of words in the bottom bar, which ends in dots where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QStyleOptionToolButton, QStylePainter, QToolButton, QWidget

LEAST_PX = 48


class DottedButton(QToolButton):
    """A flat button that may be given less room than its words need: what must be read stands beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAutoRaise(True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    @property
    def shown(self) -> str:
        """What is to be read now, with its dots."""
        metrics = self.fontMetrics()
        around_px = self.sizeHint().width() - metrics.horizontalAdvance(self.text())
        if self.width() >= self.sizeHint().width():
            return self.text()
        return metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, max(self.width() - around_px, 0))

    def minimumSizeHint(self) -> QSize:
        """It yields: words never widen a window."""
        hint = self.sizeHint()
        return QSize(min(hint.width(), LEAST_PX), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """As any other button, with dots."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = self.shown
        QStylePainter(self).drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
