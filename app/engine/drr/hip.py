"""Finding the femoral heads of a CT: the largest balls of bone beside the mid-line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.case import Side
from app.core.errors import UserError
from app.engine.drr.volume import CtVolume

Vector = NDArray[np.float64]

_GRID_MM = 3.0
_HEAD_RADIUS_MM = 20.0  # a little less than a small head: Noble et al., Clin Orthop 1988;235:148
_FROM_MIDLINE_MM = (50.0, 140.0)
_LEAST_FILLED = 0.55
_HU = (60.0, 260.0)  # cancellous bone counts fully from 260 on
_ROOM_ABOVE_MM, _ROOM_BELOW_MM = 30.0, 35.0


def find_hip(volume: CtVolume, side: Side) -> Vector:
    """(3,) centre of the femoral head of one side, DICOM patient coordinates, mm.

    Raises:
        UserError: there is none.
    """
    factor = [max(1, round(_GRID_MM / step)) for step in volume.spacing_mm]
    z, y, x = (size // step for size, step in zip(volume.hu.shape, factor, strict=True))
    cut = volume.hu[: z * factor[0], : y * factor[1], : x * factor[2]]
    coarse = cut.reshape(z, factor[0], y, factor[1], x, factor[2]).mean(axis=(1, 3, 5))
    spacing = np.array(volume.spacing_mm) * factor
    bone = np.clip((coarse - _HU[0]) / (_HU[1] - _HU[0]), 0, 1)
    filled = _ball_mean(bone, spacing)
    first = np.array(volume.origin_mm[::-1]) + (np.array(factor) - 1) / 2 * np.array(volume.spacing_mm)
    columns = np.flatnonzero((coarse > -300).any(axis=(0, 1)))
    body = first[2] + columns * spacing[2]
    middle = (body.min() + body.max()) / 2 if len(body) else 0.0
    beside = (first[2] + np.arange(x) * spacing[2] - middle) * (1 if side is Side.LEFT else -1)
    is_near = (beside >= _FROM_MIDLINE_MM[0]) & (beside <= _FROM_MIDLINE_MM[1])
    filled = np.where(is_near[None, None, :], filled, 0)
    best = np.unravel_index(int(np.argmax(filled)), filled.shape)
    if filled[best] < _LEAST_FILLED:
        raise UserError(
            f"No {side.value} femoral head was found in this volume.",
            reason="Nowhere on that side is there a ball of bone as large as a femoral head.",
            remedy="Give the centre of the femoral head with --hip x,y,z (mm, patient coordinates), or the other side.",
            kind="no-hip",
        )
    near = tuple(slice(max(0, int(i) - 3), int(i) + 4) for i in best)
    weight = np.clip(filled[near] - 0.97 * filled[best], 0, None)
    grid = np.meshgrid(
        *(np.arange(cut.start, cut.start + n) for cut, n in zip(near, weight.shape, strict=True)), indexing="ij"
    )
    centre = np.array([(axis * weight).sum() / weight.sum() for axis in grid]) * spacing + first
    return np.asarray(centre[::-1], np.float64)


def check_room(volume: CtVolume, hip: Vector) -> list[str]:
    """What the user should know about where the volume ends.

    Raises:
        UserError: the hip lies outside the volume or too close to its end.
    """
    first = np.array(volume.origin_mm)
    size = np.array(volume.hu.shape[::-1]) - 1
    last = first + size * np.array(volume.spacing_mm[::-1])
    if np.any(hip < first) or np.any(hip > last):
        raise UserError(
            "The hip lies outside this volume.",
            reason=f"It reaches from {_text(first)} to {_text(last)} mm, and the hip was given at {_text(hip)}.",
            remedy="Give --hip in patient coordinates: x to the left, y to the back, z to the head, mm.",
            kind="hip-outside",
        )
    below, above = float(hip[2] - first[2]), float(last[2] - hip[2])
    if below < _ROOM_BELOW_MM or above < _ROOM_ABOVE_MM:
        raise UserError(
            "This volume ends too close to the hip.",
            reason=f"It ends {below:.0f} mm below and {above:.0f} mm above the centre of the femoral head; "
            f"{_ROOM_BELOW_MM:.0f} mm and {_ROOM_ABOVE_MM:.0f} mm are needed.",
            remedy="Use a CT that holds the femoral neck and the roof of the acetabulum.",
            kind="truncated",
        )
    if below < 150 or above < 130:
        return [
            f"The volume ends {below:.0f} mm below and {above:.0f} mm above the femoral head: the images are "
            "collimated there, and tissue outside the volume is missing from them but for a soft edge."
        ]
    return []


def _ball_mean(values: Vector, spacing: Vector) -> Vector:
    """Mean of the values in a ball around each voxel."""
    reach = np.ceil(_HEAD_RADIUS_MM / spacing).astype(int)
    offsets = np.meshgrid(*(np.arange(-n, n + 1) * step for n, step in zip(reach, spacing, strict=True)), indexing="ij")
    ball = (sum(axis**2 for axis in offsets) <= _HEAD_RADIUS_MM**2).astype(np.float64)
    shape = [a + b - 1 for a, b in zip(values.shape, ball.shape, strict=True)]
    axes = (0, 1, 2)
    spread = np.fft.irfftn(
        np.fft.rfftn(values, shape, axes) * np.fft.rfftn(ball / ball.sum(), shape, axes), shape, axes
    )
    cut = tuple(slice(int(n), int(n) + size) for n, size in zip(reach, values.shape, strict=True))
    return np.asarray(spread[cut], np.float64)


def _text(point: Vector) -> str:
    return "(" + ", ".join(f"{value:.0f}" for value in point) + ")"
