"""Tools that draw: the two-click alignment and the region box. Mouse and keys to intent."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from app.core.annotation import ALIGNMENT, REGION
from app.core.errors import UserError
from app.core.geometry import MIN_CLICK_DISTANCE_PX, XY, Alignment, alignment_from_clicks
from app.core.region import RegionBox, region_between
from app.ui.drawing import (
    BODY,
    Drawing,
    Handle,
    alignment_handles,
    dragged_alignment,
    dragged_region,
    holds,
    region_handles,
)
from app.ui.drawing_board import DrawingBoard
from app.ui.image_pane import ImagePane
from app.ui.pane_tools import PaneTool, Pointer

DRAG_PX = 6.0  # a button that travels less on the screen is a click
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
BIG_STEP = 10


class DrawingTool(PaneTool):
    """What all drawing tools have in common.

    Args:
        board: what is drawn, and where gestures go.
    """

    cursor = Qt.CursorShape.CrossCursor
    takes_keys = True

    def __init__(self, board: DrawingBoard) -> None:
        self.board = board
        self._pane: ImagePane | None = None  # where something is being dragged: the same tool serves all panes
        self._held: Handle | None = None
        self._pressed_at = QPointF()
        self._is_moved = False

    def handles(self, drawing: Drawing) -> list[Handle]:
        """What this tool can drag."""
        return []

    def pick(self, pane: ImagePane, pointer: Pointer) -> Handle | None:
        """The handle under the mouse."""
        drawing = self.board.on(pane)
        if drawing is None:
            return None
        return self.board.pick(pane, self.handles(drawing), (pointer.at.x(), pointer.at.y()))

    def hover(self, pane: ImagePane, pointer: Pointer) -> None:
        """Show by the cursor what can be dragged."""
        is_over = self._held is None and self.pick(pane, pointer) is not None
        pane.graphics.viewport().setCursor(Qt.CursorShape.SizeAllCursor if is_over else self.cursor)

    def double_click(self, pane: ImagePane, pointer: Pointer) -> bool:
        """The second click of a fast hand is a click."""
        self.press(pane, pointer)
        self.release(pane, pointer)
        return True

    def cancel(self, pane: ImagePane) -> None:
        """Forget clicks that are not complete, and put back what was being dragged here."""
        is_here, drawing = self._pane is pane, self.board.on(pane)
        if is_here:
            self.end()
        if drawing is not None and (is_here or drawing.pending or drawing.pointer is not None):
            self.board.put_back(pane)

    def drawing_under(self, pane: ImagePane) -> Drawing | None:
        """What a button that goes down in a pane works on; where that is nothing, it is told."""
        drawing = self.board.on(pane)
        if drawing is None:
            self.board.missed.emit()
        return drawing

    def begin(self, pane: ImagePane, pointer: Pointer) -> None:
        """What follows belongs to a drag in this pane, until `end`."""
        self._pane, self._held, self._pressed_at = pane, None, pointer.at

    def end(self) -> Handle | None:
        """Nothing is being dragged any more; the handle that was."""
        held, self._pane, self._held = self._held, None, None
        return held

    def wants_key(self, event: QKeyEvent) -> bool:
        """Arrows and Escape, where they mean something to this tool."""
        drawing = self.board.active
        if drawing is None:
            return False
        if event.key() == Qt.Key.Key_Escape:
            return bool(drawing.pending) or self._pane is not None
        return event.key() in ARROWS and self.can_nudge(drawing, event)

    def key(self, pane: ImagePane, event: QKeyEvent) -> bool:
        """Escape gives a gesture up; arrows nudge."""
        drawing = self.board.on(pane)
        if drawing is None:
            return False
        if event.key() == Qt.Key.Key_Escape:
            if not drawing.pending and self._pane is None:
                return False
            (self._pane or pane).give_up()
            return True
        if event.key() not in ARROWS or not self.can_nudge(drawing, event):
            return False
        step = BIG_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        dx, dy = _on_image(pane, *ARROWS[Qt.Key(event.key())])
        self.nudge(pane, drawing, dx * step, dy * step, event)
        return True

    def can_nudge(self, drawing: Drawing, event: QKeyEvent) -> bool:
        """Whether an arrow key has something to move."""
        return False

    def nudge(self, pane: ImagePane, drawing: Drawing, dx: float, dy: float, event: QKeyEvent) -> None:
        """Move what is active by so many image px."""

    def is_click(self, pointer: Pointer) -> bool:
        """Whether the button came up where it went down."""
        step = pointer.at - self._pressed_at
        return math.hypot(step.x(), step.y()) < DRAG_PX


class AlignTool(DrawingTool):
    """First click the fracture centre, second click anywhere on the axis of the shaft; then handles (paper 004)."""

    def handles(self, drawing: Drawing) -> list[Handle]:
        """Centre, axis and corners."""
        return alignment_handles(drawing) if not drawing.pending else []

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """Take hold of a handle, or click."""
        self.board.flush()  # which may draw everything anew
        drawing = self.drawing_under(pane)
        if drawing is None:
            return
        self.begin(pane, pointer)
        if drawing.pending:
            self._finish(pane, drawing, (pointer.x, pointer.y))
            return
        self._held = self.pick(pane, pointer)
        if self._held is not None:
            drawing.active = "alignment"
            return
        if not (0 <= pointer.x <= drawing.cols and 0 <= pointer.y <= drawing.rows):
            return
        drawing.pending = [(pointer.x, pointer.y)]
        drawing.alignment = None
        self.board.redraw(pane)

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Drag the handle, or the axis out of the first click."""
        drawing = self.board.on(pane)
        if drawing is None:
            return
        if self._held is not None and drawing.alignment is not None:
            moved = dragged_alignment(drawing.alignment, self._held, (pointer.x, pointer.y), drawing.spacing)
            if moved is not None and _is_on(moved, drawing):
                drawing.alignment = moved
                self.board.redraw(pane)
        elif drawing.pending:
            self._preview(pane, drawing, (pointer.x, pointer.y))

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        """A drag is committed once, here; a drag from the first click on ends in the second."""
        held, drawing = self.end(), self.board.on(pane)
        if drawing is None:
            return
        if held is not None:
            if drawing.alignment is not None and drawing.alignment != drawing.stored:
                self.board.commit(pane, ALIGNMENT, drawing.alignment, "Alignment adjusted")
        elif drawing.pending and not self.is_click(pointer):
            self._finish(pane, drawing, (pointer.x, pointer.y))

    def hover(self, pane: ImagePane, pointer: Pointer) -> None:
        """After the first click the rotated crop follows the mouse."""
        drawing = self.board.on(pane)
        if drawing is not None and drawing.pending:
            self._preview(pane, drawing, (pointer.x, pointer.y))
        else:
            super().hover(pane, pointer)

    def leave(self, pane: ImagePane) -> None:
        """Off the pane there is nothing to preview."""
        drawing = self.board.on(pane)
        if drawing is not None and drawing.pending and drawing.alignment is not None:
            drawing.alignment = None
            self.board.redraw(pane)

    def can_nudge(self, drawing: Drawing, event: QKeyEvent) -> bool:
        """Arrows move the centre and the axis with it; with Alt, left and right turn the axis."""
        is_turning = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        fits = not is_turning or event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right)
        is_other = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return drawing.alignment is not None and not drawing.pending and fits and not is_other

    def nudge(self, pane: ImagePane, drawing: Drawing, dx: float, dy: float, event: QKeyEvent) -> None:
        """1 px or 1°, with Shift 10."""
        assert drawing.alignment is not None
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            step = BIG_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            is_right = event.key() == Qt.Key.Key_Right
            turn = step if is_right is not pane.orientation.is_mirrored else -step  # the same way on the screen
            moved = drawing.alignment.turned(turn, aspect=drawing.spacing.aspect)
        else:
            moved = drawing.alignment.moved(dx, dy)
        if not _is_on(moved, drawing):
            return
        drawing.alignment, drawing.active = moved, "alignment"
        self.board.commit_soon(pane, ALIGNMENT, moved, "Alignment nudged")

    def _preview(self, pane: ImagePane, drawing: Drawing, xy: XY) -> None:
        drawing.pointer = xy
        center = drawing.pending[0]
        is_far = math.dist(center, xy) >= MIN_CLICK_DISTANCE_PX
        drawing.alignment = _sized(Alignment(center_xy=center, axis_xy=xy), drawing) if is_far else None
        self.board.redraw(pane)

    def _finish(self, pane: ImagePane, drawing: Drawing, xy: XY) -> None:
        try:
            clicked = alignment_from_clicks(drawing.pending[0], xy, rows=drawing.rows, cols=drawing.cols)
        except UserError as error:
            self.board.refused.emit(error)
            return
        self.end()
        drawing.alignment = _sized(clicked, drawing)
        drawing.pending, drawing.pointer, drawing.active = [], None, "alignment"
        self.board.commit(pane, ALIGNMENT, drawing.alignment, "Aligned by two clicks")


