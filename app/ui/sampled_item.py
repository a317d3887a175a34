"""Stored values inside a pyqtgraph ViewBox, painted through a table of colours at the resolution of the screen.

Three steps: the pyramid (for a new image), a buffer of stored values as large as the visible part of the image (for a
new transform; moved, not sampled again, when the image is moved by whole screen pixels), and one 16-bit look-up of that
buffer, strip by strip, into what is drawn (for every paint, so that no old window can stay anywhere).
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.pyramid import ImagePyramid
from app.core.resampling import ON_GRID_PX, Placement, Rect, SampleGrid, place, sample

STRIP_ROWS = 192
AHEAD_PX = 64  # screen pixels that are sampled beyond what comes into sight, in the direction of a drag
LEAST_KEPT = 0.5  # share of the visible part that must be there already to be moved instead of sampled anew

Scalar = TypeVar("Scalar", bound=np.generic)
Colours = npt.NDArray[np.int32]
"""(65536,) int32: the colour of every stored value, 0xAARRGGBB, in the format of the item's pictures."""


class Visible(NamedTuple):
    """What of an item is on the screen, sampled.

    Args:
        stored: (H, W) uint16; valid until the next paint.
        corner: pixel of the screen that the first one is.
        grid: how it was sampled.
        rect: which pixels, relative to the one that holds the item's origin.
        outline: the item's edges on the screen where they are slanted; None = they are the picture's.
    """

    stored: npt.NDArray[np.uint16]
    corner: QPoint
    grid: SampleGrid
    rect: Rect
    outline: QPolygonF | None


class SampledItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """One array of stored values in coordinates of its own: x right, y down, px, origin at the corner of the first.

    The item may be turned and mirrored (`setTransform`): the pyramid is sampled once, through the whole transform.

    Args:
        picture_format: of what the table of colours gives; one with 32 bits.
        squares_from_scale: logical screen px per px of the array from which on single pixels are shown as squares.
    """

    def __init__(self, picture_format: QImage.Format, *, squares_from_scale: float) -> None:
        super().__init__()
        self._pyramid: ImagePyramid | None = None
        self._colours: Colours | None = None
        self._format = picture_format
        self._squares_from_scale = squares_from_scale
        self._stored = _StoredPart()
        self._strips = _Strips()

    @property
    def pyramid(self) -> ImagePyramid | None:
        """What is on show."""
        return self._pyramid

    def set_pyramid(self, pyramid: ImagePyramid | None) -> None:
        """Show other values; None shows nothing."""
        self.prepareGeometryChange()
        self._pyramid = pyramid
        self._stored.forget()
        if pyramid is None:
            self._stored, self._strips = _StoredPart(), _Strips()  # an empty pane holds no memory
        self.update()

    def set_colours(self, colours: Colours | None) -> None:
        """Show the same values in other colours; None shows nothing."""
        self._colours = colours
        self.update()

    def boundingRect(self) -> QRectF:
        """The image's extent, px."""
        if self._pyramid is None:
            return QRectF()
        return QRectF(0, 0, self._pyramid.cols, self._pyramid.rows)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the visible part of the image, pixel by pixel of the screen."""
        if self._pyramid is None or self._colours is None:
            return
        to_screen = painter.deviceTransform()
        logical, is_invertible = painter.worldTransform().inverted()
        if not is_invertible or abs(to_screen.determinant()) < 1e-12:
            return
        base = logical * to_screen  # from logical pixels of the widget to pixels of the screen
        squares_from = self._squares_from_scale * abs(base.determinant()) ** 0.5
        affine = (to_screen.m11(), to_screen.m12(), to_screen.m21(), to_screen.m22(), to_screen.dx(), to_screen.dy())
        placement = place(self._pyramid, affine, squares_from=squares_from)
        origin_x, origin_y = placement.origin_xy
        visible = placement.covered.common(_screen_rect(painter, widget, base).moved(-origin_x, -origin_y))
        if not visible.area:
            return
        stored = self._stored.pixels(self._pyramid, placement, visible)
        outline = None if _is_upright(to_screen) else to_screen.map(QPolygonF(self.boundingRect()))
        corner = QPoint(visible.left + origin_x, visible.top + origin_y)
        painter.save()
        painter.setWorldTransform(base.inverted()[0])  # from here on one unit is one pixel of the screen
        self.draw(painter, Visible(stored, corner, placement.grid, visible, outline), self._colours)
        painter.restore()

    def draw(self, painter: QPainter, visible: Visible, colours: Colours) -> None:
        """Draw stored values in their colours.

        Args:
            painter: where one unit is one pixel of the screen.
            visible: what is drawn.
            colours: of every stored value.
        """
        self._strips.draw(painter, visible, colours, self._format)


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

    def draw(self, painter: QPainter, visible: Visible, colours: Colours, picture_format: QImage.Format) -> None:
        """Draw all of it, or what is within its outline, with smooth edges."""
        rows, cols = visible.stored.shape
        most = rows if visible.outline is not None else min(rows, STRIP_ROWS)
        self._memory, strip = _shaped(self._memory, (most, cols))
        picture = QImage(strip.data, cols, most, cols * 4, picture_format)
        for top in range(0, rows, most):
            count = min(most, rows - top)
            cv2.LUT(visible.stored[top : top + count], colours, strip[:count])
            at = QPoint(visible.corner.x(), visible.corner.y() + top)
            if visible.outline is None:
                painter.drawImage(at, picture, QRect(0, 0, cols, count))
            else:
                brush = QBrush(picture)
                brush.setTransform(QTransform.fromTranslate(at.x(), at.y()))
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(brush)
                painter.drawPolygon(visible.outline)


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
