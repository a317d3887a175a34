"""A magnifying glass over a pane: the original pixels under the cursor, through the same window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.theme import OVER_IMAGE

if TYPE_CHECKING:
    from app.ui.image_pane import ImagePane

SIZE_PX = 240  # diameter, logical px
SMALLEST, LARGEST = 2.0, 4.0  # times what the pane shows
PER_NOTCH = 1.15
SHARP_FROM = 6.0  # screen px per image px from which on single pixels are shown as squares


class Loupe(QWidget):
    """Follows the cursor; lets every mouse event through."""

    def __init__(self, pane: ImagePane, parent: QWidget) -> None:
        super().__init__(parent)
        self._pane = pane
        self.factor = 2.5
        """How many times larger than in the pane."""
        self.is_on = False
        """Whether it opens when the mouse is over the image."""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.resize(SIZE_PX, SIZE_PX)
        self.hide()

    def follow(self, at: QPointF | None) -> None:
        """Go to a place of the viewport, logical px, or close."""
        if at is None or not self.is_on or self._pane.item.pyramid is None:
            self.hide()
            return
        self.move(round(at.x()) - SIZE_PX // 2, round(at.y()) - SIZE_PX // 2)
        self.show()
        self.raise_()
        self.update()

    def enlarge(self, notches: float) -> None:
        """Enlarge more or less, within 2–4×."""
        self.factor = min(max(self.factor * PER_NOTCH**notches, SMALLEST), LARGEST)
        self.update()

    def picture(self) -> QImage:
        """What the glass shows, a square of device px; null without an image."""
        pane, ratio = self._pane, self.devicePixelRatioF()
        pyramid, table = pane.item.pyramid, pane.table
        if pyramid is None or table is None:
            return QImage()
        size = round(SIZE_PX * ratio)
        # image px -> display -> device px of the glass, around its middle
        to_display = pane.matrix
        scale = pane.zoom * self.factor
        at = pane.map_to_image(QPointF(self.pos()) + QPointF(SIZE_PX / 2, SIZE_PX / 2))
        linear = to_display[:2, :2] * scale
        level = pyramid.levels[pyramid.level_for(math.sqrt(abs(float(np.linalg.det(linear)))))]
        per_level = np.array([pyramid.cols / level.shape[1], pyramid.rows / level.shape[0]])
        matrix = np.empty((2, 3))
        matrix[:, :2] = linear * per_level
        # cv2 counts from pixel centres, image and screen from pixel corners
        matrix[:, 2] = matrix[:, :2] @ (0.5, 0.5) - linear @ at + size / 2 - 0.5
        flags = cv2.INTER_NEAREST if scale >= SHARP_FROM else cv2.INTER_LINEAR
        stored = cv2.warpAffine(level, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        corners = np.array([[0, 0], [pyramid.cols, 0], [pyramid.cols, pyramid.rows], [0, pyramid.rows]]) - at
        inside = np.zeros((size, size), np.uint8)
        outline = np.clip(corners @ linear.T + size / 2 - 0.5, -1e4, 1e4).round().astype(np.int32)
        cv2.fillConvexPoly(inside, outline, 255)
        levels = np.bitwise_and(cv2.LUT(stored, table.levels), inside)
        picture = QImage(levels.tobytes(), size, size, size, QImage.Format.Format_Grayscale8).copy()
        picture.setDevicePixelRatio(ratio)
        return picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the glass with a rim and its power."""
        picture = self.picture()
        if picture.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rim = QRectF(1.5, 1.5, SIZE_PX - 3, SIZE_PX - 3)
        glass = QPainterPath()
        glass.addEllipse(rim)
        painter.save()
        painter.setClipPath(glass)
        painter.drawImage(0, 0, picture)
        painter.restore()
        painter.setPen(QPen(QColor(0, 0, 0, 200), 3.0))
        painter.drawEllipse(rim)
        painter.setPen(QPen(QColor(OVER_IMAGE.accent), 1.5))
        painter.drawEllipse(rim)
