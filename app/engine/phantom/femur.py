"""The proximal femur as implicit surfaces: head, neck, trochanters, bowed shaft, cortex and cancellous density.

Femur frame (left side): origin where the neck and shaft axes cross, x lateral, y posterior, z superior, shaft along −z.
Dimensions come from the patient's parameters; shape factors were tuned by eye against anatomy-book proportions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.engine.phantom.fields import (
    along,
    bump,
    capsule,
    distance,
    ellipsoid,
    elliptic_section,
    rotation,
    smooth_max,
    smooth_min,
    smooth_step,
    unit,
)
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Vector, f32

MINERAL_DENSITY = 1.92  # g/cm³ of solid cortical bone


@dataclass(frozen=True, slots=True, kw_only=True)
class CorticalThickening:
    """A local lateral thickening of the femoral cortex, as before an atypical fracture.

    Args:
        level_mm: z of its middle in the femur frame.
        outward_mm: height of the periosteal beak.
        inward_mm: endosteal thickening.
        width_mm: half its length along the shaft (1/e).
    """

    level_mm: float
    outward_mm: float
    inward_mm: float
    width_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FemurFrame:
    """Directions and points of one femur, in its own frame.

    Args:
        neck: unit vector from the origin to the head centre.
        superior: unit vector across the neck, superior, in the plane of neck and shaft.
        posterior: unit vector across the neck, posterior.
        head_mm: head centre.
    """

    neck: Vector
    superior: Vector
    posterior: Vector
    head_mm: Vector


def femur_frame(patient: Patient) -> FemurFrame:
    """The frame from neck–shaft angle, anteversion and neck length."""
    angle, version = math.radians(patient.neck_shaft_deg), math.radians(patient.anteversion_deg)
    neck = np.array(
        [-math.sin(angle) * math.cos(version), -math.sin(angle) * math.sin(version), -math.cos(angle)]
    )  # medial, anterior, superior
    superior = unit(np.array([0.0, 0.0, 1.0]) - neck * neck[2])
    posterior = np.cross(superior, neck)
    if posterior[1] < 0:
        posterior = -posterior
    return FemurFrame(neck=neck, superior=superior, posterior=posterior, head_mm=neck * patient.neck_length_mm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FemurFields:
    """Smooth fields on a lattice.

    Args:
        surface: signed distance to the outer surface, mm.
        cortex: cortical thickness, mm.
        cancellous: mean volume fraction of cancellous bone.
        s: coordinate along the neck axis, mm.
        p: coordinate across the neck, superior, mm.
        w: coordinate across the neck, posterior, mm.
    """

    surface: Array
    cortex: Array
    cancellous: Array
    s: Array
    p: Array
    w: Array


def _interpolate(x: Array, nodes: list[float], values: list[float]) -> Array:
    return np.interp(x, nodes, values).astype(np.float32)


def _shaft_centre(patient: Patient, z: Array) -> tuple[Array, Array]:
    """(x, y) of the shaft's axis at height z: lateral shift below the trochanters, anterior bow."""
    t = np.clip(-z / 380.0, 0, 1)
    bow = -4 * patient.bow_mm * t * (1 - t)
    drift = 1.5 * patient.scale - 2.0 * smooth_step(-z, 30, 120)
    return drift.astype(np.float32), bow.astype(np.float32)


def shaft_point(patient: Patient, level_mm: float) -> Vector:
    """The point of the shaft axis at a height, femur frame."""
    x, y = _shaft_centre(patient, np.array([level_mm], dtype=np.float32))
    return np.array([float(x[0]), float(y[0]), level_mm])


_SHAFT_LEVELS = [-12.0, 0, 18, 35, 55, 80, 140, 220, 320, 380]
_SHAFT_WIDTH = [1.35, 1.40, 1.33, 1.20, 1.08, 1.02, 0.97, 0.95, 1.08, 1.5]
_SHAFT_DEPTH = [1.10, 1.20, 1.18, 1.12, 1.04, 1.0, 0.98, 1.0, 1.05, 1.3]
_NECK_POSITIONS = [-0.2, 0.1, 0.3, 0.5, 0.62, 0.74, 0.86, 1.0, 1.2]


