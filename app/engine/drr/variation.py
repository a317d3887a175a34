"""What is varied from one reconstructed pair to the next: the parameters of papers 002 and 003.

Paper 002 (augmentation paragraph): patient thinner, larger, taller or shorter; kV, mA and source–object distance;
internal and external rotation; slight apical angulation. The paper gives no numbers: the ranges are ours, from
`models.md`. Paper 003 varies angle, distances and shift of two views of a turned volume; the numbers are its code's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.core.case import Projection, Side
from app.engine.projection.geometry import Geometry

Vector = NDArray[np.float64]


class Variation(StrEnum):
    """Which paper's variations are made."""

    NONE = "none"
    GARDEN = "garden"  # paper 002
    MULTIVIEW = "multiview"  # paper 003


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The parameters of one pair of radiographs.

    Args:
        scale: factors on the patient's size along (x, y, z).
        rotation_deg: turn about the long axis through the hip, internal positive.
        apical_deg: tilt about the transverse axis.
        kvp: tube voltages of the two views, kV.
        dose: detector doses of the two views.
        views: how the two images are named.
        geometries: source and detector of the two views; the hip's centre is the world's origin.
    """

    scale: tuple[float, float, float]
    rotation_deg: float
    apical_deg: float
    kvp: tuple[float, float]
    dose: tuple[float, float]
    views: tuple[Projection, Projection]
    geometries: tuple[Geometry, Geometry]


def sample_pair(rng: np.random.Generator, variation: Variation, side: Side, *, size_px: int, field_mm: float) -> Pair:
    """Draw the parameters of one pair.

    Args:
        rng: the only source of chance.
        variation: which parameters vary.
        side: of the hip; a right hip is set up as the mirror image.
        size_px: height and width of the images.
        field_mm: height and width of the field in the plane of the hip, mm.
    """
    if variation is Variation.MULTIVIEW:
        return _multiview(rng, size_px, field_mm)
    is_varied = variation is Variation.GARDEN

    def drawn(low: float, high: float, usual: float) -> float:
        return float(rng.uniform(low, high)) if is_varied else usual

    scale = (drawn(0.9, 1.1, 1.0), drawn(0.9, 1.1, 1.0), drawn(0.9, 1.1, 1.0))
    rotation, apical = drawn(-20, 20, 0.0), drawn(-10, 10, 0.0)
    object_mm = 920.0 * drawn(0.9, 1.1, 1.0)
    frontal = _aimed(np.array([0.0, 1, 0]), np.array([1.0, 0, 0]), object_mm, 180.0, size_px, field_mm)
    angle = np.deg2rad(drawn(38, 50, 45.0))
    beam = np.array([np.sin(angle), 0, np.cos(angle)])
    right = np.array([np.cos(angle), 0, -np.sin(angle)])
    lateral = _aimed(beam, right, object_mm, 240.0, size_px, field_mm)
    if side is Side.RIGHT:
        frontal, lateral = frontal.mirrored(), lateral.mirrored()
    exposure = float(np.exp(rng.uniform(np.log(0.25), np.log(4)))) if is_varied else 1.0
    return Pair(
        scale=scale,
        rotation_deg=rotation,
        apical_deg=apical,
        kvp=(drawn(60, 90, 75.0), drawn(70, 95, 85.0)),
        dose=(exposure, 3 * exposure),
        views=(Projection.FRONTAL, Projection.CROSS_TABLE),
        geometries=(frontal, lateral),
    )


def _multiview(rng: np.random.Generator, size_px: int, field_mm: float) -> Pair:
    """Angles, distances and shift as in the code of paper 003: source–object 1000–1100, object–detector 800–1200 mm."""
    mode = int(rng.integers(3))
    angles = (_angles(rng, mode), _angles(rng, mode))
    object_mm = float(rng.integers(1000, 1101))
    behind_mm = float(rng.integers(800, 1201))
    shift = rng.integers(1, 51, 3) * rng.choice([-1.0, 1.0], 3) * float(rng.random() < 0.5)
    first, second = (
        _aimed(*_direction(turn, tilt), object_mm, behind_mm, size_px, field_mm, aim=shift) for turn, tilt in angles
    )
    return Pair(
        scale=(1.0, 1.0, 1.0),
        rotation_deg=0.0,
        apical_deg=0.0,
        kvp=(75.0, 75.0),
        dose=(3.0, 3.0),
        views=(_named(*angles[0]), _named(*angles[1])),
        geometries=(first, second),
    )


def _angles(rng: np.random.Generator, mode: int) -> tuple[float, float]:
    """Turn about the long axis and tilt about the transverse axis of one view, degrees; 0, 0 is antero-posterior.

    The three modes of paper 003's code, each in a third of the pairs. It names two angles a view; the second, centred
    on 180° there, is read as the tilt about the transverse axis with 180° upright.
    """
    if mode == 1:
        return float(np.clip(rng.normal(0, 15), -20, 20)), float(rng.normal(0, 45))
    turn = float(rng.choice([0, 90, 180, 270], p=[0.4, 0.3, 0.2, 0.1]) + rng.normal(0, 45))
    if mode == 0:
        return turn, float(np.clip(rng.normal(0, 15), -30, 30))
    return turn, float(rng.normal(0, 60))


def _direction(turn_deg: float, tilt_deg: float) -> tuple[Vector, Vector]:
    """Directions of the beam and of image right."""
    turn, tilt = np.deg2rad(turn_deg), np.deg2rad(tilt_deg)
    right = np.array([np.cos(turn), -np.sin(turn), 0.0])
    level = np.array([np.sin(turn), np.cos(turn), 0.0])
    return np.asarray(level * np.cos(tilt) + np.array([0, 0, np.sin(tilt)])), right


def _named(turn_deg: float, tilt_deg: float) -> Projection:
    """The projection that a view from this direction is nearest to."""
    from_front = abs((turn_deg + 90) % 180 - 90)
    if abs(tilt_deg) > 30 or 20 < from_front < 70:
        return Projection.OBLIQUE
    return Projection.FRONTAL if from_front <= 20 else Projection.LATERAL


def _aimed(
    beam: Vector,
    right: Vector,
    object_mm: float,
    behind_mm: float,
    size_px: int,
    field_mm: float,
    *,
    aim: Vector | None = None,
) -> Geometry:
    magnification = (object_mm + behind_mm) / object_mm
    return Geometry.aimed(
        aim=np.zeros(3) if aim is None else aim,
        beam=beam,
        right=right,
        source_to_detector_mm=object_mm + behind_mm,
        aim_to_detector_mm=behind_mm,
        pixel_mm=field_mm * magnification / size_px,
        rows=size_px,
        cols=size_px,
    )
