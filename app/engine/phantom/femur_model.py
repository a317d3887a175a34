"""One femur, whole or broken: its parts in the femur frame and the points that the truth is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.engine.phantom.femur import femur_frame, shaft_point
from app.engine.phantom.femur_volume import FemurVolume, femur_volume
from app.engine.phantom.fields import rigid, rotation, transform, unit
from app.engine.phantom.fracture import Fracture
from app.engine.phantom.fragments import BrokenFemur, break_hip
from app.engine.phantom.patient import Patient
from app.engine.phantom.shaft import ShaftFracture, break_shaft
from app.engine.phantom.truth import HipPoints
from app.engine.phantom.volume import Material, Part, Vector

_FINE_BOTTOM_MM = -112.0
_COARSE_BOTTOM_MM = -250.0
_SHAFT_BOTTOM_MM = -330.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Voxel edges, mm.

    Args:
        femur: proximal femur, where the fracture is.
        pelvis: hip bones (the spine is a fifth coarser).
        soft: muscle and fat.
    """

    femur: float = 0.5
    pelvis: float = 0.9
    soft: float = 4.5


FULL_RESOLUTION = Resolution()
COARSE_RESOLUTION = Resolution(femur=0.75, pelvis=1.4, soft=6.0)  # enough for training crops


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FemurModel:
    """A femur ready to be posed.

    Args:
        pieces: parts of the femur as it is; their poses are in the femur frame of the distal limb (shaft fractures:
            of the proximal one).
        intact: parts of the same femur before the fracture, in the same frame; empty without a fracture.
        points: the truth, in the same frame.
        limb_direction: unit vector along the limb below the fracture, same frame.
    """

    pieces: tuple[Part, ...]
    intact: tuple[Part, ...]
    points: HipPoints
    limb_direction: Vector

    def world_pose(self, turn: Vector) -> Vector:
        """(4, 4) pose with orientation `turn` that puts the head's centre into the socket (the world's origin)."""
        return rigid(turn, -turn @ self.points.head_mm)

    def limb_pose(self, turn: Vector) -> Vector:
        """(4, 4) pose whose −z runs along the limb: what the soft tissue of the thigh follows."""
        down = np.array([0.0, 0, -1])
        axis = np.cross(down, self.limb_direction)
        size = float(np.linalg.norm(axis))
        lean = rotation(axis, float(np.degrees(np.arcsin(min(1.0, size))))) if size > 1e-6 else np.eye(3)
        pose = self.world_pose(turn)
        return pose @ rigid(lean)


