"""Fields as the window has them: numbers with the margin of other fields, choices that end in dots, not in a cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

from app.ui.theme import GAP_M

if TYPE_CHECKING:
    _SpinBox = QAbstractSpinBox
else:
    _SpinBox = object  # beside Qt's own class, at run time


def typed_folder(text: str) -> Path:
    """A folder that somebody types; `~` is their own, and that of an account that there is not stays as it is."""
    folder = Path(text)
    try:
        return folder.expanduser()
    except RuntimeError:
        return folder


class _Roomy(_SpinBox):
    """The margin of other fields. (Style sheets do not reach that of a spin box.) The wheel turns it while it is in use
    and scrolls the form otherwise: nobody answers a question by scrolling past it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel
        self.lineEdit().setTextMargins(GAP_M, 0, 0, 0)

    def sizeHint(self) -> QSize:
        """With the margin."""
        return super().sizeHint() + QSize(GAP_M, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """For the form, unless this field has the keyboard."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberBox(_Roomy, QSpinBox):
    """A whole number."""


class DecimalBox(_Roomy, QDoubleSpinBox):
    """A number with decimals."""


class ChoiceBox(QComboBox):
    """One of several; what has no room ends in dots, and the tooltip says all of it. The wheel as with numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """For the form, unless this field has the keyboard."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _shown(self) -> tuple[QStyleOptionComboBox, bool]:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        area = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, area, self)
        words = self.currentText() or self.placeholderText()
        shown = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        option.currentText = shown
        return option, shown != words

    def paintEvent(self, event: QPaintEvent) -> None:
        """As any other, with dots."""
        painter = QStylePainter(self)
        option, _ = self._shown()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent) -> bool:
        """Say all of it where the mouse rests on dots."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._shown()[1]:
            words = self.currentText() if not self.toolTip() else f"{self.currentText()}\n{self.toolTip()}"
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
