"""Area-averaged halvings of an image, so that a small picture of it is neither slow nor aliased."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from app.core.record import record

SMALLEST_PX = 128


@record(frozen=True, slots=True, eq=False)
class ImagePyramid:
    """An image and its halvings.

    Args:
        levels: (H, W), (H/2, W/2) … uint16 stored values, the full image first. An odd last row or column is averaged
            into its neighbours, so a level's pixels may be a little more than 2 px of the level above.
    """

    levels: tuple[npt.NDArray[np.uint16], ...]

    @property
    def rows(self) -> int:
        """Height of the full image, px."""
        return int(self.levels[0].shape[0])

    @property
    def cols(self) -> int:
        """Width of the full image, px."""
        return int(self.levels[0].shape[1])

    @property
    def nbytes(self) -> int:
        """Memory of all levels, bytes."""
        return sum(level.nbytes for level in self.levels)

    def level_for(self, scale: float) -> int:
        """The smallest level that still has at least one pixel for each pixel of the picture.

        Args:
            scale: picture pixels per pixel of the full image, > 0.
        """
        level = 0
        while level + 1 < len(self.levels) and scale * 2 ** (level + 1) <= 1.0 + 1e-9:
            level += 1
        return level


def build_pyramid(pixels: npt.NDArray[np.uint16], *, smallest_px: int = SMALLEST_PX) -> ImagePyramid:
    """Halve an image until its shorter side is at most `smallest_px`.

    Args:
        pixels: (H, W) uint16 stored values; kept, not copied.
        smallest_px: no level whose shorter side is below half of this is made.
    """
    levels = [pixels]
    while min(levels[-1].shape) > smallest_px:
        rows, cols = levels[-1].shape
        half = cv2.resize(levels[-1], (cols // 2, rows // 2), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, np.uint16))
    return ImagePyramid(levels=tuple(levels))
