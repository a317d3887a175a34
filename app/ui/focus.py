"""Where the keyboard is."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def holds_focus(widget: QWidget) -> bool:
    """Whether keys go to a widget or to one in it, now or when its window is the active one again."""
    now = widget.window().focusWidget()
    return now is not None and (now is widget or widget.isAncestorOf(now))
