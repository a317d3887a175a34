"""The drawings of all panes: shows what is stored, lets tools change it, and says what is to be stored."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.event import Json
from app.core.geometry import XY
from app.ui.drawing import Drawing, Handle, drawing_of, nearest
from app.ui.drawing_item import PICK_PX, DrawingItem
from app.ui.image_pane import ImagePane
from app.ui.layouts import OTHER
from app.ui.viewer import Viewer

QUIET_MS = 300  # keys that nudge are one gesture until so much time has passed without another


class DrawingBoard(QObject):
    """What is drawn over the views of the case on the screen.

    Args:
        viewer: whose panes are drawn on.

    Signals:
        drawn: (view id, field prefix or name, value or None, text): a gesture is complete; store it.
        previewed: view id: what is drawn is not what is stored: the mouse is moving.
        refused: a UserError about a gesture.
        missed: a tool was used in a pane where nothing can be drawn: it is empty, or shows the other hip.
    """

    drawn = Signal(str, str, object, str)
    previewed = Signal(str)
    refused = Signal(object)
    missed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._items: dict[ImagePane, DrawingItem] = {}
        self._values: Mapping[str, Json] = {}
        for place in viewer.all_places:
            if place.name != OTHER:  # the other hip is another case
                item = self._items[place.pane] = DrawingItem()
                place.pane.add_overlay(item)
        self._waiting: tuple[str, str, object, str] | None = None
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self.flush)
        self.is_shown = True

    def show(self, values: Mapping[str, Json]) -> None:
        """Draw what a reader has said about the case on the screen. Clicks that are not complete yet stay.

        Args:
            values: field -> JSON value.
        """
        self._values = values
        for place in self._viewer.places:
            item, view = self._items[place.pane], place.hanging.view
            before = item.drawing
            if view is None or place.image is None:
                item.drawing = None
            else:
                item.drawing = drawing_of(view, values)
                if before is not None and before.view.id == view.id:
                    item.drawing.active = before.active
                    if before.pending:
                        item.drawing.pending, item.drawing.pointer = before.pending, before.pointer
                        if before.alignment != before.stored:  # it is being put in the place of the one that is stored
                            item.drawing.alignment = before.alignment
            item.update()

    def set_shown(self, is_shown: bool) -> None:
        """Show or hide all drawings."""
        self.is_shown = is_shown
        for item in self._items.values():
            item.setVisible(is_shown)

    def on(self, pane: ImagePane) -> Drawing | None:
        """What is drawn in a pane; None where nothing can be drawn."""
        item = self._items.get(pane)
        return None if item is None else item.drawing

    @property
    def active(self) -> Drawing | None:
        """What is drawn in the active pane."""
        return self.on(self._viewer.active_pane)

    def of_view(self, view_id: str) -> Drawing | None:
        """What is drawn on a view of the case on the screen."""
        for item in self._items.values():
            if item.drawing is not None and item.drawing.view.id == view_id:
                return item.drawing
        return None

    def pane_of(self, view_id: str) -> ImagePane | None:
        """The pane in which a view hangs."""
        for pane, item in self._items.items():
            if item.drawing is not None and item.drawing.view.id == view_id:
                return pane
        return None

    def other(self, drawing: Drawing) -> Drawing | None:
        """What is drawn on the other view of the case."""
        drawings = [item.drawing for item in self._items.values() if item.drawing is not None]
        return next((each for each in drawings if each.view.id != drawing.view.id), None)

    def put_back(self, pane: ImagePane) -> None:
        """A gesture was given up: draw again what is stored."""
        before = self.on(pane)
        if before is not None:
            drawing = self._items[pane].drawing = drawing_of(before.view, self._values)
            drawing.active = before.active
            self.redraw(pane)

    def redraw(self, pane: ImagePane) -> None:
        """A drawing was changed for the eye only."""
        self._items[pane].update()
        drawing = self.on(pane)
        if drawing is not None:
            self.previewed.emit(drawing.view.id)

    def commit(self, pane: ImagePane, name: str, value: object, text: str) -> None:
        """A gesture is complete.

        Args:
            pane: where it was made.
            name: the field, for example `alignment.` or `measurement.2.`; the view is added to it.
            value: what to store; None takes it away.
            text: one sentence for people.
        """
        drawing = self.on(pane)
        if drawing is not None:
            self.flush()
            self.drawn.emit(drawing.view.id, name, value, text)

    def commit_soon(self, pane: ImagePane, name: str, value: object, text: str) -> None:
        """A key has nudged something: store it when no further key follows."""
        drawing = self.on(pane)
        if drawing is None:
            return
        if self._waiting is not None and self._waiting[:2] != (drawing.view.id, name):
            self.flush()
        self._waiting = (drawing.view.id, name, value, text)
        self._quiet.start()
        self.redraw(pane)

    @property
    def is_waiting(self) -> bool:
        """Whether something that was nudged is not stored yet."""
        return self._waiting is not None

    def flush(self) -> None:
        """Store at once what is waiting."""
        self._quiet.stop()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self.drawn.emit(*waiting)

    def pick(self, pane: ImagePane, handles: list[Handle], at: XY) -> Handle | None:
        """The handle at a place of the viewport, logical px."""
        points = [pane.map_from_image(*handle.xy) for handle in handles]
        return nearest(handles, [(point.x(), point.y()) for point in points], at, within_px=PICK_PX)
