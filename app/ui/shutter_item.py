"""What lies beside the collimated area, darkened over the image: never in its pixels."""

from __future__ import annotations

from PySide6.QtCore import QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPolygonF
from PySide6.QtWidgets import QGraphicsPathItem

from app.core.shutter import Shutter

SHUTTER_Z = 1.0  # over the image, under everything else
# A blade that was found may be wrong, so what lies behind it can still be guessed; what the file shuts is quite black.
FOUND, STATED = QColor(0, 0, 0, 244), QColor(0, 0, 0)
BEYOND_PX = 64.0  # it ends in the black around the image, so that no smooth edge of it shows


class ShutterItem(QGraphicsPathItem):
    """The shutter of one image, in image coordinates; nothing without one."""

    def __init__(self) -> None:
        super().__init__()
        self.setPen(Qt.PenStyle.NoPen)
        self.setZValue(SHUTTER_Z)

    @property
    def is_dark(self) -> bool:
        """Whether there is a shutter, and it is shown."""
        return self.isVisible() and not self.path().isEmpty()

    def use(self, shutter: Shutter | None, image: QRectF) -> None:
        """Darken an image beside a shutter; None darkens nothing.

        Args:
            shutter: what is seen.
            image: the image's extent, px.
        """
        beside = QPainterPath()
        if shutter is not None:
            beside.addRect(image.marginsAdded(QMarginsF(BEYOND_PX, BEYOND_PX, BEYOND_PX, BEYOND_PX)))
            seen = QPainterPath()
            seen.addRect(image)
            for polygon in shutter.polygons_xy:
                inside = QPainterPath()
                inside.addPolygon(QPolygonF([QPointF(x, y) for x, y in polygon]))
                inside.closeSubpath()
                seen = seen.intersected(inside)
            beside = beside.subtracted(seen)
            self.setBrush(STATED if shutter.is_stated else FOUND)
        self.setPath(beside)
