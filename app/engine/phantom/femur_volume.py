"""The femur's density at the fine voxels: cortex, endosteal transition and trabeculae; a fine and a coarse stretch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.bone_texture import cortical_fraction, proximal_femur, shell
from app.engine.phantom.bricks import Bricks, Lattice
from app.engine.phantom.femur import MINERAL_DENSITY, CorticalThickening, femur_fields, femur_frame
from app.engine.phantom.fields import smooth_step
from app.engine.phantom.noise import Noise
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array

_OVERLAP_MM = 8.0  # the fine and the coarse stretch fade into each other


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FemurVolume:
    """A stretch of femur.

    Args:
        bricks: its occupied bricks, in the femur frame.
        density: (n, factor³) g/cm³.
        surface: (n, factor³) signed distance to the outer surface, mm.
    """

    bricks: Bricks
    density: Array
    surface: Array


def femur_volume(
    patient: Patient,
    *,
    spacing_mm: float,
    factor: int = 4,
    top_mm: float | None = None,
    bottom_mm: float,
    thickening: CorticalThickening | None = None,
) -> FemurVolume:
    """The femur between two heights, fading over 8 mm at an end that `top_mm` or `bottom_mm` cuts.

    Args:
        patient: whose femur.
        spacing_mm: edge of the fine voxels.
        factor: fine voxels along a coarse cell.
        top_mm: z where the stretch begins (the middle of the fade); None = above the head.
        bottom_mm: z where it ends (the middle of the fade).
        thickening: lateral cortical thickening.
    """
    frame = femur_frame(patient)
    margin = patient.head_radius_mm + 6
    head = frame.head_mm
    low = np.array([min(-40.0, head[0] - margin), min(-40.0, head[1] - margin), bottom_mm - _OVERLAP_MM])
    high = np.array([42.0, 44.0, max(62.0, head[2] + margin)])
    if top_mm is not None:
        low[:2] = (-34, -46)
        high = np.array([36.0, 38.0, top_mm + _OVERLAP_MM])
    lattice = Lattice.covering(low, high, spacing_mm * factor)
    x, y, z = lattice.axes()
    fields = femur_fields(patient, x, y, z, thickening)
    bricks = Bricks.where_below(lattice, factor, fields.surface, 0.5 * spacing_mm)
    surface = bricks.refine(fields.surface)
    cortex = bricks.refine(fields.cortex)
    mean = bricks.refine(fields.cancellous)
    s, p, w = (bricks.refine(f) for f in (fields.s, fields.p, fields.w))

    noise = Noise(np.random.default_rng([patient.texture_seed, 1]))
    fraction = proximal_femur(patient, noise, s, p, w, mean) if top_mm is None else np.clip(mean, 0, 0.3)
    compact = np.float32(cortical_fraction(patient))
    in_cortex, inside = shell(surface, cortex, spacing_mm)
    depth = -(surface + cortex)
    rim = np.float32(0.55) * (1 - np.clip(depth * np.float32(1 / 1.8), 0, 1))  # trabecularised endosteal cortex
    values = in_cortex * compact + inside * (fraction + (compact - fraction) * rim)
    _, _, fine_z = bricks.points()
    half = _OVERLAP_MM / 2
    values = values * smooth_step(fine_z, bottom_mm - half, bottom_mm + half)
    if top_mm is not None:
        values = values * (1 - smooth_step(fine_z, top_mm - half, top_mm + half))
    return FemurVolume(
        bricks=bricks, density=(values * np.float32(MINERAL_DENSITY)).astype(np.float32), surface=surface
    )
