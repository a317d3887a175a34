"""A radiograph inside a pyqtgraph ViewBox, painted at the resolution of the screen.

Three steps: the pyramid (for a new image), a buffer of stored values as large as the visible part of the image (for a
new transform; moved, not sampled again, when the image is moved by whole screen pixels), and one 16-bit look-up of that
buffer, strip by strip, into what is drawn (for every paint, so that no old window can stay anywhere).
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.grey import TABLE_SIZE, DisplayTable
from app.core.pyramid import ImagePyramid
from app.core.resampling import ON_GRID_PX, Placement, Rect, SampleGrid, place, sample

SQUARES_FROM_SCALE = 8.0  # logical screen px per image px: from here on single pixels are squares (ADR 0102)
STRIP_ROWS = 192
AHEAD_PX = 64  # screen pixels that are sampled beyond what comes into sight, in the direction of a drag
LEAST_KEPT = 0.5  # share of the visible part that must be there already to be moved instead of sampled anew

Scalar = TypeVar("Scalar", bound=np.generic)


class RadiographItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """One radiograph in image coordinates: x right, y down, px, origin at the corner of the first pixel.

    The item may be turned and mirrored (`setTransform`): the pyramid is sampled once, through the whole transform.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: ImagePyramid | None = None
        self._table: DisplayTable | None = None
        self._stored = _StoredPart()
        self._strips = _Strips()

    @property
    def pyramid(self) -> ImagePyramid | None:
        """The image on show."""
        return self._pyramid

    def set_image(self, pyramid: ImagePyramid | None, table: DisplayTable | None) -> None:
        """Show another image; None shows nothing."""
        self.prepareGeometryChange()
        self._pyramid, self._table = pyramid, table
        self._stored.forget()
        if pyramid is None:
            self._stored, self._strips = _StoredPart(), _Strips()  # an empty pane holds no memory
        self.update()

    def set_table(self, table: DisplayTable) -> None:
        """Show the same image through another window."""
        self._table = table
        self.update()

    def boundingRect(self) -> QRectF:
        """The image's extent, px."""
        if self._pyramid is None:
            return QRectF()
        return QRectF(0, 0, self._pyramid.cols, self._pyramid.rows)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the visible part of the image, pixel by pixel of the screen."""
        if self._pyramid is None or self._table is None:
            return
        to_screen = painter.deviceTransform()
        logical, is_invertible = painter.worldTransform().inverted()
        if not is_invertible or abs(to_screen.determinant()) < 1e-12:
            return
        base = logical * to_screen  # from logical pixels of the widget to pixels of the screen
        squares_from = SQUARES_FROM_SCALE * abs(base.determinant()) ** 0.5
        affine = (to_screen.m11(), to_screen.m12(), to_screen.m21(), to_screen.m22(), to_screen.dx(), to_screen.dy())
        placement = place(self._pyramid, affine, squares_from=squares_from)
        origin_x, origin_y = placement.origin_xy
        visible = placement.covered.common(_screen_rect(painter, widget, base).moved(-origin_x, -origin_y))
        if not visible.area:
            return
        stored = self._stored.pixels(self._pyramid, placement, visible)
        painter.save()
        if not _is_upright(to_screen):  # slanted edges are drawn smooth
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            outline = to_screen.map(QPolygonF(self.boundingRect()))
        else:
            outline = None
        painter.setWorldTransform(base.inverted()[0])  # from here on one unit is one pixel of the screen
        corner = QPoint(visible.left + origin_x, visible.top + origin_y)
        self._strips.draw(painter, corner, stored, self._table, outline)
        painter.restore()


class _StoredPart:
    """The stored values of the visible part of an image, sampled for one grid, and a little more where it moves to."""

    def __init__(self) -> None:
        self._grid: SampleGrid | None = None
        self._rect = Rect(left=0, top=0, right=0, bottom=0)
        self._pixels: npt.NDArray[np.uint16] = np.empty((0, 0), np.uint16)
        self._memory = np.empty(0, np.uint16)
        self._spare = np.empty(0, np.uint16)

    def forget(self) -> None:
        """Another image: nothing of what is here may be shown again."""
        self._grid = None

    def pixels(self, pyramid: ImagePyramid, placement: Placement, rect: Rect) -> npt.NDArray[np.uint16]:
        """The stored values of a rectangle of the screen, relative to the image's origin; valid until the next call."""
        grid = placement.grid
        kept = rect.common(self._rect)
        if grid != self._grid or kept.area < LEAST_KEPT * rect.area:
            self._memory, self._pixels = _shaped(self._memory, (rect.height, rect.width))
            sample(pyramid, grid, rect, self._pixels)
            self._grid, self._rect = grid, rect
        elif kept != rect:
            self._extend(pyramid, placement, rect)
        return self._rect.of(self._pixels, rect)

    def _extend(self, pyramid: ImagePyramid, placement: Placement, rect: Rect) -> None:
        """Keep what is there, and sample what comes into sight with the next frames of the drag."""
        before = self._rect
        ahead = Rect(
            left=rect.left - AHEAD_PX * (rect.left < before.left),
            top=rect.top - AHEAD_PX * (rect.top < before.top),
            right=rect.right + AHEAD_PX * (rect.right > before.right),
            bottom=rect.bottom + AHEAD_PX * (rect.bottom > before.bottom),
        ).common(placement.covered)
        kept = ahead.common(before)
        self._spare, pixels = _shaped(self._spare, (ahead.height, ahead.width))
        np.copyto(ahead.of(pixels, kept), before.of(self._pixels, kept))
        for strip in ahead.without(kept):
            sample(pyramid, placement.grid, strip, ahead.of(pixels, strip))
        self._memory, self._spare = self._spare, self._memory
        self._rect, self._pixels = ahead, pixels


