"""What is copied out of the window is what it says: without the invisible places where long words may be broken."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QClipboard, QGuiApplication

from app.ui.breakable import unbroken


def _is_ours(mode: QClipboard.Mode) -> bool:
    clipboard = QGuiApplication.clipboard()
    owns = {QClipboard.Mode.Clipboard: clipboard.ownsClipboard, QClipboard.Mode.Selection: clipboard.ownsSelection}
    return mode in owns and owns[mode]()


class PlainCopies(QObject):
    """Watches what the program itself copies or selects. A name of a file with invisible characters opens nothing.

    Args:
        parent: lives as long as this.
        is_ours: whether the program has put there what a mode of the clipboard holds. (Qt cannot tell that on its
            screens without a screen.)
    """

    def __init__(self, parent: QObject | None = None, is_ours: Callable[[QClipboard.Mode], bool] = _is_ours) -> None:
        super().__init__(parent)
        self._is_ours = is_ours
        QGuiApplication.clipboard().changed.connect(self._on_changed)

    def _on_changed(self, mode: QClipboard.Mode) -> None:
        if not self._is_ours(mode):
            return
        text = QGuiApplication.clipboard().text(mode)
        plain = unbroken(text)
        if plain != text:
            QGuiApplication.clipboard().setText(plain, mode)