class BoxTool(DrawingTool):
    """Draw, move and resize the region box (papers 000 and 002)."""

    def __init__(self, board: DrawingBoard) -> None:
        super().__init__(board)
        self._before: RegionBox | None = None
        self._from: XY = (0.0, 0.0)

    def handles(self, drawing: Drawing) -> list[Handle]:
        """The corners."""
        return region_handles(drawing)

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """Take hold of a corner or of the box, or begin a new one."""
        self.board.flush()  # which may draw everything anew
        drawing = self.drawing_under(pane)
        if drawing is None:
            return
        self.begin(pane, pointer)
        self._before, self._from = drawing.region, (pointer.x, pointer.y)
        self._held = self.pick(pane, pointer)
        if self._held is None and drawing.region is not None and holds(drawing.region, self._from):
            self._held = Handle(owner="region", name=BODY, xy=self._from)
        drawing.active = "region" if self._held is not None else drawing.active

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Resize, move or draw."""
        drawing = self.board.on(pane)
        if drawing is None:
            return
        xy, rows, cols = (pointer.x, pointer.y), drawing.rows, drawing.cols
        if self._held is None:
            box = region_between(self._from, xy, rows=rows, cols=cols) if not self.is_click(pointer) else None
            drawing.region = box or self._before
        elif self._before is not None and self._held.name == BODY:
            dx, dy = xy[0] - self._from[0], xy[1] - self._from[1]
            drawing.region = self._before.moved(dx, dy, rows=rows, cols=cols)
        elif self._before is not None:
            drawing.region = dragged_region(self._before, self._held, xy, rows=rows, cols=cols) or drawing.region
        self.board.redraw(pane)

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        """Committed once, here."""
        drawing = self.board.on(pane)
        self.end()
        if drawing is not None and drawing.region is not None and drawing.region != self._before:
            drawing.active = "region"
            self.board.commit(pane, REGION, drawing.region, "Region box drawn")

    def can_nudge(self, drawing: Drawing, event: QKeyEvent) -> bool:
        """Arrows move the box."""
        taken = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        return drawing.region is not None and not event.modifiers() & taken

    def nudge(self, pane: ImagePane, drawing: Drawing, dx: float, dy: float, event: QKeyEvent) -> None:
        """1 px, with Shift 10."""
        assert drawing.region is not None
        drawing.region = drawing.region.moved(dx, dy, rows=drawing.rows, cols=drawing.cols)
        drawing.active = "region"
        self.board.commit_soon(pane, REGION, drawing.region, "Region box nudged")


def _sized(alignment: Alignment, drawing: Drawing) -> Alignment:
    """A new alignment keeps the size that was chosen for this view."""
    before = drawing.stored
    return alignment if before is None else replace(alignment, side_mm=before.side_mm, side_px=before.side_px)


def _is_on(alignment: Alignment, drawing: Drawing) -> bool:
    """Whether the fracture centre is still on the image."""
    x, y = alignment.center_xy
    return 0 <= x <= drawing.cols and 0 <= y <= drawing.rows


def _on_image(pane: ImagePane, right: int, down: int) -> XY:
    """The image direction, along a row or a column, that comes nearest to a direction on the screen."""
    matrix = pane.matrix[:2, :2]
    on_screen = {(1, 0): matrix[:, 0], (-1, 0): -matrix[:, 0], (0, 1): matrix[:, 1], (0, -1): -matrix[:, 1]}
    step = max(on_screen, key=lambda way: float(on_screen[way][0] * right + on_screen[way][1] * down))
    return float(step[0]), float(step[1])
