"""Exact Joseph projection of a cone beam, one perspective warp a slice.

Joseph (IEEE Trans Med Imaging 1982;1:192) steps along the axis that the ray follows most and interpolates each slice
linearly in its two other axes. Seen from a point source, every slice is the image of the detector under a homography;
so the whole of Joseph's sum is one `cv2.warpPerspective` a slice, at the true pixel centres, without resampling.
OpenCV 5 interpolates float images in float; 4.12 and 4.13 round positions to 1/32 px (measured: errors up to 0.025 of
the largest step between voxels), so OpenCV 5 is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Material, Part
from app.engine.projection.geometry import Geometry

Array: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]

_WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_VOXEL_SAMPLES = 2.5  # detector samples across a voxel's shadow beyond which a coarser detector is projected on
_MM_PER_CM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayFrame:
    """A geometry in the index coordinates (x, y, z) of one part.

    Args:
        source: (3,) source, voxel indices.
        rays: (3, 3) rows for x, y, z: direction of the ray to pixel centre (col, row) is rays @ (col, row, 1).
        spacing: (3,) voxel size (x, y, z), mm.
        shape: number of voxels (x, y, z).
    """

    source: Vector
    rays: Vector
    spacing: Vector
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, part: Part, geometry: Geometry) -> RayFrame:
        """Express the source and the pixel centres of a geometry in the voxel indices of a part."""
        spacing = np.array(part.spacing_mm[::-1], np.float64)
        rotation = part.pose[:3, :3]
        source = ((geometry.source - part.pose[:3, 3]) @ rotation - np.array(part.origin_mm)) / spacing
        u = (geometry.u * geometry.pixel_mm) @ rotation / spacing
        v = (geometry.v * geometry.pixel_mm) @ rotation / spacing
        first = (geometry.corner - geometry.source) @ rotation / spacing + (u + v) / 2
        depth, height, width = part.density.shape
        return cls(source=source, rays=np.stack([u, v, first], axis=1), spacing=spacing, shape=(width, height, depth))

    def main_axis(self, geometry: Geometry) -> int:
        """The axis (0 = x) that the ray through the middle of the detector follows most, in voxels."""
        middle = self.rays @ [(geometry.cols - 1) / 2, (geometry.rows - 1) / 2, 1.0]
        return int(np.argmax(np.abs(middle)))

    def step_mm(self, geometry: Geometry, axis: int) -> Array:
        """(rows, cols) float32 length of each ray between two slices across `axis`, mm."""
        col = np.arange(geometry.cols, dtype=np.float64)[None, :]
        row = np.arange(geometry.rows, dtype=np.float64)[:, None]
        direction = [line[0] * col + line[1] * row + line[2] for line in self.rays]
        squared = sum((d * s) ** 2 for d, s in zip(direction, self.spacing, strict=True))
        step: Array = (np.sqrt(squared) / np.abs(direction[axis])).astype(np.float32)
        return step


def project(parts: Iterable[Part], geometry: Geometry) -> dict[Material, Array]:
    """Areal density of each material along every ray.

    Args:
        parts: volumes, each with its own grid and pose. They lie in front of the source; what lies behind the
            detector is counted too.
        geometry: source and detector.

    Returns:
        for each material that occurs, (rows, cols) float32, g/cm².
    """
    sums: dict[Material, Array] = {}
    for part in parts:
        image = project_part(part, geometry)
        if part.material in sums:
            sums[part.material] += image
        else:
            sums[part.material] = image
    return sums


def project_part(part: Part, geometry: Geometry, *, is_per_pixel: bool = False) -> Array:
    """Areal density of one part along every ray.

    A part whose voxels cast shadows of many pixels is projected on a coarser detector and enlarged by cubic
    interpolation (bone at 0.6 mm never is; soft tissue at 4 mm is): below 0.1 % of the maximum, and k² times faster.

    Args:
        part: one volume.
        geometry: source and detector.
        is_per_pixel: never use the coarser detector.

    Returns:
        (rows, cols) float32, g/cm².

    Raises:
        ValueError: the source lies inside the part or beside it.
    """
    factor = 1 if is_per_pixel else _coarsening(part, geometry)
    if factor == 1:
        return line_integrals(part, geometry) / np.float32(_MM_PER_CM)
    coarse = geometry.coarser(factor)
    image = line_integrals(part, coarse)
    large = cv2.resize(image, (coarse.cols * factor, coarse.rows * factor), interpolation=cv2.INTER_CUBIC)
    result: Array = np.ascontiguousarray(large[: geometry.rows, : geometry.cols])
    return result / np.float32(_MM_PER_CM)


def line_integrals(part: Part, geometry: Geometry) -> Array:
    """Joseph's sum at every pixel centre: (rows, cols) float32, density × mm."""
    frame = RayFrame.of(part, geometry)
    axis = frame.main_axis(geometry)
    total = np.zeros((geometry.rows, geometry.cols), np.float32)
    for index, content in slices(part.density, axis):
        matrix = slice_homography(frame, axis, index)
        left, top, right, bottom = _shadow(matrix, content, geometry)
        if right <= left or bottom <= top:
            continue
        plane = _plane(part.density, axis, index)
        shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
        warped = cv2.warpPerspective(
            plane, matrix @ shift, (right - left, bottom - top), flags=_WARP, borderMode=cv2.BORDER_CONSTANT
        )
        area = total[top:bottom, left:right]
        cv2.add(area, warped, dst=area)
    total *= frame.step_mm(geometry, axis)
    return total


