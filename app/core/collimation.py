"""Which part of a radiograph the beam reached: the area inside the collimator blades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.grey import GreyScale, StoredImage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CollimatedArea:
    """The irradiated area of an image.

    Args:
        polygon_xy: (N, 2) float64, corners in image coordinates (x right, y down, px, origin at the top-left corner
            of the first pixel), in order, not closed.
        is_found: whether a border was found; False means that the polygon is the whole image.
    """

    polygon_xy: npt.NDArray[np.float64]
    is_found: bool


def collimated_area(image: StoredImage, grey: GreyScale) -> CollimatedArea:
    """Find the irradiated area; the whole image when in doubt."""
    height, width = image.pixels.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    return CollimatedArea(polygon_xy=corners, is_found=False)
