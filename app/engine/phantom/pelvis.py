"""The pelvis at fine voxels: hip bone (used twice, mirrored), sacrum and the lowest lumbar vertebrae."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.bone_texture import shell
from app.engine.phantom.bricks import Bricks, Lattice
from app.engine.phantom.femur import MINERAL_DENSITY
from app.engine.phantom.fields import smooth_max, smooth_min
from app.engine.phantom.innominate import InnominateFields, innominate_fields
from app.engine.phantom.noise import Noise
from app.engine.phantom.patient import Patient
from app.engine.phantom.sacrum import sacrum_fields
from app.engine.phantom.volume import Array, Material, Part, Vector, f32

_LOW = np.array([-98.0, -66.0, -108.0])
_HIGH = np.array([74.0, 116.0, 150.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pelvis:
    """Bone parts of a pelvis in the frame of its left side.

    Args:
        left: the left hip bone.
        spine: sacrum, coccyx and the lowest lumbar vertebrae.
    """

    left: Part
    spine: Part


def mirror_about_midline(patient: Patient) -> Vector:
    """(4, 4) reflection that takes the left half of the body to the right one."""
    motion = np.diag([-1.0, 1.0, 1.0, 1.0])
    motion[0, 3] = -2 * patient.half_width_mm
    return motion


def pelvis_parts(patient: Patient, *, spacing_mm: float, factor: int = 3) -> Pelvis:
    """Hip bone and spine with `spacing_mm` voxels."""
    k = patient.scale
    lattice = Lattice.covering(_LOW * k, _HIGH * k, spacing_mm * factor)
    fields = innominate_fields(patient, *lattice.axes())
    noise = Noise(np.random.default_rng([patient.texture_seed, 2]))
    left = _left(patient, lattice, fields, noise, spacing_mm, factor)
    return Pelvis(left=left, spine=_spine(patient, noise, spacing_mm, factor))


def _left(
    patient: Patient, lattice: Lattice, fields: InnominateFields, noise: Noise, spacing_mm: float, factor: int
) -> Part:
    sheet = fields.sheet
    # on the coarse lattice the wing is only bounded: exact values follow at the fine voxels
    wing = np.maximum(np.abs(sheet.height) - sheet.half_thickness, sheet.outline)
    reach = np.minimum(fields.body, wing) - np.float32(6)  # the fillet between them adds bone
    bricks = Bricks.where_below(lattice, factor, np.maximum(reach, -fields.carve), 1.3 * spacing_mm)
    surface = _innominate_surface(patient, bricks, fields)
    cortex, cancellous = bricks.refine(fields.cortex), bricks.refine(fields.cancellous)
    values = _filled(patient, bricks, noise, surface, cortex, cancellous, spacing_mm)
    part = bricks.part(values, name="pelvis-left", material=Material.BONE, pose=np.eye(4))
    assert part is not None, "a hip bone has voxels"
    return part


def _innominate_surface(patient: Patient, bricks: Bricks, fields: InnominateFields) -> Array:
    k = patient.scale
    height, half = bricks.refine(fields.sheet.height), bricks.refine(fields.sheet.half_thickness)
    wing = smooth_max(np.abs(height) - half, bricks.refine(fields.sheet.outline), 4 * k)
    surface = smooth_min(bricks.refine(fields.body), wing, 10 * k)
    return smooth_max(surface, -bricks.refine(fields.carve), 1.6)


def _filled(
    patient: Patient, bricks: Bricks, noise: Noise, surface: Array, cortex: Array, cancellous: Array, spacing_mm: float
) -> Array:
    """Apparent density of a bone with isotropic cancellous texture."""
    x, y, z = bricks.points()
    texture = 0.5 * noise.lumps(x, y, z, 2.2) + 0.35 * noise.lumps(x + 40, y, z, 5.5)
    # a wide, smooth ramp keeps slanted plates from beating with the rows of voxels
    in_cortex, inside = shell(surface, cortex, 2.5 * spacing_mm, is_smooth=True)
    fraction = in_cortex * np.float32(0.88) + inside * np.clip(cancellous * (1 + np.float32(0.8) * texture), 0, 0.8)
    return f32(fraction * np.float32(MINERAL_DENSITY))


def _spine(patient: Patient, noise: Noise, spacing_mm: float, factor: int) -> Part:
    k, mid = patient.scale, patient.half_width_mm
    low = np.array([-mid - 64 * k, 8 * k, -26 * k])
    high = np.array([-mid + 64 * k, 124 * k, 188 * k])
    spacing = 1.2 * spacing_mm
    factor = max(2, factor - 1)  # thin processes
    lattice = Lattice.covering(low, high, spacing * factor)
    x, y, z = lattice.axes()
    fields = sacrum_fields(patient, x, y, z)
    bricks = Bricks.where_below(lattice, factor, fields.surface, 1.3 * spacing)
    surface = bricks.refine(fields.surface)
    cortex, cancellous = bricks.refine(fields.cortex), bricks.refine(fields.cancellous)
    values = _filled(patient, bricks, noise, surface, cortex, cancellous, spacing)
    part = bricks.part(values, name="sacrum-and-spine", material=Material.BONE, pose=np.eye(4))
    assert part is not None, "a sacrum has voxels"
    return part