def build_femur(
    patient: Patient, fracture: Fracture | ShaftFracture | None, *, resolution: Resolution, seed: int, has_twin: bool
) -> FemurModel:
    """Model one femur.

    Args:
        patient: whose femur.
        fracture: what is broken, or None.
        resolution: voxel sizes.
        seed: of the fracture surface.
        has_twin: whether to give the intact twin as well.
    """
    if isinstance(fracture, ShaftFracture):
        volume = femur_volume(
            patient, spacing_mm=1.25 * resolution.femur, bottom_mm=_SHAFT_BOTTOM_MM, thickening=fracture.thickening
        )
        broken = break_shaft(patient, volume, fracture, seed)
        site = _Site(axis_levels=(fracture.level_mm - 25, fracture.level_mm - 105), is_shaft=True)
        return _model(patient, volume, broken, None, has_twin, site)
    volume = femur_volume(patient, spacing_mm=resolution.femur, bottom_mm=_FINE_BOTTOM_MM)
    below = femur_volume(
        patient, spacing_mm=2 * resolution.femur, factor=2, top_mm=_FINE_BOTTOM_MM, bottom_mm=_COARSE_BOTTOM_MM
    )
    whole = None if fracture is None else break_hip(patient, volume, fracture, seed)
    site = _Site(axis_levels=(-45.0, -110.0), is_neck=fracture is not None and fracture.kind.is_neck)
    return _model(patient, volume, whole, below, has_twin, site)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where the femur is broken, as far as the truth depends on it.

    Args:
        axis_levels: heights of the two points of the shaft axis, below any fracture, mm.
        is_neck: the neck is broken: everything but the head goes with the shaft.
        is_shaft: the shaft is broken: the crossing of the axes goes with the head.
    """

    axis_levels: tuple[float, float]
    is_neck: bool = False
    is_shaft: bool = False


def _parts(volume: FemurVolume, below: FemurVolume | None) -> list[Part]:
    whole = volume.bricks.part(volume.density, name="femur", material=Material.BONE, pose=np.eye(4))
    found = [whole]
    if below is not None:
        found.append(below.bricks.part(below.density, name="femoral-shaft", material=Material.BONE, pose=np.eye(4)))
    return [part for part in found if part is not None]


def _model(
    patient: Patient,
    volume: FemurVolume,
    broken: BrokenFemur | None,
    below: FemurVolume | None,
    has_twin: bool,
    site: _Site,
) -> FemurModel:
    whole = _parts(volume, below)
    if broken is None:
        return FemurModel(
            pieces=tuple(whole),
            intact=(),
            points=_points(patient, np.eye(4), np.eye(4), site),
            limb_direction=_direction(patient, np.eye(4)),
        )
    pieces = [
        broken.bricks.part(f.density, name=f"femur-{f.name}", material=Material.BONE, pose=f.pose)
        for f in broken.fragments
    ]
    pieces += [replace(part, pose=broken.distal_pose) for part in whole[1:]]
    points = _points(patient, broken.proximal_pose, broken.distal_pose, site, broken)
    return FemurModel(
        pieces=tuple(part for part in pieces if part is not None),
        intact=tuple(whole) if has_twin else (),
        points=points,
        limb_direction=_direction(patient, broken.distal_pose),
    )


def _direction(patient: Patient, distal: Vector) -> Vector:
    end = transform(distal, shaft_point(patient, -320.0))
    return unit(end - shaft_point(patient, -20.0))


def _points(
    patient: Patient,
    proximal: Vector,
    distal: Vector,
    site: _Site,
    broken: BrokenFemur | None = None,
) -> HipPoints:
    frame, k = femur_frame(patient), patient.scale
    named = {
        "greater-trochanter-tip": np.array([11.2 * k, 13.5 * k, frame.head_mm[2] - 1.5 * k]),
        "lesser-trochanter": np.array([-19.0 * k, 16.0 * k, -33.0 * k]),
    }

    def moved(name: str, point: Vector) -> Vector:
        if broken is None:
            return point
        if name == "lesser-trochanter":
            loose = [f for f in broken.fragments if f.name == name]
            if loose:
                return transform(loose[0].pose, point)
        is_proximal = float((point - broken.plane.point_mm) @ broken.plane.normal) > 0
        return transform(proximal if is_proximal and not site.is_neck else distal, point)

    ring: tuple[Vector, ...] = ()
    centre = normal = None
    if broken is not None:
        radius = 0.7 * patient.head_radius_mm if site.is_neck else 1.05 * patient.shaft_radius_mm
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        plane = broken.plane
        ring = tuple(
            transform(distal, plane.point_mm + radius * (np.cos(t) * plane.first + np.sin(t) * plane.second))
            for t in turns
        )
        centre, normal = broken.centre_mm(), distal[:3, :3] @ plane.normal
    return HipPoints(
        head_mm=transform(proximal, frame.head_mm),
        head_radius_mm=patient.head_radius_mm,
        crossing_mm=transform(proximal if site.is_shaft else distal, np.zeros(3)),
        axis_mm=(
            transform(distal, shaft_point(patient, site.axis_levels[0])),
            transform(distal, shaft_point(patient, site.axis_levels[1])),
        ),
        landmarks_mm={name: moved(name, point) for name, point in named.items()},
        fracture_mm=centre,
        normal=normal,
        ring_mm=ring,
    )
