"""Exact line integrals through a piecewise constant volume: slow, and the judge of the fast projectors.

Siddon RL, Med Phys 1985;12:252: cut every ray at the planes between voxels and add up length × density.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Part
from app.engine.projection.geometry import Geometry


def siddon(part: Part, geometry: Geometry, *, rays_at_once: int = 4096) -> NDArray[np.float64]:
    """Areal density of one part along every ray, as if the density were constant in each voxel.

    Args:
        part: one volume.
        geometry: source and detector; what lies behind the detector is counted too.
        rays_at_once: how many rays are held in memory together.

    Returns:
        (rows, cols) float64, g/cm².
    """
    spacing = np.array(part.spacing_mm[::-1], np.float64)
    rotation = part.pose[:3, :3]
    counts = np.array(part.density.shape[::-1])

    def to_index(points: NDArray[np.float64]) -> NDArray[np.float64]:
        """World mm to voxel units in which voxel i reaches from i to i + 1."""
        inside = (points - part.pose[:3, 3]) @ rotation
        index: NDArray[np.float64] = (inside - np.array(part.origin_mm)) / spacing + 0.5
        return index

    source = to_index(geometry.source)
    directions = to_index(geometry.pixel_centres().reshape(-1, 3)) - source
    sums = [
        _integrate(part.density, counts, spacing, source, directions[start : start + rays_at_once])
        for start in range(0, len(directions), rays_at_once)
    ]
    return np.concatenate(sums).reshape(geometry.rows, geometry.cols) / 10.0


def _integrate(
    density: NDArray[np.float32],
    counts: NDArray[np.int_],
    spacing: NDArray[np.float64],
    source: NDArray[np.float64],
    directions: NDArray[np.float64],
) -> NDArray[np.float64]:
    safe = np.where(np.abs(directions) < 1e-12, 1e-12, directions)
    crossings = np.concatenate(
        [(np.arange(n + 1) - source[axis]) / safe[:, axis, None] for axis, n in enumerate(counts)], axis=1
    )
    low, high = -source / safe, (counts - source) / safe
    enter = np.maximum(np.minimum(low, high).max(axis=1), 0.0)
    leave = np.maximum(np.maximum(low, high).min(axis=1), enter)
    crossings = np.sort(np.clip(crossings, enter[:, None], leave[:, None]), axis=1)
    middle = (crossings[:, 1:] + crossings[:, :-1]) / 2
    voxels = np.floor(source + middle[..., None] * safe[:, None]).astype(np.int64)
    is_inside = ((voxels >= 0) & (voxels < counts)).all(axis=-1)
    x, y, z = np.moveaxis(np.clip(voxels, 0, counts - 1), -1, 0)
    lengths = np.diff(crossings, axis=1) * np.linalg.norm(directions * spacing, axis=1)[:, None]
    sums: NDArray[np.float64] = (density[z, y, x] * is_inside * lengths).sum(axis=1)
    return sums
