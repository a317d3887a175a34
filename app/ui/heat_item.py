"""Half-transparent colours over a radiograph, as from a heatmap.

The map is coloured once, at its own resolution; Qt enlarges it. What is painted a second time at the same zoom is kept
as a picture of the screen, a little larger than what is visible: laying it over the image is all that a drag of the
window or of the image costs then.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

AHEAD_PX = 96  # screen pixels that a kept picture shows beyond what is visible
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
        self._last: _Zoom | None = None  # how the map was painted last
        self._kept: _Kept | None = None

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
        if self._last is None or not self._last.is_same(zoom):
            self._last, self._kept = zoom, None
            _draw(painter, picture)  # it is being zoomed: nothing is worth keeping yet
            return
        base = logical * to_screen  # from logical pixels of the widget to pixels of the screen
        area = QRect(0, 0, painter.device().width(), painter.device().height()) if widget is None else widget.rect()
        visible = base.mapRect(QRectF(area)).intersected(to_screen.mapRect(self.boundingRect())).toAlignedRect()
        visible.translate(-corner)
        if visible.isEmpty():
            return
        if self._kept is None or not self._kept.rect.contains(visible):
            self._kept = _keep(picture, to_screen, corner, visible)
        painter.save()
        painter.setWorldTransform(base.inverted()[0])  # from here on one unit is one pixel of the screen
        at = self._kept.rect.topLeft()
        painter.drawImage(visible.topLeft() + corner, self._kept.picture, visible.translated(-at))
        painter.restore()

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
