"""The language of the window: every text that a user sees is looked up here when it is shown."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

CONTEXT = "Coxa"


def tr(text: str, **values: object) -> str:
    """The text in the language of the window.

    Args:
        text: the English text; `{name}` stands for a value.
        values: what to put in their places.
    """
    words = QCoreApplication.translate(CONTEXT, text)
    return words.format(**values) if values else words