def femur_fields(
    patient: Patient, x: Array, y: Array, z: Array, thickening: CorticalThickening | None = None
) -> FemurFields:
    """All smooth fields of the femur at open-grid points (femur frame, mm)."""
    frame = femur_frame(patient)
    k, head_radius, length = patient.scale, patient.head_radius_mm, patient.neck_length_mm
    s, p, w = along(x, y, z, frame.neck), along(x, y, z, frame.superior), along(x, y, z, frame.posterior)
    u = s / np.float32(length)

    head = distance(x, y, z, frame.head_mm) - np.float32(head_radius)
    pit = unit(0.80 * frame.neck - 0.45 * frame.superior + 0.28 * frame.posterior)
    fovea = distance(x, y, z, frame.head_mm + (head_radius + 1.0) * pit) - np.float32(4.6 * k)
    head = smooth_max(head, -fovea, 3.0)

    si, ap = patient.neck_height_ratio, patient.neck_depth_ratio
    heights = [1.02, 0.95, 0.85, si * 1.05, si, si * 1.02, 0.78, 0.80, 0.5]
    depths = [0.80, 0.70, 0.62, ap * 1.02, ap, ap * 1.05, 0.70, 0.75, 0.5]
    half_height = _interpolate(u, _NECK_POSITIONS, heights) * np.float32(head_radius)
    half_depth = _interpolate(u, _NECK_POSITIONS, depths) * np.float32(head_radius)
    sag = _interpolate(u, [0, 0.3, 0.6, 1.0], [-5 * k, -2.2 * k, 0, 0])
    q = (p - sag) / half_height
    neck = elliptic_section(p - sag, w, half_height, half_depth)
    neck = smooth_max(neck, np.maximum(-s - np.float32(4 * k), s - np.float32(length)), 3.0)

    cx, cy = _shaft_centre(patient, z)
    rx = _interpolate(-z, _SHAFT_LEVELS, _SHAFT_WIDTH) * np.float32(patient.shaft_radius_mm)
    ry = _interpolate(-z, _SHAFT_LEVELS, _SHAFT_DEPTH) * np.float32(patient.shaft_radius_mm)
    shaft = smooth_max(elliptic_section(x - cx, y - cy, rx, ry), z - np.float32(8 * k), 6.0)
    ridge = np.sqrt((x - cx - 1) ** 2 + (y - cy - ry * np.float32(0.93)) ** 2) - np.float32(2.6)
    shaft = smooth_min(
        shaft, (ridge + np.maximum(0, (z + 60) * np.float32(0.25))).astype(np.float32), 3.0
    )  # linea aspera

    surface = smooth_min(neck, shaft, 11 * k)
    surface = smooth_min(surface, _trochanters(patient, frame, x, y, z), 8 * k)
    tip = frame.head_mm[2]
    fossa = ellipsoid(x, y, z, (1.5 * k, 12.5 * k, tip - 8 * k), (3.6 * k, 5.5 * k, 6.0 * k), rotation([0, 1, 0], -18))
    surface = smooth_max(surface, -fossa, 4.0 * k)
    surface = smooth_min(surface, head, 4.2 * k)
    surface = surface - _collar(patient, s, p, w)

    cortex, cancellous = _bone_quality(patient, frame, (x, y, z), (s, p, u, q), (head, cx))
    if thickening is not None:
        lateral = np.clip((x - cx) / rx, 0, 1) ** 1.5
        local = (bump(z - np.float32(thickening.level_mm), thickening.width_mm) * lateral).astype(np.float32)
        surface = surface - np.float32(thickening.outward_mm) * local
        cortex = cortex + np.float32(thickening.outward_mm + thickening.inward_mm) * local
    return FemurFields(surface=surface, cortex=cortex, cancellous=cancellous, s=s, p=p, w=w)


