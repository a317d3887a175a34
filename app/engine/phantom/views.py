"""How the patient lies and where tube and detector stand: frontal, cross-table, frog-leg, whole pelvis, femoral shaft.

World frame: the pelvis frame of a supine patient (origin at the centre of the left acetabulum, x to the patient's left,
y posterior, z superior, mm). Everything is set up for a left hip; a right one is the mirror image. Distances and angles
vary as in daily practice (derived; set-ups after Bontrager & Lampignano, Textbook of Radiographic Positioning).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.core.case import Projection
from app.engine.phantom.fields import rotation, unit
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Vector
from app.engine.projection.geometry import Geometry


class ViewKind(StrEnum):
    """Which radiograph is taken."""

    FRONTAL = "frontal"
    PELVIS = "pelvis"
    CROSS_TABLE = "cross-table"
    FROG_LEG = "frog-leg"
    SHAFT_FRONTAL = "shaft-frontal"
    SHAFT_LATERAL = "shaft-lateral"

    @property
    def projection(self) -> Projection:
        """How the beam passed through the hip."""
        return _PROJECTIONS[self]

    @property
    def is_frontal(self) -> bool:
        """Whether the beam runs antero-posteriorly through an extended limb."""
        return self.projection is Projection.FRONTAL

    @property
    def shows_both_hips(self) -> bool:
        """Whether the other hip is in the picture."""
        return self is ViewKind.PELVIS


_PROJECTIONS = {
    ViewKind.FRONTAL: Projection.FRONTAL,
    ViewKind.PELVIS: Projection.FRONTAL,
    ViewKind.CROSS_TABLE: Projection.CROSS_TABLE,
    ViewKind.FROG_LEG: Projection.FROG_LEG,
    ViewKind.SHAFT_FRONTAL: Projection.FRONTAL,
    ViewKind.SHAFT_LATERAL: Projection.FROG_LEG,
}
# detector height and width, mm
_FIELDS = {
    ViewKind.FRONTAL: (300.0, 300.0),
    ViewKind.PELVIS: (360.0, 430.0),
    ViewKind.CROSS_TABLE: (300.0, 300.0),
    ViewKind.FROG_LEG: (300.0, 300.0),
    ViewKind.SHAFT_FRONTAL: (430.0, 300.0),
    ViewKind.SHAFT_LATERAL: (430.0, 300.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbPose:
    """How the thigh is turned in the hip joint, degrees; zero = neutral, extended."""

    internal_rotation_deg: float = 0.0
    abduction_deg: float = 0.0
    flexion_deg: float = 0.0

    def matrix(self) -> Vector:
        """(3, 3) world from femur frame."""
        return (
            rotation([0, 1, 0], -self.abduction_deg)
            @ rotation([1, 0, 0], -self.flexion_deg)
            @ rotation([0, 0, 1], self.internal_rotation_deg)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ViewSetup:
    """One exposure to be made.

    Args:
        kind: which radiograph.
        geometry: source and detector.
        limb: pose of the thigh.
        aim_to_detector_mm: distance from the aimed point to the detector.
    """

    kind: ViewKind
    geometry: Geometry
    limb: LimbPose
    aim_to_detector_mm: float

    @property
    def magnification(self) -> float:
        """How much larger than life the hip appears on the detector."""
        return self.geometry.magnification(np.zeros(3))


def sample_limb(rng: np.random.Generator) -> LimbPose:
    """The extended limb of a supine patient: slight internal rotation where it is possible."""
    return LimbPose(internal_rotation_deg=float(rng.uniform(-2, 18)), abduction_deg=float(rng.normal(0, 3)))


def _frog(rng: np.random.Generator) -> LimbPose:
    return LimbPose(
        internal_rotation_deg=-float(rng.uniform(25, 45)),
        abduction_deg=float(rng.uniform(35, 50)),
        flexion_deg=float(rng.uniform(25, 38)),
    )


def _rolled(rng: np.random.Generator) -> LimbPose:
    return LimbPose(
        internal_rotation_deg=-float(rng.uniform(62, 80)),
        abduction_deg=float(rng.uniform(12, 24)),
        flexion_deg=float(rng.uniform(8, 20)),
    )


def sample_view(
    rng: np.random.Generator, kind: ViewKind, patient: Patient, *, height_px: int, limb: LimbPose
) -> ViewSetup:
    """Draw tube and detector positions for one view.

    Args:
        rng: of this view.
        kind: which radiograph.
        patient: whose (the pelvis is aimed at its mid-line).
        height_px: image height; the pixel size follows from the detector's height.
        limb: pose of the limb in an extended view; frog-leg and rolled views draw their own.
    """
    height_mm, width_mm = _FIELDS[kind]
    pixel = height_mm / height_px
    cols = round(width_mm / pixel)
    u = rng.uniform
    right = np.array([1.0, 0, 0])
    if kind is ViewKind.CROSS_TABLE:
        sid, behind = u(1050, 1250), u(210, 270)
        angle = math.radians(u(38, 50))  # between beam and long axis; about square to the neck
        beam = rotation([1, 0, 0], float(rng.normal(0, 2))) @ np.array([math.sin(angle), 0, math.cos(angle)])
        beam = unit(beam + np.array([0, rng.normal(0, 0.03), 0]))
        right = np.array([math.cos(angle), 0, -math.sin(angle)])
        aim = np.array([u(8, 26), u(-6, 10), u(-30, -10)])
    else:
        if kind is ViewKind.FROG_LEG:
            limb = _frog(rng)
        elif kind is ViewKind.SHAFT_LATERAL:
            limb = _rolled(rng)
        sid, behind = u(1000, 1150), u(150, 210)
        tilt, turn = float(rng.normal(0, 2)), float(rng.normal(0, 2))
        beam = rotation([1, 0, 0], tilt) @ rotation([0, 0, 1], turn) @ np.array([0, 1.0, 0])
        aim = np.array([u(-16, 12), 0, u(-42, -12)])
        if kind is ViewKind.PELVIS:
            sid, behind = u(1100, 1200), u(130, 175)  # both trochanters have to fit
            aim = np.array([-patient.half_width_mm + u(-8, 8), 0, u(0, 16)])
        elif kind in (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL):
            down = limb.matrix() @ np.array([0.0, 0, -1])
            aim = np.array([u(10, 26), 0, 10.0]) + u(95, 125) * down * (1, 0, 1)
    geometry = Geometry.aimed(
        aim=aim,
        beam=beam,
        right=right,
        source_to_detector_mm=float(sid),
        aim_to_detector_mm=float(behind),
        pixel_mm=pixel,
        rows=height_px,
        cols=cols,
    )
    return ViewSetup(kind=kind, geometry=geometry, limb=limb, aim_to_detector_mm=float(behind))
