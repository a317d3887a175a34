"""Metal in the proximal femur: cannulated screws, a sliding hip screw, a cephalomedullary nail.

Sizes are those of common implants (derived): screws of 6.5–7.3 mm, a lag screw of 11–13 mm, a nail of 10–12 mm.
The bone that metal displaces is taken out as a part of negative density (`displaced_bone`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np

from app.engine.phantom.bricks import Bricks, Lattice
from app.engine.phantom.femur import femur_fields, femur_frame, shaft_point
from app.engine.phantom.fields import along, capsule, smooth_max, transform, unit
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


def _on_lateral_cortex(patient: Patient, tip: Vector, axis: Vector) -> Vector:
    """Where a screw with its tip in the head comes out of the femur at the back end."""
    back = np.arange(40.0, 160.0, 0.5)
    x, y, z = (tip[:, None] - axis[:, None] * back).astype(np.float32)
    outside = np.flatnonzero(femur_fields(patient, x, y, z).surface > 0)
    far = back[outside[back[outside] > patient.neck_length_mm]]  # not where a screw high in the neck grazes it
    return np.asarray(tip - axis * (far[0] if far.size else back[-1]))


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
            tip = on_axis(depth * reach, up, back)
            start = _on_lateral_cortex(patient, tip, frame.neck)
            metal = np.minimum(metal, _thread(points, tip, start, 3.4, 16))
            metal = np.minimum(metal, capsule(x, y, z, start - frame.neck * 1.5, start + frame.neck * 0.5, 4.2))
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
            outer, inner = (
                centre + np.array([patient.shaft_radius_mm + 5, 0, 0]),
                centre - np.array([patient.shaft_radius_mm + 2.5, 0, 0]),  # two millimetres beyond the far cortex
            )
            metal = np.minimum(metal, _thread(points, inner, outer, 2.3, 34))
        return metal
    entry = np.array([6.0 * k, 2.0, frame.head_mm[2] - 6 * k])
    middle, end = shaft_point(patient, -60.0), shaft_point(patient, -170.0)
    nail = np.minimum(capsule(x, y, z, entry, middle, 7.4, 5.8), capsule(x, y, z, middle, end, 5.8, 5.2))
    axis = unit(entry - middle)
    nail = smooth_max(nail, along(x, y, z, axis) - np.float32(entry @ axis), 1.0)  # its upper end is flat
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


def displaced_bone(implant: Part, bones: Sequence[Part]) -> Part | None:
    """The bone that an implant takes the place of, as a negative part on the implant's grid; None where there is none.

    Args:
        implant: metal, posed.
        bones: the bones that it may lie in, posed; fragments may overlap its grid in any pose.
    """
    share = implant.density / np.float32(TITANIUM_DENSITY)
    iz, iy, ix = np.nonzero(share)
    index = np.stack([ix, iy, iz], axis=1)
    world = transform(implant.pose, index * np.array(implant.spacing_mm[::-1]) + np.array(implant.origin_mm))
    bone = np.zeros(len(world), dtype=np.float32)
    for part in bones:
        bone += _density_at(part, world)
    taken = np.zeros_like(implant.density)
    taken[iz, iy, ix] = -bone * share[iz, iy, ix]
    if not taken.any():
        return None
    return replace(implant, name=f"displaced-by-{implant.name}", material=Material.BONE, density=taken)


def _density_at(part: Part, world: Vector) -> Array:
    """(N,) trilinear density of a part at (N, 3) world points, zero outside its grid."""
    inside = transform(np.asarray(np.linalg.inv(part.pose), np.float64), world)
    index = ((inside - np.array(part.origin_mm)) / np.array(part.spacing_mm[::-1]))[:, ::-1]  # z, y, x
    low = np.floor(index).astype(np.intp)
    fraction = (index - low).astype(np.float32)
    shape = np.array(part.density.shape)
    total = np.zeros(len(world), dtype=np.float32)
    for corner in np.ndindex(2, 2, 2):
        at = low + corner
        is_in = ((at >= 0) & (at < shape)).all(axis=1)
        weight = np.prod(np.where(corner, fraction, 1 - fraction), axis=1)[is_in]
        total[is_in] += weight * part.density[tuple(at[is_in].T)]
    return total