def _trochanters(patient: Patient, frame: FemurFrame, x: Array, y: Array, z: Array) -> Array:
    """Greater and lesser trochanter, the intertrochanteric body and crest."""
    k = patient.scale
    tip = frame.head_mm[2]
    gt = np.array([13.0 * k, 5.5 * k, tip - 21 * k])
    greater = ellipsoid(
        x, y, z, gt, (13.0 * k, 16.5 * k, 20.5 * k * patient.greater_trochanter), rotation([0, 1, 0], -14)
    )
    apex = ellipsoid(
        x, y, z, gt + np.array([-1.8, 8.0, 8.0]) * k, (11.0 * k, 10 * k, 11.5 * k), rotation([0, 1, 0], -20)
    )
    body = ellipsoid(x, y, z, (-3 * k, 1.5 * k, -10 * k), (21 * k, 16.5 * k, 24 * k))
    m = patient.lesser_trochanter * k
    lesser = ellipsoid(x, y, z, (-13.5 * k, 12.5 * k, -33 * k), (8.5 * m, 8.0 * m, 12.5 * m), rotation([1, 0, 0], 14))
    crest = capsule(x, y, z, (7 * k, 16 * k, 6 * k), (-9 * k, 14 * k, -26 * k), 5.2 * k)
    whole = smooth_min(smooth_min(greater, apex, 6 * k), body, 9 * k)
    return smooth_min(smooth_min(whole, lesser, 5 * k), crest, 5 * k)


def _collar(patient: Patient, s: Array, p: Array, w: Array) -> Array:
    """Height of the collar of osteophytes at the head–neck junction, mm."""
    ring = bump(s - np.float32(patient.neck_length_mm - 0.66 * patient.head_radius_mm), 2.6)
    turn = np.arctan2(w, p + np.float32(1e-6))
    phase = (patient.texture_seed % 628) / 100.0
    uneven = 0.5 + 0.5 * np.cos(2 * turn + phase) + 0.25 * np.cos(5 * turn - phase)
    return f32(0.55 * patient.osteoarthritis * ring * np.clip(uneven, 0, None))


def _bone_quality(
    patient: Patient,
    frame: FemurFrame,
    xyz: tuple[Array, Array, Array],
    neck: tuple[Array, Array, Array, Array],
    bodies: tuple[Array, Array],
) -> tuple[Array, Array]:
    """Cortical thickness (mm) and mean cancellous volume fraction."""
    x, _, z = xyz
    s, p, u, q = neck
    head, cx = bodies
    k, head_radius, length, c = patient.scale, patient.head_radius_mm, patient.neck_length_mm, patient.cortex
    in_shaft = smooth_step(-z, 8 * k, 48 * k)
    shaft_cortex = _interpolate(-z, [0, 20, 40, 70, 110, 160, 260, 340], [1.8, 2.6, 4.2, 6.2, 7.2, 7.2, 6.4, 4]) * (
        np.float32(c * k)
    )
    thickness = 1.25 * (0.6 + 0.4 * c) * (1 - in_shaft) + shaft_cortex * in_shaft
    medial = np.clip(-(x - cx) / np.float32(patient.shaft_radius_mm), -1, 1)
    thickness = thickness * (1 + in_shaft * medial * 0.12 * bump(z + 55, 45))
    # the calcar: thick infero-medial cortex of the neck that runs into the medial shaft
    calcar = bump(u - np.float32(0.38), 0.30) * smooth_step(-q, 0.25, 0.85)
    calcar = calcar + 0.9 * bump(z + np.float32(22 * k), 26) * smooth_step(-x, 6 * k, 13 * k)
    thickness = thickness + 3.4 * c * k * np.clip(calcar, 0, 1)
    thickness = thickness + 0.5 * c * bump(u - np.float32(0.5), 0.22) * smooth_step(q, 0.2, 0.8)
    in_head = smooth_step(-head, -3, 2)
    thickness = thickness * (1 - in_head) + max(0.75, 0.95 * c) * in_head

    core = np.exp(-(((s - np.float32(length)) / (head_radius * 0.95)) ** 2) - (p / head_radius) ** 2)
    arch = bump(p + np.float32(0.3 * head_radius), 0.7 * head_radius) * bump(u - np.float32(0.55), 0.35)
    fraction = 0.085 + 0.15 * core + 0.05 * arch
    ward = bump(u - np.float32(0.40), 0.16) * bump(q * np.float32(0.75 * head_radius) - np.float32(k), 7.0 * k)
    fraction = fraction * (1 - 0.62 * ward) * (1 - 0.86 * in_shaft) * patient.cancellous
    return np.maximum(thickness, 0.55).astype(np.float32), fraction.astype(np.float32)
