"""Docks that lie behind each other as tabs: a command brings its dock to the front before it closes it."""

from __future__ import annotations

from PySide6.QtWidgets import QDockWidget, QMainWindow


def is_behind(dock: QDockWidget) -> bool:
    """Whether a dock is open, but behind another one."""
    window = dock.parentWidget()
    if dock.isHidden() or not dock.isVisible() or not isinstance(window, QMainWindow):
        return False
    has_neighbours = any(not other.isHidden() for other in window.tabifiedDockWidgets(dock))
    return has_neighbours and dock.visibleRegion().isEmpty()


def switch_dock(dock: QDockWidget, is_on: bool) -> None:
    """Open a dock in front of the others, or close it; one that is behind comes to the front instead of closing.

    Args:
        dock: the dock.
        is_on: what its command was switched to.
    """
    if is_on or is_behind(dock):
        bring_forward(dock)
    else:
        dock.hide()


def bring_forward(dock: QDockWidget) -> None:
    """Open a dock in front of those that share its place."""
    dock.show()
    dock.raise_()
