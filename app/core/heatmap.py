"""How a heatmap becomes colours, and how its places become places on the radiograph.

A heatmap is in units of the logit. Full colour is one number for the whole model (`ModelCard.heatmap_scale`), never the
maximum of the image: a negative stays pale. The colours run from dark violet to pale yellow with evenly rising
lightness (OKLab), so that their order is seen without colour vision too.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from app.core.geometry import XY, Crop, mapped

PICTURE_PX = 512  # side of a heatmap in fine steps
MOST = 65535  # full colour
POINT_COLUMNS = ("view", "layer", "x_px", "y_px", "weight")
"""Of a file of sampling points: number of the view, number of the layer, place on the model's input, attention received
(1 = the average point of its layer)."""

_STOPS = (  # OKLab lightness, hue (degrees), chroma: violet, magenta, orange, yellow
    (0.34, 300.0, 0.16),
    (0.54, 355.0, 0.19),
    (0.74, 410.0, 0.16),
    (0.95, 465.0, 0.13),
)
_LEAST_ALPHA = 0.45  # opacity of what is just above the threshold, as a share of that of full colour
_EDGE = 0.05  # width of the soft edge at the threshold, share of full colour


@cache
def heat_colours() -> npt.NDArray[np.uint8]:
    """The colour of every share of full colour: (256, 3) uint8, red, green, blue."""
    at = np.linspace(0, 1, 256)
    known = np.linspace(0, 1, len(_STOPS))
    lightness, hue, chroma = (np.interp(at, known, [stop[part] for stop in _STOPS]) for part in range(3))
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    colours = _from_oklab(np.stack([lightness, a, b], -1))
    colours.setflags(write=False)
    return colours


def shares(heatmap: npt.NDArray[np.float32], scale: float) -> npt.NDArray[np.float32]:
    """How much of full colour each cell has, 0 … 1.

    Args:
        heatmap: (h, w), units of the logit.
        scale: logit units that are full colour.
    """
    return np.asarray(np.clip(heatmap / np.float32(scale), 0, 1), np.float32)


def levels(heatmap: npt.NDArray[np.float32], scale: float, *, size_px: int = PICTURE_PX) -> npt.NDArray[np.uint16]:
    """A heatmap in fine steps over the model's input: cells are interpolated smoothly and keep their own values.

    Args:
        heatmap: (h, w), units of the logit, over the whole input.
        scale: logit units that are full colour.
        size_px: side of the result.

    Returns:
        (size, size) uint16: 0 … `MOST` for nothing … full colour.
    """
    part = shares(heatmap, scale)
    fine = cv2.resize(part, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    inside = np.clip(fine, part.min(initial=0), part.max(initial=0))  # cubic curves overshoot
    return np.asarray(np.rint(inside * np.float32(MOST)), np.uint16)


@cache
def colour_table(threshold: float, opacity: float = 1.0) -> npt.NDArray[np.uint8]:
    """What each of 256 shares of full colour is painted with; nothing below the threshold.

    Args:
        threshold: share of full colour, 0 … 1.
        opacity: of full colour, 0 … 1.

    Returns:
        (256, 4) uint8: red, green, blue, alpha, not premultiplied.
    """
    share = np.arange(256) / 255
    alpha = (_LEAST_ALPHA + (1 - _LEAST_ALPHA) * share) * np.clip((share - threshold) / _EDGE, 0, 1)
    table = np.empty((256, 4), np.uint8)
    table[:, :3], table[:, 3] = heat_colours(), np.rint(255 * opacity * alpha)
    table.setflags(write=False)
    return table


def coloured(
    heatmap: npt.NDArray[np.float32],
    *,
    scale: float,
    threshold: float = 0.0,
    opacity: float = 1.0,
    size_px: int = PICTURE_PX,
) -> npt.NDArray[np.uint8]:
    """A heatmap as a picture over the model's input.

    Args:
        heatmap: (h, w), units of the logit, over the whole input.
        scale: logit units that are full colour.
        threshold: share of full colour below which nothing is painted, 0 … 1.
        opacity: of full colour, 0 … 1.
        size_px: side of the picture.

    Returns:
        (size, size, 4) uint8: red, green, blue, alpha, not premultiplied.
    """
    numbers = levels(heatmap, scale, size_px=size_px) // 257
    return colour_table(threshold, opacity)[numbers]


def peak_xy(heatmap: npt.NDArray[np.float32], cut: Crop) -> XY:
    """Where a heatmap is strongest: the middle of its largest cell, image coordinates.

    Args:
        heatmap: (h, w) over the crop.
        cut: the crop.
    """
    rows, cols = heatmap.shape
    row, col = divmod(int(np.argmax(heatmap)), cols)
    return mapped(cut.to_image, ((col + 0.5) * cut.size_px / cols, (row + 0.5) * cut.size_px / rows))


def _from_oklab(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """OKLab (Ottosson 2020) to sRGB, (N, 3) uint8."""
    lightness, a, b = colours.T
    cones = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((to_rgb @ cones**3).T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * curved), np.uint8)