def slice_homography(frame: RayFrame, axis: int, index: int) -> Vector:
    """(3, 3) float64: detector pixel (col, row, 1) to the position (fast, slow) in slice `index` across `axis`.

    Raises:
        ValueError: the slice does not lie in front of the source for the whole detector.
    """
    fast, slow = (other for other in range(3) if other != axis)
    depth = index - frame.source[axis]
    main = frame.rays[axis]
    if depth * main[2] <= 0:
        raise ValueError("the source lies inside or beside the volume")
    rows = [frame.source[other] * main + depth * frame.rays[other] for other in (fast, slow)]
    matrix = np.stack([*rows, main])
    return np.asarray(matrix / main[2])


def slices(density: Array, axis: int) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
    """The slices across `axis` that hold anything, each with the bounds of its content.

    Yields:
        index of the slice and (first fast, first slow, last fast, last slow), inclusive voxel indices.
    """
    is_filled = density != 0
    occupied = is_filled.any(axis=0), is_filled.any(axis=1), is_filled.any(axis=2)  # (Y, X), (Z, X), (Z, Y)
    if axis == 0:
        across_slow, across_fast = occupied[1].T, occupied[0].T  # per x: z, y
    elif axis == 1:
        across_slow, across_fast = occupied[2].T, occupied[0]  # per y: z, x
    else:
        across_slow, across_fast = occupied[2], occupied[1]  # per z: y, x
    for index in np.flatnonzero(across_fast.any(axis=1)).tolist():
        fast, slow = np.flatnonzero(across_fast[index]), np.flatnonzero(across_slow[index])
        yield index, (int(fast[0]), int(slow[0]), int(fast[-1]), int(slow[-1]))


def _plane(density: Array, axis: int, index: int) -> Array:
    """One slice as rows along the slower axis, columns along the faster one."""
    if axis == 0:
        return np.ascontiguousarray(density[:, :, index])
    return density[:, index] if axis == 1 else density[index]


def _shadow(matrix: Vector, content: tuple[int, int, int, int], geometry: Geometry) -> tuple[int, int, int, int]:
    """Pixels (left, top, right, bottom; end excluded) that the content of a slice can reach."""
    a0, b0, a1, b1 = content
    corners = np.array([[a0 - 1, b0 - 1, 1], [a1 + 1, b0 - 1, 1], [a0 - 1, b1 + 1, 1], [a1 + 1, b1 + 1, 1]], np.float64)
    seen = corners @ np.linalg.inv(matrix).T
    if np.any(seen[:, 2] * seen[0, 2] <= 0):
        return 0, 0, geometry.cols, geometry.rows
    points = seen[:, :2] / seen[:, 2:]
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0)) + 1
    size = np.array([geometry.cols, geometry.rows])
    left, top = np.clip(low, 0, size).astype(int).tolist()
    right, bottom = np.clip(high, 0, size).astype(int).tolist()
    return left, top, right, bottom


def _coarsening(part: Part, geometry: Geometry) -> int:
    """How many times coarser the detector may be for this part."""
    depth, height, width = part.density.shape
    corners = np.array([[x, y, z] for x in (0, width - 1) for y in (0, height - 1) for z in (0, depth - 1)], np.float64)
    points = corners * np.array(part.spacing_mm[::-1]) + np.array(part.origin_mm)
    world = points @ part.pose[:3, :3].T + part.pose[:3, 3]
    farthest = float(((world - geometry.source) @ geometry.normal).max())
    if farthest <= 0:
        raise ValueError("the volume lies behind the source")
    shadow_px = min(part.spacing_mm) * geometry.source_to_detector_mm / farthest / geometry.pixel_mm
    return max(1, int(shadow_px / _VOXEL_SAMPLES))
