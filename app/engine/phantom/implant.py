"""Metal in the proximal femur: cannulated screws, a sliding hip screw, a cephalomedullary nail.

Sizes are those of common implants (derived): screws of 6.5–7.3 mm, a lag screw of 11–13 mm, a nail of 10–12 mm.
Metal is placed over the bone; the bone that it displaces is not taken out, which cannot be seen beside the metal.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from app.engine.phantom.bricks import Bricks, Lattice
from app.engine.phantom.femur import femur_frame, shaft_point
from app.engine.phantom.fields import capsule, smooth_max
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Material, Part, Vector

TITANIUM_DENSITY = 4.43  # g/cm³, Ti-6Al-4V


class ImplantKind(StrEnum):
    """Which implant."""

    SCREWS = "cannulated-screws"
    SLIDING_SCREW = "sliding-hip-screw"
    NAIL = "cephalomedullary-nail"


def _thread(points: tuple[Array, Array, Array], tip: Vector, start: Vector, radius: float, length: float) -> Array:
    """A screw shank with a threaded tip."""
    x, y, z = points
    axis = (tip - start) / np.linalg.norm(tip - start)
    shank = capsule(x, y, z, start, tip, radius * 0.72)
    t = sum((q - np.float32(c)) * np.float32(d) for q, c, d in zip(points, tip, axis, strict=True))
    ridge = np.float32(radius * 0.16) * np.sin(t * np.float32(2 * np.pi / 2.75))
    thread = capsule(x, y, z, tip - axis * length, tip, radius * 0.86) - ridge
    return np.minimum(shank, thread.astype(np.float32))


def _metal_distance(patient: Patient, kind: ImplantKind, points: tuple[Array, Array, Array]) -> Array:
    frame = femur_frame(patient)
    x, y, z = points
    k = patient.scale
    depth = patient.neck_length_mm + 0.55 * patient.head_radius_mm
    lateral = 1.15 * patient.shaft_radius_mm + 1.5  # of the cortex where the neck axis leaves it

    def on_axis(s: float, up: float, back: float) -> Vector:
        return np.asarray(frame.neck * s + frame.superior * up + frame.posterior * back)

    if kind is ImplantKind.SCREWS:
        metal = np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), 50, dtype=np.float32)
        for up, back, reach in ((-7.5 * k, 0.0, 0.97), (4.5 * k, -5.0 * k, 0.94), (4.5 * k, 5.0 * k, 0.92)):
            start, tip = on_axis(-lateral / 0.79, up, back), on_axis(depth * reach, up, back)
            metal = np.minimum(metal, _thread(points, tip, start, 3.4, 16))
            head = start + frame.neck * 2.0
            metal = np.minimum(metal, capsule(x, y, z, start, head, 4.2))
        return metal
    low, high = on_axis(-lateral / 0.79, -3 * k, 0), on_axis(depth, -3 * k, 0)
    lag = _thread(points, high, low, 6.2, 22)
    if kind is ImplantKind.SLIDING_SCREW:
        barrel = capsule(x, y, z, low, low + frame.neck * 36, 6.8)
        top = low + np.array([1.0, 0, 4])
        foot = shaft_point(patient, -100.0) + np.array([patient.shaft_radius_mm + 3.5, 0, 0])
        plate = capsule(x, y, z, top, foot, 8.5)
        plate = smooth_max(plate, (np.abs(x - np.float32(foot[0] + 0.5)) - np.float32(3.2)).astype(np.float32), 1.0)
        metal = np.minimum(np.minimum(lag, barrel), plate)
        for level in (-48.0, -66.0, -84.0):
            centre = shaft_point(patient, level)
            outer, inner = centre + np.array([patient.shaft_radius_mm + 5, 0, 0]), centre - np.array([20 * k, 0, 0])
            metal = np.minimum(metal, _thread(points, inner, outer, 2.3, 34))
        return metal
    entry = np.array([6.0 * k, 2.0, frame.head_mm[2] - 6 * k])
    middle, end = shaft_point(patient, -60.0), shaft_point(patient, -170.0)
    nail = np.minimum(capsule(x, y, z, entry, middle, 7.4, 5.8), capsule(x, y, z, middle, end, 5.8, 5.2))
    lock = shaft_point(patient, -150.0)
    locking = capsule(x, y, z, lock + np.array([22 * k, 0, 0]), lock - np.array([20 * k, 0, 0]), 2.4)
    return np.minimum(np.minimum(nail, lag), locking)


def implant_part(patient: Patient, kind: ImplantKind, *, spacing_mm: float, pose: Vector) -> Part:
    """The implant in the femur frame, posed like the shaft.

    Args:
        patient: whose femur.
        kind: which implant.
        spacing_mm: edge of the fine voxels.
        pose: (4, 4) world from femur frame.
    """
    frame = femur_frame(patient)
    factor = 3
    low = np.array([frame.head_mm[0] - 24, frame.head_mm[1] - 30, -182.0])
    high = np.array([46.0, 34.0, frame.head_mm[2] + 26])
    lattice = Lattice.covering(low, high, spacing_mm * factor)
    coarse = _metal_distance(patient, kind, lattice.axes())
    bricks = Bricks.where_below(lattice, factor, coarse, 2.5 * spacing_mm)
    x, y, z = bricks.points()
    distance = _metal_distance(patient, kind, (x, y, z))
    values = np.clip(np.float32(0.5) - distance / np.float32(spacing_mm), 0, 1) * np.float32(TITANIUM_DENSITY)
    part = bricks.part(values.astype(np.float32), name=kind.value, material=Material.METAL, pose=pose)
    assert part is not None, "an implant has voxels"
    return part
