"""A radiograph inside a pyqtgraph ViewBox, painted at the resolution of the screen.

Three steps: the pyramid (for a new image), a buffer of stored values as large as the visible part of the image (for a
new transform; moved, not sampled again, when the image is moved by whole screen pixels), and one 16-bit look-up of that
buffer into what is drawn (for every paint, so that no old window can stay anywhere).

While an image is being zoomed the second step takes a short cut, which is at most a thirtieth of a pixel off; as soon
as it stands still it is sampled again (ADR 0117).
"""

from __future__ import annotations

import math
import time
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRect, QRectF, QTimer
from PySide6.QtGui import QPainter, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.grey import DisplayTable
from app.core.pyramid import ImagePyramid
from app.core.quick_sampling import room_for, sample_quickly
from app.core.resampling import ON_GRID_PX, Placement, Rect, SampleGrid, place, sample
from app.ui.level_painter import LevelPainter, Over, shaped

SQUARES_FROM_SCALE = 8.0  # logical screen px per image px: from here on single pixels are squares (ADR 0102)
AHEAD_PX = 64  # screen pixels that are sampled beyond what comes into sight, in the direction of a drag
LEAST_KEPT = 0.5  # share of the visible part that must be there already to be moved instead of sampled anew
STILL_AFTER_S = 0.2  # an image that is shown at another zoom again so soon is being zoomed


class Carried(Protocol):
    """What lies on an image and is painted together with it."""

    def over(self, to_screen: QTransform, visible: Rect, *, may_be_quick: bool) -> Over | None:
        """What to paint over the image now; None for nothing.

        Args:
            to_screen: from image coordinates to pixels of the screen.
            visible: the pixels of the screen that the image is painted in.
            may_be_quick: whether what is being zoomed may be sampled by the short cut.
        """


class RadiographItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """One radiograph in image coordinates: x right, y down, px, origin at the corner of the first pixel.

    The item may be turned and mirrored (`setTransform`): the pyramid is sampled once, through the whole transform.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: ImagePyramid | None = None
        self._table: DisplayTable | None = None
        self._stored = SampledPart()
        self._levels = LevelPainter()
        self._carried: Carried | None = None
        self._still = QTimer(self, singleShot=True)
        self._still.timeout.connect(self._stand_still)

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
            self._stored, self._levels = SampledPart(), LevelPainter()  # an empty pane holds no memory
        self.update()

    def set_table(self, table: DisplayTable) -> None:
        """Show the same image through another window."""
        self._table = table
        self.update()

    def carry(self, carried: Carried | None) -> None:
        """Paint something together with the image: both are then written in one stroke."""
        self._carried = carried
        self.update()

    @property
    def can_carry(self) -> bool:
        """Whether it is painted, opaque and in image coordinates, so that it can paint something with it."""
        is_there = self._pyramid is not None and self._table is not None and self.isVisible()
        return is_there and self.effectiveOpacity() == 1 and self.transform().isIdentity()

    def boundingRect(self) -> QRectF:
        """The image's extent, px."""
        if self._pyramid is None:
            return QRectF()
        return QRectF(0, 0, self._pyramid.cols, self._pyramid.rows)

    def covered_rect(self) -> QRectF:
        """The part of the scene that it paints quite opaquely, whole pixels of any screen; empty if not known."""
        to_scene = self.sceneTransform()
        if self._pyramid is None or not is_upright(to_scene) or not self.isVisible() or self.effectiveOpacity() < 1:
            return QRectF()
        rect = to_scene.mapRect(self.boundingRect())
        left, top = math.ceil(rect.left()) + 1, math.ceil(rect.top()) + 1
        right, bottom = math.floor(rect.right()) - 1, math.floor(rect.bottom()) - 1
        return QRectF(left, top, max(0, right - left), max(0, bottom - top))

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
        visible = placement.covered.common(screen_rect(painter, widget, base).moved(-origin_x, -origin_y))
        if not visible.area:
            return
        stored = self._stored.pixels(self._pyramid, placement, visible, may_be_quick=widget is not None)
        if self._stored.is_quick and not self._still.isActive():
            self._still.start(round(1000 * STILL_AFTER_S))
        outline = None if is_upright(to_screen) else to_screen.map(QPolygonF(self.boundingRect()))
        where, over = visible.moved(origin_x, origin_y), None
        if self._carried is not None and outline is None:
            over = self._carried.over(to_screen, where, may_be_quick=widget is not None)
        self._levels.draw(painter, base, where, stored, self._table, outline, over)

    def _stand_still(self) -> None:
        """Sample again what the short cut has sampled, once the zoom rests."""
        left_s = STILL_AFTER_S - (time.monotonic() - self._stored.sampled_s)
        if left_s > 0:
            self._still.start(math.ceil(1000 * left_s))
        elif self._stored.is_quick:
            self._stored.forget()
            self.update()


