"""A radiograph inside a pyqtgraph ViewBox, painted at the resolution of the screen.

Three steps, each done only when its input changes: the pyramid (new image), a resampled buffer of stored values as
large as the visible part of the image (new transform), and one 16-bit look-up of that buffer (new window).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.grey import DisplayTable
from app.core.pyramid import ImagePyramid

SHARP_PIXELS_FROM_SCALE = 6.0  # from here on single pixels are shown as squares, not interpolated
ON_GRID_PX = 1e-6

Key = tuple[float, ...]


class RadiographItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """One radiograph in image coordinates: x right, y down, px, origin at the corner of the first pixel."""

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: ImagePyramid | None = None
        self._table: DisplayTable | None = None
        self._key: Key | None = None
        self._is_table_new = False
        self._stored: npt.NDArray[np.uint16] = np.empty((0, 0), np.uint16)
        self._levels: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._picture = QImage()
        self._corner = QPointF()

    @property
    def pyramid(self) -> ImagePyramid | None:
        """The image on show."""
        return self._pyramid

    def set_image(self, pyramid: ImagePyramid | None, table: DisplayTable | None) -> None:
        """Show another image; None shows nothing."""
        self.prepareGeometryChange()
        self._pyramid, self._table = pyramid, table
        self._key = None
        self.update()

    def set_table(self, table: DisplayTable) -> None:
        """Show the same image through another window."""
        self._table = table
        self._is_table_new = True
        self.update()

    def boundingRect(self) -> QRectF:
        """The image's extent, px."""
        if self._pyramid is None:
            return QRectF()
        return QRectF(0, 0, self._pyramid.cols, self._pyramid.rows)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the visible part of the image."""
        if self._pyramid is None or self._table is None or widget is None:
            return
        ratio = widget.devicePixelRatioF()
        to_device = painter.worldTransform() * QTransform.fromScale(ratio, ratio)
        width, height = math.ceil(widget.width() * ratio), math.ceil(widget.height() * ratio)
        key = (to_device.m11(), to_device.m12(), to_device.m21(), to_device.m22(), to_device.dx(), to_device.dy(),
               width, height, ratio)  # fmt: skip
        if key != self._key:
            self._resample(to_device, width, height, ratio)
            self._key, self._is_table_new = key, True
        if self._stored.size == 0:
            return
        if self._is_table_new:
            cv2.LUT(self._stored, self._table.levels, self._levels)
            self._is_table_new = False
        painter.save()
        if to_device.isRotating():
            painter.setClipRect(self.boundingRect())
        painter.resetTransform()
        painter.drawImage(self._corner, self._picture)
        painter.restore()

    def _resample(self, to_device: QTransform, width: int, height: int, ratio: float) -> None:
        """Fill the buffer of stored values for the part of the screen that the image covers.

        The ViewBox and the screen count from pixel corners, cv2 from pixel centres: the half pixels below are that.
        """
        assert self._pyramid is not None
        covered = to_device.mapRect(self.boundingRect())
        left, top = max(0, math.floor(covered.left() + ON_GRID_PX)), max(0, math.floor(covered.top() + ON_GRID_PX))
        right = min(width, math.ceil(covered.right() - ON_GRID_PX))
        bottom = min(height, math.ceil(covered.bottom() - ON_GRID_PX))
        if right <= left or bottom <= top:
            self._stored = np.empty((0, 0), np.uint16)
            return
        linear = np.array([[to_device.m11(), to_device.m21()], [to_device.m12(), to_device.m22()]])
        scale = math.sqrt(abs(float(np.linalg.det(linear))))
        level = self._pyramid.levels[self._pyramid.level_for(scale)]
        per_level = np.array([self._pyramid.cols / level.shape[1], self._pyramid.rows / level.shape[0]])
        matrix = np.empty((2, 3))
        matrix[:, :2] = linear * per_level
        matrix[:, 2] = matrix[:, :2] @ (0.5, 0.5) + (to_device.dx() - left - 0.5, to_device.dy() - top - 0.5)
        self._stored = np.asarray(
            cv2.warpAffine(
                level,
                matrix,
                (right - left, bottom - top),
                flags=cv2.INTER_NEAREST if scale >= SHARP_PIXELS_FROM_SCALE else cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.uint16,
        )
        stride = (right - left + 3) // 4 * 4  # QImage wants rows at multiples of four bytes
        buffer = np.empty((bottom - top, stride), np.uint8)
        self._levels = buffer[:, : right - left]
        self._picture = QImage(buffer.data, right - left, bottom - top, stride, QImage.Format.Format_Grayscale8)
        self._picture.setDevicePixelRatio(ratio)
        self._corner = QPointF(left / ratio, top / ratio)
