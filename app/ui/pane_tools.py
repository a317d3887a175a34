"""What the mouse does in a pane: one tool at a time, told about every gesture in image coordinates."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from app.core.record import record

if TYPE_CHECKING:
    from app.ui.image_pane import ImagePane

ZOOM_PER_PX = 1.01  # factor for each px dragged up
SNAP_DEG = 15.0
CENTRE_PX = 12.0  # so near to the middle a direction means nothing


class Tool(StrEnum):
    """The viewer's own tools. The right button always drags the window, the middle one the image, whatever the tool."""

    PAN = "pan"
    WINDOW = "window"
    ZOOM = "zoom"
    ROTATE = "rotate"


@record(frozen=True, slots=True, kw_only=True)
class Pointer:
    """The mouse at one moment.

    Args:
        x: image coordinate, px to the right from the corner of the first pixel; may lie outside the image.
        y: image coordinate, px down.
        at: place in the pane's viewport, logical px.
        step: logical px since the last event.
        buttons: the buttons that are down.
        modifiers: the modifier keys that are down.
    """

    x: float
    y: float
    at: QPointF
    step: QPointF
    buttons: Qt.MouseButton
    modifiers: Qt.KeyboardModifier


class PaneTool:
    """One tool for the left button. A subclass overrides what it needs; the same object serves all panes.

    Between `press` and `release` all moves of the mouse go to the tool, also outside the pane. `cancel` ends a gesture
    without an effect: Esc, another tool, another image.
    """

    cursor: Qt.CursorShape = Qt.CursorShape.ArrowCursor
    takes_keys: bool = False
    """Whether the viewer takes the focus while this tool is used, so that keys come to `key`."""

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """The left button went down."""

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """The mouse moved with the left button down."""

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        """The left button came up."""

    def hover(self, pane: ImagePane, pointer: Pointer) -> None:
        """The mouse moved with no button down."""

    def leave(self, pane: ImagePane) -> None:
        """The mouse left the pane."""

    def double_click(self, pane: ImagePane, pointer: Pointer) -> bool:
        """A double click; True if it meant something to the tool, else it switches the layout."""
        return False

    def wants_key(self, event: QKeyEvent) -> bool:
        """Whether a key should come here rather than to the shortcut that it also is."""
        return False

    def key(self, pane: ImagePane, event: QKeyEvent) -> bool:
        """A key was pressed while the viewer has the focus; True if it meant something to the tool."""
        return False

    def cancel(self, pane: ImagePane) -> None:
        """Give up what was begun."""


class PanTool(PaneTool):
    """Drag moves the image."""

    cursor = Qt.CursorShape.OpenHandCursor

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Move along."""
        pane.pan_by(pointer.step.x(), pointer.step.y())


class WindowTool(PaneTool):
    """Drag changes the window."""

    cursor = Qt.CursorShape.SizeAllCursor

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Report the step; the viewer knows the window."""
        pane.window_dragged.emit(pointer.step.x(), pointer.step.y())


class ZoomTool(PaneTool):
    """Drag up enlarges, drag down shrinks, around the point where the drag began."""

    cursor = Qt.CursorShape.SizeVerCursor

    def __init__(self) -> None:
        self._fixed = QPointF()

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """What is under the mouse stays there."""
        self._fixed = pointer.at

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Zoom."""
        pane.zoom_by(ZOOM_PER_PX ** -pointer.step.y(), self._fixed)


class RotateTool(PaneTool):
    """Drag turns the image around the middle of the pane; with Shift in steps of 15°."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self) -> None:
        self._last_deg: float | None = None
        self._wanted_deg = 0.0

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """Remember in which direction the mouse is held."""
        self._last_deg = _direction_deg(pane, pointer.at)
        self._wanted_deg = pane.orientation.angle_deg

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Turn as far as the mouse went around the middle."""
        now = _direction_deg(pane, pointer.at)
        if now is None:
            return
        if self._last_deg is not None:
            self._wanted_deg += (now - self._last_deg + 180.0) % 360.0 - 180.0
        self._last_deg = now
        is_snapped = bool(pointer.modifiers & Qt.KeyboardModifier.ShiftModifier)
        target = round(self._wanted_deg / SNAP_DEG) * SNAP_DEG if is_snapped else self._wanted_deg
        pane.turned_by.emit(target - pane.orientation.angle_deg)


def _direction_deg(pane: ImagePane, at: QPointF) -> float | None:
    """Direction from the middle of the pane, clockwise, degrees; None where it means nothing."""
    from_middle = at - pane.middle
    if math.hypot(from_middle.x(), from_middle.y()) < CENTRE_PX:
        return None
    return math.degrees(math.atan2(from_middle.y(), from_middle.x()))


def make_tool(tool: Tool) -> PaneTool:
    """One of the viewer's own tools."""
    tools: dict[Tool, type[PaneTool]] = {
        Tool.PAN: PanTool, Tool.WINDOW: WindowTool, Tool.ZOOM: ZoomTool, Tool.ROTATE: RotateTool,
    }  # fmt: skip
    return tools[tool]()
