"""One radiograph: a pyqtgraph ViewBox with the image, the text over it, and the mouse."""

from __future__ import annotations

import math
from enum import StrEnum

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGraphicsSceneWheelEvent, QLabel, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.core.grey import DisplayTable
from app.core.pyramid import ImagePyramid
from app.ui.corner_text import Corners, CornerText
from app.ui.image_item import RadiographItem
from app.ui.theme import DARK, GAP_L

ZOOM_PER_NOTCH = 1.2
SMALLEST_ZOOM, LARGEST_ZOOM = 0.02, 32.0


class Tool(StrEnum):
    """What dragging with the left button does; the right button always drags the window."""

    PAN = "pan"
    WINDOW = "window"


class ZoomMode(StrEnum):
    """How the zoom was chosen, so that a resized pane can keep it."""

    FIT = "fit"
    ONE_TO_ONE = "one-to-one"
    FREE = "free"


class ImagePane(QFrame):
    """Shows one radiograph.

    Signals:
        activated: the user pressed a button inside.
        window_dragged: (dx, dy) in logical px since the last signal, while dragging with the window tool.
        zoom_changed: a new zoom, screen px per image px.
        pointed_at: image coordinates under the mouse, or None outside the image.
    """

    activated = Signal()
    window_dragged = Signal(float, float)
    zoom_changed = Signal(float)
    pointed_at = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._mode = ZoomMode.FIT
        self._pixel_ratio = 1.0  # width / height of a pixel on the patient
        self.item = RadiographItem()
        self.box = _Box(self)
        self.box.addItem(self.item)
        self.graphics = _Graphics(self)
        self.graphics.setCentralItem(self.box)
        self.text = CornerText(self.graphics.viewport())
        self._message = QLabel(self)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.setObjectName("muted")
        self._message.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.graphics)
        layout.addWidget(self._message)
        self.setMinimumWidth(260)
        self.set_empty("")
        self.set_active(False)

    @property
    def mode(self) -> ZoomMode:
        """How the zoom was chosen."""
        return self._mode

    @property
    def zoom(self) -> float:
        """Screen (device) px per image px, 1 = one to one."""
        size = self.box.viewPixelSize()[0]
        return self.graphics.devicePixelRatioF() / size if size else 1.0

    def set_image(self, pyramid: ImagePyramid, table: DisplayTable, *, pixel_ratio: float = 1.0) -> None:
        """Show an image, fitted to the pane.

        Args:
            pyramid: stored values.
            table: the window to show it through.
            pixel_ratio: width / height of a pixel, for images whose pixels are not square.
        """
        self._pixel_ratio = pixel_ratio
        self.box.setAspectLocked(True, ratio=pixel_ratio)
        self.item.set_image(pyramid, table)
        self.graphics.show()
        self._message.hide()
        self.fit()

    def set_empty(self, text: str) -> None:
        """Show words instead of an image: why there is none."""
        self.item.set_image(None, None)
        self.text.set_corners(Corners())
        self._message.setText(text)
        self.graphics.hide()
        self._message.show()

    def set_error(self, error: UserError) -> None:
        """Show why the image cannot be shown and what to do."""
        self.set_empty("\n\n".join(part for part in (error.title, error.reason, error.remedy) if part))

    @property
    def message(self) -> str:
        """The words shown instead of an image; empty while an image is on show."""
        return "" if self.item.pyramid is not None else self._message.text()

    def set_active(self, is_active: bool) -> None:
        """Mark the pane that keys apply to."""
        self.setProperty("active", is_active)
        self.style().unpolish(self)
        self.style().polish(self)

    def set_tool(self, tool: Tool) -> None:
        """Choose what dragging with the left button does."""
        self.box.tool = tool
        shape = Qt.CursorShape.OpenHandCursor if tool is Tool.PAN else Qt.CursorShape.SizeAllCursor
        self.graphics.viewport().setCursor(shape)

    def fit(self) -> None:
        """Show the whole image."""
        if self.item.pyramid is None:
            return
        self._mode = ZoomMode.FIT
        self.box.setRange(self.item.boundingRect(), padding=0)
        self.zoom_changed.emit(self.zoom)

    def one_to_one(self) -> None:
        """One image pixel on one screen pixel, around the point in the middle of the pane."""
        self.zoom_to(1.0)
        self._mode = ZoomMode.ONE_TO_ONE

    def zoom_to(self, zoom: float, center: QPointF | None = None) -> None:
        """Set the zoom, screen px per image px, keeping an image point where it is (default: the middle)."""
        if self.item.pyramid is None:
            return
        middle = self.box.viewRect().center()
        fixed = center or middle
        share = self.zoom / zoom
        target = fixed + (middle - fixed) * share
        ratio = self.graphics.devicePixelRatioF()
        width_px, height_px = self.graphics.width() * ratio, self.graphics.height() * ratio
        width, height = width_px / zoom, height_px / zoom * self._pixel_ratio
        left, top = target.x() - width / 2, target.y() - height / 2
        # whole screen pixels: at 1:1 every image pixel then is one screen pixel, untouched
        left, top = round(left * zoom) / zoom, round(top * zoom) / zoom
        self._mode = ZoomMode.FREE
        self.box.setRange(QRectF(left, top, width, height), padding=0)
        self.zoom_changed.emit(self.zoom)

    def zoom_by(self, factor: float, center: QPointF | None = None) -> None:
        """Multiply the zoom."""
        self.zoom_to(min(max(self.zoom * factor, SMALLEST_ZOOM), LARGEST_ZOOM), center)

    def pan_by(self, dx_px: float, dy_px: float) -> None:
        """Move the image by logical screen px."""
        step_x, step_y = self.box.viewPixelSize()
        self.box.translateBy(x=-dx_px * step_x, y=-dy_px * step_y)
        if self._mode is ZoomMode.FIT:
            self._mode = ZoomMode.FREE

    def keep_zoom(self) -> None:
        """After a resize: fit again, or the same zoom around the same point."""
        if self.item.pyramid is None:
            return
        if self._mode is ZoomMode.FIT:
            self.fit()
        elif self._mode is ZoomMode.ONE_TO_ONE:
            self.one_to_one()

    def point_out(self, at: QPointF | None) -> None:
        """Report the image point under the mouse."""
        if at is None or self.item.pyramid is None or not self.item.boundingRect().contains(at):
            self.pointed_at.emit(None)
        else:
            self.pointed_at.emit((min(math.floor(at.x()), self.item.pyramid.cols - 1),
                                  min(math.floor(at.y()), self.item.pyramid.rows - 1)))  # fmt: skip


