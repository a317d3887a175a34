"""Panels on the right lie above each other while the window is high enough, and behind each other where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QToolBar

from app.ui.docks import DIRECTLY, docks_of, is_behind, scroller_of

USEFUL_PX = 110  # height in which a panel that scrolls by itself can be worked with: a question of the label form
TABS_PX = 36  # row of tabs below panels that lie behind each other
NARROWEST_PX = 180  # a panel is never narrower than that
SPARE_PX = 8  # lines between panels
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BESIDE = (Qt.ToolBarArea.LeftToolBarArea, Qt.ToolBarArea.RightToolBarArea)


class DockRoom(QObject):
    """Makes tabs of the panels on the right when they have no room above each other, and puts them back.

    What a panel needs beyond the room that there is scrolls, so that nothing of the window is ever pushed off it.
    Panels that somebody moves in such a window stay as they are then.

    Args:
        window: its docks are all there.
        worklist: the dock that stays as it is.
    """

    def __init__(self, window: QMainWindow, worklist: QDockWidget) -> None:
        super().__init__(window)
        self._window, self._worklist = window, worklist
        self._column: list[list[QDockWidget]] = []  # what lay above each other before, from the top; [] = it still does
        self._fronts: list[QDockWidget] = []  # of each of these
        self._heights: dict[QDockWidget, int] = {}  # of what lies above each other, while it does
        self._opened: list[QDockWidget] = []  # since it was looked the last time
        self._pauses = 0
        self._seen: list[frozenset[QDockWidget]] = []  # panels that are open, from the top, when it was looked last
        self._is_theirs = False  # somebody put panels above each other where they have no room
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._look)
        self._panels = [dock for dock in docks_of(window) if dock is not worklist]
        for dock in self._panels:
            dock.installEventFilter(self)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A panel comes or goes or needs more, or the window has another size."""
        kind = event.type()
        if kind in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent) and isinstance(watched, QDockWidget):
            if kind == QEvent.Type.ShowToParent and not self._pauses and self._window.isVisible():
                self._opened.append(watched)
            self._look_soon()
        elif kind in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._look_soon()
        return False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While the program arranges docks; they are looked at when it is done."""
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            self._seen = []
            self._look_soon()

    def state(self, version: int) -> QByteArray:
        """The arrangement to keep: as it is in a window that is high enough.

        Args:
            version: of the arrangement, as Qt has it.
        """
        if not self._column:
            return self._window.saveState(version)
        front = self._front(self._all)
        with self._at_work():
            self._stack()
            kept = self._window.saveState(version)
            self._pile(front)
        return kept

    # --- inside ---

    @property
    def _all(self) -> list[QDockWidget]:
        return [dock for group in self._column for dock in group]

    def _look_soon(self) -> None:
        if not self._pauses:
            self._soon.start()

    def _look(self) -> None:
        """Do what there is to do, once Qt has done what it has to."""
        opened, self._opened = [dock for dock in self._opened if _is_open(dock)], []
        window = self._window
        if self._pauses or not window.isVisible() or window.isMinimized() or any(map(_is_held, self._panels)):
            return
        room, groups = self._room(), self._groups()
        if self._is_moved(groups):
            self._column, self._is_theirs = [], True
        column = self._with_new(groups) if self._column else groups
        if self._need(column) <= room.height():
            self._is_theirs = False
            if self._column:
                with self._at_work():
                    self._stack()
                    self._column = []
            else:
                self._heights = {dock: dock.height() for dock in map(self._front, groups)}
        elif not self._is_theirs and len(groups) > 1:
            front = opened[-1] if opened else self._front(groups[-1])
            with self._at_work():
                if not self._column:
                    self._fronts = [self._front(group) for group in groups]
                self._column = column
                self._pile(front)
        self._seen = _shown(self._groups())
        self._limit(room)

    def _is_moved(self, groups: list[list[QDockWidget]]) -> bool:
        """Whether the panels that are open are the same as before, but lie otherwise."""
        now = _shown(groups)
        return bool(self._seen) and now != self._seen and frozenset().union(*now) == frozenset().union(*self._seen)

    def _room(self) -> QSize:
        """What the panels on the right have together."""
        window = self._window
        taken_px = window.menuBar().height() + window.statusBar().height()
        for bar in window.findChildren(QToolBar, options=DIRECTLY):
            if bar.isVisible() and not bar.isFloating() and window.toolBarArea(bar) not in BESIDE:
                taken_px += bar.height()
        left = [dock for dock in (self._worklist, *self._panels)
                if _is_open(dock) and window.dockWidgetArea(dock) == Qt.DockWidgetArea.LeftDockWidgetArea]  # fmt: skip
        middle = window.centralWidget()
        beside_px = (middle.minimumSizeHint().width() if middle is not None else 0) + SPARE_PX
        beside_px += max((dock.minimumSizeHint().width() for dock in left), default=0)
        return QSize(max(window.width() - beside_px, NARROWEST_PX), window.height() - taken_px)

    def _groups(self) -> list[list[QDockWidget]]:
        """What lies above each other on the right, from the top; each with what lies behind it, open or not."""
        found: list[list[QDockWidget]] = []
        for dock in self._panels:
            if _is_open(dock) and self._window.dockWidgetArea(dock) == RIGHT and not any(dock in one for one in found):
                found.append([dock, *self._window.tabifiedDockWidgets(dock)])
        return sorted(found, key=lambda group: self._front(group).y())

    def _with_new(self, groups: list[list[QDockWidget]]) -> list[list[QDockWidget]]:
        """What lay above each other before, with panels that were opened since in their places."""
        column, before, is_below = list(self._column), self._all, False
        for group in groups:
            if any(dock in before for dock in group):
                is_below = True
            elif is_below:
                column.append(group)
            else:
                column.insert(0, group)
        return column

    @staticmethod
    def _front(group: list[QDockWidget]) -> QDockWidget:
        shown = [dock for dock in group if _is_open(dock)]
        return next((dock for dock in shown if not is_behind(dock)), shown[0] if shown else group[0])

    def _need(self, groups: list[list[QDockWidget]]) -> int:
        """The height that panels need above each other, logical px; nothing, if there is only one."""
        opened = [shown for group in groups if (shown := [dock for dock in group if _is_open(dock)])]
        if len(opened) < 2:
            return 0
        heights = [max(_comfort_px(dock) for dock in shown) + TABS_PX * (len(shown) > 1) for shown in opened]
        return sum(heights) + SPARE_PX * (len(heights) - 1)

    def _pile(self, front: QDockWidget) -> None:
        """Put all behind each other."""
        docks = self._all
        anchor = next((dock for dock in docks if _is_open(dock)), docks[0])
        beside = self._window.tabifiedDockWidgets(anchor)
        for dock in docks:
            if dock is not anchor and dock not in beside:
                self._window.tabifyDockWidget(anchor, dock)
        front.raise_()

    def _stack(self) -> None:
        """Put all above each other, as they were."""
        front = self._front(self._all)
        for first, *others in self._column[1:]:
            self._window.addDockWidget(RIGHT, first)
            for dock in others:
                self._window.tabifyDockWidget(first, dock)
        for dock in (*self._fronts, front):
            if _is_open(dock):
                dock.raise_()
        known = {dock: height_px for dock, height_px in self._heights.items() if _is_open(dock) and not is_behind(dock)}
        if len(known) == len(self._groups()):
            self._window.resizeDocks(list(known), list(known.values()), Qt.Orientation.Vertical)

    def _limit(self, room: QSize) -> None:
        """Let panels insist on no more than there is."""
        groups = self._groups()
        share_px = room.height() if self._need(groups) <= room.height() else room.height() // len(groups) - SPARE_PX
        for dock in self._panels:
            scroller = scroller_of(dock)
            if scroller is not None:
                height_px = max(share_px - _title_px(dock) - TABS_PX, 0)
                scroller.limit(QSize(room.width(), height_px))

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Nobody sees what is on its way, and nobody is taken to have moved anything."""
        self._pauses += 1
        self._window.setUpdatesEnabled(False)
        try:
            yield
        finally:
            self._window.setUpdatesEnabled(True)
            self._pauses -= 1


def _is_open(dock: QDockWidget) -> bool:
    return not (dock.isHidden() or dock.isFloating())


def _is_held(dock: QDockWidget) -> bool:
    return dock.isFloating() and not dock.isHidden()  # panels float only while somebody moves them


def _shown(groups: list[list[QDockWidget]]) -> list[frozenset[QDockWidget]]:
    return [frozenset(dock for dock in group if _is_open(dock)) for group in groups]


def _title_px(dock: QDockWidget) -> int:
    inside = dock.widget()
    return dock.minimumSizeHint().height() - (inside.minimumSizeHint().height() if inside is not None else 0)


def _comfort_px(dock: QDockWidget) -> int:
    scroller = scroller_of(dock)
    return _title_px(dock) + max(scroller.comfort.height() if scroller is not None else 0, USEFUL_PX)
