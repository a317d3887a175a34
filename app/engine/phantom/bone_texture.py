"""Cancellous bone: the trabecular groups of the proximal femur, and plain isotropic marrow bone.

The groups and the order in which they vanish follow Singh et al. (J Bone Joint Surg Am 1970;52:457): principal
compressive, principal tensile, secondary compressive and the greater trochanter group, with Ward's triangle between
them; tensile before compressive. Streaks are noise stretched along the group's direction, in polar coordinates whose
centre makes the direction fan or arch as the group does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.fields import bump, smooth_step
from app.engine.phantom.noise import Noise
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, f32


def _sigmoid(value: Array, scale: float) -> Array:
    return f32(1 / (1 + np.exp(np.clip(-value / np.float32(scale), -30, 30))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaks:
    """One trabecular group in the plane of the neck.

    Args:
        centre: (s, p) of the polar coordinates' centre, mm.
        is_radial: streaks run along the radius (a fan) or along the circle (an arch).
        spacing_mm: distance between streaks at `reach_mm` from the centre.
        reach_mm: see above.
        offset: shifts the noise so that groups differ.
    """

    centre: tuple[float, float]
    is_radial: bool
    spacing_mm: float
    reach_mm: float
    offset: float

    def at(self, noise: Noise, s: Array, p: Array, w: Array) -> Array:
        """Noise of about unit variance, stretched eight-fold along the streaks and three-fold through the bone."""
        ds, dp = s - np.float32(self.centre[0]), p - np.float32(self.centre[1])
        radius = f32(np.hypot(ds, dp))
        turn = f32(np.arctan2(ds, dp) * np.float32(self.reach_mm))
        across, lengthwise = (turn, radius) if self.is_radial else (radius, turn)
        one = np.float32(1 / self.spacing_mm)
        waver = 0.35 * noise.at(
            lengthwise * one / np.float32(5), w / np.float32(6), across * one / np.float32(9) + np.float32(self.offset)
        )
        fine = noise.at(
            across * one + waver, lengthwise * one / np.float32(9) + np.float32(self.offset), w * one / np.float32(3)
        )
        coarse = noise.at(
            across * one / np.float32(2.3) + np.float32(17),
            lengthwise * one / np.float32(14),
            w * one / np.float32(4) + np.float32(5),
        )
        return f32(0.75 * fine + 0.6 * coarse)


def proximal_femur(patient: Patient, noise: Noise, s: Array, p: Array, w: Array, mean: Array) -> Array:
    """Volume fraction of cancellous bone at points given in neck coordinates.

    Args:
        patient: whose bone.
        noise: where the streaks come from.
        s: along the neck, mm.
        p: across it, superior, mm.
        w: across it, posterior, mm.
        mean: mean volume fraction at the points.
    """
    length, head = patient.neck_length_mm, patient.head_radius_mm
    quality = patient.cancellous
    tensile_left = 1 - 0.75 * min(1.0, patient.osteoporosis)
    # principal compressive group: a fan from the medial calcar to the weight-bearing part of the head
    apex = (length - 0.35 * head - 62 * np.sin(0.42), -62 * np.cos(0.42) + 2)
    turn = np.arctan2(s - np.float32(apex[0]), p - np.float32(apex[1]))
    compressive = bump(turn - np.float32(0.40), 0.27) * _sigmoid(s - np.float32(0.20 * length), 5)
    fan = Streaks(centre=apex, is_radial=True, spacing_mm=0.95, reach_mm=58, offset=0).at(noise, s, p, w)
    # principal tensile group: an arch from the lateral cortex over the neck into the lower head
    ring = np.hypot(s - np.float32(0.42 * length), p + np.float32(26))
    tensile = bump(ring - np.float32(34), 7.5) * bump(s - np.float32(0.42 * length), 0.62 * length)
    arch = Streaks(centre=(0.42 * length, -26), is_radial=False, spacing_mm=0.95, reach_mm=30, offset=20).at(
        noise, s, p, w
    )
    # secondary compressive and greater trochanter groups: a wide fan from the lesser trochanter upwards
    lateral = bump(s - np.float32(0.05 * length), 0.36 * length) * _sigmoid(p + np.float32(34), 6)
    spread = Streaks(centre=(-0.15 * length, -70), is_radial=True, spacing_mm=1.15, reach_mm=60, offset=31).at(
        noise, s, p, w
    )
    mottle = noise.lumps(s + 3, p + 9, w + 5, 1.6)
    added = (
        compressive * (0.12 + 0.30 * fan) * np.float32(quality**0.6)
        + tensile * (0.08 + 0.26 * arch) * np.float32(quality * tensile_left**0.5)
        + lateral * (0.04 + 0.20 * spread) * np.float32(quality * (0.3 + 0.7 * tensile_left))
    )
    in_marrow_bone = _sigmoid(mean / np.float32(quality) - np.float32(0.03), 0.012)
    fraction = mean * (np.float32(1.25) + np.float32(0.45) * mottle) + added * in_marrow_bone
    return f32(np.clip(fraction, 0, 0.85))


def shell(surface: Array, cortex: Array, ramp_mm: float, *, is_smooth: bool = False) -> tuple[Array, Array]:
    """Fractions (cortex, inside) that rise over `ramp_mm`: the voxel's edge, or more where thin plates lie aslant.

    A linear ramp of two or three voxels beats with their rows: its ripple falls as 1/width; that of a cubic one
    (`is_smooth`) as 1/width³.
    """
    one = np.float32(1 / ramp_mm)
    outer = np.clip(np.float32(0.5) - surface * one, 0, 1)
    inner = np.clip(np.float32(0.5) - (surface + cortex) * one, 0, 1)
    if is_smooth:
        outer, inner = smooth_step(outer, 0, 1), smooth_step(inner, 0, 1)
    return np.clip(outer - inner, 0, None), inner


def cortical_fraction(patient: Patient) -> float:
    """Volume fraction of bone in the cortex: falls with porosity."""
    return 0.93 - 0.10 * min(1.0, patient.osteoporosis)
