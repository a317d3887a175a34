"""Half-transparent colours over a radiograph, as from a heatmap.

The values of the map are sampled at the resolution of the screen just as the image itself is (`app/ui/image_item.py`):
exactly when it stands still, by the short cut while it is zoomed, moved when it is dragged. Colours come last, by a
look-up of what was sampled. Where the map lies upright on its image the image paints it, in the same stroke: a pixel's
value and the display level below it look up what is seen (ADR 0250). Qt blends the rest, and what is painted again and
is transparent in many places, which it skips.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QRectF, Qt, QTimer
from PySide6.QtGui import QBrush, QImage, QPainter, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.pyramid import ImagePyramid, build_pyramid
from app.core.resampling import Rect, place
from app.ui.image_item import STILL_AFTER_S, RadiographItem, SampledPart, is_upright, screen_rect
from app.ui.level_painter import Colours, LevelPainter, Over
from app.ui.shutter_item import ShutterItem

MOST = 65535  # the value of the last colour
STEPS = 256  # values that share a colour: 256 colours are told apart
DENSE = 0.9  # share of the visible pixels with a colour from which Qt's blending takes longer
BESIDE_PX = 8  # pixels of the map that are kept around what has a colour: its smaller levels average as many
INSIDE_PX = 1e-6


class HeatItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """A map of values over an image, a child of what the image is in (`ImagePane.add_overlay`)."""

    def __init__(self) -> None:
        super().__init__()
        self._values: npt.NDArray[np.uint16] | None = None
        self._palette: npt.NDArray[np.int32] | None = None
        self._seen: _Seen | None = None
        self._sampled = SampledPart()
        self._painted = -1  # `changes` of what was painted last …
        self._picture: QImage | None = None  # … and in colours, if it was painted twice …
        self._is_dense = False  # … and not most of it has a colour
        self._painter = LevelPainter()
        self._on_image: tuple[ImagePyramid | None, QRectF | None] | None = None  # an image, and where it lies on it
        self._image: RadiographItem | None = None
        self._shutter: ShutterItem | None = None
        self._still = QTimer(self, singleShot=True, interval=round(1000 * STILL_AFTER_S))
        self._still.timeout.connect(self._stand_still)

    def lie_on(self, image: RadiographItem | None, shutter: ShutterItem | None) -> None:
        """Be painted together with an image wherever nothing is seen between them; None: by itself.

        Args:
            image: the image, which has the same parent.
            shutter: what is painted over the image, but under this.
        """
        for item, carried in ((self._image, None), (image, self)):
            if item is not None:
                item.carry(carried)
        self._image, self._shutter = image, shutter
        self.update()

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
        self._palette = premultiplied(rgba)[STEPS // 2 :: STEPS]  # of the middle of each step
        self._forget()

    @property
    def is_due(self) -> bool:
        """Whether it may be painted now."""
        return True

    def boundingRect(self) -> QRectF:
        """The map's extent, px."""
        if self._values is None:
            return QRectF()
        return QRectF(0, 0, self._values.shape[1], self._values.shape[0])

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Lay the map over the image, unless the image has painted it."""
        logical, is_invertible = painter.worldTransform().inverted()
        if not is_invertible or not self.is_due or self._is_carried():
            return
        to_screen = painter.deviceTransform()
        base = logical * to_screen  # from logical pixels of the widget to pixels of the screen
        seen = self._look()
        has_edges = seen is not None and not seen.is_soft and not is_upright(to_screen)
        outline = to_screen.map(QPolygonF(seen.rect)) if has_edges and seen is not None else None
        over = self._sample(to_screen, screen_rect(painter, widget, base), outline, may_be_quick=widget is not None)
        if over is not None:
            self._painter.lay(painter, base, over, outline)

    def over(self, to_screen: QTransform, visible: Rect, *, may_be_quick: bool) -> Over | None:
        """What the image has to paint with itself; see `Carried`."""
        if not self.isVisible() or not self.is_due or not self._is_carried():
            return None
        return self._sample(self.transform() * to_screen, visible, None, may_be_quick=may_be_quick)

    def _is_carried(self) -> bool:
        """Whether the image paints this; the image and this must come to the same answer."""
        image, shutter, seen = self._image, self._shutter, self._look()
        if image is None or seen is None or not image.can_carry or self.effectiveOpacity() != 1:
            return False
        if self.parentItem() is not image.parentItem() or not is_upright(image.sceneTransform()):
            return False
        if self._on_image is None or self._on_image[0] is not image.pyramid:
            self._on_image = image.pyramid, _rect_within(seen.rect, self.transform(), image.boundingRect())
        where = self._on_image[1]
        if where is None:
            return False
        return shutter is None or not shutter.is_dark or not shutter.path().intersects(where)

    def _sample(
        self, to_screen: QTransform, visible: Rect, outline: QPolygonF | None, *, may_be_quick: bool
    ) -> Over | None:
        """What of it is seen.

        Args:
            to_screen: from the map's coordinates to pixels of the screen.
            visible: the pixels of the screen that may be painted.
            outline: the edges of a slanted map, pixels of the screen.
            may_be_quick: whether it may be sampled by the short cut while it is zoomed.
        """
        seen = self._look()
        if seen is None or abs(to_screen.determinant()) < 1e-12:
            return None
        there = QTransform.fromTranslate(seen.rect.x(), seen.rect.y()) * to_screen
        affine = (there.m11(), there.m12(), there.m21(), there.m22(), there.dx(), there.dy())
        placement = place(seen.pyramid, affine, squares_from=math.inf)
        origin_x, origin_y = placement.origin_xy
        part = placement.covered.common(visible.moved(-origin_x, -origin_y))
        if not part.area:
            return None
        values = self._sampled.pixels(seen.pyramid, placement, part, may_be_quick=may_be_quick)
        if self._sampled.is_quick and not self._still.isActive():
            self._still.start()
        where = part.moved(origin_x, origin_y)
        rect, _ = self._sampled.everything
        corner = QPoint(rect.left + origin_x, rect.top + origin_y)
        if self._painted != self._sampled.changes:
            self._painted, self._picture, self._is_dense = self._sampled.changes, None, False
        elif self._picture is None and not self._is_dense:
            self._is_dense = outline is None and seen.density(there, where) >= DENSE
            if not self._is_dense:
                self._picture = self._in_colours(seen, None if outline is None else outline.translated(-corner))
        at = QPoint(where.left, where.top) - corner
        colours, mixed = seen.colours, seen.mixed
        return Over(where=where, values=values, colours=colours, mixed=mixed, picture=self._picture, at=at)

    def _in_colours(self, seen: _Seen, outline: QPolygonF | None) -> QImage:
        """Everything that was sampled in colours; of a slanted map only what lies inside its edges."""
        _, values = self._sampled.everything
        rows, cols = values.shape
        picture = QImage(cols, rows, QImage.Format.Format_ARGB32_Premultiplied)
        cv2.LUT(values, seen.colours, np.frombuffer(picture.bits(), np.int32).reshape(rows, cols))
        if outline is None:
            return picture
        inside = QImage(picture.size(), picture.format())
        inside.fill(Qt.GlobalColor.transparent)
        painter = QPainter(inside)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(picture))
        painter.drawPolygon(outline)
        painter.end()
        return inside

    def _stand_still(self) -> None:
        """Sample again what the short cut has sampled, once the zoom rests."""
        if self._sampled.is_quick:
            self._sampled.forget()
            self.update()

    def _forget(self) -> None:
        self._seen, self._picture, self._on_image = None, None, None
        self._sampled.forget()
        self.update()

    def _look(self) -> _Seen | None:
        """What there is to paint; None for nothing."""
        if self._seen is None and self._values is not None and self._palette is not None:
            self._seen = _Seen(self._values, self._palette)
        return self._seen if self._seen is not None and not self._seen.rect.isEmpty() else None


def _rect_within(rect: QRectF, to_image: QTransform, image: QRectF) -> QRectF | None:
    """Where a rectangle lies on an image, image coordinates; None if it is slanted or sticks out."""
    where = to_image.mapRect(rect)
    whole = image.adjusted(-INSIDE_PX, -INSIDE_PX, INSIDE_PX, INSIDE_PX)
    return where if is_upright(to_image) and whole.contains(where) else None


class _Seen:
    """The part of a map that is not quite transparent.

    Attributes:
        rect: which part, px; empty if there is none.
        pyramid: the numbers of its colours, 0 … 255.
        colours: see `Over`.
        mixed: see `Over`.
        is_soft: whether it is quite transparent along its edges, so that it need not be cut off there.
    """

    def __init__(self, values: npt.NDArray[np.uint16], palette: npt.NDArray[np.int32]) -> None:
        self.colours: Colours = np.concatenate([palette, np.zeros(MOST + 1 - len(palette), np.int32)])
        self.mixed = mixed(palette)
        numbers = values // np.uint16(STEPS)
        is_coloured = np.asarray(cv2.LUT(numbers, (self.colours != 0).astype(np.uint8)), np.uint8)
        rows, cols = (np.flatnonzero(is_coloured.any(axis=axis)) for axis in (1, 0))
        self.rect, self.pyramid, self._is_coloured = QRectF(), ImagePyramid((numbers,)), is_coloured
        if rows.size:
            top, bottom = max(0, int(rows[0]) - BESIDE_PX), min(values.shape[0], int(rows[-1]) + 1 + BESIDE_PX)
            left, right = max(0, int(cols[0]) - BESIDE_PX), min(values.shape[1], int(cols[-1]) + 1 + BESIDE_PX)
            self.rect = QRectF(left, top, right - left, bottom - top)
            self.pyramid = build_pyramid(np.ascontiguousarray(numbers[top:bottom, left:right]))
            self._is_coloured = is_coloured[top:bottom, left:right]
        edges = [self.pyramid.levels[0][side] for side in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])]
        # what is interpolated between values below the first that has a colour has none
        self.is_soft = max(int(edge.max()) for edge in edges) < int(np.argmax(self.colours != 0))

    def density(self, to_screen: QTransform, where: Rect) -> float:
        """Share of some pixels of the screen that have a colour.

        Args:
            to_screen: from this part to pixels of the screen.
            where: the pixels.
        """
        on_screen = QRectF(where.left, where.top, where.width, where.height)
        part = to_screen.inverted()[0].mapRect(on_screen).toAlignedRect() & self.rect.toRect().translated(
            -self.rect.topLeft().toPoint()
        )
        is_coloured = self._is_coloured[part.top() : part.bottom() + 1, part.left() : part.right() + 1]
        return cv2.countNonZero(is_coloured) / is_coloured.size if is_coloured.size else 0.0


def mixed(palette: npt.NDArray[np.int32]) -> Colours:
    """What is seen where a colour lies over a display level, at 256 × level + colour; exactly as Qt blends them.

    Args:
        palette: (256,) 0xAARRGGBB, premultiplied.
    """
    colours = palette.view(np.uint32)
    below = np.arange(256, dtype=np.uint32)[:, np.newaxis] * (255 - (colours >> 24))
    below = (below + (below >> 8) + 0x80) >> 8  # divided by 255 and rounded
    seen: Colours = (0xFF000000 | (colours & 0xFFFFFF) + below * 0x010101).astype(np.uint32).view(np.int32).ravel()
    return seen


def premultiplied(rgba: npt.NDArray[np.uint8]) -> Colours:
    """The colour of every value 0 … 65535, ARGB, premultiplied.

    Args:
        rgba: (N, 4) uint8, N ≥ 2, for values in equal steps from 0 to 65535; between them the nearest is taken.
    """
    steps = np.rint(np.linspace(0, len(rgba) - 1, MOST + 1)).astype(np.intp)
    alpha = rgba[:, 3].astype(np.uint32)
    red, green, blue = ((rgba[:, channel].astype(np.uint32) * alpha + 127) // 255 for channel in range(3))
    return ((alpha << 24 | red << 16 | green << 8 | blue).astype(np.uint32).view(np.int32))[steps]
