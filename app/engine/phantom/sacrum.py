"""Sacrum, coccyx and two lumbar vertebrae as implicit surfaces, in the frame of the left hip.

Symmetric about the mid-line. The joint surface follows the left iliac wing at a distance of about 3 mm, so that the
sacro-iliac joint shows as a thin dark line. Proportions by eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.fields import capsule, ellipsoid, rotation, smooth_max, smooth_min, smooth_step
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
    for level, spread, size in ((75, 21, 6.5), (55, 19, 5.8), (36, 16, 4.8), (19, 13, 3.8)):  # the foramina
        where = float(np.interp(level, _LEVELS, _DEPTH))
        hole = capsule(a, b, c, (spread + 5, where - 22, level - 9), (spread - 2, where + 18, level + 4), size)
        hollow = np.minimum(hollow, hole)
    spine = sacrum
    for middle, depth_mm in ((118.0, 40.0), (152.0, 34.0)):
        spine = np.minimum(spine, _lumbar(a, b, c, middle, depth_mm))
    sheet = iliac_sheet(patient, _left_of(x, mid), y, z)
    wing = np.maximum(np.abs(sheet.height) - sheet.half_thickness, sheet.outline) / k
    surface = smooth_max(spine, (3.2 - wing).astype(np.float32), 1.5) * k
    cortex = np.full(surface.shape, 0.75 * (0.5 + 0.5 * patient.cortex), dtype=np.float32)
    # hollows are only less dense: sharp holes would show rings that a real film does not
    cancellous = np.float32(0.085 * patient.cancellous) * (1 - 0.75 * smooth_step(-hollow, -2.5, 2.5))
    return SpineFields(
        surface=surface.astype(np.float32),
        cortex=cortex,
        cancellous=np.broadcast_to(cancellous, surface.shape).astype(np.float32),
    )


def _left_of(x: Array, mid: np.float32) -> Array:
    """x folded to the left half of the body."""
    return f32(mid + np.abs(x - mid))


def _lumbar(a: Array, b: Array, c: Array, middle: float, depth: float) -> Array:
    """A lumbar vertebra on folded coordinates: body with end plates, pedicles, transverse and spinous processes."""
    lean = (c - middle) + (b - depth) * np.float32(0.30)
    ring = ((np.clip(a, 0, None) / 25) ** 2.6 + (np.abs(b - depth) / 17) ** 2.6) ** np.float32(1 / 2.6)
    waist = (ring - 1) * 17 + np.float32(2.2) * (1 - np.clip(np.abs(lean) / 13, 0, 1) ** 2)
    body = smooth_max(waist.astype(np.float32), (np.abs(lean) - 13.5).astype(np.float32), 2.5)
    pedicle = capsule(a, b, c, (16, depth + 12, middle + 2), (17, depth + 32, middle - 4), 5.0)
    lamina = capsule(a, b, c, (17, depth + 32, middle - 4), (0, depth + 42, middle - 12), 4.5)
    transverse = capsule(a, b, c, (18, depth + 24, middle), (42, depth + 28, middle + 3), 5.0, 3.5)
    facet = ellipsoid(a, b, c, (17, depth + 36, middle - 14), (6, 6, 12), rotation([0, 1, 0], 8))
    spinous = capsule(a, b, c, (0, depth + 42, middle - 12), (0, depth + 66, middle - 18), 3.4)
    arch = smooth_min(smooth_min(pedicle, lamina, 4), transverse, 5)
    arch = smooth_min(smooth_min(arch, facet, 4), spinous, 4)
    return smooth_min(body, arch, 3)
