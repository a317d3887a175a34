"""Subtrochanteric and shaft fractures: normal (oblique, spiral) and atypical (transverse) ones.

The features of an atypical fracture are the major ones of the second report of the ASBMR task force (Shane et al., J
Bone Miner Res 2014;29:1): between lesser trochanter and condyles, from the lateral cortex, substantially transverse and
turning oblique medially, a medial spike when complete, non-comminuted, a localised periosteal or endosteal thickening
of the lateral cortex (beaking); generalised cortical thickening as a minor one. Ranges are derived, chosen by us.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from app.engine.phantom.femur import CorticalThickening, shaft_point
from app.engine.phantom.femur_volume import FemurVolume
from app.engine.phantom.fields import ellipsoid, rigid, rigid_about, rotation
from app.engine.phantom.fracture import CaseKind, plane_through
from app.engine.phantom.fragments import BrokenFemur, Fragment, halves, rough_distance
from app.engine.phantom.noise import Noise
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Vector, f32

_LESSER_TROCHANTER_END_MM = 44.0  # below the crossing of neck and shaft axes, average size


@dataclass(frozen=True, slots=True, kw_only=True)
class ShaftFracture:
    """One fracture below the lesser trochanter.

    Args:
        kind: SHAFT_NORMAL or SHAFT_ATYPICAL.
        level_mm: z of its centre, femur frame.
        slope_deg: of the plane against the transverse plane.
        heading_deg: direction in which it slopes, 0 = lateral.
        is_spiral: whether the surface winds round the shaft.
        knee_mm: x where the transverse line of an atypical fracture turns oblique.
        spike: slope (rise over run) of the medial part of an atypical fracture.
        gap_mm: width of the gap.
        roughness: of the surface.
        varus_deg: angulation of the distal fragment in the frontal plane.
        apex_anterior_deg: angulation in the sagittal plane.
        shift_mm: (lateral, posterior, cephalad) displacement of the distal fragment.
        has_butterfly: whether there is a third fragment.
        thickening: of the lateral cortex (atypical).
    """

    kind: CaseKind
    level_mm: float
    slope_deg: float
    heading_deg: float = 0.0
    is_spiral: bool = False
    knee_mm: float = 0.0
    spike: float = 0.0
    gap_mm: float = 1.0
    roughness: float = 0.5
    varus_deg: float = 0.0
    apex_anterior_deg: float = 0.0
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    has_butterfly: bool = False
    thickening: CorticalThickening | None = None

    def is_subtrochanteric(self, patient: Patient) -> bool:
        """Whether the centre lies within 5 cm below the lesser trochanter (Fielding & Magliato 1966)."""
        return self.level_mm > -(_LESSER_TROCHANTER_END_MM * patient.scale + 50)


def sample_shaft_fracture(rng: np.random.Generator, kind: CaseKind) -> ShaftFracture:
    """Draw a shaft fracture."""
    u, n = rng.uniform, rng.normal
    level = -float(u(62, 150))
    if kind is CaseKind.SHAFT_ATYPICAL:
        return ShaftFracture(
            kind=kind,
            level_mm=level,
            slope_deg=float(n(0, 6)),
            knee_mm=u(-6, 4),
            spike=u(0.3, 1.3) if rng.random() < 0.8 else 0.0,
            gap_mm=u(0.5, 2.0),
            roughness=u(0.25, 0.6),
            varus_deg=u(2, 22),
            apex_anterior_deg=float(n(4, 5)),
            shift_mm=(u(-9, 9), float(n(0, 5)), u(-3, 8)),
            thickening=CorticalThickening(
                level_mm=level, outward_mm=u(1.2, 3.6), inward_mm=u(0.2, 2.0), width_mm=u(6, 14)
            ),
        )
    if kind is not CaseKind.SHAFT_NORMAL:
        raise ValueError(f"{kind} is not a shaft fracture")
    return ShaftFracture(
        kind=kind,
        level_mm=level,
        slope_deg=float(rng.choice([-1, 1])) * u(32, 64),
        heading_deg=u(0, 360),
        is_spiral=bool(rng.random() < 0.45),
        gap_mm=u(0.5, 2.0),
        roughness=u(0.5, 1.6),
        varus_deg=float(n(4, 10)),
        apex_anterior_deg=float(n(4, 8)),
        shift_mm=(u(-14, 14), float(n(0, 8)), u(-2, 24)),
        has_butterfly=bool(rng.random() < 0.4),
    )


def patient_for_shaft(patient: Patient, kind: CaseKind, rng: np.random.Generator) -> Patient:
    """The patient with the cortex and bow that go with the fracture: thick cortices before an atypical one."""
    if kind is CaseKind.SHAFT_ATYPICAL:
        return replace(
            patient, cortex=float(np.clip(rng.normal(1.10, 0.10), 0.9, 1.4)), bow_mm=min(16.0, patient.bow_mm * 1.2)
        )
    return replace(patient, cortex=float(np.clip(rng.normal(0.85, 0.15), 0.5, 1.15)))


def _surface_height(patient: Patient, fracture: ShaftFracture, points: tuple[Array, Array, Array]) -> Array:
    """Signed distance to the smooth fracture surface, mm, positive proximal."""
    x, y, z = points
    axis = shaft_point(patient, fracture.level_mm)
    dx, dy, dz = x - np.float32(axis[0]), y - np.float32(axis[1]), z - np.float32(fracture.level_mm)
    slope = math.radians(fracture.slope_deg)
    if fracture.kind is CaseKind.SHAFT_ATYPICAL:
        medial = np.clip(np.float32(fracture.knee_mm) - dx, 0, None)
        return f32(dz - np.float32(math.tan(slope)) * dx + np.float32(fracture.spike) * medial)
    heading = math.radians(fracture.heading_deg)
    if not fracture.is_spiral:
        run = dx * np.float32(math.cos(heading)) + dy * np.float32(math.sin(heading))
        return f32((dz - np.float32(math.tan(slope)) * run) * np.float32(math.cos(slope)))
    turn = np.mod(np.arctan2(dy, dx) - np.float32(heading) + np.float32(math.pi), np.float32(2 * math.pi))
    turn = turn - np.float32(math.pi)
    radius = patient.shaft_radius_mm
    rise = math.tan(slope) * radius * 0.72 * np.sin(turn) + 0.15 * radius * turn * math.copysign(1, fracture.slope_deg)
    return f32((dz - rise) * np.float32(math.cos(slope)))


def break_shaft(patient: Patient, volume: FemurVolume, fracture: ShaftFracture, seed: int) -> BrokenFemur:
    """Break a femur below the trochanters; the distal fragment keeps its place, the proximal one moves.

    Args:
        patient: whose femur.
        volume: the intact femur over the whole height that is seen.
        fracture: what to do to it.
        seed: of the fracture surface and the third fragment.
    """
    rng = np.random.default_rng([seed, 12])
    noise = Noise(rng)
    points = volume.bricks.points()
    signed = _surface_height(patient, fracture, points) + rough_distance(points, noise, fracture.roughness)
    near, far = halves(signed, fracture.gap_mm, volume.bricks.spacing_mm)
    centre = shaft_point(patient, fracture.level_mm)
    proximal, distal = volume.density * near, volume.density * far
    extra: list[Fragment] = []
    if fracture.has_butterfly:
        side = float(rng.choice([-1, 1]))
        at = centre + np.array([side * patient.shaft_radius_mm, rng.normal(0, 5), 0])
        radii = (rng.uniform(7, 11), rng.uniform(7, 12), rng.uniform(16, 30))
        where = ellipsoid(*points, at, radii) + 0.5 * noise.lumps(*points, 4.0)
        share = np.clip(np.float32(0.5) - where / np.float32(volume.bricks.spacing_mm), 0, 1)
        proximal, distal = proximal * (1 - share), distal * (1 - share)
        out = (side * rng.uniform(2, 7), rng.normal(0, 3), rng.uniform(-4, 4))
        piece = (volume.density * share).astype(np.float32)
        extra.append(Fragment(name="butterfly", density=piece, pose=rigid(np.eye(3), out)))
    slope, heading = math.radians(fracture.slope_deg), math.radians(fracture.heading_deg)
    normal = np.array([-math.sin(slope) * math.cos(heading), -math.sin(slope) * math.sin(heading), math.cos(slope)])
    bend = rotation([0, 1, 0], fracture.varus_deg) @ rotation([1, 0, 0], -fracture.apex_anterior_deg)
    moved: Vector = rigid_about(bend, centre, fracture.shift_mm)
    return BrokenFemur(
        bricks=volume.bricks,
        fragments=(
            Fragment(name="proximal", density=proximal.astype(np.float32), pose=np.eye(4)),
            Fragment(name="distal", density=distal.astype(np.float32), pose=moved),
            *extra,
        ),
        plane=plane_through(centre, normal, np.array([0.0, 1.0, 0.0])),
    )
