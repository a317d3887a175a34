"""Curves that are looked at and not moved."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QWidget


class StillPlot(pg.PlotWidget):  # type: ignore[misc]
    """A plot without a mouse, buttons or a menu; the wheel scrolls what it lies in.

    Args:
        parent: what it lies in.
        height_px: its least height, logical px.
    """

    def __init__(self, parent: QWidget | None = None, *, height_px: int) -> None:
        super().__init__(parent)
        self.setMinimumHeight(height_px)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMenuEnabled(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """For what it lies in."""
        event.ignore()
