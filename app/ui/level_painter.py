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
from app.core.resampling import Rect, Stored

STRIP_ROWS = 192
WITHOUT_BLENDING = (QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32_Premultiplied)
ON_EDGE_PX = 1e-3

Scalar = TypeVar("Scalar", bound=np.generic)


class LevelPainter:
    """Draws stored values through a table; keeps its memory from frame to frame."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.int32)
        self._colours = np.empty((1, TABLE_SIZE, 4), np.uint8)

    def draw(
        self, painter: QPainter, base: QTransform, where: Rect, stored: Stored, table: DisplayTable,
        outline: QPolygonF | None,
    ) -> None:  # fmt: skip
        """Draw in pixels of the screen.

        Args:
            painter: as an item's `paint` gets it.
            base: from the painter's logical pixels, before any item's transform, to pixels of the screen.
            where: which pixels of the screen.
            stored: (where.height, where.width) uint16.
            table: display level of every stored value.
            outline: pixels of the screen; draw only what is inside, with smooth edges. None draws everything.
        """
        cv2.cvtColor(table.levels.reshape(1, -1), cv2.COLOR_GRAY2BGRA, dst=self._colours)  # grey, opaque
        colours = self._colours.view(np.int32).ravel()
        if outline is None and _write(painter, where, stored, colours):
            return
        painter.save()
        painter.setWorldTransform(base.inverted()[0])  # from here on one unit is one pixel of the screen
        self._draw_strips(painter, where, stored, colours, outline)
        painter.restore()

    def _draw_strips(
        self,
        painter: QPainter,
        where: Rect,
        stored: Stored,
        colours: npt.NDArray[np.int32],
        outline: QPolygonF | None,
    ) -> None:
        rows, cols = stored.shape
        most = rows if outline is not None else min(rows, STRIP_ROWS)
        self._memory, strip = shaped(self._memory, (most, cols))
        picture = QImage(strip.data, cols, most, cols * 4, QImage.Format.Format_RGB32)
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


def _write(painter: QPainter, where: Rect, stored: Stored, colours: npt.NDArray[np.int32]) -> bool:
    """Write the colours into the picture that Qt's raster engine paints in; False if that must be left to Qt.

    Nothing is written outside the region that Qt lets the painter paint (the exposed part of the widget).
    """
    engine = painter.paintEngine()
    if engine is None or engine.type() != QPaintEngine.Type.Raster or painter.opacity() != 1.0:
        return False
    target = engine.paintDevice()
    if not isinstance(target, QImage) or target.format() not in WITHOUT_BLENDING:
        return False
    if painter.compositionMode() != QPainter.CompositionMode.CompositionMode_SourceOver:
        return False
    if painter.hasClipping() and not _is_clip_around(painter, where):
        return False
    whole = Rect(left=0, top=0, right=target.width(), bottom=target.height())
    exposed = engine.systemClip()
    rects: Iterable[QRect] = exposed  # type: ignore[assignment]  # the stubs do not know that regions can be iterated
    parts = [_rect(rect).common(whole) for rect in rects] if not exposed.isEmpty() else [whole]
    screen = np.frombuffer(target.bits(), np.int32).reshape(target.height(), target.bytesPerLine() // 4)
    for part in (part.common(where) for part in parts):
        if part.area:
            cv2.LUT(where.of(stored, part), colours, screen[part.top : part.bottom, part.left : part.right])
    return True


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
