"""Stored values through a display table onto the screen.

Where Qt paints with the processor the table's colours are written where they are to appear. Everything else, and what
is clipped or blended, is drawn by Qt from strips of some rows that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPaintEngine, QPainter, QPolygonF, QTransform

from app.core.grey import TABLE_SIZE, DisplayTable
from app.core.record import record
from app.core.resampling import Rect, Stored

STRIP_ROWS = 192
MIXED_PX = 1 << 20  # at once: fewer are not shared among processors by cv2, more leave their cache in between
WITHOUT_BLENDING = (QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32_Premultiplied)
ON_EDGE_PX = 1e-3

Scalar = TypeVar("Scalar", bound=np.generic)


Colours = npt.NDArray[np.int32]
"""(65536,) int32: a colour for every value, 0xAARRGGBB, premultiplied."""


@record(frozen=True, slots=True, kw_only=True, eq=False)
class Over:
    """Half-transparent colours over an image.

    Args:
        where: pixels of the screen.
        values: (where.height, where.width) uint16, 0 … 255.
        colours: the colour of every value.
        mixed: what is seen where that value lies over a display level, at 256 × level + value; opaque.
        picture: the values in colours, and perhaps more around them, if Qt is to blend them.
        at: where in the picture `where` begins.
    """

    where: Rect
    values: Stored
    colours: Colours
    mixed: Colours
    picture: QImage | None = None
    at: QPoint = QPoint()  # nobody writes to it


class LevelPainter:
    """Draws stored values through a table; keeps its memory from frame to frame."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.int32)
        self._mixing = np.empty(0, np.uint16)
        self._colours = np.empty((1, TABLE_SIZE, 4), np.uint8)

    def draw(
        self, painter: QPainter, base: QTransform, where: Rect, stored: Stored, table: DisplayTable,
        outline: QPolygonF | None, over: Over | None = None,
    ) -> None:  # fmt: skip
        """Draw in pixels of the screen.

        Args:
            painter: as an item's `paint` gets it.
            base: from the painter's logical pixels, before any item's transform, to pixels of the screen.
            where: which pixels of the screen.
            stored: (where.height, where.width) uint16.
            table: display level of every stored value.
            outline: pixels of the screen; draw only what is inside, with smooth edges. None draws everything.
            over: colours over it, nowhere beside it.
        """
        cv2.cvtColor(table.levels.reshape(1, -1), cv2.COLOR_GRAY2BGRA, dst=self._colours)  # grey, opaque
        colours = self._colours.view(np.int32).ravel()
        mixed = None if over is None or over.picture is not None else over
        if outline is not None or not self._write(painter, where, stored, colours, table, mixed):
            painter.save()
            painter.setWorldTransform(base.inverted()[0])  # from here on one unit is one pixel of the screen
            self._draw_strips(painter, where, stored, colours, outline, QImage.Format.Format_RGB32)
            painter.restore()
            mixed = None
        if over is not None and mixed is None:
            self.lay(painter, base, over, None)

    def lay(self, painter: QPainter, base: QTransform, over: Over, outline: QPolygonF | None) -> None:
        """Let Qt blend colours with what is there; see `draw`. A picture of a slanted map has its edges already."""
        painter.save()
        painter.setWorldTransform(base.inverted()[0])
        where, kind = over.where, QImage.Format.Format_ARGB32_Premultiplied
        if over.picture is not None:
            part = QRect(over.at.x(), over.at.y(), where.width, where.height)
            painter.drawImage(QPoint(where.left, where.top), over.picture, part)
        else:
            self._draw_strips(painter, where, over.values, over.colours, outline, kind)
        painter.restore()

    def _draw_strips(
        self, painter: QPainter, where: Rect, stored: Stored, colours: Colours, outline: QPolygonF | None,
        kind: QImage.Format,
    ) -> None:  # fmt: skip
        rows, cols = stored.shape
        most = rows if outline is not None else min(rows, STRIP_ROWS)
        self._memory, strip = shaped(self._memory, (most, cols))
        picture = QImage(strip.data, cols, most, cols * 4, kind)
        if outline is not None:  # slanted edges are drawn smooth
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for top in range(0, rows, most):
            count = min(most, rows - top)
            cv2.LUT(stored[top : top + count], colours, strip[:count])
            at = QPoint(where.left, where.top + top)
            if outline is None:
                painter.drawImage(at, picture, QRect(0, 0, cols, count))
            else:
                brush = QBrush(picture)
                brush.setTransform(QTransform.fromTranslate(at.x(), at.y()))
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(brush)
                painter.drawPolygon(outline)

    def _write(
        self, painter: QPainter, where: Rect, stored: Stored, colours: Colours, table: DisplayTable, over: Over | None
    ) -> bool:
        """Write the colours into the picture that Qt's raster engine paints in; False if that must be left to Qt.

        Nothing is written outside the region that Qt lets the painter paint (the exposed part of the widget).
        """
        target = _target(painter, where)
        if target is None:
            return False
        screen, parts = target
        for part in (part.common(where) for part in parts):
            mixed = part if over is None else part.common(over.where)
            if over is not None and mixed.area:
                self._mix(where.of(stored, mixed), table, over, mixed, _of(screen, mixed))
                rest = part.without(mixed)
            else:
                rest = [part] if part.area else []
            for piece in rest:
                cv2.LUT(where.of(stored, piece), colours, _of(screen, piece))
        return True

    def _mix(self, stored: Stored, table: DisplayTable, over: Over, part: Rect, out: Colours) -> None:
        """Colours over an image by one look-up for each pair of value and level: nothing is blended pixel by pixel."""
        values, levels = over.where.of(over.values, part), np.left_shift(table.levels, 8, dtype=np.uint16)
        most = max(1, min(part.height, MIXED_PX // part.width))
        self._mixing, room = shaped(self._mixing, (most, part.width))
        for top in range(0, part.height, most):
            rows = slice(top, top + most)
            pairs = room[: len(stored[rows])]
            cv2.LUT(stored[rows], levels, pairs)
            cv2.bitwise_or(pairs, values[rows], pairs)
            cv2.LUT(pairs, over.mixed, out[rows])


def _target(painter: QPainter, where: Rect) -> tuple[npt.NDArray[np.int32], list[Rect]] | None:
    """The picture that Qt's raster engine paints in, (H, W), and the parts of it that the painter may paint.

    None where what is drawn in `where` has to be blended or clipped, or where there is no such picture.
    """
    engine = painter.paintEngine()
    if engine is None or engine.type() != QPaintEngine.Type.Raster or painter.opacity() != 1.0:
        return None
    target = engine.paintDevice()
    if not isinstance(target, QImage) or target.format() not in WITHOUT_BLENDING:
        return None
    if painter.compositionMode() != QPainter.CompositionMode.CompositionMode_SourceOver:
        return None
    if painter.hasClipping() and not _is_clip_around(painter, where):
        return None
    whole = Rect(left=0, top=0, right=target.width(), bottom=target.height())
    exposed = engine.systemClip()
    rects: Iterable[QRect] = exposed  # type: ignore[assignment]  # the stubs do not know that regions can be iterated
    parts = [_rect(rect).common(whole) for rect in rects] if not exposed.isEmpty() else [whole]
    return np.frombuffer(target.bits(), np.int32).reshape(target.height(), target.bytesPerLine() // 4), parts


def _of(screen: npt.NDArray[np.int32], part: Rect) -> npt.NDArray[np.int32]:
    return screen[part.top : part.bottom, part.left : part.right]


def _is_clip_around(painter: QPainter, where: Rect) -> bool:
    """Whether the clip of a painter of upright pictures is a rectangle that holds all of some pixels."""
    inside = QRectF(where.left, where.top, where.width, where.height)
    inside.adjust(ON_EDGE_PX, ON_EDGE_PX, -ON_EDGE_PX, -ON_EDGE_PX)
    return painter.clipRegion().rectCount() == 1 and painter.deviceTransform().mapRect(
        painter.clipBoundingRect()
    ).contains(inside)


def _rect(rect: QRect) -> Rect:
    return Rect(left=rect.left(), top=rect.top(), right=rect.left() + rect.width(), bottom=rect.top() + rect.height())


def shaped(memory: npt.NDArray[Scalar], shape: tuple[int, int]) -> tuple[npt.NDArray[Scalar], npt.NDArray[Scalar]]:
    """An array of a shape in memory that is kept from frame to frame; new memory when it is too small or far too large.

    Fresh memory would have to be mapped page by page for every frame, which costs as much as filling it.
    """
    size = shape[0] * shape[1]
    if not size <= memory.size <= 4 * size + 65536:
        memory = np.empty(size, memory.dtype)
    return memory, memory[:size].reshape(shape)
