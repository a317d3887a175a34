"""Sacrum, coccyx and two lumbar vertebrae as implicit surfaces, in the frame of the left hip.

Symmetric about the mid-line. The joint surface follows the left iliac wing at a distance of about 3 mm, so that the
sacro-iliac joint shows as a thin dark line. Proportions by eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.fields import (
    bump,
    capsule,
    ellipsoid,
    polyline_tube,
    rotation,
    smooth_max,
    smooth_min,
    smooth_step,
)
from app.engine.phantom.ilium import iliac_sheet
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, f32

_LEVELS = [-16.0, -4, 6, 13, 26, 44, 66, 92, 110]  # z of coccyx (2), its horns, S5 … S1, L5
_DEPTH = [84.0, 92, 95, 95, 93, 86, 71, 52, 44]  # y of the bodies' middle at these heights
_HALF_WIDTH = [4.0, 6, 10, 23, 30, 38, 51, 58, 52]
_HALF_DEPTH = [3.5, 5, 6, 7, 9, 11, 14, 17, 15]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpineFields:
    """Signed distance (mm), cortical thickness (mm) and cancellous volume fraction on a lattice."""

    surface: Array
    cortex: Array
    cancellous: Array


def sacrum_fields(patient: Patient, x: Array, y: Array, z: Array) -> SpineFields:
    """Fields at open-grid points of the left-hip frame."""
    k, mid = np.float32(patient.scale), np.float32(-patient.half_width_mm)
    a = np.abs(x - mid) / k  # distance from the mid-line
    b, c = y / k, z / k
    line = np.interp(c, _LEVELS, _DEPTH).astype(np.float32)
    half_width = np.interp(c, _LEVELS, _HALF_WIDTH).astype(np.float32)
    half_depth = np.interp(c, _LEVELS, _HALF_DEPTH).astype(np.float32)
    wings = smooth_step(a, 18, 50)  # the alae lie further back and are thinner than the bodies
    depth = np.abs(b - line - 10 * wings) - half_depth * (1 - np.float32(0.25) * wings)
    top = (c - 100) + (b - 45) * np.float32(0.55) + wings * 6  # the end plate slopes forwards, the alae fall away
    sacrum = smooth_max(smooth_max(a - half_width, depth.astype(np.float32), 9), top.astype(np.float32), 5)
    sacrum = smooth_max(sacrum, (-18 - c) + 0 * a + 0 * b, 3)
    crest = capsule(a, b, c, (0, 74, 92), (0, 106, 30), 3.2)
    sacrum = smooth_min(sacrum, crest, 7)
    hollow = capsule(a, b, c, (0, 66, 104), (0, 92, 40), 8.0, 4.0)  # the canal
    arcs = np.full(1, 50, dtype=np.float32)
    for level, spread, size in ((75, 21, 6.5), (55, 19, 5.8), (36, 16, 4.8), (19, 13, 3.8)):  # the foramina
        where = float(np.interp(level, _LEVELS, _DEPTH))
        hole = capsule(a, b, c, (spread + 5, where - 22, level - 9), (spread - 2, where + 18, level + 4), size)
        hollow = np.minimum(hollow, hole)
        arcs = np.minimum(arcs, np.abs(hole - 1.5) + 8 * smooth_step((level + 1) - c, 0, 8))  # dense upper rims
    spine = sacrum
    for middle, depth_mm, slope in ((121.0, 40.0, 0.28), (159.0, 34.0, 0.10)):
        spine = np.minimum(spine, _lumbar(a, b, c, middle, depth_mm, slope))
    sheet = iliac_sheet(patient, _left_of(x, mid), y, z)
    wing = np.maximum(np.abs(sheet.height) - sheet.half_thickness, sheet.outline) / k
    surface = smooth_max(spine, (3.2 - wing).astype(np.float32), 1.5) * k
    cortex = np.full(surface.shape, 0.75 * (0.5 + 0.5 * patient.cortex), dtype=np.float32)
    # hollows are only less dense: sharp holes would show rings that a real film does not
    cancellous = np.float32(0.085 * patient.cancellous) * (1 - 0.75 * smooth_step(-hollow, -2.5, 2.5))
    cancellous = cancellous + np.float32(0.22 * patient.cancellous) * bump(arcs, 1.8) * smooth_step(-spine, 1, 4)
    return SpineFields(
        surface=surface.astype(np.float32),
        cortex=cortex,
        cancellous=np.broadcast_to(cancellous, surface.shape).astype(np.float32),
    )


def _left_of(x: Array, mid: np.float32) -> Array:
    """x folded to the left half of the body."""
    return f32(mid + np.abs(x - mid))


def _lumbar(a: Array, b: Array, c: Array, middle: float, depth: float, slope: float) -> Array:
    """A lumbar vertebra on folded coordinates: body with end plates, pedicles, transverse and spinous processes."""
    lean = (c - middle) + (b - depth) * np.float32(slope)
    ring = ((np.clip(a, 0, None) / 25) ** 2.6 + (np.abs(b - depth) / 17) ** 2.6) ** np.float32(1 / 2.6)
    waist = (ring - 1) * 17 + np.float32(3.4) * (1 - np.clip(np.abs(lean) / 13.5, 0, 1) ** 2)
    dished = np.abs(lean) - 14 + np.float32(1.8) * np.clip(1 - ring, 0, 1)  # end plates are hollow in the middle
    body = smooth_max(waist.astype(np.float32), dished.astype(np.float32), 2.5)
    pedicle = capsule(a, b, c, (17, depth + 12, middle + 4), (17, depth + 32, middle - 1), 5.2)
    lamina = capsule(a, b, c, (16, depth + 34, middle - 3), (2, depth + 42, middle - 11), 5.0)
    transverse = polyline_tube(
        a, b, c, [(18, depth + 24, middle + 3), (32, depth + 27, middle + 5), (43, depth + 29, middle + 8)],
        [5.5, 3.6, 3.0],
    )  # fmt: skip
    above = ellipsoid(a, b, c, (19, depth + 33, middle + 11), (5, 6, 9), rotation([0, 1, 0], 12))
    below = ellipsoid(a, b, c, (15, depth + 38, middle - 13), (5.5, 5, 9), rotation([0, 1, 0], 16))
    spinous = ellipsoid(a, b, c, (0, depth + 54, middle - 13), (4.0, 14, 9.0))
    arch = smooth_min(smooth_min(pedicle, lamina, 7), transverse, 6)
    arch = smooth_min(smooth_min(smooth_min(arch, above, 8), below, 9), spinous, 6)
    return smooth_min(body, arch, 3)
