"""Half-transparent colours over a radiograph, as from a heatmap.

The map is coloured once, at its own resolution; Qt enlarges it. What is painted a second time at the same zoom is kept
as a picture of the screen, a little larger than what is visible: laying it over the image is all that a drag of the
window or of the image costs then. While the image is being zoomed, the map is enlarged between whole pixels of the
screen, half a pixel off at most, which is faster; as soon as it stands still it is enlarged by Qt (ADR 0117).
"""

from __future__ import annotations

import time
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.ui.image_item import STILL_AFTER_S
from app.ui.level_painter import shaped

AHEAD_PX = 96  # screen pixels that a kept picture shows beyond what is visible
COARSE = 64.0  # screen pixels per pixel of the map: maps with larger ones are always enlarged by Qt
MOST = 65535  # the value of the last colour

Colours = npt.NDArray[np.int32]
"""(65536,) int32: the colour of every value, 0xAARRGGBB, premultiplied."""


class HeatItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """A map of values over an image, a child of what the image is in (`ImagePane.add_overlay`)."""

    def __init__(self) -> None:
        super().__init__()
        self._values: npt.NDArray[np.uint16] | None = None
        self._colours: Colours | None = None
        self._map: QImage | None = None  # the values in colours
        self._last: _Zoom | None = None  # how the map was painted last …
        self._zoomed_s = 0.0  # … and since when so, `time.monotonic`
        self._kept: _Kept | None = None
        self._memory = np.empty(0, np.int32)
        self._still = QTimer(self, singleShot=True, interval=round(1000 * STILL_AFTER_S))
        self._still.timeout.connect(self.update)

    def set_heat(self, values: npt.NDArray[np.uint16] | None, where: QTransform | None = None) -> None:
        """Show another map.

        Args:
            values: (H, W), 0 … 65535 for the first … the last colour; kept, not copied. None shows nothing.
            where: from the map's coordinates (px, origin at the corner of its first pixel) to image coordinates; the
                same coordinates by default. May turn, mirror and stretch.
        """
        self.prepareGeometryChange()
        self._values = values
        self.setTransform(where or QTransform())
        self._forget()

    def set_rgba(self, rgba: npt.NDArray[np.uint8]) -> None:
        """Choose the colours; the item's own opacity (`setOpacity`) may make them paler.

        Args:
            rgba: (N, 4) red, green, blue, opacity, not premultiplied, for values in equal steps from 0 to 65535.
        """
        self._colours = premultiplied(rgba)
        self._forget()

    def boundingRect(self) -> QRectF:
        """The map's extent, px."""
        if self._values is None:
            return QRectF()
        return QRectF(0, 0, self._values.shape[1], self._values.shape[0])

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Lay the map over the image."""
        picture = self._coloured()
        logical, is_invertible = painter.worldTransform().inverted()
        if picture is None or not is_invertible:
            return
        to_screen = painter.deviceTransform()
        corner = QPoint(round(to_screen.dx()), round(to_screen.dy()))
        zoom = _Zoom(
            to_screen.m11(), to_screen.m12(), to_screen.m21(), to_screen.m22(),
            round(to_screen.dx() - corner.x(), 3), round(to_screen.dy() - corner.y(), 3),
        )  # fmt: skip
        base = logical * to_screen  # from logical pixels of the widget to pixels of the screen
        area = QRect(0, 0, painter.device().width(), painter.device().height()) if widget is None else widget.rect()
        visible = base.mapRect(QRectF(area)).intersected(to_screen.mapRect(self.boundingRect())).toAlignedRect()
        if visible.isEmpty():
            return
        is_same = self._last is not None and self._last.is_same(zoom)
        painter.save()
        if is_same:
            rect = visible.translated(-corner)
            if self._kept is None or not self._kept.rect.contains(rect):
                self._kept = _keep(picture, to_screen, corner, rect)
            painter.setWorldTransform(base.inverted()[0])  # from here on one unit is one pixel of the screen
            painter.drawImage(visible.topLeft(), self._kept.picture, rect.translated(-self._kept.rect.topLeft()))
        elif widget is not None and self._is_zoomed(zoom):
            painter.setWorldTransform(base.inverted()[0])
            self._draw_quickly(painter, picture, to_screen, visible)
            self._still.start()
        else:
            _draw(painter, picture)
        painter.restore()
        if not is_same:  # nothing is worth keeping until it is painted once more
            self._last, self._kept, self._zoomed_s = zoom, None, time.monotonic()

    def _is_zoomed(self, zoom: _Zoom) -> bool:
        """Whether it is being zoomed, neither turned nor mirrored."""
        is_soon = self._last is not None and time.monotonic() - self._zoomed_s < STILL_AFTER_S
        return is_soon and zoom.m12 == zoom.m21 == 0 and 0 < zoom.m11 < COARSE and 0 < zoom.m22 < COARSE

    def _draw_quickly(self, painter: QPainter, picture: QImage, to_screen: QTransform, visible: QRect) -> None:
        """Enlarge the visible pixels of the map, each corner put on the nearest corner of a pixel of the screen."""
        inside = to_screen.inverted()[0].mapRect(QRectF(visible)).toAlignedRect().adjusted(-1, -1, 1, 1)
        inside &= picture.rect()
        on_screen = to_screen.mapRect(QRectF(inside))
        left, top = round(on_screen.left()), round(on_screen.top())
        cols, rows = round(on_screen.right()) - left, round(on_screen.bottom()) - top
        if min(cols, rows) < 1:
            return
        self._memory, room = shaped(self._memory, (rows, cols))
        pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)
        part = pixels[inside.top() : inside.bottom() + 1, inside.left() : inside.right() + 1]
        cv2.resize(part, (cols, rows), dst=room.view(np.uint8).reshape(rows, cols, 4), interpolation=cv2.INTER_LINEAR)
        painter.drawImage(left, top, QImage(room.data, cols, rows, 4 * cols, picture.format()))

    def _forget(self) -> None:
        self._map = self._last = self._kept = None
        self.update()

    def _coloured(self) -> QImage | None:
        if self._map is None and self._values is not None and self._colours is not None:
            rows, cols = self._values.shape
            self._map = QImage(cols, rows, QImage.Format.Format_ARGB32_Premultiplied)
            cv2.LUT(self._values, self._colours, np.frombuffer(self._map.bits(), np.int32).reshape(rows, cols))
        return self._map


class _Zoom(NamedTuple):
    """How a map lies on the screen, but for whole pixels: the linear part, and where in a pixel its origin lies."""

    m11: float
    m12: float
    m21: float
    m22: float
    x: float
    y: float

    def is_same(self, other: _Zoom) -> bool:
        """Whether a picture for one is one for the other; an image that is dragged moves by rounding errors too."""
        return max(abs(mine - its) for mine, its in zip(self, other, strict=True)) < 2e-3 and all(
            abs(mine - its) <= 1e-9 * max(1, abs(mine)) for mine, its in zip(self[:4], other[:4], strict=True)
        )


class _Kept(NamedTuple):
    """A part of the screen.

    Args:
        rect: which pixels, relative to the one that holds the map's origin.
        picture: the map in it.
    """

    rect: QRect
    picture: QImage


def _keep(picture: QImage, to_screen: QTransform, corner: QPoint, visible: QRect) -> _Kept:
    rect = visible.adjusted(-AHEAD_PX, -AHEAD_PX, AHEAD_PX, AHEAD_PX)
    rect &= to_screen.mapRect(QRectF(picture.rect())).toAlignedRect().translated(-corner)
    kept = QImage(rect.size(), QImage.Format.Format_ARGB32_Premultiplied)
    kept.fill(Qt.GlobalColor.transparent)
    at = rect.topLeft() + corner
    painter = QPainter(kept)
    painter.setWorldTransform(to_screen * QTransform.fromTranslate(-at.x(), -at.y()))
    _draw(painter, picture)
    painter.end()
    return _Kept(rect, kept)


def _draw(painter: QPainter, picture: QImage) -> None:
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawImage(QPointF(), picture)


def premultiplied(rgba: npt.NDArray[np.uint8]) -> Colours:
    """The colour of every value 0 … 65535, ARGB, premultiplied.

    Args:
        rgba: (N, 4) uint8, N ≥ 2, for values in equal steps from 0 to 65535; between them the nearest is taken.
    """
    steps = np.rint(np.linspace(0, len(rgba) - 1, MOST + 1)).astype(np.intp)
    alpha = rgba[:, 3].astype(np.uint32)
    red, green, blue = ((rgba[:, channel].astype(np.uint32) * alpha + 127) // 255 for channel in range(3))
    return ((alpha << 24 | red << 16 | green << 8 | blue).astype(np.uint32).view(np.int32))[steps]
