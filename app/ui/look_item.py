"""What a model was shown of an image, and where its deformable layers looked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.geometry import Crop, inverted
from app.ui.theme import OVER_IMAGE, TEXT_S, font

EXTENT = 1e6
DASH = (2.0, 5.0)
LINE_PX, HALO_PX = 1.5, 3.5
LEAST_WEIGHT = 1.3  # points that received hardly more attention than the average are left out
RADIUS_SHARE = 1 / 130  # of the frame's side: radius of a point of average weight
SMALLEST_RADIUS_PX, LARGEST_RADIUS_PX = 0.9, 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What one model has looked at in one image.

    Args:
        cut: what it was shown.
        is_framed: whether to draw the edges of that.
        is_dashed: whether these are dashed: a proposal.
        points: (N, 3) float32: place in px of the cut, and weight (1 = average); None without.
    """

    cut: Crop
    is_framed: bool = False
    is_dashed: bool = False
    points: npt.NDArray[np.float32] | None = None


class LookItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """A frame, points and a mark over one image, in image coordinates; all keep their size on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self._look: Look | None = None
        self._mark = ""
        self._is_mark_shown = True

    def set_look(self, look: Look | None) -> None:
        """Show something else; None shows nothing."""
        self._look = look
        self._mark = self._mark if look is not None else ""
        self.update()

    def set_mark(self, mark: str) -> None:
        """What is written at the upper edge of what the model was shown."""
        self._mark = mark
        self.update()

    def set_mark_shown(self, is_shown: bool) -> None:
        """Show or hide the mark: it belongs to the heatmap."""
        self._is_mark_shown = is_shown
        self.update()

    def boundingRect(self) -> QRectF:
        """Without bounds: what a model was shown may stick out of the image."""
        return QRectF(-EXTENT, -EXTENT, 2 * EXTENT, 2 * EXTENT)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw in logical px."""
        look = self._look
        if look is None or widget is None:
            return
        to_screen = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        frame = QPolygonF([to_screen.map(QPointF(*xy)) for xy in (*look.cut.corners_xy, look.cut.corners_xy[0])])
        if look.is_framed:
            _paint_frame(painter, frame, is_dashed=look.is_dashed)
        if look.points is not None:
            _paint_points(painter, to_screen, look.cut, look.points)
        if self._mark and self._is_mark_shown:
            paint_mark(painter, frame.boundingRect(), self._mark, QRectF(widget.rect()))
        painter.restore()


def _paint_frame(painter: QPainter, frame: QPolygonF, *, is_dashed: bool) -> None:
    halo = QColor(OVER_IMAGE.image)
    halo.setAlpha(150)
    painter.setPen(QPen(halo, HALO_PX))
    painter.drawPolyline(frame)
    pen = QPen(QColor(OVER_IMAGE.accent), LINE_PX)
    if is_dashed:
        pen.setDashPattern(DASH)
    painter.setPen(pen)
    painter.drawPolyline(frame)


def _paint_points(painter: QPainter, to_screen: QTransform, cut: Crop, points: npt.NDArray[np.float32]) -> None:
    strong = points[points[:, 2] >= LEAST_WEIGHT]
    back = inverted(cut.to_crop)
    places = np.column_stack([strong[:, :2], np.ones(len(strong))]) @ back.T
    fill = QColor(OVER_IMAGE.data[1])
    fill.setAlpha(190)
    painter.setPen(QPen(QColor(OVER_IMAGE.image), 0.8))
    painter.setBrush(fill)
    side_px = float(np.hypot(*(back[:, 0] * cut.size_px))) * abs(to_screen.determinant()) ** 0.5
    radius_px = max(side_px * RADIUS_SHARE, SMALLEST_RADIUS_PX)
    for number in np.argsort(strong[:, 2]):  # the strongest on top
        radius = min(radius_px * float(strong[number, 2]) ** 0.5, LARGEST_RADIUS_PX)
        painter.drawEllipse(to_screen.map(QPointF(*places[number])), radius, radius)


def paint_mark(painter: QPainter, area: QRectF, words: str, room: QRectF) -> QRectF:
    """Words on a dark plate above an area, inside the widget that is painted.

    Args:
        painter: in logical px.
        area: what the words are about.
        words: for example that a heatmap must not be believed.
        room: the widget. (The painter's viewport is the whole window.)

    Returns:
        Place of the plate.
    """
    face = font(TEXT_S, is_bold=True)
    metrics = QFontMetricsF(face)
    plate = QRectF(0, 0, metrics.horizontalAdvance(words) + 12.0, metrics.height() + 4.0)
    plate.moveBottomLeft(area.topLeft() - QPointF(0.0, 3.0))
    right, bottom = room.width() - plate.width() - 4.0, room.height() - plate.height() - 4.0
    plate.moveTo(max(4.0, min(plate.x(), right)), max(4.0, min(plate.y(), bottom)))
    ground = QColor(OVER_IMAGE.image)
    ground.setAlpha(205)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(plate, 4.0, 4.0)
    painter.setFont(face)
    painter.setPen(QColor(OVER_IMAGE.caution))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)
    return plate
