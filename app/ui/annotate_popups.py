"""Two small questions over the window: who is annotating, and how long something really is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QLineEdit, QWidget

from app.core.annotation import MAX_READER_LENGTH, checked_reader
from app.core.errors import UserError
from app.ui.fields import DecimalBox
from app.ui.language import say, tr
from app.ui.theme import GAP_M, GAP_S

USUAL_MM = {"ball": 25.0, "length": 100.0}


class Question(QFrame):
    """A small form. Enter answers; Esc and a click elsewhere leave it.

    Signals:
        given_up: left without an answer.
    """

    given_up = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._is_answered = False
        self.form = QFormLayout(self)
        self.form.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        self.form.setSpacing(GAP_S)

    def open_at(self, middle: QPoint) -> None:
        """Open around this place, global position."""
        self.adjustSize()
        self.move(middle - QPoint(self.width() // 2, self.height() // 2))
        self.show()

    def accept(self) -> bool:
        """Take the answer; False if it is none yet."""
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Esc."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.accept():
                self._is_answered = True
                self.close()
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: object) -> None:
        """Left without an answer."""
        if not self._is_answered:
            self._is_answered = True
            self.given_up.emit()


class ReaderQuestion(Question):
    """Who is annotating? Asked once a session, before anything is recorded.

    Signals:
        answered: the name.
    """

    answered = Signal(str)

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        title = QLabel(tr("Who is annotating?"), self)
        title.setObjectName("title")
        self.form.addRow(title)
        self._proposed, self._doubted = name, ""
        self.name = QLineEdit(name, self)
        self.name.setMinimumWidth(280)
        self.name.setMaxLength(MAX_READER_LENGTH)
        self.form.addRow(tr("Name or initials"), self.name)
        self.hint = QLabel(tr("It is recorded with everything you say. Enter goes on."), self)
        self.hint.setObjectName("caption")
        self.form.addRow(self.hint)
        self.name.setFocus()
        self.name.selectAll()

    def accept(self) -> bool:
        """A name is not empty, one line of text, and no answer to a label."""
        try:
            name = checked_reader(self.name.text())
        except UserError as error:
            self.hint.setText(say(error.reason))
            return False
        if name not in (self._proposed, self._doubted) and not any(map(str.isalpha, name)):
            self._doubted = name  # keys of the label form, or a personnel number
            self.hint.setText(tr("“{name}” has no letters. If it is a name, give it again.", name=name))
            self.name.setText(self._proposed)
            self.name.selectAll()
            return False
        self._is_answered = True
        self.close()
        self.answered.emit(name)
        return True


class LengthQuestion(Question):
    """How long is it really?

    Args:
        kind: `length` or `ball`.
        describe: says what a length in mm makes of the image, or why it cannot be.
        parent: the window.

    Signals:
        answered: the length or diameter, mm.
    """

    answered = Signal(float)

    def __init__(self, kind: str, describe: Callable[[float], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._describe = describe
        title = QLabel(tr("Diameter of the ball") if kind == "ball" else tr("Known length"), self)
        title.setObjectName("title")
        self.form.addRow(title)
        self.box = DecimalBox(self)
        self.box.setRange(0.1, 1000.0)
        self.box.setDecimals(1)
        self.box.setSuffix(" mm")
        self.box.setValue(USUAL_MM[kind])
        self.box.setMinimumWidth(140)
        self.form.addRow(tr("It measures"), self.box)
        self.result = QLabel(self)
        self.result.setObjectName("caption")
        self.result.setWordWrap(True)
        self.result.setMinimumWidth(280)
        self.form.addRow(self.result)
        self.box.valueChanged.connect(self._tell)
        self._tell()
        self.box.setFocus()
        self.box.selectAll()

    def accept(self) -> bool:
        """The store refuses what cannot be."""
        self.answered.emit(self.box.value())
        return True

    def _tell(self) -> None:
        self.result.setText(self._describe(self.box.value()))
