"""A radiograph inside a pyqtgraph ViewBox."""

from __future__ import annotations

import cv2
import numpy as np
from PySide6.QtGui import QImage

from app.core.grey import TABLE_SIZE, DisplayTable
from app.core.pyramid import ImagePyramid
from app.ui.sampled_item import SampledItem

SQUARES_FROM_SCALE = 8.0  # logical screen px per image px: from here on single pixels are squares (ADR 0102)


class RadiographItem(SampledItem):
    """One radiograph in image coordinates: x right, y down, px, origin at the corner of the first pixel."""

    def __init__(self) -> None:
        super().__init__(QImage.Format.Format_RGB32, squares_from_scale=SQUARES_FROM_SCALE)

    def set_image(self, pyramid: ImagePyramid | None, table: DisplayTable | None) -> None:
        """Show another image; None shows nothing."""
        self.set_pyramid(pyramid)
        self.set_colours(None)
        if table is not None:
            self.set_table(table)

    def set_table(self, table: DisplayTable) -> None:
        """Show the same image through another window."""
        grey = cv2.cvtColor(table.levels.reshape(1, TABLE_SIZE), cv2.COLOR_GRAY2BGRA)  # grey, opaque
        self.set_colours(np.asarray(grey).view(np.int32).ravel())
