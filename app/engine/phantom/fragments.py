"""Breaking a femur volume along a rough surface into fragments with poses of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.bone_texture import cortical_fraction
from app.engine.phantom.bricks import Bricks
from app.engine.phantom.femur import MINERAL_DENSITY, femur_frame
from app.engine.phantom.femur_volume import FemurVolume
from app.engine.phantom.fields import ellipsoid, rigid, rigid_about, rotation
from app.engine.phantom.fracture import CaseKind, Fracture, Plane, fracture_plane
from app.engine.phantom.noise import Noise
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Vector, f32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fragment:
    """A piece of the broken femur.

    Args:
        name: `proximal`, `distal`, `lesser-trochanter`, `butterfly`.
        density: (n, factor³) g/cm³ on the bricks of the volume that was broken.
        pose: (4, 4) femur frame (of the distal fragment's limb) from femur frame (before the fracture).
    """

    name: str
    density: Array
    pose: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BrokenFemur:
    """The pieces of one femur and the surface between them.

    Args:
        bricks: where the pieces' densities live.
        fragments: the pieces; the first is proximal, the second distal.
        plane: the mean plane of the fracture, before any piece moved.
    """

    bricks: Bricks
    fragments: tuple[Fragment, ...]
    plane: Plane

    @property
    def proximal_pose(self) -> Vector:
        """Pose of the piece that holds the head."""
        return self.fragments[0].pose

    @property
    def distal_pose(self) -> Vector:
        """Pose of the piece that holds the shaft."""
        return self.fragments[1].pose

    def centre_mm(self) -> Vector:
        """The fracture centre after displacement: half-way between the places of the two broken surfaces."""
        point = np.append(self.plane.point_mm, 1.0)
        return np.asarray(0.5 * (self.proximal_pose @ point + self.distal_pose @ point)[:3])


def rough_distance(points: tuple[Array, Array, Array], noise: Noise, roughness: float) -> Array:
    """Height of the fracture surface over its plane: two octaves of noise, mm."""
    x, y, z = points
    coarse = noise.lumps(x, y, z, 5.0) * np.float32(0.75 * roughness)
    return coarse + noise.lumps(x + 31, y + 7, z, 1.9) * np.float32(0.38 * roughness)


def halves(signed: Array, gap_mm: float, spacing_mm: float) -> tuple[Array, Array]:
    """Shares of each voxel on the proximal and distal side of a gap of width `gap_mm`."""
    one = np.float32(1 / spacing_mm)
    near = np.clip(np.float32(0.5) + (signed - np.float32(gap_mm / 2)) * one, 0, 1)
    far = np.clip(np.float32(0.5) + (-signed - np.float32(gap_mm / 2)) * one, 0, 1)
    return near, far


def _offset(points: tuple[Array, Array, Array], centre: Vector, direction: Vector) -> Array:
    x, y, z = ((q - np.float32(c)) * np.float32(d) for q, c, d in zip(points, centre, direction, strict=True))
    return f32(x + y + z)


def break_hip(patient: Patient, volume: FemurVolume, fracture: Fracture, seed: int) -> BrokenFemur:
    """Break the proximal femur by a neck or trochanteric fracture.

    Args:
        patient: whose femur.
        volume: the intact proximal femur.
        fracture: what to do to it.
        seed: of the fracture surface.
    """
    plane = fracture_plane(patient, fracture)
    frame = femur_frame(patient)
    points = volume.bricks.points()
    noise = Noise(np.random.default_rng([seed, 11]))
    signed = _offset(points, plane.point_mm, plane.normal)
    origin = np.zeros(3)
    if fracture.kind.is_neck:  # the trochanters stay with the shaft however oblique the plane is
        s = _offset(points, origin, frame.neck)
        radial = np.hypot(_offset(points, origin, frame.superior), _offset(points, origin, frame.posterior))
        limit = np.float32(1.02 * patient.head_radius_mm)
        limit = limit + 1.2 * np.clip(s - np.float32(0.30 * patient.neck_length_mm), 0, None)
        signed = np.minimum(signed, limit - radial)
    signed = signed + rough_distance(points, noise, fracture.roughness)
    spacing = volume.bricks.spacing_mm
    near, far = halves(signed, fracture.gap_mm, spacing)
    if fracture.broken_share < 1:  # incomplete: the inferior part of the neck holds
        height = _offset(points, plane.point_mm, frame.superior)
        hinge = np.float32(patient.head_radius_mm * 0.68 * (1 - 2 * fracture.broken_share))
        holds = 1 / (1 + np.exp(np.clip((height - hinge) / np.float32(1.2), -30, 30)))
        far = far + holds * np.clip(1 - near - far, 0, None)
    compact = np.float32(1)
    if fracture.impaction_mm > 0:
        band = np.exp(-((signed / np.float32(0.9 + 0.5 * fracture.impaction_mm)) ** 2))
        compact = 1 + band * np.float32(0.32 + 0.36 * fracture.impaction_mm)
    ceiling = np.float32(MINERAL_DENSITY * max(0.9, cortical_fraction(patient)))
    bone = np.minimum(volume.density * compact, np.maximum(volume.density, ceiling))
    proximal, distal = bone * near, bone * far
    pieces: list[Fragment] = []
    if fracture.has_lesser_fragment:
        k = patient.scale
        where = ellipsoid(*points, (-13.5 * k, 12.5 * k, -33 * k), (13 * k, 11 * k, 19 * k))
        share = np.clip(np.float32(0.5) - (where + 0.6 * noise.lumps(*points, 5.0)) / np.float32(spacing), 0, 1)
        proximal, distal = proximal * (1 - share), distal * (1 - share)
        pieces.append(
            Fragment(
                name="lesser-trochanter", density=(volume.density * share).astype(np.float32),
                pose=rigid(rotation([1, 0, 0], 8), (-5, 2, 5)),
            )
        )  # fmt: skip
    return BrokenFemur(
        bricks=volume.bricks,
        fragments=(
            Fragment(name="proximal", density=proximal.astype(np.float32), pose=_proximal_pose(patient, fracture)),
            Fragment(name="distal", density=distal.astype(np.float32), pose=np.eye(4)),
            *pieces,
        ),
        plane=plane,
    )


def _proximal_pose(patient: Patient, fracture: Fracture) -> Vector:
    """Where the head goes, seen from the shaft."""
    frame, plane = femur_frame(patient), fracture_plane(patient, fracture)
    tilt = rotation(frame.posterior, fracture.coronal_deg) @ rotation(frame.superior, fracture.tilt_deg)
    if fracture.kind is CaseKind.NECK_NON_DISPLACED:
        angle = np.radians(fracture.step_direction_deg)
        slide = fracture.step_mm * (np.cos(angle) * plane.first + np.sin(angle) * plane.second)
        return rigid_about(tilt, plane.point_mm, slide - 0.8 * fracture.impaction_mm * plane.normal)
    # the shaft turned outwards and moved up: seen from it, the head turned inwards and moved down
    shaft = rigid_about(rotation([0, 0, 1], -fracture.external_rotation_deg), np.zeros(3))
    if fracture.kind is CaseKind.TROCHANTERIC:
        shaft = rigid_about(rotation([0, 1, 0], -fracture.coronal_deg), plane.point_mm) @ shaft
        head = np.eye(4)
    else:
        head = rigid_about(tilt, plane.point_mm, -2.0 * plane.normal)
    up = rigid(np.eye(3), (0.25 * fracture.cephalad_mm, 0, fracture.cephalad_mm))
    return np.asarray(np.linalg.inv(up @ shaft) @ head)
