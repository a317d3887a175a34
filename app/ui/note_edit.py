"""A box for free text that stores on Enter and on leaving, so that nothing typed is lost."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QWidget

from app.core.label_set import MAX_TEXT_LENGTH
from app.ui.theme import GAP_S

NOTE_LINES = 3


class NoteEdit(QPlainTextEdit):
    """Free text. Enter stores it, Shift+Enter begins a new line, Esc takes back what was typed.

    Signals:
        done: the text is to be stored.
        left: the keyboard is given back.
    """

    done = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("note-edit")
        self._stored = ""
        family = QApplication.font().family()
        self.setStyleSheet(f'font-family: "{family}";')  # other boxes of plain text hold code
        self.setTabChangesFocus(True)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * NOTE_LINES + 4 * GAP_S)

    @property
    def is_changed(self) -> bool:
        """Whether there is something that is not stored."""
        return self.toPlainText().strip() != self._stored

    def set_stored(self, text: str) -> None:
        """Show what is stored; what is being typed is left alone."""
        is_typing = self.hasFocus() and self.is_changed
        self._stored = text
        if not is_typing and self.toPlainText() != text:
            self.setPlainText(text)

    def store(self) -> None:
        """Hand over what was typed, if it differs from what is stored."""
        text = self.toPlainText().strip()[:MAX_TEXT_LENGTH]
        if text != self._stored:
            self.done.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Esc."""
        is_new_line = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not is_new_line:
            self.store()
            self.left.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.setPlainText(self._stored)
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Nothing that was typed is lost by a click elsewhere."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.store()
