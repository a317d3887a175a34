"""One radiograph: a pyqtgraph ViewBox with the image, what is drawn over it, and how it lies.

Three coordinate systems, and no others: *image coordinates* (px, origin at the corner of the first pixel), in which
everything is stored; *display coordinates* (`core/orientation.py`), the ViewBox's own; and logical px of the viewport.
`oriented` is the one item between the first two: the image and all overlays are its children, so they turn together.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPolygonF, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsItem, QLabel, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.core.grey import DisplayTable
from app.core.orientation import Orientation
from app.core.pyramid import ImagePyramid
from app.ui.corner_text import Corners, CornerText
from app.ui.heat_item import HeatItem
from app.ui.image_item import RadiographItem
from app.ui.loupe import Loupe
from app.ui.pane_box import PaneBox, kept_center
from app.ui.pane_mouse import PaneGraphics
from app.ui.pane_tools import PaneTool, PanTool, Tool, make_tool
from app.ui.shutter_item import ShutterItem
from app.ui.surroundings import Stand
from app.ui.theme import GAP_L

SMALLEST_ZOOM, LARGEST_ZOOM = 0.02, 32.0
KEPT_PX = 48.0  # of the image stays in its pane wherever it is moved, logical px
OVERLAY_Z = 10.0

__all__ = ["ImagePane", "Tool", "ZoomMode"]


class ZoomMode(StrEnum):
    """How the zoom was chosen, so that a resized pane can keep it."""

    FIT = "fit"
    FIT_WIDTH = "fit-width"
    FREE = "free"


class ImagePane(QFrame):
    """Shows one radiograph.

    Signals:
        activated: the user pressed a button inside.
        double_clicked: with a tool that makes nothing of it.
        window_dragged: (dx, dy) in logical px since the last signal, while dragging with the window tool.
        turned_by: degrees, clockwise, since the last signal, while dragging with the rotate tool.
        menu_requested: a right click without a drag; global position.
        zoom_changed: a new zoom, screen px per image px.
        resized: the pane has another size; a fitted image is fitted again right after.
        view_changed: zoom, pan, orientation or size changed, whoever did it.
        table_changed: the image is shown through another window.
        moved_by_user: zoom or pan changed by a gesture or a command, which linked panes follow; how far the middle
            moved, display coordinates.
        pointed_at: image coordinates (col, row) of the pixel under the mouse, or None outside the image.
    """

    activated = Signal()
    double_clicked = Signal()
    window_dragged = Signal(float, float)
    turned_by = Signal(float)
    menu_requested = Signal(QPoint)
    zoom_changed = Signal(float)
    resized = Signal()
    view_changed = Signal()
    table_changed = Signal()
    moved_by_user = Signal(QPointF)
    pointed_at = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._mode = ZoomMode.FIT
        self._orientation = Orientation()
        self._aspect = 1.0  # row distance / column distance of the pixels
        self._home = QRectF()
        self._fit_limit = math.inf
        self._center = QPointF()  # what a free zoom keeps when the pane is resized, display coordinates
        self._zoom = 1.0
        self._mouse: QPointF | None = None  # where it rests, logical px of the viewport
        self.matrix: npt.NDArray[np.float64] = np.eye(3)
        """(3, 3) image coordinates -> display coordinates."""
        self.table: DisplayTable | None = None
        """The window that the image is shown through."""
        self.tool: PaneTool = PanTool()
        """What the left button does."""
        self.item = RadiographItem()
        self.oriented: QGraphicsItem = pg.ItemGroup()
        self.item.setParentItem(self.oriented)
        self.shutter = ShutterItem()
        self.shutter.setParentItem(self.oriented)
        self.box = PaneBox()
        self.box.addItem(self.oriented)
        self.graphics = PaneGraphics(self)
        self.graphics.setCentralItem(self.box)
        self.stand = Stand(self.graphics.viewport())
        """Where it was when it was last shown, and what stood around it."""
        self.text = CornerText(self.graphics.viewport())
        self.loupe = Loupe(self, self.graphics.viewport())
        self._message = QLabel(self)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.setObjectName("muted")
        self._message.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.graphics)
        layout.addWidget(self._message)
        self.setMinimumWidth(160)
        self.set_empty("")
        self.set_active(False)
        self.set_tool(Tool.PAN)

    # --- what is shown ---

    @property
    def has_image(self) -> bool:
        """Whether an image is on show."""
        return self.item.pyramid is not None

    def set_image(
        self,
        pyramid: ImagePyramid,
        table: DisplayTable,
        *,
        aspect: float = 1.0,
        orientation: Orientation | None = None,
    ) -> None:
        """Show an image, fitted to the pane.

        Args:
            pyramid: stored values.
            table: the window to show it through.
            aspect: row distance ÷ column distance, for images whose pixels are not square.
            orientation: how it lies; as it is stored by default.
        """
        self.give_up()
        self._aspect = aspect
        self.table = table
        self.item.set_image(pyramid, table)
        self._home = self.item.boundingRect()
        self._fit_limit = math.inf
        self._lay(orientation or Orientation())
        self.graphics.show()
        self._message.hide()
        self.fit()

    def set_table(self, table: DisplayTable) -> None:
        """Show the same image through another window."""
        self.table = table
        self.item.set_table(table)
        self.loupe.update()
        self.table_changed.emit()

    def set_empty(self, text: str) -> None:
        """Show words instead of an image: why there is none."""
        self.give_up()
        self.item.set_image(None, None)
        self.table = None
        self.shutter.use(None, QRectF())
        self.loupe.hide()
        self.text.say(Corners)
        self._message.setText(text)
        self.graphics.hide()
        self._message.show()
        self.point_out(None)

    def set_error(self, error: UserError) -> None:
        """Show why the image cannot be shown and what to do."""
        self.set_empty("\n\n".join(part for part in (error.title, error.reason, error.remedy) if part))

    @property
    def message(self) -> str:
        """The words shown instead of an image; empty while an image is on show."""
        return "" if self.has_image else self._message.text()

    def set_active(self, is_active: bool) -> None:
        """Mark the pane that keys apply to."""
        if self.property("active") == is_active:
            return
        self.setProperty("active", is_active)
        self.style().unpolish(self)
        self.style().polish(self)

    # --- tools and overlays ---

    def set_tool(self, tool: Tool | PaneTool) -> None:
        """Choose what the left button does: one tool at a time. A gesture of the former tool is given up."""
        self.give_up()
        self.tool = make_tool(tool) if isinstance(tool, Tool) else tool
        self.graphics.viewport().setCursor(self.tool.cursor)

    def give_up(self) -> None:
        """End a gesture without an effect."""
        self.graphics.give_up()
        self.tool.cancel(self)

    def add_overlay(self, item: QGraphicsItem, *, z: float = OVERLAY_Z) -> None:
        """Draw something over the image, in image coordinates; it turns, mirrors and zooms along.

        Lines should have cosmetic pens; what must keep its size on the screen sets `ItemIgnoresTransformations`.
        """
        item.setParentItem(self.oriented)
        item.setZValue(z)
        if isinstance(item, HeatItem):
            item.lie_on(self.item, self.shutter)

    def remove_overlay(self, item: QGraphicsItem) -> None:
        """Take an overlay away again."""
        if item.parentItem() is self.oriented and item.scene() is not None:
            if isinstance(item, HeatItem):
                item.lie_on(None, None)
            item.scene().removeItem(item)

    # --- coordinates ---

    @property
    def middle(self) -> QPointF:
        """Middle of the viewport, logical px."""
        viewport = self.graphics.viewport()
        return QPointF(viewport.width() / 2, viewport.height() / 2)

    def map_to_image(self, at: QPointF) -> tuple[float, float]:
        """Image coordinates of a place in the viewport, logical px."""
        inverted, _ = self.to_viewport().inverted()
        point = inverted.map(at)
        return point.x(), point.y()

    def map_from_image(self, x: float, y: float) -> QPointF:
        """Place in the viewport, logical px, of an image point."""
        return self.to_viewport().map(QPointF(x, y))

    def display_to_image(self, at: QPointF) -> QPointF:
        """Image coordinates of a point in display coordinates."""
        return QPointF(self.oriented.transform().inverted()[0].map(at))

    def to_viewport(self) -> QTransform:
        """Image coordinates -> logical px of the viewport."""
        to_box, _ = self.oriented.itemTransform(self.box)
        return QTransform(to_box * self.box.sceneTransform() * self.graphics.viewportTransform())

    # --- orientation ---

    @property
    def orientation(self) -> Orientation:
        """How the image lies."""
        return self._orientation

    def set_orientation(self, orientation: Orientation) -> None:
        """Turn or mirror the image. What is in the middle of the pane stays there, unless the whole image is fitted."""
        if not self.has_image or orientation == self._orientation:
            return
        x, y = self.map_to_image(self.middle)
        self._lay(orientation)
        if self._mode is ZoomMode.FREE:
            self._show(self.oriented.transform().map(QPointF(x, y)), self.zoom)
        else:
            self.keep_zoom()
        self.view_changed.emit()

    def _lay(self, orientation: Orientation) -> None:
        pyramid = self.item.pyramid
        assert pyramid is not None
        self._orientation = orientation
        m = self.matrix = orientation.matrix(rows=pyramid.rows, cols=pyramid.cols, aspect=self._aspect)
        self.oriented.setTransform(QTransform(m[0, 0], m[1, 0], m[0, 1], m[1, 1], m[0, 2], m[1, 2]))

    # --- zoom and pan ---

    @property
    def mode(self) -> ZoomMode:
        """How the zoom was chosen."""
        return self._mode

    @property
    def zoom(self) -> float:
        """Screen (device) px per image px (its width, if pixels are not square), 1 = one to one."""
        size = float(self.box.viewPixelSize()[0])
        return float(self.graphics.devicePixelRatioF()) / size if size else 1.0

    @property
    def unit_px(self) -> float:
        """Logical screen px per image px (its width)."""
        return self.zoom / float(self.graphics.devicePixelRatioF())

    @property
    def center(self) -> QPointF:
        """What is in the middle of the pane, display coordinates."""
        return QPointF(self.box.viewRect().center())

    @property
    def display_rect(self) -> QRectF:
        """Box around the turned image, display coordinates; it begins at (0, 0)."""
        return self.oriented.transform().mapRect(self.item.boundingRect())

    @property
    def fit_zoom(self) -> float:
        """The zoom at which what `fit` shows just fits."""
        area = self.oriented.transform().mapRect(self._home)
        if area.isEmpty():
            return 1.0
        ratio = self.graphics.devicePixelRatioF()
        return float(min(self.graphics.width() * ratio / area.width(), self.graphics.height() * ratio / area.height()))

    def set_home(self, area: QRectF | None) -> bool:
        """Choose what `fit` shows: a part of the image, image coordinates; None = all of it. True if it is new."""
        before, self._home = self._home, self.item.boundingRect() if area is None else area
        return before != self._home

    def fit(self, *, limit: float = math.inf) -> None:
        """Show the whole image (or its home area), no larger than a zoom that linked panes have agreed on."""
        if not self.has_image:
            return
        self._mode, self._fit_limit, self.stand.aside = ZoomMode.FIT, limit, QPointF()
        area = self.oriented.transform().mapRect(self._home)
        if limit < self.fit_zoom:
            self._show(area.center(), limit)
        else:
            self.box.setRange(area, padding=0)
            self._note()

    def fit_width(self) -> None:
        """Show the whole width of the image."""
        if not self.has_image:
            return
        self._mode = ZoomMode.FIT_WIDTH
        area = self.oriented.transform().mapRect(self._home)
        ratio = self.graphics.devicePixelRatioF()
        self._show(QPointF(area.center().x(), self.center.y()), self.graphics.width() * ratio / area.width())

    def one_to_one(self) -> None:
        """One image pixel on one screen pixel, around the point in the middle of the pane."""
        self.zoom_to(1.0)

    def zoom_to(self, zoom: float, fixed: QPointF | None = None) -> None:
        """Set the zoom, screen px per image px, keeping a point, display coordinates, where it is (default: middle)."""
        if not self.has_image:
            return
        middle = self.center
        fixed = middle if fixed is None else fixed
        self._mode = ZoomMode.FREE
        self._show(fixed + (middle - fixed) * (self.zoom / zoom), zoom)
        self.moved_by_user.emit(self.center - middle)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Multiply the zoom, keeping what lies at a place of the viewport, logical px (default: the middle)."""
        fixed = None if at is None else self.box.mapSceneToView(self._scene_point(at))
        self.zoom_to(min(max(self.zoom * factor, SMALLEST_ZOOM), LARGEST_ZOOM), fixed)

    def pan_by(self, dx_px: float, dy_px: float) -> None:
        """Move the image by logical screen px."""
        if not self.has_image:
            return
        before = self.center
        step_x, step_y = self.box.viewPixelSize()
        step = self._kept(before - QPointF(dx_px * step_x, dy_px * step_y), self.zoom) - before
        self.box.translateBy(x=step.x(), y=step.y())
        self._mode = ZoomMode.FREE
        self._note()
        self.moved_by_user.emit(self.center - before)

    def look_at(self, center: QPointF, zoom: float) -> None:
        """Show a point, display coordinates, in the middle, at a zoom: how a linked pane follows."""
        if self.has_image:
            self._mode = ZoomMode.FREE
            self._show(center, min(max(zoom, SMALLEST_ZOOM), LARGEST_ZOOM))

    def keep_zoom(self) -> None:
        """After a resize: fit again, or the same zoom around the same point."""
        if not self.has_image:
            return
        if self._mode is ZoomMode.FIT:
            self.fit(limit=self._fit_limit)
        elif self._mode is ZoomMode.FIT_WIDTH:
            self.fit_width()
        else:
            self._show(self._center, self._zoom)

    def stay(self) -> bool:
        """After a resize: the image stays where it is on the screen, unless somebody asked for that size (False)."""
        step = self.stand.step() if self.has_image else None
        if step is None:
            return False
        self.stand.aside += step
        self._mouse = self._mouse and self._mouse - self.stand.drift  # it rests, the pane has moved under it
        self._show(self._center + step * (float(self.graphics.devicePixelRatioF()) / self._zoom), self._zoom)
        return True

    def event(self, event: QEvent) -> bool:
        """Another screen, another scaling: keep what was chosen."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.keep_zoom()
        return super().event(event)

    def _show(self, center: QPointF, zoom: float) -> None:
        ratio = self.graphics.devicePixelRatioF()
        width, height = self.graphics.width() * ratio / zoom, self.graphics.height() * ratio / zoom
        center = self._kept(center, zoom)
        self.box.setRange(QRectF(center.x() - width / 2, center.y() - height / 2, width, height), padding=0)
        self._note()

    def _kept(self, center: QPointF, zoom: float) -> QPointF:
        """The middle of the pane, display coordinates, or the nearest at which a part of the image is in sight."""
        unit = float(self.graphics.devicePixelRatioF()) / zoom
        room = QSizeF(self.graphics.width() * unit, self.graphics.height() * unit)
        outline = self.oriented.transform().map(QPolygonF(self.item.boundingRect()))
        return kept_center(center, room, outline, KEPT_PX * unit)

    def _note(self) -> None:
        """Remember what a resize has to keep, and tell."""
        self._center, self._zoom = self.center, self.zoom
        self.stand.note()
        self.loupe.update()
        self._tell_pixel()
        self.zoom_changed.emit(self._zoom)
        self.view_changed.emit()

    def _scene_point(self, at: QPointF) -> QPointF:
        return QPointF(self.graphics.viewportTransform().inverted()[0].map(at))

    # --- the mouse ---

    def point_out(self, at: QPointF | None) -> None:
        """Report the pixel at a place of the viewport, logical px, and let the loupe follow."""
        self.loupe.follow(at)
        if at is not None or self._mouse is not None:
            self._mouse = at
            self._tell_pixel(is_new=True)

    def _tell_pixel(self, *, is_new: bool = False) -> None:
        """Report the pixel under the mouse, which may rest while the image is moved or another one is shown."""
        at = self._mouse
        if at is None or self.item.pyramid is None:
            if is_new:
                self.pointed_at.emit(None)
            return
        x, y = self.map_to_image(at)
        is_inside = self.item.boundingRect().contains(QPointF(x, y))
        cols, rows = self.item.pyramid.cols, self.item.pyramid.rows
        self.pointed_at.emit((min(math.floor(x), cols - 1), min(math.floor(y), rows - 1)) if is_inside else None)
