"""The hip bone: acetabulum, iliac wing, pubis and ischium as implicit surfaces.

Pelvis frame (left side): origin at the centre of the acetabulum, x lateral, y posterior, z superior, mm; the mid-line
lies at x = −`Patient.half_width_mm`. Proportions by eye from anatomy-book figures and from projections of real pelves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.engine.phantom.fields import (
    along,
    bump,
    capsule,
    distance,
    ellipsoid,
    polyline_tube,
    rotation,
    smooth_max,
    smooth_min,
    smooth_step,
)
from app.engine.phantom.ilium import Sheet, iliac_sheet
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InnominateFields:
    """Smooth fields on a lattice; the wing is kept apart because its middle is a kink that must not be interpolated.

    Args:
        body: signed distance to everything but the wing, mm.
        sheet: the wing.
        radius: distance from the centre of the acetabulum, mm.
        carve: distance to the joint cavity and notch, negative inside (bone is where body and sheet are not carved).
        cortex: cortical thickness, mm.
        cancellous: volume fraction of cancellous bone.
    """

    body: Array
    sheet: Sheet
    radius: Array
    carve: Array
    cortex: Array
    cancellous: Array


def cup_opening(patient: Patient) -> Vector:
    """Unit vector out of the acetabulum: lateral, inferior, anterior."""
    tilt, turn = math.radians(patient.cup_inclination_deg), math.radians(patient.cup_version_deg)
    return np.array([math.cos(tilt) * math.cos(turn), -math.sin(turn), -math.sin(tilt) * math.cos(turn)])


def innominate_fields(patient: Patient, x: Array, y: Array, z: Array) -> InnominateFields:
    """All smooth fields of the left hip bone at open-grid points."""
    k, cup = patient.scale, patient.cup_radius_mm
    radius = distance(x, y, z, (0, 0, 0))
    opening = along(x, y, z, cup_opening(patient))

    wall = 5.0 * k + 7.0 * k * smooth_step(z, 0, 26) + 2.5 * k * smooth_step(y, 5, 25)
    socket = np.maximum(radius - (cup + wall), opening - (4.5 + 3 * smooth_step(y, 0, 20)) * np.float32(k))
    body = smooth_min(socket.astype(np.float32), _spines(k, x, y, z), 8 * k)
    body = smooth_min(body, _pubis(patient, x, y, z), 9 * k)
    body = smooth_min(body, _ischium(k, x, y, z), 9 * k)

    cavity = radius - np.float32(cup)
    fossa = np.maximum(
        ellipsoid(x, y, z, (-13 * k, 1.5 * k, -9 * k), (17 * k, 13 * k, 17 * k)), radius - np.float32(cup + 3.0 * k)
    )
    notch = capsule(x, y, z, (-3 * k, -4 * k, -18 * k), (4 * k, -6 * k, -40 * k), 9 * k)
    carve = np.minimum(np.minimum(cavity, fossa), notch + np.float32(1.5))

    cortex = np.full(radius.shape, 1.05 * (0.5 + 0.5 * patient.cortex), dtype=np.float32)
    roof = bump(cavity, 4) * smooth_step(z, 6, 22) * smooth_step(opening, -30, -3)
    sclerosis = 1 + 0.35 * patient.osteoarthritis
    cortex = cortex + np.float32(2.4 * k * (1 - 0.3 * min(1, patient.osteoporosis)) * sclerosis) * roof
    cortex = cortex + np.float32(0.5) * smooth_step(-radius, -cup - 6, -cup - 1)
    cortex = cortex * (1 - 0.5 * smooth_step(y, 50 * k, 78 * k))  # thin where the wing lies on the sacrum
    cancellous = np.float32(0.13) + 0.13 * bump(cavity, 12) * smooth_step(z, 0, 20)
    return InnominateFields(
        body=body,
        sheet=iliac_sheet(patient, x, y, z),
        radius=radius,
        carve=carve.astype(np.float32),
        cortex=cortex,
        cancellous=(cancellous * np.float32(patient.cancellous)).astype(np.float32),
    )


def _spines(k: float, x: Array, y: Array, z: Array) -> Array:
    """Anterior inferior spine, posterior column and ischial spine."""
    anterior = polyline_tube(
        x, y, z, [(4 * k, -18 * k, 18 * k), (11 * k, -31 * k, 33 * k), (16 * k, -34 * k, 44 * k)], [9 * k, 6 * k, 4 * k]
    )
    column = polyline_tube(
        x, y, z, [(-16 * k, 24 * k, -14 * k), (-20 * k, 32 * k, 8 * k), (-26 * k, 44 * k, 30 * k)],
        [13 * k, 11 * k, 8 * k],
    )  # fmt: skip
    spine = capsule(x, y, z, (-28 * k, 36 * k, -2 * k), (-40 * k, 46 * k, -10 * k), 7 * k, 2.5 * k)
    return smooth_min(smooth_min(anterior, column, 9 * k), spine, 6 * k)


def _pubis(patient: Patient, x: Array, y: Array, z: Array) -> Array:
    """Superior ramus with the pectineal line, body at the symphysis, inferior ramus."""
    k, mid = patient.scale, -patient.half_width_mm
    brim = polyline_tube(
        x, y, z, [(-14 * k, -14 * k, 8 * k), (-34 * k, -28 * k, 2 * k), (mid + 24 * k, -41 * k, -10 * k)],
        [13.5 * k, 9.0 * k, 8.0 * k],
    )  # fmt: skip
    pecten = polyline_tube(
        x, y, z, [(-27 * k, 20 * k, 24 * k), (-30 * k, -6 * k, 13 * k), (mid + 30 * k, -36 * k, -1 * k)],
        [5.0 * k, 3.5 * k, 2.5 * k],
    )  # fmt: skip
    trunk = ellipsoid(
        x, y, z, (mid + 15.5 * k, -43 * k, -25 * k), (16.5 * k, 8.5 * k, 23 * k), rotation([0, 1, 0], -14)
    )
    trunk = smooth_max(trunk, (mid + 2.2) - x + 0 * y + 0 * z, 3.0)  # half the symphysis
    tubercle = ellipsoid(x, y, z, (mid + 24 * k, -46 * k, -9 * k), (5 * k, 4.5 * k, 4.5 * k))
    lower = polyline_tube(
        x, y, z, [(mid + 15 * k, -41 * k, -42 * k), (mid + 29 * k, -26 * k, -60 * k), (-45 * k, -8 * k, -73 * k),
                  (-31 * k, 10 * k, -74 * k)],
        [9.0 * k, 6.6 * k, 7.6 * k, 9.0 * k],
    )  # fmt: skip
    ramus = smooth_min(brim, pecten, 5 * k)
    ramus = smooth_min(smooth_min(ramus, trunk, 15 * k), tubercle, 4 * k)
    return smooth_min(ramus, lower, 14 * k)


def _ischium(k: float, x: Array, y: Array, z: Array) -> Array:
    """Ischial body, tuberosity and ramus."""
    trunk = polyline_tube(
        x, y, z, [(-13 * k, 17 * k, -14 * k), (-18 * k, 24 * k, -38 * k), (-23 * k, 29 * k, -60 * k)],
        [15.0 * k, 13.0 * k, 14.0 * k],
    )  # fmt: skip
    tuberosity = polyline_tube(
        x, y, z, [(-21 * k, 28 * k, -62 * k), (-28 * k, 15 * k, -74 * k), (-45 * k, -8 * k, -73 * k)],
        [15.0 * k, 12.5 * k, 7.6 * k],
    )  # fmt: skip
    return smooth_min(trunk, tuberosity, 10 * k)
