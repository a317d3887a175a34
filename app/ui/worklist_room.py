"""In a narrow window the worklist makes room for the radiographs while a panel is open beside them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow

from app.ui.docks import docks_of

NARROW_WINDOW_PX = 1500
SMALL_WINDOW_PX = 1100  # as on many screens at 200 %
TOLERANCE_PX = 4


class WorklistRoom(QObject):
    """Takes the worklist to its least width when a panel opens on the right, and back when the last one is closed.

    A width that the user has given it meanwhile stays.

    Args:
        window: its docks are all there.
        worklist: the dock of the worklist.
        widths_px: what it is taken to, in a window of less than `SMALL_WINDOW_PX` and in a larger one.
        is_kept: whether everything is as somebody left it, and stays so at first.
    """

    def __init__(
        self, window: QMainWindow, worklist: QDockWidget, widths_px: tuple[int, int], *, is_kept: bool
    ) -> None:
        super().__init__(window)
        self._window, self._worklist, self._widths_px = window, worklist, widths_px
        self._given_px = 0
        self._before_px = 0  # its width before it made room; 0 = it has not
        self._is_tight: bool | None = None if is_kept else False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._look)
        self._panels = [dock for dock in docks_of(window) if dock is not worklist]
        for dock in self._panels:
            dock.installEventFilter(self)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A panel comes or goes, or the window has another size."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._look()  # before the window lies anew: images are painted once
        elif watched is self._window and event.type() == QEvent.Type.Resize:
            self._soon.start()
        return False

    def _look(self) -> None:
        window, width = self._window, self._worklist.width()
        was_tight, right = self._is_tight, Qt.DockWidgetArea.RightDockWidgetArea
        self._is_tight = window.width() < NARROW_WINDOW_PX and any(
            not (dock.isHidden() or dock.isFloating()) and window.dockWidgetArea(dock) == right for dock in self._panels
        )
        if was_tight is None or was_tight == self._is_tight:
            return
        self._given_px, given_px = self._widths_px[window.width() >= SMALL_WINDOW_PX], self._given_px
        if self._is_tight and width > self._given_px:
            self._before_px = width
            self._give(self._given_px)
        elif self._before_px:
            if abs(width - given_px) <= TOLERANCE_PX:
                self._give(self._before_px)
            self._before_px = 0

    def _give(self, width_px: int) -> None:
        if not self._worklist.isHidden():
            self._window.resizeDocks([self._worklist], [width_px], Qt.Orientation.Horizontal)
