"""What part of the display coordinates a pane shows: on whole pixels of the screen, and never beside the image."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QPolygonF

KEPT_SHARE = 0.25  # of the pane's width and height
STEPS = 16  # of halving, where a turned image has to come back into sight


class PaneBox(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph has no types
    """The ViewBox: display coordinates, y down, square, and none of pyqtgraph's own gestures."""

    def __init__(self) -> None:
        super().__init__(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0)
        self.disableAutoRange()
        self.setMouseEnabled(x=False, y=False)
        self.setBackgroundColor(None)
        self.setBorder(None)

    def updateViewRange(self, forceX: bool = False, forceY: bool = False) -> None:  # noqa: N802, N803
        """Show the wanted range moved by less than half a pixel of the screen, so that pixels stay on pixels.

        An image that is panned, by whatever distance, is then moved and not sampled anew.
        """
        (left, right), (top, bottom) = self.state["targetRange"]
        view, bounds = self.getViewWidget(), self.rect()
        if view is not None and right > left and bottom > top and not bounds.isEmpty():
            scale = min(bounds.width() / (right - left), bounds.height() / (bottom - top)) * view.devicePixelRatioF()
            for axis, (low, high, size) in enumerate(((left, right, bounds.width()), (top, bottom, bounds.height()))):
                first = (low + high) / 2 - size * view.devicePixelRatioF() / scale / 2  # what is on the screen's edge
                step = round(first * scale) / scale - first
                self.state["targetRange"][axis] = [low + step, high + step]
        super().updateViewRange(forceX, forceY)

    def wheelEvent(self, ev: object, axis: int | None = None) -> None:
        """The pane zooms."""

    def mouseDragEvent(self, ev: object, axis: int | None = None) -> None:
        """The pane's tools drag."""


def kept_center(center: QPointF, room: QSizeF, image: QPolygonF, least: float) -> QPointF:
    """The middle of a pane, or the nearest at which a part of the image stays in sight.

    Args:
        center: the middle that is wanted, display coordinates.
        room: what the pane shows around it, display units.
        image: outline of the image, display coordinates.
        least: how far the image reaches into the pane at least, display units; and by no less than a quarter of the
            pane, for its edge is often black as the pane is. A smaller image all of it.
    """
    bounds = image.boundingRect()
    inset_x = min(max(least, KEPT_SHARE * room.width()), bounds.width(), room.width())
    inset_y = min(max(least, KEPT_SHARE * room.height()), bounds.height(), room.height())
    half_x, half_y = room.width() / 2 - inset_x, room.height() / 2 - inset_y
    x = min(max(center.x(), bounds.left() - half_x), bounds.right() + half_x)
    y = min(max(center.y(), bounds.top() - half_y), bounds.bottom() + half_y)
    kept = QPointF(x, y)
    first, second = image.at(0), image.at(1)
    if abs(first.x() - second.x()) < 1e-6 or abs(first.y() - second.y()) < 1e-6:
        return kept  # it lies upright: the box around it is the image

    def is_seen(middle: QPointF) -> bool:
        seen = QRectF(middle.x() - half_x, middle.y() - half_y, 2 * half_x, 2 * half_y)
        return not seen.isValid() or image.intersects(QPolygonF(seen))

    near, far = 1.0, 0.0  # shares of the way to the middle of the image
    if is_seen(kept):
        return kept
    for _ in range(STEPS):
        half = (near + far) / 2
        near, far = (half, far) if is_seen(kept + (bounds.center() - kept) * half) else (near, half)
    return kept + (bounds.center() - kept) * near