class _Box(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph has no types
    """The ViewBox: image coordinates, y down, and Coxa's mouse instead of pyqtgraph's."""

    def __init__(self, pane: ImagePane) -> None:
        super().__init__(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0)
        self.disableAutoRange()
        self.setBackgroundColor(None)
        self.setBorder(None)
        self.tool = Tool.PAN
        self._pane = pane

    def wheelEvent(self, ev: QGraphicsSceneWheelEvent, axis: int | None = None) -> None:
        """Zoom at the cursor."""
        ev.accept()
        self._pane.zoom_by(ZOOM_PER_NOTCH ** (ev.delta() / 120), self.mapToView(ev.pos()))

    def mouseDragEvent(self, ev: object, axis: int | None = None) -> None:
        """Left: the tool; right: window; middle: pan."""
        event: pg.GraphicsScene.mouseEvents.MouseDragEvent = ev
        event.accept()
        button = event.button()
        step = event.pos() - (event.buttonDownPos() if event.isStart() else event.lastPos())
        if button == Qt.MouseButton.RightButton or (button == Qt.MouseButton.LeftButton and self.tool is Tool.WINDOW):
            self._pane.window_dragged.emit(step.x(), step.y())
        else:
            self._pane.pan_by(step.x(), step.y())

    def hoverEvent(self, ev: object) -> None:  # noqa: N802  # pyqtgraph's name
        """Say which pixel the mouse is over."""
        event: pg.GraphicsScene.mouseEvents.HoverEvent = ev
        self._pane.point_out(None if event.isExit() else self.mapToView(event.pos()))


class _Graphics(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """The view: black, no antialiasing of the image, reports presses and resizes."""

    def __init__(self, pane: ImagePane) -> None:
        self._pane: ImagePane | None = None
        super().__init__(pane, background=DARK.image)
        self._pane = pane
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the ViewBox settles its range in the resize itself; the zoom is put right after it
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(pane.keep_zoom)

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        """The pane that is pressed becomes the active one."""
        if self._pane is not None:
            self._pane.activated.emit()
        super().mousePressEvent(ev)

    def mouseDoubleClickEvent(self, ev: QMouseEvent) -> None:
        """A double click fits the image."""
        if self._pane is not None and ev.button() == Qt.MouseButton.LeftButton:
            self._pane.fit()
        super().mouseDoubleClickEvent(ev)

    def resizeEvent(self, ev: QResizeEvent) -> None:
        """Keep what the user chose: the whole image, or the zoom."""
        super().resizeEvent(ev)
        if self._pane is not None:
            self._settle.start()
