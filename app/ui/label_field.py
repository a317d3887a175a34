"""One question of the label form: its text, its key, and a button with its key for every answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from app.core.label_set import FieldType, LabelField, LabelValue
from app.ui.fields import NumberBox
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import say, tr
from app.ui.theme import GAP_M, GAP_S

UNSET = -1


class LineBox(QLineEdit):
    """A line of text that is taken when Enter is pressed or the keyboard goes elsewhere.

    Signals:
        left: Enter or Esc: the keyboard is to go back.
    """

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Esc leave; what was typed is taken either way."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.left.emit()
            event.accept()
            return
        super().keyPressEvent(event)


class FieldRow(QFrame):
    """A question with its answers.

    Args:
        field: the question.

    Signals:
        picked: id of the choice whose button was pressed.
        entered: the number or text that was typed; None = taken away.
        chosen: the user clicked on the question itself.
        left: the keyboard is to go back where it was.
    """

    picked = Signal(str)
    entered = Signal(object)
    chosen = Signal()
    left = Signal()

    def __init__(self, field: LabelField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("field")
        self.field = field
        self.title = QLabel(self)
        self.title.setObjectName("strong")
        self.key = QLabel(field.key.upper(), self)
        self.key.setObjectName("key")
        self.key.setVisible(bool(field.key))
        self.mark = QLabel(self)
        self.mark.setObjectName("caution")
        head = QHBoxLayout()
        head.setSpacing(GAP_S)
        head.addWidget(self.title)
        head.addWidget(self.mark)
        head.addStretch()
        head.addWidget(self.key)
        self.buttons: dict[str, KeyButton] = {}
        flow = FlowLayout()
        for choice in field.choices:
            button = KeyButton(f"label:{field.id}:{choice.id}", self)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, name=choice.id: self.picked.emit(name))
            self.buttons[choice.id] = button
            flow.addWidget(button)
        self.number: QSpinBox | None = None
        self.line: LineBox | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_S)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        layout.addLayout(flow)
        if field.type is FieldType.CONFIDENCE:
            self.number = NumberBox(self)
            self.number.setRange(UNSET, 100)
            self.number.setSpecialValueText("–")
            self.number.setSuffix(" %")
            self.number.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self.number.setKeyboardTracking(False)
            self.number.setMaximumWidth(88)
            self.number.valueChanged.connect(self._on_number)
            flow.addWidget(self.number)
        if field.type is FieldType.TEXT:
            self.line = LineBox(self)
            self.line.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self.line.setMaxLength(1000)
            self.line.editingFinished.connect(self._on_line)
            self.line.left.connect(self._on_left)
            layout.addWidget(self.line)
        self._value: LabelValue | None = None
        self.retranslate()

    def show_value(self, value: LabelValue | None, *, is_active: bool, is_missing: bool, is_writable: bool) -> None:
        """Show the answer.

        Args:
            value: the answer; None without one.
            is_active: whether digits answer this question.
            is_missing: whether it is required and has no answer.
            is_writable: whether it can be answered.
        """
        self._value = value
        held = value if isinstance(value, tuple) else () if value is None else (str(value),)
        for name, button in self.buttons.items():
            button.setChecked(name in held)
            button.setEnabled(is_writable)
        if self.number is not None:
            self.number.blockSignals(True)
            self.number.setValue(value if isinstance(value, int) else UNSET)
            self.number.blockSignals(False)
            self.number.setEnabled(is_writable)
        if self.line is not None and not (self.line.hasFocus() and self.line.isModified()):
            self.line.setText(value if isinstance(value, str) else "")
        if self.line is not None:
            self.line.setEnabled(is_writable)
        self.mark.setText(tr("required") if is_missing else "")
        if self.property("active") != is_active:
            self.setProperty("active", is_active)
            self.style().unpolish(self)
            self.style().polish(self)

    def store_typed(self) -> None:
        """Hand over what is being typed; from now on the row shows what is stored, also where the keyboard is."""
        if self.number is not None:
            self.number.interpretText()
        if self.line is not None and self.line.isModified():
            self._on_line()
            self.line.setModified(False)

    def retranslate(self) -> None:
        """Say everything anew."""
        self.title.setText(say(self.field.text))
        self.setToolTip(say(self.field.tip))
        for choice in self.field.choices:
            self.buttons[choice.id].say(say(choice.text), key=choice.key.upper(), tip=say(choice.tip))
        if self.line is not None:
            self.line.setPlaceholderText(say(self.field.tip))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The question itself was clicked: digits answer it from now on."""
        self.chosen.emit()
        super().mousePressEvent(event)

    def _on_number(self, number: int) -> None:
        self.entered.emit(None if number == UNSET else number)

    def _on_line(self) -> None:
        assert self.line is not None
        text = self.line.text().strip()
        if text != (self._value if isinstance(self._value, str) else ""):
            self.entered.emit(text or None)

    def _on_left(self) -> None:
        self._on_line()
        self.left.emit()
