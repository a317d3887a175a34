"""Rectangles that are painted over burnt-in text: what is drawn over the images, and the tool that draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.geometry import XY
from app.core.pixel_review import MaskBox, mask_between
from app.ui.image_pane import ImagePane
from app.ui.pane_tools import PaneTool, Pointer
from app.ui.theme import OVER_IMAGE
from app.ui.viewer import Viewer

DRAG_PX = 6.0  # a button that travels less on the screen is a click
SEEN_THROUGH = 150  # alpha while text is looked for: what lies under it can still be read
MASK_Z = 5.0  # under drawings and edge letters, over the image


@dataclass(slots=True, kw_only=True)
class Masked:
    """What is painted over on one view.

    Args:
        view_id: the view.
        rows: image height, px.
        cols: image width, px.
        boxes: what is painted over.
        pending: what is being drawn.
        chosen: number of the box that a key would take off; None = the last one.
    """

    view_id: str
    rows: int
    cols: int
    boxes: tuple[MaskBox, ...] = ()
    pending: MaskBox | None = None
    chosen: int | None = None


class MaskItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """Paints the rectangles of one view, in image coordinates.

    Attributes:
        masked: what to paint; None = nothing.
        is_looking: text is being looked for: rectangles are seen through and have a frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self.masked: Masked | None = None
        self.is_looking = False

    def boundingRect(self) -> QRectF:
        """The image."""
        masked = self.masked
        return QRectF() if masked is None else QRectF(0, 0, masked.cols, masked.rows)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Black, as it leaves."""
        masked = self.masked
        if masked is None:
            return
        ground = QColor(OVER_IMAGE.image)
        ground.setAlpha(SEEN_THROUGH if self.is_looking else 255)
        for number, box in enumerate(masked.boxes):
            self._paint_box(painter, box, ground, is_chosen=number == masked.chosen)
        if masked.pending is not None:
            self._paint_box(painter, masked.pending, ground, is_chosen=True)

    def _paint_box(self, painter: QPainter, box: MaskBox, ground: QColor, *, is_chosen: bool) -> None:
        place = _rectangle(box)
        painter.fillRect(place, ground)
        if self.is_looking:
            pen = QPen(QColor(OVER_IMAGE.accent if is_chosen else OVER_IMAGE.caution), 2.0)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(place)


class MaskBoard(QObject):
    """What is painted over in all panes.

    Args:
        viewer: whose panes.

    Signals:
        drawn: (view id, MaskBox): one more rectangle is to be stored.
        chosen: a rectangle was chosen, or none.
    """

    drawn = Signal(str, object)
    chosen = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._items: dict[ImagePane, MaskItem] = {}
        for place in viewer.all_places:
            item = self._items[place.pane] = MaskItem()
            place.pane.add_overlay(item, z=MASK_Z)

    def show(self, boxes: Mapping[str, tuple[MaskBox, ...]], *, is_looking: bool) -> None:
        """Paint these.

        Args:
            boxes: view -> rectangles.
            is_looking: text is being looked for.
        """
        for place in self._viewer.all_places:
            item, view = self._items[place.pane], place.hanging.view
            before = item.masked
            item.prepareGeometryChange()
            item.is_looking = is_looking
            if view is None or place.image is None:
                item.masked = None
            else:
                now = boxes.get(view.id, ())
                item.masked = Masked(view_id=view.id, rows=view.rows, cols=view.cols, boxes=now)
                if before is not None and (before.view_id, before.boxes) == (view.id, now):
                    item.masked.chosen = before.chosen
            item.update()
            hiding = () if item.masked is None or is_looking else item.masked.boxes
            place.pane.loupe.painted_over = tuple(map(_rectangle, hiding))
            place.pane.loupe.update()

    def on(self, pane: ImagePane) -> Masked | None:
        """What is painted over in a pane."""
        item = self._items.get(pane)
        return None if item is None else item.masked

    def redraw(self, pane: ImagePane) -> None:
        """A rectangle is being drawn, or another one is chosen."""
        self._items[pane].update()


class MaskTool(PaneTool):
    """Drag draws a rectangle; a click chooses one, or none.

    Args:
        board: what is painted over.
    """

    cursor = Qt.CursorShape.CrossCursor
    takes_keys = True

    def __init__(self, board: MaskBoard) -> None:
        self._board = board
        self._from: XY | None = None
        self._at = QPointF()

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """Begin a rectangle."""
        self._from, self._at = (pointer.x, pointer.y), pointer.at

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Draw it."""
        masked = self._board.on(pane)
        if masked is None or self._from is None:
            return
        is_click = (pointer.at - self._at).manhattanLength() < DRAG_PX
        xy = (pointer.x, pointer.y)
        masked.pending = None if is_click else mask_between(self._from, xy, rows=masked.rows, cols=masked.cols)
        self._board.redraw(pane)

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        """Stored once, here."""
        masked = self._board.on(pane)
        self._from = None
        if masked is None:
            return
        box, masked.pending = masked.pending, None
        if box is not None:
            self._board.drawn.emit(masked.view_id, box)
            return
        inside = [
            number
            for number, one in enumerate(masked.boxes)
            if one.left <= pointer.x < one.right and one.top <= pointer.y < one.bottom
        ]
        masked.chosen = inside[-1] if inside else None
        self._board.redraw(pane)
        self._board.chosen.emit()

    def double_click(self, pane: ImagePane, pointer: Pointer) -> bool:
        """The second click of a fast hand is a click."""
        self.press(pane, pointer)
        self.release(pane, pointer)
        return True

    def wants_key(self, event: QKeyEvent) -> bool:
        """Escape, while a rectangle is being drawn."""
        return event.key() == Qt.Key.Key_Escape and self._from is not None

    def key(self, pane: ImagePane, event: QKeyEvent) -> bool:
        """Escape gives it up."""
        if event.key() != Qt.Key.Key_Escape or self._from is None:
            return False
        pane.give_up()
        return True

    def cancel(self, pane: ImagePane) -> None:
        """Forget what was begun."""
        self._from = None
        masked = self._board.on(pane)
        if masked is not None and masked.pending is not None:
            masked.pending = None
            self._board.redraw(pane)


def _rectangle(box: MaskBox) -> QRectF:
    return QRectF(box.left, box.top, box.right - box.left, box.bottom - box.top)
