"""Garbage is collected in the window's thread, between events.

Python collects in whichever thread happens to allocate, also in one that decodes images; objects of Qt that are part of
a cycle would be destroyed there, or in the middle of making another one, and take the program with them.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

EVERY_MS = 1000
OLDEST = 2  # generation; looking through it takes longer than a frame


def collect_due(*, may_take_long: bool = True) -> int:
    """Collect what Python would have collected by itself by now.

    Args:
        may_take_long: whether the oldest generation may be looked through, too.

    Returns:
        The generation that was collected; −1 = none was due.
    """
    counts, thresholds = gc.get_count(), gc.get_threshold()
    due = [generation for generation in range(OLDEST + 1) if 0 < thresholds[generation] < counts[generation]]
    if not due:
        return -1
    generation = max(due) if may_take_long else min(max(due), OLDEST - 1)
    gc.collect(generation)
    return generation


class Collector(QObject):
    """Collects once a second what is due; the oldest generation never while a mouse button is held down.

    Args:
        parent: the window.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._collect)

    def start(self) -> None:
        """From now on; what was made until now stays for good and is never looked at."""
        gc.disable()
        gc.freeze()
        self._timer.start()

    @staticmethod
    def _collect() -> None:
        collect_due(may_take_long=QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton)
