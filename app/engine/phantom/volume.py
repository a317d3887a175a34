"""What the phantom hands to the projector: volumes of one material, each on its own grid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]


def f32(value: ArrayLike) -> Array:
    """The value as a float32 array."""
    return np.asarray(value, dtype=np.float32)


class Material(StrEnum):
    """What attenuates. Air is the absence of a part; gas inside the body is a negative density of MUSCLE."""

    BONE = "bone"
    MUSCLE = "muscle"
    FAT = "fat"
    METAL = "metal"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One volume of one material on its own grid.

    Args:
        name: what it is, for example `femur-proximal-fragment`.
        material: what it is made of.
        density: (Z, Y, X) float32, g/cm³ at the voxel centres (bone: apparent density). Negative where it displaces
            the same material of another part.
        spacing_mm: (dz, dy, dx), distance between voxel centres.
        origin_mm: (x, y, z) of the centre of voxel (0, 0, 0) in the part's frame.
        pose: (4, 4) float64, world from part, mm; orthogonal (a reflection is allowed: the other side of the body).
    """

    name: str
    material: Material
    density: Array
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    pose: Vector

    def __post_init__(self) -> None:
        if self.density.ndim != 3 or self.density.dtype != np.float32:
            raise ValueError("density must be a (Z, Y, X) float32 array")
        if min(self.spacing_mm) <= 0:
            raise ValueError(f"spacing must be positive, not {self.spacing_mm}")
        if self.pose.shape != (4, 4):
            raise ValueError("pose must be a (4, 4) matrix")
        gram = self.pose[:3, :3] @ self.pose[:3, :3].T
        if not np.allclose(gram, np.eye(3), atol=1e-6) or not np.array_equal(self.pose[3], [0, 0, 0, 1]):
            raise ValueError("pose must be a rigid motion or a reflection")
