"""Patches of views and of volumes: coarse detectors, crops, pooled voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from app.engine.phantom.volume import Part
from app.engine.projection.geometry import Geometry


def pooled(part: Part, factor: int) -> Part:
    """Average blocks of factor³ voxels; what is left over at the far ends counts as air.

    Args:
        part: a fine volume; give it values of 0–1 (a share of tissue), not HU.
        factor: voxels along each axis of a block (16 in paper 003).
    """
    if factor < 1:
        raise ValueError("the factor must be at least 1")
    padding = [(0, -size % factor) for size in part.density.shape]
    padded = np.pad(part.density, padding)
    z, y, x = (size // factor for size in padded.shape)
    means = padded.reshape(z, factor, y, factor, x, factor).mean(axis=(1, 3, 5), dtype=np.float64)
    dz, dy, dx = part.spacing_mm
    shift = (factor - 1) / 2
    ox, oy, oz = part.origin_mm
    return replace(
        part,
        density=means.astype(np.float32),
        spacing_mm=(dz * factor, dy * factor, dx * factor),
        origin_mm=(ox + shift * dx, oy + shift * dy, oz + shift * dz),
    )


def patch_geometry(geometry: Geometry, patch_px: int) -> Geometry:
    """The same detector with one pixel a patch.

    Raises:
        ValueError: the image is not a whole number of patches.
    """
    if geometry.rows % patch_px or geometry.cols % patch_px:
        raise ValueError(f"{geometry.rows} × {geometry.cols} px do not divide into patches of {patch_px} px")
    return geometry.coarser(patch_px)


def crop_geometry(geometry: Geometry, crop_from_image: ArrayLike, *, rows: int, cols: int) -> Geometry:
    """The geometry of a crop, so that labels follow augmentation.

    Args:
        geometry: of the whole image.
        crop_from_image: (2, 3) matrix from image coordinates to crop coordinates (corner origin, px): shift, turn, one
            scale, flip; no shear and no unequal scales.
        rows: height of the crop, px.
        cols: width of the crop, px.
    """
    forward = np.vstack([np.asarray(crop_from_image, np.float64).reshape(2, 3), [0, 0, 1]])
    scale = float(np.sqrt(abs(np.linalg.det(forward[:2, :2]))))
    if scale < 1e-9 or not np.allclose(forward[:2, :2] @ forward[:2, :2].T, np.eye(2) * scale**2, atol=1e-6 * scale**2):
        raise ValueError("a crop may shift, turn, flip and scale, but not shear")
    back = np.linalg.inv(forward)
    axes = np.stack([geometry.u, geometry.v]) * geometry.pixel_mm
    return Geometry(
        source=geometry.source,
        corner=geometry.corner + back[:2, 2] @ axes,
        u=back[:2, 0] @ axes * scale / geometry.pixel_mm,
        v=back[:2, 1] @ axes * scale / geometry.pixel_mm,
        pixel_mm=geometry.pixel_mm / scale,
        rows=rows,
        cols=cols,
    )


def shrunken(part: Part, geometry: Geometry, factor: int) -> tuple[Part, Geometry]:
    """Volume and detector shrunk about their middles while source and detector stay where they are (`PAPER_CODE`)."""
    size = np.array(part.density.shape[::-1]) - 1
    spacing = np.array(part.spacing_mm[::-1])
    middle = np.array(part.origin_mm) + size * spacing / 2
    small = spacing / factor
    origin = middle - size * small / 2
    dz, dy, dx = part.spacing_mm
    shrunk = replace(
        part,
        spacing_mm=(dz / factor, dy / factor, dx / factor),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
    )
    half = (geometry.u * geometry.cols + geometry.v * geometry.rows) * geometry.pixel_mm / 2
    pixel = geometry.pixel_mm / factor
    return shrunk, replace(geometry, corner=geometry.corner + half * (1 - 1 / factor), pixel_mm=pixel)
