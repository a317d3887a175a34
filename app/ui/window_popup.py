"""Center and width of a window in numbers, applied while they are typed."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QWidget

from app.core.grey import Window
from app.ui.fields import DecimalBox
from app.ui.language import tr
from app.ui.theme import GAP_M, GAP_S

LARGEST = 1e7


class WindowPopup(QFrame):
    """A small form over the image. Enter and a click elsewhere keep what was typed, Esc goes back.

    Signals:
        changed: center and width, modality values, while they are typed.
        given_up: Esc: the window is to be as before.
    """

    changed = Signal(float, float)
    given_up = Signal()

    def __init__(self, window: Window, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("box")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fine = window.width < 20
        self.center, self.width_box = DecimalBox(self), DecimalBox(self)
        form = QFormLayout(self)
        form.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        form.setSpacing(GAP_S)
        for box, text, low, value in (
            (self.center, tr("Center"), -LARGEST, window.center), (self.width_box, tr("Width"), 0.001, window.width),
        ):  # fmt: skip
            box.setDecimals(3 if fine else 1)
            box.setRange(low if fine or low < 0 else 1.0, LARGEST)
            box.setSingleStep(max(window.width / 50, 10.0 ** -box.decimals()))
            box.setValue(value)
            box.setMinimumWidth(120)
            form.addRow(text, box)
            box.valueChanged.connect(self._tell)
        hint = QLabel(tr("Enter keeps it, Esc goes back"), self)
        hint.setObjectName("caption")
        form.addRow(hint)

    def open_at(self, place: QPoint) -> None:
        """Open with its lower left corner here, global position, and wait for the center."""
        self.adjustSize()
        self.move(place - QPoint(0, self.height()))
        self.show()
        self.center.setFocus()
        self.center.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Esc."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        elif event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
            self.close()
        else:
            super().keyPressEvent(event)

    def _tell(self) -> None:
        self.changed.emit(self.center.value(), self.width_box.value())
