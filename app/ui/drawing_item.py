"""Paints what people have drawn on a radiograph: crop frame, box, points, lines and their values."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.geometry import MIN_CLICK_DISTANCE_PX, XY, Alignment, aligned_crop, mapped
from app.core.measurement import Measurement, MeasurementKind, Reading, measure
from app.core.spacing import SpacingSource
from app.store.crops import CropState
from app.ui.captions import SOURCE_WORDS
from app.ui.drawing import Drawing
from app.ui.language import number, say, tr
from app.ui.theme import OVER_IMAGE, TEXT_S, font

HANDLE_PX, PICK_PX = 4.0, 12.0
LINE_PX, HALO_PX = 1.5, 4.0
EXTENT = 1e6
LANDMARK_WORDS = {
    "head-centre": "Head centre",
    "greater-trochanter": "Greater trochanter",
    "lesser-trochanter": "Lesser trochanter",
    "teardrop": "Teardrop",
    "acetabular-edge": "Acetabular edge",
    "neck-centre": "Neck centre",
}
STATE_COLOURS = {
    CropState.UNSEEN: OVER_IMAGE.accent,
    CropState.OUTDATED: OVER_IMAGE.caution,
    CropState.APPROVED: OVER_IMAGE.good,
    CropState.REJECTED: OVER_IMAGE.danger,
}


class DrawingItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """Everything drawn over one image, in image coordinates; lines keep their width on the screen, words stay upright.

    Attributes:
        drawing: what to paint; None = nothing. Call `update` after a change.
    """

    def __init__(self) -> None:
        super().__init__()
        self.drawing: Drawing | None = None

    def boundingRect(self) -> QRectF:
        """Without bounds: an axis may be clicked beyond the edge of the image."""
        return QRectF(-EXTENT, -EXTENT, 2 * EXTENT, 2 * EXTENT)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw in logical px, at the places where the points are on the screen."""
        drawing = self.drawing
        if drawing is None or widget is None:
            return
        to_screen = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = _Brush(painter, to_screen, QRectF(widget.rect()))
        if drawing.region is not None:
            _paint_region(pen, drawing)
        if drawing.alignment is not None:
            _paint_alignment(pen, drawing, drawing.alignment)
        for name, measurement in drawing.measurements.items():
            is_active = drawing.active == f"measurement:{name}"
            _paint_measurement(pen, measurement, measure(measurement, drawing.spacing), is_active=is_active)
        for name, xy in drawing.landmarks.items():
            pen.dot(xy, OVER_IMAGE.data[6], is_strong=drawing.active == f"landmark:{name}")
            pen.words(xy, tr(LANDMARK_WORDS.get(name, name)), OVER_IMAGE.data[6])
        _paint_pending(pen, drawing)
        painter.restore()


