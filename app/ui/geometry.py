"""Size and place of the window and its docks, kept from one start to the next."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

VERSION = 2  # of the arrangement of docks; another one is not restored
_GEOMETRY, _STATE = "window/geometry", "window/state"


def restore_geometry(window: QMainWindow, path: Path | None) -> bool:
    """Put the window where it was. What cannot be understood, or lies on no screen any more, is ignored.

    Args:
        window: not shown yet.
        path: the file; None does nothing.

    Returns:
        Whether the window has a size that it had before.
    """
    if path is None or not path.is_file():
        return False
    kept = QSettings(str(path), QSettings.Format.IniFormat)
    geometry = kept.value(_GEOMETRY)
    size, has_size = window.size(), False
    if isinstance(geometry, QByteArray) and window.restoreGeometry(geometry):
        has_size = True
        if not is_on_a_screen(window.frameGeometry()):
            window.resize(size)
            window.move(QGuiApplication.primaryScreen().availableGeometry().topLeft())
            has_size = False
    return has_size


def restore_docks(window: QMainWindow, path: Path | None) -> None:
    """Put the docks where they were.

    Args:
        window: its docks and toolbars are there and have object names.
        path: the file; None does nothing.
    """
    if path is None or not path.is_file():
        return
    state = QSettings(str(path), QSettings.Format.IniFormat).value(_STATE)
    if isinstance(state, QByteArray):
        window.restoreState(state, VERSION)


def keep_geometry(window: QMainWindow, path: Path | None, docks: QByteArray | None = None) -> None:
    """Remember where the window is.

    Args:
        window: the window.
        path: the file; None does nothing.
        docks: where docks belong that are put away just now; None = where they are.
    """
    if path is None:
        return
    kept = QSettings(str(path), QSettings.Format.IniFormat)
    kept.setValue(_GEOMETRY, window.saveGeometry())
    kept.setValue(_STATE, window.saveState(VERSION) if docks is None else docks)
    kept.sync()


def is_on_a_screen(rect: QRect) -> bool:
    """Whether enough of a window can be seen to take hold of its title: 100 × 30 px of its top."""
    top = QRect(rect.left(), rect.top(), rect.width(), 60)
    for screen in QGuiApplication.screens():
        seen = screen.availableGeometry().intersected(top)
        if seen.width() >= 100 and seen.height() >= 30:
            return True
    return False
