"""From the detector's signal to the grey values that a radiologist is shown, in the manner of a maker's console.

Logarithm, Laplacian pyramid with a gain per level (Vuylsteke and Schoeters, Proc SPIE 1994;2167:551), compression of
the coarsest level, sigmoid curve anchored at percentiles of the body. The four styles imitate no product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.radiograph.detector import gaussian
from app.engine.radiograph.technique import Style

Array: TypeAlias = NDArray[np.float32]

_CONTRAST_UNIT = 0.06  # detail amplitude (in logarithm) that keeps its contrast
_BODY_MIN = 1.15  # logarithmic attenuation above which a pixel counts as body
_STANDARD_ROWS = 640  # image height for which the gains are given
_BORDER = 0.01  # grey level of the unexposed border


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What makes a style.

    Args:
        gains: gain of each pyramid level, finest first, for an image 640 px high.
        power: exponent on detail amplitude; below 1 subtle detail is lifted.
        base: contrast kept in the coarsest level.
        slope: steepness of the grey-scale curve.
        middle: where the curve is steepest, 0–1 between the anchors.
        anchors: percentiles of the body that become dark and bright.
        bits: stored bits.
    """

    gains: tuple[float, ...]
    power: float
    base: float
    slope: float
    middle: float
    anchors: tuple[float, float]
    bits: int


RECIPES: dict[Style, Recipe] = {
    Style.SOFT: Recipe(
        gains=(1.3, 1.6, 1.8, 1.7, 1.45, 1.25),
        power=0.88,
        base=0.55,
        slope=4.6,
        middle=0.52,
        anchors=(2, 99.7),
        bits=12,
    ),
    Style.CRISP: Recipe(
        gains=(1.5, 1.9, 2.1, 1.9, 1.6, 1.3), power=0.82, base=0.42, slope=5.0, middle=0.50, anchors=(2, 99.9), bits=14
    ),
    Style.FLAT: Recipe(
        gains=(1.0, 1.2, 1.3, 1.25, 1.15, 1.1),
        power=0.95,
        base=0.75,
        slope=4.0,
        middle=0.55,
        anchors=(3, 99.6),
        bits=12,
    ),
    Style.HARD: Recipe(
        gains=(1.6, 2.0, 2.0, 1.7, 1.4, 1.2), power=0.86, base=0.50, slope=5.4, middle=0.48, anchors=(2, 99.8), bits=10
    ),
}


def process(
    signal: Array, field: Array, style: Style, *, rng: np.random.Generator | None = None
) -> tuple[NDArray[np.uint16], int]:
    """Turn detector signal into stored values for presentation.

    Args:
        signal: (rows, cols) float32 detector signal, 1 = open field.
        field: (rows, cols) float32 in 0…1, the collimated field.
        style: manner of processing.
        rng: varies slope and middle of the curve a little, as consoles do; None for none.

    Returns:
        (rows, cols) uint16 stored values (MONOCHROME2) and the number of stored bits.
    """
    recipe = RECIPES[style]
    # the blur of the scintillator darkens the last pixels beside the collimator's edge: leave them out
    is_inside = cv2.erode((field > 0.97).astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1).astype(bool)
    if not is_inside.any():
        raise ValueError("nothing was exposed")
    image = _continue_outside(-np.log(signal), is_inside)
    is_body = is_inside & (image > _BODY_MIN)
    if is_body.sum() < 0.01 * is_body.size:
        is_body = is_inside
    # direct exposure shall not use up the range
    floor = np.float32(np.percentile(image[is_body][::3], 1.0))
    image = np.where(image < floor, floor + (image - floor) * np.float32(0.55), image)
    image = _enhance(image, recipe)
    low, high = np.percentile(image[is_body][::5], recipe.anchors)
    span = max(float(high - low), 1e-3)
    low, high = low - 0.05 * span, high + 0.10 * span
    slope, middle = recipe.slope, recipe.middle
    if rng is not None:
        slope *= 1 + rng.uniform(-0.2, 0.2)
        middle += rng.uniform(-0.05, 0.05)
    grey = _curve((image - np.float32(low)) / np.float32(high - low), slope, middle)
    grey = grey * field + (1 - field) * np.float32(_BORDER)
    top = (1 << recipe.bits) - 1
    return np.rint(grey * np.float32(top)).astype(np.uint16), recipe.bits


def _continue_outside(image: Array, is_inside: NDArray[np.bool_]) -> Array:
    """Replace what lies outside the field by the nearest value inside it, so that no edge is enhanced."""
    if is_inside.all():
        return image
    outside = (~is_inside).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(int(labels.max()) + 1, np.float32)
    nearest[labels[is_inside]] = image[is_inside]
    filled = nearest[labels]
    return np.where(is_inside, image, gaussian(filled, 2.0))


def _enhance(image: Array, recipe: Recipe) -> Array:
    """Laplacian pyramid: amplify each level, lift subtle detail, compress the coarsest level."""
    count = max(3, len(recipe.gains) + round(float(np.log2(image.shape[0] / _STANDARD_ROWS))))
    gains = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(recipe.gains)), recipe.gains)
    details: list[Array] = []
    current = image
    for gain in gains:
        smaller = np.asarray(cv2.pyrDown(current), np.float32)
        detail = current - cv2.pyrUp(smaller, dstsize=current.shape[::-1])
        lifted = cv2.pow(np.abs(detail) / np.float32(_CONTRAST_UNIT), recipe.power)
        details.append(np.copysign(lifted * np.float32(_CONTRAST_UNIT * gain), detail))
        current = smaller
    mean = current.mean()
    result: Array = (current - mean) * np.float32(recipe.base) + mean
    for detail in reversed(details):
        result = np.asarray(cv2.pyrUp(result, dstsize=detail.shape[::-1]), np.float32) + detail
    return result


def _curve(value: Array, slope: float, middle: float) -> Array:
    """Sigmoid from 0 at 0 to 1 at 1.02, clipped."""
    low, high = 1 / (1 + np.exp(slope * middle)), 1 / (1 + np.exp(-slope * (1.02 - middle)))
    sigmoid = 1 / (1 + np.exp(-np.float32(slope) * (value - np.float32(middle))))
    return np.asarray(np.clip((sigmoid - np.float32(low)) / np.float32(high - low), 0, 1), np.float32)
