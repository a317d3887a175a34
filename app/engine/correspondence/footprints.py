"""The sparse Joseph operator: which patches each voxel falls on, and how much of it.

Row v of the operator is the Joseph projection of a volume in which only voxel v is 1. Each ray takes its own main axis
(Joseph 1982), as in paper 003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Part
from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import RayFrame

Vector = NDArray[np.float64]
Indices = NDArray[np.int64]
_LEAST = 1e-12  # weights below are rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footprints:
    """Where chosen voxels fall.

    Args:
        patch: (N, K) int64, indices of patches (row-major); unused places hold 0.
        weight: (N, K) float64, length of the patch's ray in the voxel, mm; unused places hold 0.
        patches: number of patches.
    """

    patch: Indices
    weight: Vector
    patches: int


def footprints(part: Part, geometry: Geometry, voxels: Indices) -> Footprints:
    """Footprints of some voxels of a part.

    Args:
        part: the grid; its densities are not used.
        geometry: one pixel a patch.
        voxels: (N,) flat indices, ascending, without repeats.

    Raises:
        ValueError: the source lies within the volume.
    """
    ray, voxel, weight = _entries(part, geometry)
    rank = np.full(part.density.size, -1, np.int64)
    rank[voxels] = np.arange(len(voxels))
    row = rank[voxel]
    is_wanted = row >= 0
    row, ray, weight = row[is_wanted], ray[is_wanted], weight[is_wanted]
    order = np.argsort(row, kind="stable")
    row, ray, weight = row[order], ray[order], weight[order]
    count = np.bincount(row, minlength=len(voxels))
    place = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    width = int(count.max(initial=0))
    patch = np.zeros((len(voxels), width), np.int64)
    weights = np.zeros((len(voxels), width))
    patch[row, place], weights[row, place] = ray, weight
    return Footprints(patch=patch, weight=weights, patches=geometry.rows * geometry.cols)


def _entries(part: Part, geometry: Geometry) -> tuple[Indices, Indices, Vector]:
    """Ray, voxel and weight of every entry of the operator that is not zero."""
    frame = RayFrame.of(part, geometry)
    col, row = np.meshgrid(np.arange(geometry.cols), np.arange(geometry.rows))
    pixel = np.stack([col.ravel(), row.ravel(), np.ones(col.size)])
    direction = np.asarray((frame.rays @ pixel).T, np.float64)
    length = np.linalg.norm(direction * frame.spacing, axis=1)
    main = np.abs(direction).argmax(axis=1)
    found = [
        _entries_along(frame, axis, np.flatnonzero(main == axis), direction, np.asarray(length, np.float64))
        for axis in range(3)
        if (main == axis).any()
    ]
    ray, voxel, weight = (np.concatenate(column) for column in zip(*found, strict=True))
    return ray, voxel, weight


def _entries_along(
    frame: RayFrame, axis: int, rays: Indices, direction: Vector, length: Vector
) -> tuple[Indices, Indices, Vector]:
    fast, slow = (other for other in range(3) if other != axis)
    stride = (1, frame.shape[0], frame.shape[0] * frame.shape[1])
    step = direction[rays]
    slices = np.arange(frame.shape[axis])
    along = (slices - frame.source[axis]) / step[:, axis, None]
    if (along.max() > 0) != (along.min() > 0):
        raise ValueError("the source lies inside or beside the volume")
    if along.max() < 0:  # the volume is behind the source
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    chord = (length[rays] / np.abs(step[:, axis]))[:, None]
    x = frame.source[fast] + along * step[:, fast, None]
    y = frame.source[slow] + along * step[:, slow, None]
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    a, b = x - i, y - j
    wide, high = frame.shape[fast], frame.shape[slow]
    columns: tuple[list[Indices], list[Indices], list[Vector]] = ([], [], [])
    base = slices * stride[axis]
    for di, share_x in ((0, 1 - a), (1, a)):
        for dj, share_y in ((0, 1 - b), (1, b)):
            p, q, weight = i + di, j + dj, chord * share_x * share_y
            is_inside = (p >= 0) & (p < wide) & (q >= 0) & (q < high) & (weight > _LEAST)
            voxel = base + p * stride[fast] + q * stride[slow]
            columns[0].append(np.broadcast_to(rays[:, None], voxel.shape)[is_inside])
            columns[1].append(voxel[is_inside])
            columns[2].append(weight[is_inside])
    return np.concatenate(columns[0]), np.concatenate(columns[1]), np.concatenate(columns[2])
