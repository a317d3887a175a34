"""Docks that lie behind each other as tabs: a command brings its dock to the front before it closes it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QChildEvent, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from app.ui.focus import holds_focus
from app.ui.panel_scroller import PanelScroller

DIRECTLY = Qt.FindChildOption.FindDirectChildrenOnly  # docks are; further down there are thousands of others
TALL_SHARE = 0.72  # of the height that docks on one side have together


def docks_of(window: QMainWindow) -> list[QDockWidget]:
    """All docks of a window, open or not."""
    return window.findChildren(QDockWidget, options=DIRECTLY)


def dock_named(window: QMainWindow, name: str) -> QDockWidget | None:
    """The dock with an object name, or None."""
    return window.findChild(QDockWidget, name, DIRECTLY)


def is_behind(dock: QDockWidget) -> bool:
    """Whether a dock is open, but behind another one."""
    window = dock.parentWidget()
    if dock.isHidden() or not dock.isVisible() or not isinstance(window, QMainWindow):
        return False
    has_neighbours = any(not other.isHidden() for other in window.tabifiedDockWidgets(dock))
    return has_neighbours and dock.visibleRegion().isEmpty()


def is_out_of_sight(widget: QWidget) -> bool:
    """Whether a widget lies in a dock that is behind another one."""
    place: QWidget | None = widget
    while place is not None and not isinstance(place, QDockWidget):
        place = place.parentWidget()
    return isinstance(place, QDockWidget) and is_behind(place)


def switch_dock(dock: QDockWidget, is_on: bool, *, is_tall: bool = False) -> None:
    """Open a dock in front of the others, or close it; one that is behind comes to the front instead of closing.

    Args:
        dock: the dock.
        is_on: what its command was switched to.
        is_tall: whether it is worked in, and wants most of the height.
    """
    if is_on or is_behind(dock):
        bring_forward(dock)
        if is_tall:
            QTimer.singleShot(0, dock, lambda: _make_tall(dock))  # when it has its place
    else:
        dock.hide()


def bring_forward(dock: QDockWidget) -> None:
    """Open a dock in front of those that share its place."""
    dock.show()
    dock.raise_()


def reserve(dock: QDockWidget, size_px: tuple[int, int], least_px: tuple[int, int]) -> None:
    """Let an empty dock lie as large as the panel asks for that `fill` puts into it later.

    Args:
        dock: the dock.
        size_px: width and height that the panel asks for.
        least_px: width and height below which the panel does not go.
    """
    place = _Reserved(QSize(*size_px), dock)
    place.setMinimumSize(*least_px)
    fill(dock, place)


def fill(dock: QDockWidget, panel: QWidget) -> None:
    """Put a panel into its dock, where it scrolls if the window is too low for it."""
    scroller = scroller_of(dock)
    if scroller is None:
        scroller = PanelScroller(dock)
        dock.setWidget(scroller)
    scroller.put(panel)


def scroller_of(dock: QDockWidget) -> PanelScroller | None:
    """What scrolls a dock's panel; None while nothing was put into the dock."""
    inside = dock.widget()
    return inside if isinstance(inside, PanelScroller) else None


def panel_of(dock: QDockWidget) -> QWidget | None:
    """What was put into a dock."""
    scroller = scroller_of(dock)
    return scroller.widget() if scroller is not None else dock.widget()


class _Reserved(QWidget):
    """Nothing, in the size of something."""

    def __init__(self, size: QSize, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._size = size

    def sizeHint(self) -> QSize:
        """What the panel asks for."""
        return self._size


def _make_tall(dock: QDockWidget) -> None:
    """Give a dock most of the height that those above and below it have."""
    window = dock.parentWidget()
    if not isinstance(window, QMainWindow) or dock.isHidden() or dock.isFloating():
        return
    area, beside = window.dockWidgetArea(dock), window.tabifiedDockWidgets(dock)
    others = [other for other in docks_of(window)
              if other is not dock and other not in beside and not other.isHidden() and not other.isFloating()
              and window.dockWidgetArea(other) == area and not other.visibleRegion().isEmpty()]  # fmt: skip
    if others:
        height_px = dock.height() + sum(other.height() for other in others)
        rest_px = round(height_px * (1 - TALL_SHARE) / len(others))
        sizes = [round(height_px * TALL_SHARE), *([rest_px] * len(others))]
        window.resizeDocks([dock, *others], sizes, Qt.Orientation.Vertical)


class DockTabs(QObject):
    """Keeps the keyboard out of the tabs of docks, which Qt leaves off the window while there are none to show; their
    names stay whole.

    Each dock comes forward by its own command.

    Args:
        window: whose docks may lie behind each other.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        window.installEventFilter(self)
        for bar in window.findChildren(QTabBar, options=DIRECTLY):
            self._adopt(bar)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A row of tabs is new."""
        if isinstance(event, QChildEvent) and event.type() == QEvent.Type.ChildPolished:
            child = event.child()
            if isinstance(child, QTabBar):
                self._adopt(child)
        return False

    @staticmethod
    def _adopt(bar: QTabBar) -> None:
        bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # Qt sets its own just now; names that have no room are moved along, not cut to two letters
        QTimer.singleShot(0, bar, lambda: bar.setElideMode(Qt.TextElideMode.ElideNone))


class DockFocus(QObject):
    """Gives the keyboard back when a dock closes that has it.

    Qt gives it to the next field, which takes for text what is meant as commands.

    Args:
        window: its docks are all there.
        worklist: the dock that gets the keyboard.
        give_back: does it.
    """

    def __init__(self, window: QMainWindow, worklist: QDockWidget, give_back: Callable[[], None]) -> None:
        super().__init__(window)
        self._window, self._give_back = window, give_back
        for dock in docks_of(window):
            if dock is not worklist:
                dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A dock closes; Qt looks for the next field only after this."""
        is_closing = event.type() == QEvent.Type.Hide and not event.spontaneous() and self._window.isVisible()
        if is_closing and isinstance(watched, QDockWidget) and holds_focus(watched):
            self._give_back()
        return False
