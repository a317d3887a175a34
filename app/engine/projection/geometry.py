"""Where the X-ray source and the flat detector are, and how points fall on the detector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """A point source and a flat detector with square pixels, in world coordinates.

    Args:
        source: (3,) float64, focal spot, mm.
        corner: (3,) float64, outer corner of the first pixel: image coordinates (0, 0), mm.
        u: (3,) float64, unit vector along a row, towards higher columns.
        v: (3,) float64, unit vector along a column, towards higher rows; perpendicular to u.
        pixel_mm: distance between pixel centres at the detector, mm.
        rows: image height, px.
        cols: image width, px.
    """

    source: Vector
    corner: Vector
    u: Vector
    v: Vector
    pixel_mm: float
    rows: int
    cols: int

    def __post_init__(self) -> None:
        for name in ("source", "corner", "u", "v"):
            object.__setattr__(self, name, np.array(getattr(self, name), np.float64).reshape(3))
        if not np.allclose([self.u @ self.u, self.v @ self.v, self.u @ self.v], [1, 1, 0], atol=1e-9):
            raise ValueError("u and v must be perpendicular unit vectors")
        if self.pixel_mm <= 0 or self.rows < 1 or self.cols < 1:
            raise ValueError("pixel_mm, rows and cols must be positive")
        if self.source_to_detector_mm < 1e-6:
            raise ValueError("the source lies in the plane of the detector")

    @classmethod
    def aimed(
        cls,
        *,
        aim: ArrayLike,
        beam: ArrayLike,
        right: ArrayLike,
        source_to_detector_mm: float,
        aim_to_detector_mm: float,
        pixel_mm: float,
        rows: int,
        cols: int,
    ) -> Geometry:
        """A central ray through `aim` that meets the middle of the detector at a right angle.

        Args:
            aim: (3,) world point on the central ray, mm.
            beam: (3,) direction of the central ray, any length.
            right: (3,) direction that shall point right in the image; only its part across the beam counts.
            source_to_detector_mm: SID, mm.
            aim_to_detector_mm: distance from `aim` to the detector, mm.
            pixel_mm: detector pixel, mm.
            rows: image height, px.
            cols: image width, px.
        """
        point = np.asarray(aim, np.float64)
        ray = _unit(beam)
        across = np.asarray(right, np.float64)
        u = _unit(across - (across @ ray) * ray)
        v = np.cross(ray, u)
        centre = point + ray * aim_to_detector_mm
        corner = centre - (u * cols + v * rows) * (pixel_mm / 2)
        source = point - ray * (source_to_detector_mm - aim_to_detector_mm)
        return cls(source=source, corner=corner, u=u, v=v, pixel_mm=pixel_mm, rows=rows, cols=cols)

    @property
    def normal(self) -> Vector:
        """(3,) unit vector perpendicular to the detector, away from the source."""
        normal = np.cross(self.u, self.v)
        return normal if normal @ (self.corner - self.source) > 0 else -normal

    @property
    def source_to_detector_mm(self) -> float:
        """Perpendicular distance from source to detector (SID), mm."""
        return float(abs(np.cross(self.u, self.v) @ (self.corner - self.source)))

    def magnification(self, point: ArrayLike) -> float:
        """How much larger than life a small object at this world point appears on the detector."""
        depth = float(self.normal @ (np.asarray(point, np.float64) - self.source))
        return self.source_to_detector_mm / depth

    def camera_matrix(self) -> Vector:
        """(3, 4) float64 P with (x, y, 1) ~ P (X, Y, Z, 1): world mm to image coordinates (corner origin), px."""
        plane = np.stack([self.u * self.pixel_mm, self.v * self.pixel_mm, self.corner - self.source], axis=1)
        rotation = np.linalg.inv(plane)
        return np.concatenate([rotation, -(rotation @ self.source)[:, None]], axis=1)

    def project_points(self, points: ArrayLike) -> Vector:
        """Where world points fall on the detector.

        Args:
            points: (..., 3) world points, mm, in front of the source.

        Returns:
            (..., 2) float64 image coordinates (x, y), px, origin at the outer corner of the first pixel.

        Raises:
            ValueError: a point lies beside or behind the source.
        """
        world = np.asarray(points, np.float64)
        matrix = self.camera_matrix()
        homogeneous = world @ matrix[:, :3].T + matrix[:, 3]
        if np.any(homogeneous[..., 2] <= 0):
            raise ValueError("a point beside or behind the source has no image")
        image: Vector = homogeneous[..., :2] / homogeneous[..., 2:]
        return image

    def pixel_centres(self) -> Vector:
        """(rows, cols, 3) float64 world positions of the pixel centres, mm."""
        x = (np.arange(self.cols) + 0.5) * self.pixel_mm
        y = (np.arange(self.rows) + 0.5) * self.pixel_mm
        return self.corner + x[None, :, None] * self.u + y[:, None, None] * self.v

    def mirrored(self) -> Geometry:
        """The geometry that gives the image flipped left to right of a body mirrored at the plane x = 0."""
        mirror = np.array([-1.0, 1.0, 1.0])
        last_corner = self.corner + self.u * (self.cols * self.pixel_mm)
        return replace(
            self, source=self.source * mirror, corner=last_corner * mirror, u=-self.u * mirror, v=self.v * mirror
        )

    def coarser(self, factor: int) -> Geometry:
        """The same detector with pixels `factor` times as large; it reaches over the edge where it must."""
        return replace(
            self,
            pixel_mm=self.pixel_mm * factor,
            rows=-(-self.rows // factor),
            cols=-(-self.cols // factor),
        )


def _unit(vector: ArrayLike) -> Vector:
    values = np.asarray(vector, np.float64).reshape(3)
    length = float(np.linalg.norm(values))
    if length < 1e-12:
        raise ValueError("a direction must not be zero")
    return values / length
