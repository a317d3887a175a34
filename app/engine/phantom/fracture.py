"""Fractures of the proximal femur: what breaks, where the plane lies and how the fragments move.

Non-displaced neck fractures are planned by visibility: a thin gap or an impaction ridge shows where the beam runs along
the plane, so two obliquities decide which view shows it. Displacement follows Garden (J Bone Joint Surg Br
1961;43:647); valgus and posterior tilt follow Palm et al. (Acta Orthop 2009;80:303); trochanteric patterns follow Evans
(J Bone Joint Surg Br 1949;31:190) and the AO/OTA classification (Meinberg et al., J Orthop Trauma 2018;32:S1). All
ranges are derived from these, chosen by us.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.engine.phantom.femur import femur_frame
from app.engine.phantom.fields import rotation, unit
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Vector


class CaseKind(StrEnum):
    """What a synthetic case shows."""

    NORMAL = "normal"
    NECK_NON_DISPLACED = "neck-non-displaced"  # Garden I and II
    GARDEN_3 = "garden-3"
    GARDEN_4 = "garden-4"
    TROCHANTERIC = "trochanteric"
    SHAFT_NORMAL = "shaft-nff"  # subtrochanteric or shaft, oblique or spiral: a normal femoral fracture
    SHAFT_ATYPICAL = "shaft-aff"  # transverse, lateral thickening, medial spike: an atypical femoral fracture

    @property
    def is_shaft(self) -> bool:
        """Whether the fracture lies below the lesser trochanter."""
        return self in (CaseKind.SHAFT_NORMAL, CaseKind.SHAFT_ATYPICAL)

    @property
    def is_neck(self) -> bool:
        """Whether the fracture crosses the femoral neck."""
        return self in (CaseKind.NECK_NON_DISPLACED, CaseKind.GARDEN_3, CaseKind.GARDEN_4)


class Visibility(StrEnum):
    """In which views a non-displaced fracture is planned to show."""

    FRONTAL_ONLY = "frontal-only"
    LATERAL_ONLY = "lateral-only"
    BOTH = "both"
    OCCULT = "occult"


class Difficulty(StrEnum):
    """How much of a fracture there is to see."""

    EASY = "easy"
    STANDARD = "standard"


VISIBILITY_SHARES = {
    Visibility.FRONTAL_ONLY: 0.46,
    Visibility.LATERAL_ONLY: 0.26,
    Visibility.BOTH: 0.24,
    Visibility.OCCULT: 0.04,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fracture:
    """One fracture of the femur, in the femur frame.

    Args:
        kind: which.
        garden: 1–4 for a neck fracture, 0 otherwise.
        visibility: the plan of a non-displaced neck fracture; BOTH for every other.
        position: along the neck, in parts of its length (neck fractures).
        frontal_obliquity_deg: turn of the plane about the antero-posterior axis of the neck: hides it from a lateral.
        axial_obliquity_deg: turn about the supero-inferior axis: hides it from a frontal view.
        gap_mm: width of the gap.
        impaction_mm: depth of the impaction; its band is denser.
        step_mm: offset along the plane.
        step_direction_deg: its direction in the plane.
        coronal_deg: turn of the proximal fragment, valgus positive.
        tilt_deg: posterior tilt of the proximal fragment.
        cephalad_mm: how far the shaft has moved up.
        external_rotation_deg: of the shaft.
        roughness: of the fracture surface; 1 = 0.55 and 0.28 mm standard deviation in two octaves.
        broken_share: how much of the neck's height is broken; below 1 the fracture is incomplete.
        has_lesser_fragment: whether the lesser trochanter is a fragment of its own (trochanteric).
    """

    kind: CaseKind
    garden: int = 0
    visibility: Visibility = Visibility.BOTH
    position: float = 0.5
    frontal_obliquity_deg: float = 0.0
    axial_obliquity_deg: float = 0.0
    gap_mm: float = 0.0
    impaction_mm: float = 0.0
    step_mm: float = 0.0
    step_direction_deg: float = 0.0
    coronal_deg: float = 0.0
    tilt_deg: float = 0.0
    cephalad_mm: float = 0.0
    external_rotation_deg: float = 0.0
    roughness: float = 1.0
    broken_share: float = 1.0
    has_lesser_fragment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A fracture plane: a point on it, its unit normal (towards the proximal side) and two directions in it."""

    point_mm: Vector
    normal: Vector
    first: Vector
    second: Vector


def plane_through(point: Vector, normal: Vector, near: Vector) -> Plane:
    """The plane with an orthonormal frame; `first` is perpendicular to `near`."""
    n = unit(normal)
    first = unit(np.cross(n, near))
    return Plane(point_mm=point, normal=n, first=first, second=np.cross(n, first))


def fracture_plane(patient: Patient, fracture: Fracture) -> Plane:
    """The plane of a neck or trochanteric fracture, femur frame."""
    frame = femur_frame(patient)
    if fracture.kind.is_neck:
        point = frame.neck * (fracture.position * patient.neck_length_mm) - 1.5 * frame.superior
        turn = rotation(frame.posterior, fracture.frontal_obliquity_deg) @ rotation(
            frame.superior, fracture.axial_obliquity_deg
        )
        return plane_through(point, turn @ frame.neck, frame.posterior)
    if fracture.kind is CaseKind.TROCHANTERIC:
        point = np.array([-1.0, 2.0, -7.0]) * patient.scale
        turn = rotation([0, 1, 0], fracture.frontal_obliquity_deg) @ rotation([0, 0, 1], fracture.axial_obliquity_deg)
        return plane_through(point, turn @ unit([-0.70, 0.05, 0.70]), frame.posterior)
    raise ValueError(f"{fracture.kind} has no plane here; see shaft.py")


