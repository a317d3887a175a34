"""The collimated field: a polygon whose edges are softened by the size of the focal spot."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]

_SHIFT = 8  # fixed-point bits of cv2's polygon coordinates


def sample_field(rng: np.random.Generator, rows: int, cols: int, *, side_share: float = 0.085) -> Vector:
    """A collimated field as a radiographer might set it: nearly the whole detector, slightly turned.

    Args:
        rng: of this view.
        rows: image height, px.
        cols: image width, px.
        side_share: how much of the width a side may lose.

    Returns:
        (4, 2) float64 corners in image coordinates, clockwise from the top left; some may lie outside the detector.
    """
    left, right = rng.uniform(0.005, side_share, 2) * cols
    top, bottom = rng.uniform(-0.005, 0.055, 2) * rows
    corners = np.array([[left, top], [cols - right, top], [cols - right, rows - bottom], [left, rows - bottom]])
    angle = np.deg2rad(rng.normal(0, 0.5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([cols, rows]) / 2
    return np.asarray((corners - middle) @ turn.T + middle)


def full_field(rows: int, cols: int) -> Vector:
    """(4, 2) corners of an uncollimated exposure."""
    return np.array([[0, 0], [cols, 0], [cols, rows], [0, rows]], np.float64)


def field_mask(corners: Vector, rows: int, cols: int, penumbra_px: float) -> Array:
    """(rows, cols) float32 share of the beam that the collimator lets through, 0…1.

    Args:
        corners: (N, 2) convex polygon, image coordinates.
        rows: image height, px.
        cols: image width, px.
        penumbra_px: standard deviation of the soft edge, px.
    """
    # a wide margin, so that an edge beyond the detector leaves no soft border inside it
    margin = int(np.ceil(4 * penumbra_px)) + 2
    outer = np.where(corners <= 0.5, corners - margin, corners)
    outer = np.where(corners >= np.array([cols, rows]) - 0.5, outer + margin, outer)
    mask = np.zeros((rows + 2 * margin, cols + 2 * margin), np.uint8)
    fixed = np.round((outer - 0.5 + margin) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(mask, fixed, 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    soft = mask.astype(np.float32) / np.float32(255)
    if penumbra_px > 0.3:
        soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), penumbra_px), np.float32)
    return np.ascontiguousarray(soft[margin : margin + rows, margin : margin + cols])
