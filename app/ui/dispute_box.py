"""One question on which readers disagree: every answer with its key and who gave it, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.adjudication import Dispute
from app.core.label_set import Choice, FieldType, LabelValue
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import say, tr
from app.ui.merge_words import opinion_text
from app.ui.privacy import private
from app.ui.theme import GAP_M, GAP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeView:
    """A dispute as it is shown.

    Args:
        dispute: the dispute.
        names: reader -> what they are called here.
        confidences: reader -> 0–100, of those who gave one.
        earlier: sentences about earlier decisions, latest first.
        mine: what this person decided; None = nothing yet.
    """

    dispute: Dispute
    names: Mapping[str, str]
    confidences: Mapping[str, int]
    earlier: tuple[str, ...] = ()
    mine: LabelValue | None = None


class DisputeBox(QFrame):
    """A question with its answers.

    Args:
        shown: what to show.

    Signals:
        decided: value that was chosen; for several choices all of them.
        chosen: the user clicked on the question itself.
    """

    decided = Signal(object)
    chosen = Signal()

    def __init__(self, shown: DisputeView, *, is_writable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("field")
        self.shown = shown
        field = shown.dispute.field
        self._is_several = field.type is FieldType.CHOICES
        title = QLabel(say(field.text), self)
        title.setObjectName("strong")
        title.setWordWrap(True)
        state = QLabel(tr("decided") if shown.dispute.value is not None else tr("open"), self)
        state.setObjectName("muted" if shown.dispute.value is not None else "dispute")
        key = QLabel(field.key.upper(), self)
        key.setObjectName("key")
        key.setVisible(bool(field.key))
        head = QHBoxLayout()
        head.setSpacing(GAP_S)
        head.addWidget(title)
        head.addWidget(state)
        head.addStretch()
        head.addWidget(key)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        self.buttons: dict[str, KeyButton] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(GAP_S)
        grid.setColumnStretch(1, 1)
        rest = FlowLayout()
        for choice in field.choices:
            button = self._button(choice, is_writable=is_writable)
            who = self._who(choice.id)
            if not who:
                rest.addWidget(button)
                continue
            row = grid.rowCount()
            grid.addWidget(button, row, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            said = QLabel(who, self)
            said.setWordWrap(True)
            said.setTextFormat(Qt.TextFormat.PlainText)
            grid.addWidget(said, row, 1, Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(grid)
        if rest.count():
            nobody = QLabel(tr("Nobody said:"), self)
            nobody.setObjectName("note")
            layout.addWidget(nobody)
            layout.addLayout(rest)
        for words in self._lines():
            line = QLabel(words, self)
            line.setObjectName("note")
            line.setWordWrap(True)
            line.setTextFormat(Qt.TextFormat.PlainText)
            layout.addWidget(line)

    def set_active(self, *, is_active: bool) -> None:
        """Whether digits answer this question."""
        self.setProperty("active", is_active)
        self.style().unpolish(self)
        self.style().polish(self)

    def press(self, key: str) -> bool:
        """Answer by the key of a choice. Returns whether there is one."""
        for choice in self.shown.dispute.field.choices:
            if choice.key.casefold() == key.casefold() and self.buttons[choice.id].isEnabled():
                self._pick(choice.id)
                return True
        return False

    def takes(self, key: str) -> bool:
        """Whether a key answers this question."""
        return any(choice.key.casefold() == key.casefold() for choice in self.shown.dispute.field.choices)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The question itself was clicked: digits answer it from now on."""
        self.chosen.emit()
        super().mousePressEvent(event)

    def _button(self, choice: Choice, *, is_writable: bool) -> KeyButton:
        button = KeyButton(f"decide:{self.shown.dispute.field.id}:{choice.id}", self)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setEnabled(is_writable)
        button.say(say(choice.text), key=choice.key.upper(), tip=say(choice.tip))
        held = self.shown.mine if self.shown.mine is not None else self.shown.dispute.value
        button.setChecked(choice.id in (held if isinstance(held, tuple) else (held,)))
        button.clicked.connect(lambda _=False: self._pick(choice.id))
        self.buttons[choice.id] = button
        return button

    def _pick(self, choice_id: str) -> None:
        if not self._is_several:
            self.decided.emit(choice_id)
            return
        held = self.shown.mine if isinstance(self.shown.mine, tuple) else ()
        picked = tuple(each for each in held if each != choice_id)
        self.decided.emit((*picked, choice_id) if choice_id not in held else picked or None)

    def _who(self, choice_id: str) -> str:
        """The readers who gave an answer, with how sure each was."""
        said = []
        for reader, name in self.shown.names.items():
            value = self.shown.dispute.readings.get(reader)
            if value is None or choice_id not in (value if isinstance(value, tuple) else (value,)):
                continue
            sure = self.shown.confidences.get(reader)
            said.append(f"{name} ({sure} %)" if sure is not None else name)
        return ", ".join(said)

    def _lines(self) -> list[str]:
        dispute = self.shown.dispute
        lines = []
        if dispute.moved:
            names = ", ".join(self.shown.names.get(reader, reader) for reader in dispute.moved)
            lines.append(tr("{names}: another answer than when it was decided.", names=names))
        if len({str(answer.value) for answer in dispute.answers.values()}) > 1:
            lines.append(tr("Two people have decided differently."))
        for reader, answer in dispute.answers.items():
            name = self.shown.names.get(reader, private(reader))
            lines.append(tr("{name} decided: {value}", name=name, value=opinion_text(dispute.field, answer.value)))
        lines += self.shown.earlier
        return lines