def _sign(rng: np.random.Generator, positive_share: float = 0.5) -> float:
    return 1.0 if rng.random() < positive_share else -1.0


def sample_visibility(rng: np.random.Generator) -> Visibility:
    """Draw a visibility class by `VISIBILITY_SHARES`."""
    kinds = list(VISIBILITY_SHARES)
    return kinds[int(rng.choice(len(kinds), p=list(VISIBILITY_SHARES.values())))]


def _non_displaced(rng: np.random.Generator, difficulty: Difficulty, visibility: Visibility) -> Fracture:
    is_easy = difficulty is Difficulty.EASY
    position = rng.uniform(0.50, 0.74) if rng.random() < 0.75 else rng.uniform(0.32, 0.48)
    steep = _sign(rng, 0.75)
    frontal = {
        Visibility.FRONTAL_ONLY: steep * rng.uniform(26, 46),
        Visibility.LATERAL_ONLY: rng.uniform(-6, 6),
        Visibility.BOTH: rng.uniform(-9, 9),
        Visibility.OCCULT: steep * rng.uniform(24, 38),
    }[visibility]
    axial = {
        Visibility.FRONTAL_ONLY: rng.normal(0, 4),
        Visibility.LATERAL_ONLY: _sign(rng) * rng.uniform(36, 54),
        Visibility.BOTH: rng.normal(0, 5),
        Visibility.OCCULT: _sign(rng) * rng.uniform(28, 42),
    }[visibility]
    has_gap = rng.random() < 0.55
    gap = (rng.uniform(0.6, 1.8) if is_easy else rng.uniform(0.15, 0.9)) if has_gap else 0.0
    is_impacted = not has_gap or rng.random() < 0.25
    impaction = (rng.uniform(0.9, 2.6) if is_easy else rng.uniform(0.4, 1.8)) if is_impacted else 0.0
    step, direction = rng.uniform(0, 1.6), rng.uniform(0, 360)
    valgus = float(np.clip(rng.normal(1.5, 3.0), -2, 9))
    tilt = float(np.clip(rng.normal(2, 4), -4, 13))
    if visibility is Visibility.FRONTAL_ONLY:
        tilt *= 0.3
        direction = float(rng.choice([0, 180])) + rng.normal(0, 12)
    elif visibility is Visibility.LATERAL_ONLY:
        valgus, gap, impaction = 0.3 * valgus, 0.9 * gap, 0.7 * impaction
        direction = float(rng.choice([90, 270])) + rng.normal(0, 12)
    elif visibility is Visibility.OCCULT:
        valgus, tilt, step = 0.15 * valgus, 0.15 * tilt, 0.25 * step
        gap, impaction = 0.35 * gap, 0.35 * impaction  # the study of learnability found 0.86 of wider ones
    garden = 1 if valgus > 3 or impaction > 0 else 2
    is_incomplete = garden == 1 and rng.random() < 0.25
    return Fracture(
        kind=CaseKind.NECK_NON_DISPLACED,
        garden=garden,
        visibility=visibility,
        position=float(position),
        frontal_obliquity_deg=float(frontal),
        axial_obliquity_deg=float(axial),
        gap_mm=float(gap),
        impaction_mm=float(impaction),
        step_mm=float(step),
        step_direction_deg=float(direction),
        coronal_deg=valgus,
        tilt_deg=tilt,
        roughness=float(rng.uniform(0.5, 1.4)),
        broken_share=float(rng.uniform(0.5, 0.85)) if is_incomplete else 1.0,
    )


def sample_fracture(
    rng: np.random.Generator,
    kind: CaseKind,
    *,
    difficulty: Difficulty = Difficulty.STANDARD,
    visibility: Visibility | None = None,
) -> Fracture | None:
    """Draw a fracture of the hip; None for a normal one. Shaft fractures come from `shaft.sample_shaft_fracture`."""
    if kind is CaseKind.NORMAL:
        return None
    if kind is CaseKind.NECK_NON_DISPLACED:
        return _non_displaced(rng, difficulty, visibility or sample_visibility(rng))
    u = rng.uniform
    if kind is CaseKind.TROCHANTERIC:
        return Fracture(
            kind=kind,
            frontal_obliquity_deg=u(-8, 10),
            axial_obliquity_deg=float(rng.normal(0, 10)),
            gap_mm=u(0.3, 1.5),
            impaction_mm=u(0, 2.0),
            coronal_deg=-u(4, 26),
            cephalad_mm=u(2, 10),
            external_rotation_deg=u(5, 45),
            roughness=u(1.2, 3.0),
            has_lesser_fragment=bool(rng.random() < 0.6),
        )
    if kind.is_neck:
        is_third = kind is CaseKind.GARDEN_3
        return Fracture(
            kind=kind,
            garden=3 if is_third else 4,
            position=u(0.48, 0.72),
            frontal_obliquity_deg=_sign(rng, 0.8) * u(5, 38),
            axial_obliquity_deg=float(rng.normal(0, 14)),
            gap_mm=u(0.3, 1.2),
            coronal_deg=-u(10, 28) if is_third else u(-8, 4),
            tilt_deg=u(0, 15) if is_third else u(-5, 10),
            cephalad_mm=u(2, 7) if is_third else u(10, 26),
            external_rotation_deg=u(10, 30) if is_third else u(30, 60),
            roughness=u(0.8, 2.0),
        )
    raise ValueError(f"{kind} is a shaft fracture; see shaft.py")
