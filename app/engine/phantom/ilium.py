"""The iliac wing as a curved sheet: a smooth surface through anatomical landmarks with a thickness that varies.

Pelvis frame (left side): origin at the centre of the acetabulum, x lateral, y posterior, z superior, mm, for a skeleton
of average size. The landmarks were placed from the proportions of the regression of Bell et al. (Hum Mov Sci 1989;8:3:
the hip centre lies 14 % medial, 30 % distal and 22 % posterior of the anterior superior spine, in parts of the distance
between the spines) and by eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.fields import bump, polygon, rounded, smooth_step
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Vector, f32

# (y, z) -> x of the sheet's middle; the last column moves with the flare of the wings
_LANDMARKS = np.array(
    [
        # y, z, x, flare
        (-50, 72, 34, 5),  # anterior superior spine
        (-34, 36, 12, 0),  # anterior inferior spine
        (-22, 112, 50, 8),  # iliac tubercle
        (0, 126, 46, 8),
        (25, 133, 34, 6),  # top of the crest
        (55, 125, 8, 3),
        (80, 102, -18, 0),
        (98, 68, -40, 0),  # posterior superior spine
        (90, 44, -46, 0),  # posterior inferior spine
        (72, 46, -40, 0),
        (57, 42, -33, 0),  # apex of the greater sciatic notch
        (44, 28, -27, 0),
        (40, 8, -24, 0),
        (30, 45, -19, 0),
        (15, 25, -12, 0),
        (-5, 20, -4, 0),
        (-20, 20, 2, 0),
        (-25, 52, 17, 1),
        (-30, 85, 34, 5),
        (0, 85, 23, 4),  # iliac fossa
        (5, 55, 6, 1),
        (10, 105, 31, 6),
        (35, 90, 4, 2),
        (40, 65, -13, 0),
        (60, 90, -9, 1),
        (62, 65, -27, 0),
        (80, 75, -31, 0),
    ],
    dtype=np.float64,
)

_OUTLINE = [
    (-51, 73), (-49, 84), (-40, 100), (-24, 115), (0, 128), (26, 134), (52, 128), (72, 113), (88, 92), (99, 72),
    (98, 60), (92, 46), (84, 40), (72, 45), (60, 44), (50, 36), (45, 22), (43, 4), (36, -10), (0, -12), (-18, -6),
    (-29, 10), (-33, 24), (-39, 31), (-38, 40), (-33, 47), (-35, 56), (-44, 64),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """Fields of the wing on a lattice, all mm.

    Args:
        height: signed distance from the middle of the sheet, positive lateral.
        half_thickness: half the thickness.
        outline: distance to the rim, negative inside.
    """

    height: Array
    half_thickness: Array
    outline: Array


def _kernel(a: Vector, b: Vector) -> Vector:
    r2 = ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1)
    return np.asarray(0.5 * r2 * np.log(r2 + 1e-12))


class ThinPlate:
    """The smoothest surface through scattered points (thin-plate spline, Duchon 1977).

    Args:
        points: (N, 2).
        values: (N,).
        smoothing: added to the diagonal, mm.
    """

    def __init__(self, points: Vector, values: Vector, smoothing: float = 20.0) -> None:
        n = len(points)
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = _kernel(points, points) + smoothing * np.eye(n)
        system[:n, n] = system[n, :n] = 1
        system[:n, n + 1 :] = points
        system[n + 1 :, :n] = points.T
        self._points = points
        self._weights = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))

    def at(self, a: Array, b: Array) -> Array:
        """Values at broadcastable coordinates."""
        u, v = np.broadcast_arrays(a, b)
        query = np.stack([u.reshape(-1), v.reshape(-1)], axis=1).astype(np.float64)
        n = len(self._points)
        out = _kernel(query, self._points) @ self._weights[:n] + self._weights[n] + query @ self._weights[n + 1 :]
        return f32(out.reshape(u.shape))


def iliac_sheet(patient: Patient, x: Array, y: Array, z: Array) -> Sheet:
    """The wing at open-grid points x (1, 1, X), y (1, Y, 1), z (Z, 1, 1); the sheet's own fields do not depend on x."""
    k = np.float32(patient.scale)
    b, c = y / k, z / k
    middle = ThinPlate(_LANDMARKS[:, :2], _LANDMARKS[:, 2] + (patient.flare - 0.5) * 2 * _LANDMARKS[:, 3]).at(b, c)
    step_y = np.gradient(middle, axis=1) / np.gradient(b, axis=1)
    step_z = np.gradient(middle, axis=0) / np.gradient(c, axis=0)
    slope = np.sqrt(1 + step_y**2 + step_z**2).astype(np.float32)
    outline = polygon(b, c, rounded(_OUTLINE, 3))

    half = np.float32(2.0) + np.float32(0.4) * np.sin(b / 17 + c / 29)
    crest = bump(outline + 3, 5) * smooth_step(c, 55, 75)
    pillar = bump(b + np.float32(8) + (c - 60) * np.float32(0.18), 12) * smooth_step(c, 20, 45)
    brim_line = (b - 34) * np.float32(0.80) - (c - 34) * np.float32(0.60)  # across the arcuate line
    brim = bump(brim_line, 15) * (1 - smooth_step(c, 55, 85))
    roof = bump(c - 14, 26) * (1 - smooth_step(b, 20, 55))
    back = smooth_step(b, 52, 75)
    half = half + 4.2 * crest + 2.8 * pillar + 5.0 * brim + 8.5 * roof + 1.8 * back
    return Sheet(
        height=((x / k - middle) / slope * k).astype(np.float32),
        half_thickness=(half * k).astype(np.float32),
        outline=(outline * k).astype(np.float32),
    )