class _Strips:
    """Draws stored values through a table, some rows at a time: a strip stays in the processor's cache."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.int32)
        self._colours = np.empty((1, TABLE_SIZE, 4), np.uint8)

    def draw(
        self,
        painter: QPainter,
        corner: QPoint,
        stored: npt.NDArray[np.uint16],
        table: DisplayTable,
        outline: QPolygonF | None,
    ) -> None:
        """Draw in pixels of the screen.

        Args:
            painter: where one unit is one pixel.
            corner: where the first pixel goes.
            stored: (H, W) uint16.
            table: display level of every stored value.
            outline: draw only what is inside, with smooth edges; None draws everything.
        """
        rows, cols = stored.shape
        most = rows if outline is not None else min(rows, STRIP_ROWS)
        self._memory, strip = _shaped(self._memory, (most, cols))
        picture = QImage(strip.data, cols, most, cols * 4, QImage.Format.Format_RGB32)
        cv2.cvtColor(table.levels.reshape(1, -1), cv2.COLOR_GRAY2BGRA, dst=self._colours)  # grey, opaque
        colours = self._colours.view(np.int32).ravel()
        for top in range(0, rows, most):
            count = min(most, rows - top)
            cv2.LUT(stored[top : top + count], colours, strip[:count])
            at = QPoint(corner.x(), corner.y() + top)
            if outline is None:
                painter.drawImage(at, picture, QRect(0, 0, cols, count))
            else:
                brush = QBrush(picture)
                brush.setTransform(QTransform.fromTranslate(at.x(), at.y()))
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(brush)
                painter.drawPolygon(outline)


def _shaped(memory: npt.NDArray[Scalar], shape: tuple[int, int]) -> tuple[npt.NDArray[Scalar], npt.NDArray[Scalar]]:
    """An array of a shape in memory that is kept from frame to frame; new memory when it is too small or far too large.

    Fresh memory would have to be mapped page by page for every frame, which costs as much as filling it.
    """
    size = shape[0] * shape[1]
    if not size <= memory.size <= 4 * size + 65536:
        memory = np.empty(size, memory.dtype)
    return memory, memory[:size].reshape(shape)


def _screen_rect(painter: QPainter, widget: QWidget | None, base: QTransform) -> Rect:
    """The pixels of the screen that are painted."""
    area = QRect(0, 0, painter.device().width(), painter.device().height()) if widget is None else widget.rect()
    rect = base.mapRect(QRectF(area)).adjusted(ON_GRID_PX, ON_GRID_PX, -ON_GRID_PX, -ON_GRID_PX).toAlignedRect()
    return Rect(left=rect.left(), top=rect.top(), right=rect.left() + rect.width(), bottom=rect.top() + rect.height())


def _is_upright(transform: QTransform) -> bool:
    """Whether the image's sides are parallel to those of the screen."""
    across = abs(transform.m12()) + abs(transform.m21())
    along = abs(transform.m11()) + abs(transform.m22())
    return min(across, along) < 1e-9 * max(across, along)
