"""Files dragged over a window and dropped, as the window system tells Qt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

COPY, LEFT, PLAIN = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def files(paths: Sequence[Path]) -> QMimeData:
    """What a file manager puts into a drag or on the clipboard."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drag_over(window: QWidget, mime: QMimeData, at: QPoint) -> bool:
    """Move a drag into the window; returns whether a drop would be taken."""
    handle = window.windowHandle()
    assert handle is not None
    QCoreApplication.sendEvent(handle, QDragEnterEvent(at, COPY, mime, LEFT, PLAIN))
    move = QDragMoveEvent(at, COPY, mime, LEFT, PLAIN)
    QCoreApplication.sendEvent(handle, move)
    return move.isAccepted()


def leave(window: QWidget) -> None:
    """Move the drag out again."""
    handle = window.windowHandle()
    assert handle is not None
    QCoreApplication.sendEvent(handle, QDragLeaveEvent())


def drop(window: QWidget, paths: Sequence[Path], at: QPoint | None = None) -> None:
    """Drag files into the window and let go."""
    point = at or QPoint(window.width() // 2, window.height() // 2)
    mime = files(paths)
    assert drag_over(window, mime, point), "the window does not take these files"
    handle = window.windowHandle()
    assert handle is not None
    QCoreApplication.sendEvent(handle, QDropEvent(QPointF(point), COPY, mime, LEFT, PLAIN))
