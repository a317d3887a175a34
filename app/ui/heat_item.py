"""Half-transparent colours over a radiograph, as from a heatmap.

What is kept is the values, not colours: another colour map, threshold or opacity is one look-up, and between the
heatmap's pixels values are interpolated, never colours. The coloured picture of what is visible is kept until
something of that changes: it then only has to be laid over the image, which is what a drag of the window costs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage, QPainter, QTransform

from app.core.pyramid import build_pyramid
from app.core.resampling import Rect, SampleGrid
from app.ui.sampled_item import Colours, SampledItem, Visible

MOST = 65535


class HeatItem(SampledItem):
    """A map of values over an image, child of what the image is in (`ImagePane.add_overlay`)."""

    def __init__(self) -> None:
        super().__init__(QImage.Format.Format_ARGB32_Premultiplied, squares_from_scale=math.inf)
        self._picture: _Picture | None = None

    def set_heat(self, values: npt.NDArray[np.uint16] | None, where: QTransform | None = None) -> None:
        """Show another map.

        Args:
            values: (H, W), 0 … 65535 for nothing … most; kept, not copied. None shows nothing.
            where: from the map's coordinates (px, origin at the corner of its first pixel) to image coordinates; the
                same coordinates by default. May turn, mirror and stretch.
        """
        self._picture = None
        if values is None:
            self.set_pyramid(None)
            return
        self.setTransform(where or QTransform())
        self.set_pyramid(build_pyramid(values))

    def set_rgba(self, rgba: npt.NDArray[np.uint8]) -> None:
        """Choose the colours.

        Args:
            rgba: (N, 4) red, green, blue, opacity, not premultiplied, from the value 0 to the value 65535 in equal
                steps. Opacity here costs nothing; that of the item (`setOpacity`) costs each paint a little.
        """
        self.set_colours(premultiplied(rgba))

    def draw(self, painter: QPainter, visible: Visible, colours: Colours) -> None:
        """Lay the picture over the image; it is coloured again only when something of it has changed."""
        if visible.outline is not None:
            super().draw(painter, visible, colours)
            return
        key = (visible.grid, visible.rect)
        if self._picture is None or self._picture.key != key or self._picture.colours is not colours:
            self._picture = _Picture(key, colours, _coloured(visible.stored, colours))
        painter.drawImage(visible.corner, self._picture.picture)


class _Picture(NamedTuple):
    """The visible part in colours.

    Args:
        key: how and where it was sampled; equal ones have equal pixels as long as the map is the same.
        colours: what it was coloured with.
        picture: it.
    """

    key: tuple[SampleGrid, Rect]
    colours: Colours
    picture: QImage


def _coloured(stored: npt.NDArray[np.uint16], colours: Colours) -> QImage:
    rows, cols = stored.shape
    picture = QImage(cols, rows, QImage.Format.Format_ARGB32_Premultiplied)
    cv2.LUT(stored, colours, np.frombuffer(picture.bits(), np.int32).reshape(rows, cols))
    return picture


def premultiplied(rgba: npt.NDArray[np.uint8]) -> Colours:
    """The colour of every value 0 … 65535, ARGB, premultiplied.

    Args:
        rgba: (N, 4) uint8, N ≥ 2, for values in equal steps from 0 to 65535; between them the nearest is taken.
    """
    steps = np.rint(np.linspace(0, len(rgba) - 1, MOST + 1)).astype(np.intp)
    alpha = rgba[:, 3].astype(np.uint32)
    red, green, blue = ((rgba[:, channel].astype(np.uint32) * alpha + 127) // 255 for channel in range(3))
    return ((alpha << 24 | red << 16 | green << 8 | blue).astype(np.uint32).view(np.int32))[steps]
