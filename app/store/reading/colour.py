"""Colour images as brightness: Coxa shows grey images only, and says so."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut


def to_luma(colours: npt.NDArray[Any], bits_stored: int | None = None) -> npt.NDArray[np.uint8]:
    """Brightness of an RGB image, ITU-R BT.601.

    Args:
        colours: (H, W, 3) uint8 or uint16, RGB.
        bits_stored: depth of the values; by default that of their type.

    Returns:
        (H, W) uint8.
    """
    depth = bits_stored or colours.dtype.itemsize * 8
    if depth > 8:
        colours = (colours >> (depth - 8)).astype(np.uint8)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(colours, np.uint8), cv2.COLOR_RGB2GRAY), np.uint8)


def palette_to_rgb(array: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[Any]:
    """Colours of a palette image (PS3.3 C.7.9).

    Args:
        array: (H, W) stored values.
        dataset: holds the palette.

    Returns:
        (H, W, 3) uint8 or uint16.
    """
    return np.asarray(apply_color_lut(array, dataset))