class SampledPart:
    """The stored values of the visible part of an image, sampled for one grid, and a little more where it moves to."""

    def __init__(self) -> None:
        self._grid: SampleGrid | None = None
        self._rect = Rect(left=0, top=0, right=0, bottom=0)
        self._pixels: npt.NDArray[np.uint16] = np.empty((0, 0), np.uint16)
        self._memory = np.empty(0, np.uint16)
        self._spare = np.empty(0, np.uint16)
        self.sampled_s = -math.inf
        """When all of it was sampled last, `time.monotonic`."""
        self.is_quick = False
        """Whether that was done by the short cut."""
        self.changes = 0
        """How often anything was sampled: while it is the same, what is here is the same."""

    @property
    def everything(self) -> tuple[Rect, npt.NDArray[np.uint16]]:
        """What is here: pixels of the screen relative to the image's origin, and their values."""
        return self._rect, self._pixels

    def forget(self) -> None:
        """Another image: nothing of what is here may be shown again."""
        self._grid, self.sampled_s = None, -math.inf

    def pixels(
        self, pyramid: ImagePyramid, placement: Placement, rect: Rect, *, may_be_quick: bool
    ) -> npt.NDArray[np.uint16]:
        """The stored values of a rectangle of the screen, relative to the image's origin; valid until the next call.

        Args:
            pyramid: the image.
            placement: where it is.
            rect: which pixels of the screen.
            may_be_quick: whether an image that is being zoomed may be sampled by the short cut.
        """
        grid = placement.grid
        kept = rect.common(self._rect)
        if grid != self._grid or kept.area < LEAST_KEPT * rect.area:
            now_s = time.monotonic()
            is_zoomed = now_s - self.sampled_s < STILL_AFTER_S and _is_zoomed(self._grid, grid)
            quick = None
            if is_zoomed and may_be_quick:
                self._memory, room = shaped(self._memory, (1, room_for(rect)))
                quick = sample_quickly(pyramid, grid, rect, room.ravel())
            self.is_quick = quick is not None
            if quick is None:
                self._memory, quick = shaped(self._memory, (rect.height, rect.width))
                sample(pyramid, grid, rect, quick)
            self.changes += 1
            self._grid, self._rect, self._pixels, self.sampled_s = grid, rect, quick, now_s
        elif kept != rect:
            self._extend(pyramid, placement, rect)
        return self._rect.of(self._pixels, rect)

    def _extend(self, pyramid: ImagePyramid, placement: Placement, rect: Rect) -> None:
        """Keep what is there, and sample what comes into sight with the next frames of the drag."""
        before = self._rect
        # a side that nothing new comes in at keeps what it has in reserve, or slanting drags would extend every frame
        ahead = Rect(
            left=rect.left - AHEAD_PX if rect.left < before.left else max(before.left, rect.left - AHEAD_PX),
            top=rect.top - AHEAD_PX if rect.top < before.top else max(before.top, rect.top - AHEAD_PX),
            right=rect.right + AHEAD_PX if rect.right > before.right else min(before.right, rect.right + AHEAD_PX),
            bottom=rect.bottom + AHEAD_PX
            if rect.bottom > before.bottom
            else min(before.bottom, rect.bottom + AHEAD_PX),
        ).common(placement.covered)
        kept = ahead.common(before)
        self._spare, pixels = shaped(self._spare, (ahead.height, ahead.width))
        np.copyto(ahead.of(pixels, kept), before.of(self._pixels, kept))
        for strip in ahead.without(kept):
            sample(pyramid, placement.grid, strip, ahead.of(pixels, strip))
        self._memory, self._spare = self._spare, self._memory
        self._rect, self._pixels = ahead, pixels
        self.changes += 1


def _is_zoomed(before: SampleGrid | None, after: SampleGrid) -> bool:
    """Whether an image that lay in one way lies in another as it does while it is being zoomed, neither turned."""
    if before is None or before == after:
        return False
    change = 2.0 ** (after.level - before.level)
    pairs = zip(before.matrix, after.matrix, strict=True)
    return all(0.5 < change * its / mine < 2 if mine and its else mine == its for mine, its in pairs)


def screen_rect(painter: QPainter, widget: QWidget | None, base: QTransform) -> Rect:
    """The pixels of the screen that are painted."""
    area = QRect(0, 0, painter.device().width(), painter.device().height()) if widget is None else widget.rect()
    rect = base.mapRect(QRectF(area)).adjusted(ON_GRID_PX, ON_GRID_PX, -ON_GRID_PX, -ON_GRID_PX).toAlignedRect()
    return Rect(left=rect.left(), top=rect.top(), right=rect.left() + rect.width(), bottom=rect.top() + rect.height())


def is_upright(transform: QTransform) -> bool:
    """Whether the image's sides are parallel to those of the screen."""
    across = abs(transform.m12()) + abs(transform.m21())
    along = abs(transform.m11()) + abs(transform.m22())
    return min(across, along) < 1e-9 * max(across, along)
