"""Sparse refinement: smooth fields live on a coarse lattice, bone only in the cells ("bricks") that hold some.

A bone fills a tenth of its box. Distances are smooth and are computed on the coarse lattice; everything that is sharp
(the cortex, trabeculae, a fracture) is computed at the fine voxels of the occupied bricks only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Array, Material, Part, Vector, f32


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """A regular lattice of points.

    Args:
        origin_mm: (x, y, z) of its first point.
        spacing_mm: distance between neighbours, the same in all directions.
        shape: (Z, Y, X) number of points.
    """

    origin_mm: tuple[float, float, float]
    spacing_mm: float
    shape: tuple[int, int, int]

    @classmethod
    def covering(cls, low: Vector, high: Vector, spacing_mm: float) -> Lattice:
        """The lattice from `low` (x, y, z) that reaches `high` at least."""
        counts = [math.ceil((b - a) / spacing_mm - 1e-9) + 1 for a, b in zip(low, high, strict=True)]
        origin = (float(low[0]), float(low[1]), float(low[2]))
        return cls(origin_mm=origin, spacing_mm=spacing_mm, shape=(counts[2], counts[1], counts[0]))

    def axes(self) -> tuple[Array, Array, Array]:
        """x (1, 1, X), y (1, Y, 1) and z (Z, 1, 1), mm."""
        x0, y0, z0 = self.origin_mm
        nz, ny, nx = self.shape
        step = self.spacing_mm
        x = (np.arange(nx) * step + x0).astype(np.float32)[None, None, :]
        y = (np.arange(ny) * step + y0).astype(np.float32)[None, :, None]
        z = (np.arange(nz) * step + z0).astype(np.float32)[:, None, None]
        return x, y, z


class Bricks:
    """The occupied cells of a coarse lattice, each refined to `factor`³ fine voxels.

    Args:
        lattice: the coarse lattice.
        factor: fine voxels along one edge of a cell.
        is_occupied: (Z-1, Y-1, X-1) bool, which cells to keep.
    """

    def __init__(self, lattice: Lattice, factor: int, is_occupied: NDArray[np.bool_]) -> None:
        self.lattice = lattice
        self.factor = factor
        self.index = np.nonzero(is_occupied)
        t = np.arange(factor) / factor
        one = np.stack([1 - t, t])  # (2, factor)
        weights = np.einsum("ai,bj,ck->abcijk", one, one, one).reshape(8, factor**3)
        self._weights = weights.astype(np.float32)

    @classmethod
    def where_below(cls, lattice: Lattice, factor: int, distance: Array, limit_mm: float) -> Bricks:
        """The cells that have a corner with `distance` below `limit_mm` (trilinear values stay above it elsewhere)."""
        low = distance
        for axis in range(3):
            low = np.minimum(
                np.take(low, range(low.shape[axis] - 1), axis), np.take(low, range(1, low.shape[axis]), axis)
            )
        return cls(lattice, factor, low < limit_mm)

    @property
    def spacing_mm(self) -> float:
        """Distance between fine voxels."""
        return self.lattice.spacing_mm / self.factor

    def refine(self, field: Array) -> Array:
        """(n, factor³) trilinear values of a coarse (Z, Y, X) field at the fine voxels."""
        full = np.broadcast_to(field, self.lattice.shape)
        iz, iy, ix = self.index
        corners = [full[iz + a, iy + b, ix + c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
        return f32(np.stack(corners, axis=1).astype(np.float32) @ self._weights)

    def points(self) -> tuple[Array, Array, Array]:
        """x, y, z of the fine voxels, each (n, factor³), mm."""
        h, n = self.spacing_mm, self.factor
        z, y, x = (a.reshape(-1) for a in np.indices((n, n, n), dtype=np.float32))
        start = [
            (o + i * self.lattice.spacing_mm).astype(np.float32)[:, None]
            for o, i in zip(self.lattice.origin_mm, self.index[::-1], strict=True)
        ]
        return (start[0] + x * np.float32(h), start[1] + y * np.float32(h), start[2] + z * np.float32(h))

    def part(self, values: Array, *, name: str, material: Material, pose: Vector) -> Part | None:
        """A part holding `values` (n, factor³), cropped to the bricks that are not all zero; None when all are."""
        is_used = values.any(axis=1)
        if not is_used.any():
            return None
        index = [i[is_used] for i in self.index]
        low = [int(i.min()) for i in index]
        size = [int(i.max()) - a + 1 for i, a in zip(index, low, strict=True)]
        n = self.factor
        blocks = np.zeros((size[0], n, size[1], n, size[2], n), dtype=np.float32)
        iz, iy, ix = (i - a for i, a in zip(index, low, strict=True))
        blocks[iz, :, iy, :, ix, :] = values[is_used].reshape(-1, n, n, n)
        x0, y0, z0 = (o + a * self.lattice.spacing_mm for o, a in zip(self.lattice.origin_mm, low[::-1], strict=True))
        h = self.spacing_mm
        density = blocks.reshape(size[0] * n, size[1] * n, size[2] * n)
        return Part(
            name=name,
            material=material,
            density=density,
            spacing_mm=(h, h, h),
            origin_mm=(float(x0), float(y0), float(z0)),
            pose=pose,
        )
