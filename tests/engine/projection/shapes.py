"""Bodies whose line integrals are known exactly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Material, Part
from app.engine.projection.geometry import Geometry


def make_part(
    density: NDArray[np.float32],
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    pose: NDArray[np.float64] | None = None,
) -> Part:
    """A part whose grid is centred on the origin of its frame."""
    size = np.array(density.shape) - 1
    z, y, x = (-size / 2 * np.array(spacing_mm)).tolist()
    return Part(
        name="test",
        material=Material.BONE,
        density=np.ascontiguousarray(density),
        spacing_mm=spacing_mm,
        origin_mm=(x, y, z),
        pose=np.eye(4) if pose is None else pose,
    )


def grid(count: int, spacing_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    axis = (np.arange(count) - (count - 1) / 2) * spacing_mm
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    return x, y, z


def sphere(count: int, spacing_mm: float, centre: tuple[float, float, float], radius: float) -> Part:
    x, y, z = grid(count, spacing_mm)
    distance = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2) - radius
    density = np.clip(0.5 - distance / spacing_mm, 0, 1).astype(np.float32)
    return make_part(density, spacing_mm=(spacing_mm,) * 3)


def box(count: int, spacing_mm: float, low: tuple[float, ...], high: tuple[float, ...]) -> Part:
    """A box, each voxel weighted by the share of it that lies inside."""
    axis = (np.arange(count) - (count - 1) / 2) * spacing_mm
    cover = [
        np.clip((np.minimum(axis + spacing_mm / 2, b) - np.maximum(axis - spacing_mm / 2, a)) / spacing_mm, 0, 1)
        for a, b in zip(low, high, strict=True)
    ]
    density = cover[2][:, None, None] * cover[1][None, :, None] * cover[0][None, None, :]
    return make_part(density.astype(np.float32), spacing_mm=(spacing_mm,) * 3)


def voxelised_box_chords_cm(
    geometry: Geometry, count: int, spacing_mm: float, low: tuple[float, ...], high: tuple[float, ...]
) -> NDArray[np.float64]:
    """Exact line integrals of what the voxels of `box` hold: its trilinear interpolation.

    That is a product of three piecewise linear profiles, so a cubic polynomial between the knots along a ray, which
    two Gauss points integrate exactly.
    """
    axis = (np.arange(count) - (count - 1) / 2) * spacing_mm
    half = spacing_mm / 2
    rays = unit_rays(geometry)
    profiles, cuts = [], []
    for k, (a, b) in enumerate(zip(low, high, strict=True)):
        cover = np.clip((np.minimum(axis + half, b) - np.maximum(axis - half, a)) / spacing_mm, 0, 1)
        profiles.append(cover)
        is_knot = np.abs(np.diff(cover, 2, prepend=[0], append=[0])) > 1e-12
        cuts += [(knot - geometry.source[k]) / rays[..., k] for knot in axis[is_knot]]
    t = np.sort(np.stack(cuts), axis=0)
    total = np.zeros(rays.shape[:2])
    for start, end in pairwise(t):
        for gauss in (-(3**-0.5), 3**-0.5):
            at = (start + end) / 2 + gauss * (end - start) / 2
            value = np.ones_like(at)
            for k, cover in enumerate(profiles):
                value *= np.interp(geometry.source[k] + at * rays[..., k], axis, cover, left=0, right=0)
            total += (end - start) / 2 * value
    return total / 10


def unit_rays(geometry: Geometry) -> NDArray[np.float64]:
    rays = geometry.pixel_centres() - geometry.source
    unit: NDArray[np.float64] = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return unit


def sphere_chords_cm(geometry: Geometry, centre: tuple[float, float, float], radius: float) -> NDArray[np.float64]:
    rays = unit_rays(geometry)
    offset = np.asarray(centre) - geometry.source
    along = rays @ offset
    chords: NDArray[np.float64] = 2 * np.sqrt(np.clip(radius**2 - (offset @ offset - along**2), 0, None))
    return chords / 10


def box_chords_cm(geometry: Geometry, low: tuple[float, ...], high: tuple[float, ...]) -> NDArray[np.float64]:
    rays = unit_rays(geometry)
    rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
    near, far = (np.asarray(low) - geometry.source) / rays, (np.asarray(high) - geometry.source) / rays
    chords: NDArray[np.float64] = np.clip(np.maximum(near, far).min(-1) - np.minimum(near, far).max(-1), 0, None)
    return chords / 10


def view(
    beam: tuple[float, ...] = (0.1, 1.0, 0.2),
    right: tuple[float, ...] = (1.0, 0.0, 0.0),
    *,
    size: int = 96,
    field_mm: float = 140.0,
) -> Geometry:
    return Geometry.aimed(
        aim=(0, 0, 0),
        beam=beam,
        right=right,
        source_to_detector_mm=1100,
        aim_to_detector_mm=150,
        pixel_mm=field_mm / size,
        rows=size,
        cols=size + 5,
    )
