"""What waits for a name is about to be left behind: one question, three clear answers."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.core.annotation import MAX_READER_LENGTH, checked_reader
from app.core.errors import UserError
from app.ui.language import tr
from app.ui.theme import GAP_L, GAP_M


class LeaveQuestion(QDialog):
    """Record it under a name, discard it, or stay.

    Args:
        words: what waits, one sentence.
        name: who it probably is.
        parent: the window.

    Signals:
        named: it is to be recorded under this name.
        discarded: it is not to be recorded.
    """

    named = Signal(str)
    discarded = Signal()

    def __init__(self, words: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Not recorded yet"))
        heading = QLabel(words, self)
        heading.setObjectName("strong")
        heading.setWordWrap(True)
        self.name = QLineEdit(name, self)
        self.name.setMinimumWidth(280)
        self.name.setMaxLength(MAX_READER_LENGTH)
        self.name.selectAll()
        self.name.textChanged.connect(self._enable)
        form = QFormLayout()
        form.addRow(tr("Name or initials"), self.name)
        self.record = QPushButton(tr("Record it"), self)
        self.record.setDefault(True)
        self.record.clicked.connect(self._on_record)
        self.discard = QPushButton(tr("Discard it"), self)
        self.discard.setAutoDefault(False)
        self.discard.clicked.connect(self._on_discard)
        self.stay = QPushButton(tr("Cancel"), self)
        self.stay.setAutoDefault(False)
        self.stay.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(self.discard)
        buttons.addStretch(1)
        buttons.addWidget(self.stay)
        buttons.addWidget(self.record)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(heading)
        layout.addLayout(form)
        layout.addSpacing(GAP_M)
        layout.addLayout(buttons)
        self.name.setFocus()
        self._enable()

    @property
    def _said(self) -> str:
        try:
            return checked_reader(self.name.text())
        except UserError:
            return ""

    def _enable(self) -> None:
        self.record.setEnabled(bool(self._said))

    def _on_record(self) -> None:
        name = self._said
        self.accept()
        self.named.emit(name)

    def _on_discard(self) -> None:
        self.accept()
        self.discarded.emit()
