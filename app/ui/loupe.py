"""A magnifying glass over a pane: the original pixels under the cursor, through the same window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QWidget

from app.core.resampling import Rect, place, sample
from app.ui.image_item import SQUARES_FROM_SCALE
from app.ui.language import number
from app.ui.theme import GAP_M, OVER_IMAGE, TEXT_S, font

if TYPE_CHECKING:
    from app.ui.image_pane import ImagePane

SHARE = 0.45  # diameter, share of the smaller side of the pane …
SMALLEST_PX, LARGEST_PX = 140, 300  # … within these, logical px
SMALLEST, LARGEST = 2.0, 4.0  # times what the pane shows
PER_NOTCH = 1.15


class Loupe(QWidget):
    """Follows the cursor; lets every mouse event through."""

    def __init__(self, pane: ImagePane, parent: QWidget) -> None:
        super().__init__(parent)
        self._pane = pane
        self.factor = 2.5
        """How many times larger than in the pane."""
        self.is_on = False
        """Whether it opens when the mouse is over the image."""
        self.painted_over: tuple[QRectF, ...] = ()
        """What hides burnt-in text, image coordinates: it is not shown here either."""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def follow(self, at: QPointF | None) -> None:
        """Go to a place of the viewport, logical px, or close."""
        if at is None or not self.is_on or self._pane.item.pyramid is None:
            self.hide()
            return
        viewport = self._pane.graphics.viewport()
        size_px = min(max(round(SHARE * min(viewport.width(), viewport.height())), SMALLEST_PX), LARGEST_PX) // 2 * 2
        self.setGeometry(round(at.x()) - size_px // 2, round(at.y()) - size_px // 2, size_px, size_px)
        self.show()
        self.raise_()
        self.update()

    def enlarge(self, notches: float) -> None:
        """Enlarge more or less, within 2–4×."""
        self.factor = min(max(self.factor * PER_NOTCH**notches, SMALLEST), LARGEST)
        self.update()

    def picture(self) -> QImage:
        """What the glass shows, a square of device px; null without an image. Beyond the image it means nothing."""
        pane, ratio = self._pane, self.devicePixelRatioF()
        pyramid, table = pane.item.pyramid, pane.table
        if pyramid is None or table is None:
            return QImage()
        size = round(self.width() * ratio)
        # image coordinates -> display coordinates -> screen px of the glass, around its middle
        linear = pane.matrix[:2, :2] * (pane.zoom * self.factor)
        at = np.array(pane.map_to_image(self._middle))
        x, y = size / 2 - linear @ at
        affine = (linear[0, 0], linear[1, 0], linear[0, 1], linear[1, 1], x, y)
        placement = place(pyramid, affine, squares_from=SQUARES_FROM_SCALE * ratio)
        left, top = placement.origin_xy
        glass = Rect(left=-left, top=-top, right=size - left, bottom=size - top)
        stored = np.zeros((size, size), np.uint16)
        sample(pyramid, placement.grid, glass, stored)
        levels = cv2.LUT(stored, table.levels)
        picture = QImage(levels.data, size, size, size, QImage.Format.Format_Grayscale8).copy()
        picture.setDevicePixelRatio(ratio)
        return picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the glass with a rim and its power."""
        picture = self.picture()
        if picture.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rim = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        glass = QPainterPath()
        glass.addEllipse(rim)
        painter.save()
        painter.fillPath(glass, QColor(OVER_IMAGE.image))
        painter.setClipPath(glass.intersected(self._outline()))
        painter.drawImage(0, 0, picture)
        if self._pane.shutter.is_dark:
            painter.setClipPath(glass)
            painter.fillPath(self._to_glass().map(self._pane.shutter.path()), self._pane.shutter.brush())
        painter.setTransform(self._to_glass(), combine=True)
        for hidden in self.painted_over:
            painter.fillRect(hidden, QColor(OVER_IMAGE.image))
        painter.restore()
        painter.setPen(QPen(QColor(0, 0, 0, 200), 3.0))
        painter.drawEllipse(rim)
        painter.setPen(QPen(QColor(OVER_IMAGE.accent), 1.5))
        painter.drawEllipse(rim)
        words = f"{number(self.factor, 1)}×"
        face = font(TEXT_S, is_bold=True)
        width = QFontMetricsF(face).horizontalAdvance(words) + 2 * GAP_M
        plate = QRectF((self.width() - width) / 2, self.height() - 30, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        painter.drawRoundedRect(plate, 10, 10)
        painter.setFont(face)
        painter.setPen(QColor(OVER_IMAGE.accent))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)

    @property
    def _middle(self) -> QPointF:
        """Where the glass looks, logical px of the viewport."""
        return QPointF(self.pos()) + QPointF(self.width() / 2, self.height() / 2)

    def _to_glass(self) -> QTransform:
        """Image coordinates -> logical px of the glass."""
        at, to_glass = self._middle, QTransform.fromTranslate(self.width() / 2, self.height() / 2)
        to_glass.scale(self.factor, self.factor)
        to_glass.translate(-at.x(), -at.y())
        return self._pane.to_viewport() * to_glass

    def _outline(self) -> QPainterPath:
        """Where the image is in the glass."""
        path = QPainterPath()
        path.addPolygon(self._to_glass().map(QPolygonF(self._pane.item.boundingRect())))
        path.closeSubpath()
        return path
