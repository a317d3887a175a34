"""The lead letter that says which side was radiographed: drawn from polygons, laid where it hides no bone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.case import Side

Array: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]

# strokes of the letters in a box 1 wide and 1.4 high, x right, y down; each stroke is a polyline
_STROKES: dict[Side, tuple[tuple[tuple[float, float], ...], ...]] = {
    Side.LEFT: (((0.12, 0.1), (0.12, 1.3), (0.9, 1.3)),),
    Side.RIGHT: (
        (
            (0.12, 1.3), (0.12, 0.1), (0.55, 0.1), (0.74, 0.16), (0.85, 0.3), (0.85, 0.48),
            (0.74, 0.62), (0.55, 0.68), (0.12, 0.68),
        ),
        ((0.48, 0.68), (0.9, 1.3)),
    ),
}  # fmt: skip
_STROKE_WIDTH = 0.2
_BOX = (1.0, 1.4)
_TRIES = 60
_SHIFT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A side marker.

    Args:
        side: LEFT or RIGHT, the letter that is shown.
        height_mm: height of the letter at the detector, mm.
        turn_deg: how far it is turned, clockwise, degrees.
        is_reversed: seen from behind (a posteroanterior exposure, or laid face down).
    """

    side: Side
    height_mm: float = 17.0
    turn_deg: float = 0.0
    is_reversed: bool = False

    def __post_init__(self) -> None:
        if self.side not in _STROKES:
            raise ValueError("a marker shows one side")


def outline(marker: Marker, centre_xy: tuple[float, float], pixel_mm: float) -> Vector:
    """(4, 2) corners of the letter's box in image coordinates."""
    width, height = _BOX
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    return _place(marker, corners, centre_xy, pixel_mm)


def draw(marker: Marker, centre_xy: tuple[float, float], pixel_mm: float, rows: int, cols: int) -> Array:
    """(rows, cols) float32 in 0…1: how much of each pixel the lead covers."""
    canvas = np.zeros((rows, cols), np.uint8)
    scale = marker.height_mm / _BOX[1] / pixel_mm
    thickness = max(1, round(_STROKE_WIDTH * scale))
    for stroke in _STROKES[marker.side]:
        points = _place(marker, np.array(stroke), centre_xy, pixel_mm) - 0.5
        fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(canvas, [fixed], False, 255, thickness, cv2.LINE_AA, _SHIFT)
    return canvas.astype(np.float32) / np.float32(255)


def find_place(
    marker: Marker, bone: Array, field: Array, pixel_mm: float, rng: np.random.Generator
) -> tuple[float, float]:
    """A centre inside the field, as far as possible from bone.

    Args:
        marker: what is to be placed.
        bone: (rows, cols) float32 areal density of bone and metal, g/cm².
        field: (rows, cols) float32 in 0…1, the collimated field.
        pixel_mm: detector pixel, mm.
        rng: chooses among equally good places.

    Returns:
        (x, y) in image coordinates.
    """
    factor = max(1, round(4.0 / pixel_mm))
    rows, cols = bone.shape
    size = (max(1, cols // factor), max(1, rows // factor))
    obstacle = cv2.resize(np.maximum(bone, 0), size, interpolation=cv2.INTER_AREA)
    outside = cv2.resize(np.float32(1) - field, size, interpolation=cv2.INTER_AREA)
    reach = 0.75 * marker.height_mm / (pixel_mm * factor)
    half = int(np.ceil(reach))
    kernel = (2 * half + 1, 2 * half + 1)
    pad = cv2.copyMakeBorder(outside, half, half, half, half, cv2.BORDER_CONSTANT, value=1.0)
    cost = cv2.boxFilter(obstacle, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    cost = cost + 50 * cv2.boxFilter(pad, -1, kernel)[half:-half, half:-half]
    candidates = rng.integers(0, cost.size, _TRIES)
    best = int(candidates[np.argmin(cost.ravel()[candidates])])
    y, x = divmod(best, size[0])
    return (x + 0.5) * cols / size[0], (y + 0.5) * rows / size[1]


def _place(marker: Marker, points: Vector, centre_xy: tuple[float, float], pixel_mm: float) -> Vector:
    local = (points - np.array(_BOX) / 2) * (marker.height_mm / _BOX[1] / pixel_mm)
    if marker.is_reversed:
        local = local * [-1, 1]
    angle = np.deg2rad(marker.turn_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(local @ turn.T + np.asarray(centre_xy))
