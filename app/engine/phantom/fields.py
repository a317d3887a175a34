"""Signed distances of simple bodies and their smooth unions, on open grids of points.

Every function takes coordinates `x, y, z` (float32 arrays that broadcast against each other, mm) and returns a float32
array of approximate signed distances in mm, negative inside. The smooth minimum is the quadratic one of I. Quilez,
"Smooth minimum" (2013); the ellipsoid bound is from the same author's catalogue of distance functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from app.engine.phantom.volume import Array, Vector, f32

Point: TypeAlias = Sequence[float] | Vector


def unit(vector: ArrayLike) -> Vector:
    """The vector scaled to length 1."""
    v = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(v))
    if length == 0:
        raise ValueError("the zero vector has no direction")
    return np.asarray(v / length)


def rotation(axis: ArrayLike, angle_deg: float) -> Vector:
    """(3, 3) right-handed rotation about an axis through the origin (Rodrigues)."""
    a = unit(axis)
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    angle = math.radians(angle_deg)
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)


def rigid(turn: Vector, shift: ArrayLike = (0.0, 0.0, 0.0)) -> Vector:
    """(4, 4) motion: first `turn` (3, 3) about the origin, then `shift` in mm."""
    motion = np.eye(4)
    motion[:3, :3] = turn
    motion[:3, 3] = np.asarray(shift, dtype=np.float64)
    return motion


def rigid_about(turn: Vector, centre: ArrayLike, shift: ArrayLike = (0.0, 0.0, 0.0)) -> Vector:
    """(4, 4) motion: `turn` about `centre`, then `shift` in mm."""
    c = np.asarray(centre, dtype=np.float64)
    return rigid(turn, c - turn @ c + np.asarray(shift, dtype=np.float64))


def transform(motion: Vector, point: ArrayLike) -> Vector:
    """The point (or (N, 3) points) after a (4, 4) motion."""
    p = np.asarray(point, dtype=np.float64)
    return np.asarray(p @ motion[:3, :3].T + motion[:3, 3])


def smooth_min(a: Array, b: Array, radius_mm: float) -> Array:
    """Union with a fillet of about `radius_mm`."""
    h = np.clip(0.5 + (0.5 / radius_mm) * (b - a), 0, 1)
    return f32(b + (a - b) * h - radius_mm * h * (1 - h))


def smooth_max(a: Array, b: Array, radius_mm: float) -> Array:
    """Intersection with a rounding of about `radius_mm`."""
    h = np.clip(0.5 - (0.5 / radius_mm) * (b - a), 0, 1)
    return f32(b + (a - b) * h + radius_mm * h * (1 - h))


def smooth_step(value: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, cubic between."""
    t = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return f32(t * t * (3 - 2 * t))


def bump(value: Array, width: float) -> Array:
    """exp(-(value / width)²)."""
    scaled = value * np.float32(1 / width)
    return f32(np.exp(-scaled * scaled))


def distance(x: Array, y: Array, z: Array, centre: Point) -> Array:
    """Distance to a point."""
    dx, dy, dz = (q - np.float32(c) for q, c in zip((x, y, z), centre, strict=True))
    return f32(np.sqrt(dx * dx + dy * dy + dz * dz))


def along(x: Array, y: Array, z: Array, direction: Point) -> Array:
    """Coordinate along a direction through the origin."""
    a, b, c = (np.float32(v) for v in direction)
    return f32(a * x + b * y + c * z)


def ellipsoid(x: Array, y: Array, z: Array, centre: Point, radii: Point, turn: Vector | None = None) -> Array:
    """An ellipsoid with semi-axes `radii` along the columns of `turn` (the coordinate axes without)."""
    q = [p - np.float32(c) for p, c in zip((x, y, z), centre, strict=True)]
    if turn is not None:
        r = turn.astype(np.float32)
        q = [r[0, i] * q[0] + r[1, i] * q[1] + r[2, i] * q[2] for i in range(3)]
    inner = [p * np.float32(1 / r) for p, r in zip(q, radii, strict=True)]
    outer = [p * np.float32(1 / r) for p, r in zip(inner, radii, strict=True)]
    k0 = np.sqrt(inner[0] ** 2 + inner[1] ** 2 + inner[2] ** 2)
    k1 = np.sqrt(outer[0] ** 2 + outer[1] ** 2 + outer[2] ** 2) + np.float32(1e-6)
    return f32(k0 * (k0 - 1) / k1)


def capsule(
    x: Array, y: Array, z: Array, start: Point, end: Point, start_radius: float, end_radius: float | None = None
) -> Array:
    """A rod with round ends, tapered from `start_radius` to `end_radius`."""
    if end_radius is None:
        end_radius = start_radius
    axis = np.asarray(end, dtype=np.float64) - np.asarray(start, dtype=np.float64)
    inverse = float(1 / (axis @ axis))
    dx, dy, dz = (q - np.float32(c) for q, c in zip((x, y, z), start, strict=True))
    ax, ay, az = (np.float32(v) for v in axis)
    h = np.clip((dx * ax + dy * ay + dz * az) * np.float32(inverse), 0, 1)
    ex, ey, ez = dx - h * ax, dy - h * ay, dz - h * az
    reach = np.sqrt(ex * ex + ey * ey + ez * ez)
    return f32(reach - (np.float32(start_radius) + np.float32(end_radius - start_radius) * h))


def polyline_tube(x: Array, y: Array, z: Array, points: Sequence[Point], radii: Sequence[float]) -> Array:
    """Capsules joined end to end through `points`, with one radius a point."""
    pieces = [
        capsule(x, y, z, a, b, ra, rb)
        for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    ]
    tube = pieces[0]
    for piece in pieces[1:]:
        tube = smooth_min(tube, piece, 4.0)
    return tube


def elliptic_section(a: Array, b: Array, radius_a: Array | float, radius_b: Array | float) -> Array:
    """Distance in the plane to an ellipse with semi-axes `radius_a` and `radius_b` (which may vary along the axis)."""
    u, v = a / radius_a, b / radius_b
    k0 = np.sqrt(u * u + v * v) + np.float32(1e-6)
    k1 = np.sqrt((u / radius_a) ** 2 + (v / radius_b) ** 2) + np.float32(1e-6)
    return f32(k0 * (k0 - 1) / k1)


def polygon(a: Array, b: Array, corners: ArrayLike) -> Array:
    """Distance in the plane to a closed polygon of (N, 2) corners, on broadcastable coordinates `a`, `b`."""
    points = np.asarray(corners, dtype=np.float32)
    u, v = np.broadcast_arrays(a, b)
    nearest = np.full(u.shape, np.inf, dtype=np.float32)
    is_inside = np.zeros(u.shape, dtype=bool)
    for p, q in zip(points, np.roll(points, -1, axis=0), strict=True):
        ex, ey = q - p
        wu, wv = u - p[0], v - p[1]
        t = np.clip((wu * ex + wv * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (wu - t * ex) ** 2 + (wv - t * ey) ** 2)
        crosses = (p[1] <= v) != (q[1] <= v)
        if ey != 0:
            is_inside ^= crosses & (wu < wv * (ex / ey))
    reach = np.sqrt(nearest)
    return f32(np.where(is_inside, -reach, reach))


def rounded(corners: ArrayLike, passes: int = 2) -> Vector:
    """A closed polygon with its corners cut `passes` times (Chaikin 1974)."""
    points = np.asarray(corners, dtype=np.float64)
    for _ in range(passes):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points
