"""Composing a synthetic case: a patient, a fracture, the exposures, and everything that is true about them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.core.case import Side
from app.engine.phantom.femur_model import FULL_RESOLUTION, FemurModel, Resolution, build_femur
from app.engine.phantom.fields import rigid, rotation, transform
from app.engine.phantom.fracture import (
    CaseKind,
    Difficulty,
    Fracture,
    Visibility,
    sample_fracture,
)
from app.engine.phantom.implant import ImplantKind, displaced_bone, implant_part
from app.engine.phantom.patient import Patient, sample_patient
from app.engine.phantom.pelvis import Pelvis, mirror_about_midline, pelvis_parts
from app.engine.phantom.shaft import ShaftFracture, patient_for_shaft, sample_shaft_fracture
from app.engine.phantom.soft_tissue import soft_tissue_parts, vessel_calcification
from app.engine.phantom.truth import CaseLabels, ViewTruth, view_truth
from app.engine.phantom.views import LimbPose, ViewKind, ViewSetup, sample_limb, sample_view
from app.engine.phantom.volume import Part, Vector

# raised when the same request gives other images than before: a series begun by another generator is not continued
GENERATOR = 2

# streams of random numbers, so that one decision never shifts another
_FRACTURE, _SIDE, _LIMB, _VIEW, _SOFT, _OTHER, _SHAFT = range(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRequest:
    """What to make. The same request always gives the same case, byte for byte on the same library versions.

    Args:
        seed: of the study: fracture, positioning, gas, noise.
        kind: what the case shows.
        patient_seed: of the patient; the same one in several requests gives several studies of one patient. None = as
            `seed`.
        difficulty: how much of a fracture there is to see.
        visibility: plan of a non-displaced neck fracture; None = drawn.
        side: None = drawn. Anatomy, fracture and set-up of a right hip are the mirror image of the left one's.
        views: the radiographs.
        implant: metal in the femur.
        height_px: image height of every view.
        resolution: voxel sizes.
        has_twin: whether to give the intact twin (for the difference image).
    """

    seed: int
    kind: CaseKind = CaseKind.NORMAL
    patient_seed: int | None = None
    difficulty: Difficulty = Difficulty.STANDARD
    visibility: Visibility | None = None
    side: Side | None = None
    views: tuple[ViewKind, ...] = (ViewKind.FRONTAL, ViewKind.CROSS_TABLE)
    implant: ImplantKind | None = None
    height_px: int = 1024
    resolution: Resolution = FULL_RESOLUTION
    has_twin: bool = True

    def __post_init__(self) -> None:
        if self.side is Side.BOTH:
            raise ValueError("a case is one hip")
        if not self.views:
            raise ValueError("a case has at least one view")
        if self.seed < 0 or (self.patient_seed is not None and self.patient_seed < 0):
            raise ValueError("seeds must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticView:
    """One radiograph, still as parts; always set up for a left hip.

    Args:
        setup: geometry and pose.
        parts: everything in the beam.
        intact_bones: what to project instead of `broken_bones` for the intact twin; empty without a fracture.
        broken_bones: the parts among `parts` that the twin does not have.
        truth: in coordinates of the final image, already flipped when the image has to be.
        is_mirrored: whether the projected image must be flipped left to right (a right hip).
        seed: of folds, exposure and noise.
    """

    setup: ViewSetup
    parts: tuple[Part, ...]
    intact_bones: tuple[Part, ...]
    broken_bones: tuple[Part, ...]
    truth: ViewTruth
    is_mirrored: bool
    seed: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticCase:
    """A case with its truth.

    Args:
        request: what it was made from.
        patient: whose.
        labels: what it shows.
        fracture: its fracture, or None.
        views: in the order asked for.
    """

    request: CaseRequest
    patient: Patient
    labels: CaseLabels
    fracture: Fracture | ShaftFracture | None
    views: tuple[SyntheticView, ...]


def patient_of(request: CaseRequest) -> Patient:
    """The patient of a request."""
    seed = request.seed if request.patient_seed is None else request.patient_seed
    return sample_patient(np.random.default_rng([seed, 1000]), f"SYN-{seed:08d}")


def _draw_fracture(request: CaseRequest, patient: Patient) -> tuple[Fracture | ShaftFracture | None, Patient]:
    rng = np.random.default_rng([request.seed, _FRACTURE])
    if request.kind.is_shaft:
        patient = patient_for_shaft(patient, request.kind, np.random.default_rng([request.seed, _SHAFT]))
        return sample_shaft_fracture(rng, request.kind), patient
    fracture = sample_fracture(rng, request.kind, difficulty=request.difficulty, visibility=request.visibility)
    return fracture, patient


def _limb(request: CaseRequest, fracture: Fracture | ShaftFracture | None) -> LimbPose:
    rng = np.random.default_rng([request.seed, _LIMB])
    if isinstance(fracture, Fracture) and fracture.external_rotation_deg > 0:
        # the head stays as it lay: the shaft carries the rotation that the fracture allows
        turned = float(rng.uniform(-5, 8)) - fracture.external_rotation_deg
        return LimbPose(internal_rotation_deg=turned, abduction_deg=float(rng.normal(0, 3)))
    return sample_limb(rng)


def _labels(
    request: CaseRequest, patient: Patient, side: Side, fracture: Fracture | ShaftFracture | None
) -> CaseLabels:
    kind = request.kind
    if fracture is None:
        return CaseLabels(side=side, has_fracture=False, has_implant=request.implant is not None)
    is_subtle = kind is CaseKind.NECK_NON_DISPLACED
    return CaseLabels(
        side=side,
        has_fracture=True,
        region=_region(fracture, patient),
        displacement="non-displaced" if is_subtle else "displaced",
        garden=fracture.garden if isinstance(fracture, Fracture) else 0,
        is_atypical=kind is CaseKind.SHAFT_ATYPICAL if kind.is_shaft else None,
        planned_visibility=fracture.visibility.value if isinstance(fracture, Fracture) and is_subtle else "",
        has_implant=request.implant is not None,
    )


def _region(fracture: Fracture | ShaftFracture, patient: Patient) -> str:
    if isinstance(fracture, ShaftFracture):
        return "subtrochanteric" if fracture.is_subtrochanteric(patient) else "shaft"
    return "neck" if fracture.kind.is_neck else "trochanteric"


def other_femur(patient: Patient, rng: np.random.Generator) -> Patient:
    """The patient with the small differences of the other side."""
    return replace(
        patient,
        neck_shaft_deg=patient.neck_shaft_deg + float(rng.normal(0, 1.5)),
        anteversion_deg=patient.anteversion_deg + float(rng.normal(0, 2.0)),
        lesser_trochanter=patient.lesser_trochanter * float(rng.uniform(0.93, 1.07)),
        texture_seed=patient.texture_seed + 1,
    )


def build_case(request: CaseRequest) -> SyntheticCase:
    """Make the parts and the truth of a case; nothing is projected yet."""
    fracture, patient = _draw_fracture(request, patient_of(request))
    side = request.side
    if side is None:
        side = Side.LEFT if np.random.default_rng([request.seed, _SIDE]).random() < 0.5 else Side.RIGHT
    limb = _limb(request, fracture)
    femur = build_femur(patient, fracture, resolution=request.resolution, seed=request.seed, has_twin=request.has_twin)
    pelvis = pelvis_parts(patient, spacing_mm=request.resolution.pelvis)
    views = tuple(
        _view(request, patient, femur, pelvis, limb, kind, number, is_mirrored=side is Side.RIGHT)
        for number, kind in enumerate(request.views)
    )
    return SyntheticCase(
        request=request,
        patient=patient,
        labels=_labels(request, patient, side, fracture),
        fracture=fracture,
        views=views,
    )


def _view(
    request: CaseRequest,
    patient: Patient,
    femur: FemurModel,
    pelvis: Pelvis,
    limb: LimbPose,
    kind: ViewKind,
    number: int,
    *,
    is_mirrored: bool,
) -> SyntheticView:
    rng = np.random.default_rng([request.seed, _VIEW, number])
    setup = sample_view(rng, kind, patient, height_px=request.height_px, limb=limb)
    turn = setup.limb.matrix()
    world = femur.world_pose(turn)
    broken = tuple(replace(part, pose=world @ part.pose) for part in femur.pieces)
    intact = tuple(replace(part, pose=world @ part.pose) for part in femur.intact)
    tilt = rigid(rotation([1, 0, 0], patient.pelvic_tilt_deg))
    mirror = mirror_about_midline(patient)
    rest = [
        replace(pelvis.left, pose=tilt),
        replace(pelvis.left, name="pelvis-right", pose=mirror @ tilt),
        replace(pelvis.spine, pose=tilt),
    ]
    if kind.shows_both_hips:
        rest += _other_hip(request, patient, limb, mirror)
    if request.implant is not None:
        shaft = world @ femur.pieces[-1].pose
        implant = implant_part(patient, request.implant, spacing_mm=request.resolution.femur, pose=shaft)
        rest.append(implant)
        broken, intact = _with_room(broken, implant), _with_room(intact, implant)
    calcium = vessel_calcification(patient, spacing_mm=0.9)
    rest += [] if calcium is None else [calcium]
    rest += soft_tissue_parts(
        patient,
        spacing_mm=request.resolution.soft,
        femur_pose=femur.limb_pose(turn),
        has_other_thigh=kind is not ViewKind.CROSS_TABLE,
        rng=np.random.default_rng([request.seed, _SOFT]),
    )
    points = femur.points.moved(world)
    points = replace(points, landmarks_mm={**points.landmarks_mm, **_pelvic_landmarks(patient, tilt)})
    truth = view_truth(points, setup.geometry)
    return SyntheticView(
        setup=setup,
        parts=(*broken, *rest),
        intact_bones=intact,
        broken_bones=broken if intact else (),
        truth=truth.mirrored(setup.geometry.cols) if is_mirrored else truth,
        is_mirrored=is_mirrored,
        seed=(request.seed, number),
    )


def _with_room(bones: tuple[Part, ...], implant: Part) -> tuple[Part, ...]:
    """The bones with the bone that the implant displaces taken out."""
    taken = displaced_bone(implant, bones) if bones else None
    return bones if taken is None else (*bones, taken)


def _pelvic_landmarks(patient: Patient, tilt: Vector) -> dict[str, Vector]:
    k = patient.scale
    named = {
        "anterior-superior-iliac-spine": np.array([34.0 + 10 * (patient.flare - 0.5), -50.0, 72.0]) * k,
        "symphysis-top": np.array([-patient.half_width_mm, -43.0 * k, -4.0 * k]),
        "acetabular-centre": np.zeros(3),
    }
    return {name: transform(tilt, point) for name, point in named.items()}


def _other_hip(request: CaseRequest, patient: Patient, limb: LimbPose, mirror: Vector) -> list[Part]:
    """The other femur of a whole pelvis: intact, slightly different, posed like this one without its fracture."""
    rng = np.random.default_rng([request.seed, _OTHER])
    other = build_femur(
        other_femur(patient, rng), None, resolution=request.resolution, seed=request.seed, has_twin=False
    )
    resting = LimbPose(
        internal_rotation_deg=float(np.clip(limb.internal_rotation_deg, -5, 18) + rng.normal(0, 4)),
        abduction_deg=float(rng.normal(0, 3)),
    )
    world = mirror @ other.world_pose(resting.matrix())
    return [replace(part, name=f"other-{part.name}", pose=world @ part.pose) for part in other.pieces]