class _Brush:
    """Draws lines with a dark halo, so that they are seen on bone and on air.

    Args:
        painter: what draws, in logical px.
        to_screen: image coordinates -> logical px of the pane.
        limits: the pane. (The painter's viewport is the whole window.)
    """

    def __init__(self, painter: QPainter, to_screen: QTransform, limits: QRectF) -> None:
        self._painter = painter
        self._to_screen = to_screen
        self._limits = limits

    def at(self, xy: XY) -> QPointF:
        return self._to_screen.map(QPointF(*xy))

    def lines(self, points: Sequence[XY], colour: str, *, is_closed: bool = False, is_dashed: bool = False) -> None:
        places = QPolygonF([self.at(xy) for xy in (*points, *(points[:1] if is_closed else ()))])
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        halo = QColor(OVER_IMAGE.image)
        halo.setAlpha(150)
        for width, paint in ((HALO_PX, halo), (LINE_PX, QColor(colour))):
            pen = QPen(paint, width)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            if is_dashed and width == LINE_PX:
                pen.setDashPattern([4.0, 4.0])
            self._painter.setPen(pen)
            self._painter.drawPolyline(places)

    def dot(self, xy: XY, colour: str, *, is_strong: bool = False, is_square: bool = False) -> None:
        place, radius = self.at(xy), HANDLE_PX
        if is_strong:
            self._painter.setPen(QPen(QColor(OVER_IMAGE.image), 1.0))
            self._painter.setBrush(QColor(OVER_IMAGE.text))
            self._painter.drawEllipse(place, radius + 3.0, radius + 3.0)
        self._painter.setPen(QPen(QColor(OVER_IMAGE.image), 1.0))
        self._painter.setBrush(QColor(colour))
        if is_square:
            self._painter.drawRect(QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius))
        else:
            self._painter.drawEllipse(place, radius, radius)

    def cross(self, xy: XY, colour: str) -> None:
        place, arm, gap = self.at(xy), 14.0, 5.0
        for width, paint in ((HALO_PX, OVER_IMAGE.image), (LINE_PX, colour)):
            self._painter.setPen(QPen(QColor(paint), width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                self._painter.drawLine(place + QPointF(dx * gap, dy * gap), place + QPointF(dx * arm, dy * arm))

    def words(self, xy: XY, text: str, colour: str, *, second: str = "", line_from: XY | None = None) -> QRectF:
        """A plate with words beside a point, in the pane and off a line that ends there. Returns its place."""
        lines = [line for line in (text, second) if line]
        first, rest = font(TEXT_S, is_bold=True), font(TEXT_S)
        widths = [QFontMetricsF(first if not index else rest).horizontalAdvance(line)
                  for index, line in enumerate(lines)]  # fmt: skip
        height = QFontMetricsF(first).height()
        place = self.at(xy) + QPointF(12.0, -height * len(lines) - 8.0)
        plate = QRectF(place.x(), place.y(), max(widths) + 12.0, height * len(lines) + 6.0)
        limits = self._limits
        is_pushed = plate.right() > limits.width() - 4.0  # over the point, and over what ends there
        if is_pushed and line_from is not None and self.at(line_from).y() < self.at(xy).y():
            plate.moveTop(self.at(xy).y() + 10.0)
        if limits.width() > plate.width() and limits.height() > plate.height():
            right, bottom = limits.width() - plate.width() - 4, limits.height() - plate.height() - 4
            plate.moveTo(min(max(plate.x(), 4.0), right), min(max(plate.y(), 4.0), bottom))
        ground = QColor(OVER_IMAGE.image)
        ground.setAlpha(205)
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(ground)
        self._painter.drawRoundedRect(plate, 4.0, 4.0)
        for index, line in enumerate(lines):
            self._painter.setFont(rest if index else first)
            self._painter.setPen(QColor(OVER_IMAGE.muted if index else colour))
            row = QRectF(plate.x() + 6.0, plate.y() + 3.0 + index * height, plate.width(), height)
            self._painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)
        return plate


def reading_text(reading: Reading) -> str:
    """A value with its unit, as people of the language write it."""
    if reading.unit == "px":
        return f"{number(reading.value, 0)} px"
    return f"{number(reading.value, 1)}{'' if reading.unit == '°' else ' '}{reading.unit}"


def reading_source(reading: Reading) -> str:
    """Where the scale of a length comes from; what else must be known of an angle."""
    if reading.source is None:
        return say(reading.note)
    if reading.source is SpacingSource.NONE:
        return tr("no trusted length scale")
    return tr(SOURCE_WORDS[reading.source])


def _paint_alignment(pen: _Brush, drawing: Drawing, alignment: Alignment) -> None:
    colour = STATE_COLOURS[drawing.state if alignment == drawing.stored else CropState.UNSEEN]
    cut = aligned_crop(alignment, drawing.spacing)
    half, size = cut.size_px / 2, float(cut.size_px)
    along = mapped(cut.to_crop, alignment.axis_xy)[1]
    top, bottom = min(0.0, along), max(size, along)
    pen.lines([mapped(cut.to_image, (half, top)), mapped(cut.to_image, (half, bottom))], colour, is_dashed=True)
    pen.lines(cut.corners_xy, colour, is_closed=True)
    for corner in cut.corners_xy:
        pen.dot(corner, colour, is_square=True)
    pen.cross(alignment.center_xy, colour)
    pen.dot(alignment.axis_xy, colour, is_strong=drawing.active == "alignment")


def _paint_region(pen: _Brush, drawing: Drawing) -> None:
    box = drawing.region
    if box is None:
        return
    colour = OVER_IMAGE.data[0]
    corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
    pen.lines(corners, colour, is_closed=True)
    for corner in corners:
        pen.dot(corner, colour, is_square=True, is_strong=drawing.active == "region")


def _paint_measurement(pen: _Brush, measurement: Measurement, reading: Reading, *, is_active: bool) -> None:
    colour = OVER_IMAGE.data[2]
    points = measurement.points
    if measurement.kind is MeasurementKind.ANGLE:
        pen.lines(points, colour)
        place = points[1]
    else:
        for first, second in zip(points[::2], points[1::2], strict=True):
            pen.lines([first, second], colour)
        place = points[1]
    for xy in points:
        pen.dot(xy, colour, is_strong=is_active)
    pen.words(place, reading_text(reading), colour, second=reading_source(reading), line_from=points[0])


def _paint_pending(pen: _Brush, drawing: Drawing) -> None:
    """Clicks of a gesture that is under way, with a line to the mouse."""
    points = drawing.pending
    if not points:
        return
    colour = OVER_IMAGE.accent
    pairs = list(zip(points[::2], points[1::2], strict=False))
    for first, second in pairs:
        pen.lines([first, second], colour)
    if drawing.pointer is not None and len(points) % 2:
        apart = abs(drawing.pointer[0] - points[-1][0]) + abs(drawing.pointer[1] - points[-1][1])
        if apart >= MIN_CLICK_DISTANCE_PX:
            pen.lines([points[-1], drawing.pointer], colour, is_dashed=True)
    for xy in points:
        pen.dot(xy, colour)
