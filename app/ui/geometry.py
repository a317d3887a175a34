"""Size and place of the window and its docks, kept from one start to the next."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

VERSION = 1  # of the arrangement of docks; another one is not restored
_GEOMETRY, _STATE = "window/geometry", "window/state"


def restore_geometry(window: QMainWindow, path: Path | None) -> bool:
    """Put the window where it was. What cannot be understood, or lies on no screen any more, is ignored.

    Args:
        window: not shown yet; its docks and toolbars have object names.
        path: the file; None does nothing.

    Returns:
        Whether the window has a size that it had before.
    """
    if path is None or not path.is_file():
        return False
    kept = QSettings(str(path), QSettings.Format.IniFormat)
    geometry, state = kept.value(_GEOMETRY), kept.value(_STATE)
    size, has_size = window.size(), False
    if isinstance(geometry, QByteArray) and window.restoreGeometry(geometry):
        has_size = True
        if not is_on_a_screen(window.frameGeometry()):
            window.resize(size)
            window.move(QGuiApplication.primaryScreen().availableGeometry().topLeft())
            has_size = False
    if isinstance(state, QByteArray):
        window.restoreState(state, VERSION)
    return has_size


def keep_geometry(window: QMainWindow, path: Path | None) -> None:
    """Remember where the window is."""
    if path is None:
        return
    kept = QSettings(str(path), QSettings.Format.IniFormat)
    kept.setValue(_GEOMETRY, window.saveGeometry())
    kept.setValue(_STATE, window.saveState(VERSION))
    kept.sync()


def is_on_a_screen(rect: QRect) -> bool:
    """Whether enough of a window can be seen to take hold of its title: 100 × 30 px of its top."""
    top = QRect(rect.left(), rect.top(), rect.width(), 60)
    for screen in QGuiApplication.screens():
        seen = screen.availableGeometry().intersected(top)
        if seen.width() >= 100 and seen.height() >= 30:
            return True
    return False
