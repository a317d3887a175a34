"""A button that shows its key beside its text."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.ui.theme import GAP_M, GAP_S


class KeyButton(QPushButton):
    """A push button with a text and, at its right, the key that does the same.

    Args:
        name: what the button is found by.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._words = QLabel(self)
        self._key = QLabel(self)
        self._key.setObjectName("key")
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_S)
        row.setSpacing(GAP_M)
        for label in (self._words, self._key):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            label.setTextFormat(Qt.TextFormat.PlainText)
            row.addWidget(label)

    @property
    def words(self) -> str:
        """The text without the key."""
        return self._words.text()

    @property
    def key(self) -> str:
        """The key beside the text; empty when it has none."""
        return self._key.text()

    def say(self, words: str, *, key: str = "", tip: str = "") -> None:
        """Set the text, the key and what the button does in a sentence."""
        self._words.setText(words)
        self._key.setText(key)
        self._key.setVisible(bool(key))
        self.setAccessibleName(words)
        self.setToolTip(f"{tip} ({key})" if key and tip else tip)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """As large as the words need, and a little air."""
        self.ensurePolished()
        layout = self.layout()
        assert layout is not None
        return layout.sizeHint() + QSize(2, 2)

    def minimumSizeHint(self) -> QSize:
        """Nothing is ever cut off."""
        return self.sizeHint()
