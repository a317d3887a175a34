"""Points, lengths and angles on a radiograph, each with its unit and where the scale comes from.

Angles need square pixels only; lengths need a spacing. Where there is none that can be trusted, lengths are in px.
"""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum

from app.core.errors import UserError
from app.core.geometry import XY
from app.core.record import record
from app.core.spacing import LARGEST_MM, SMALLEST_MM, Spacing, SpacingSource

MIN_DISTANCE_PX = 2.0
MIN_CALIBRATION_PX = 20.0  # below, one px of doubt is 5 % of every length
LARGEST_KNOWN_MM = 1000.0


class MeasurementKind(StrEnum):
    """What is measured, and what its points are."""

    LENGTH = "length"  # two ends
    ANGLE = "angle"  # a point on one leg, the vertex, a point on the other leg
    TWO_LINES = "two-lines"  # two points on each of two lines; the acute angle between them
    NECK_SHAFT = "neck-shaft"  # two points on the axis of the neck, two on that of the shaft; the obtuse angle
    PAUWELS = "pauwels"  # two points on the fracture line, two on the axis of the shaft


POINT_COUNT = {
    MeasurementKind.LENGTH: 2,
    MeasurementKind.ANGLE: 3,
    MeasurementKind.TWO_LINES: 4,
    MeasurementKind.NECK_SHAFT: 4,
    MeasurementKind.PAUWELS: 4,
}


class LandmarkKind(StrEnum):
    """Points of the hip that have a name."""

    HEAD_CENTRE = "head-centre"
    GREATER_TROCHANTER = "greater-trochanter"  # its tip
    LESSER_TROCHANTER = "lesser-trochanter"  # its most medial point
    TEARDROP = "teardrop"  # lowest point of the acetabular teardrop
    ACETABULAR_EDGE = "acetabular-edge"  # lateral edge of the acetabular roof
    NECK_CENTRE = "neck-centre"  # middle of the narrowest part of the neck


@record(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement on one view.

    Args:
        kind: what is measured.
        points: image coordinates; as many as the kind needs.
    """

    kind: MeasurementKind
    points: tuple[XY, ...]

    def __post_init__(self) -> None:
        if len(self.points) != POINT_COUNT[self.kind]:
            raise ValueError(f"{self.kind} has {POINT_COUNT[self.kind]} points, not {len(self.points)}")
        if not all(math.isfinite(part) for point in self.points for part in point):
            raise ValueError("points have finite coordinates")
        for first, second in _segments(self):
            if math.dist(first, second) < MIN_DISTANCE_PX:
                raise ValueError("two points of a line are at one place")

    def with_point(self, index: int, xy: XY) -> Measurement:
        """The same with one point at another place.

        Raises:
            ValueError: two points of a line would be at one place.
        """
        return replace(self, points=(*self.points[:index], xy, *self.points[index + 1 :]))


@record(frozen=True, slots=True, kw_only=True)
class Reading:
    """The value of a measurement.

    Args:
        value: the number.
        unit: `mm`, `px` or `°`.
        source: where the length scale comes from; None for an angle, NONE for px.
        note: what must be known about it, in one sentence; empty if there is nothing to say.
    """

    value: float
    unit: str
    source: SpacingSource | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """Value and unit as people read them: 0.1 mm, whole px, 0.1°."""
        if self.unit == "px":
            return f"{self.value:.0f} px"
        return f"{self.value:.1f}{'' if self.unit == '°' else ' '}{self.unit}"


def measure(measurement: Measurement, spacing: Spacing) -> Reading:
    """The value of a measurement on a view with this spacing."""
    points = measurement.points
    match measurement.kind:
        case MeasurementKind.LENGTH:
            return length_between(points[0], points[1], spacing)
        case MeasurementKind.ANGLE:
            first, second = _step(points[1], points[0], spacing), _step(points[1], points[2], spacing)
            return Reading(value=_angle_deg(first, second), unit="°")
        case MeasurementKind.TWO_LINES:
            return Reading(value=_acute_deg(points, spacing), unit="°")
        case MeasurementKind.NECK_SHAFT:
            return Reading(value=180.0 - _acute_deg(points, spacing), unit="°")
        case MeasurementKind.PAUWELS:
            value = 90.0 - _acute_deg(points, spacing)
            return Reading(value=value, unit="°", note=f"Pauwels {_pauwels_type(value)}, against the shaft.")


def length_between(first_xy: XY, second_xy: XY, spacing: Spacing) -> Reading:
    """Distance of two points: mm where the spacing can be trusted, else px (columns of the image)."""
    dx, dy = _step(first_xy, second_xy, spacing)
    distance_px = math.hypot(dx, dy)
    if spacing.is_trusted and spacing.col_mm is not None:
        return Reading(value=distance_px * spacing.col_mm, unit="mm", source=spacing.source, note=spacing.note)
    return Reading(value=distance_px, unit="px", source=SpacingSource.NONE, note=spacing.note)


class CalibrationKind(StrEnum):
    """What of known size was measured."""

    LENGTH = "length"  # anything with two ends
    BALL = "ball"  # the diameter of a ball


@record(frozen=True, slots=True, kw_only=True)
class ScaleCalibration:
    """A length scale that a person measured on the image.

    Args:
        kind: what was measured.
        first_xy: one end, or one side of the ball.
        second_xy: the other end, or the side opposite.
        known_mm: its real length or diameter, mm.
    """

    kind: CalibrationKind
    first_xy: XY
    second_xy: XY
    known_mm: float


def calibrated_spacing(calibration: ScaleCalibration, spacing: Spacing) -> Spacing:
    """The spacing that a calibration gives an image.

    Args:
        calibration: what was measured.
        spacing: what was known; only the shape of the pixels is taken from it.

    Raises:
        UserError: `calibration`: too short to measure, or not the pixel size of a radiograph.
    """
    known_mm = calibration.known_mm
    if not (math.isfinite(known_mm) and 0 < known_mm <= LARGEST_KNOWN_MM):
        raise _cannot_calibrate(
            "The known length must be more than 0 and at most 1000 mm.", "Give the real length of what you measured."
        )
    distance_px = math.hypot(*_step(calibration.first_xy, calibration.second_xy, spacing))
    if not distance_px >= MIN_CALIBRATION_PX:
        raise _cannot_calibrate(
            f"The two points are {distance_px:.0f} px apart, too close to measure from.",
            f"Choose something at least {MIN_CALIBRATION_PX:.0f} px long.",
        )
    col_mm = known_mm / distance_px
    row_mm = col_mm * spacing.aspect
    if min(row_mm, col_mm) < SMALLEST_MM or max(row_mm, col_mm) > LARGEST_MM:
        raise _cannot_calibrate(
            f"{known_mm:g} mm over {distance_px:.0f} px makes a pixel {col_mm:.3g} mm wide, which no radiograph has.",
            "Check the length, and that both ends were clicked.",
        )
    what = "a ball of" if calibration.kind is CalibrationKind.BALL else "a length of"
    return Spacing(
        row_mm=row_mm,
        col_mm=col_mm,
        source=SpacingSource.MANUAL,
        is_trusted=True,
        note=f"Measured by hand from {what} {known_mm:g} mm; it holds at the depth of what was measured.",
        aspect=spacing.aspect,
    )


def _cannot_calibrate(reason: str, remedy: str) -> UserError:
    return UserError("The image cannot be calibrated this way.", reason=reason, remedy=remedy, kind="calibration")


def _step(start: XY, end: XY, spacing: Spacing) -> XY:
    """The way from one point to another in columns of the image, so that pixels are square."""
    return end[0] - start[0], (end[1] - start[1]) * spacing.aspect


def _angle_deg(first: XY, second: XY) -> float:
    """Angle between two directions, 0–180°."""
    cross = first[0] * second[1] - first[1] * second[0]
    return math.degrees(math.atan2(abs(cross), first[0] * second[0] + first[1] * second[1]))


def _acute_deg(points: tuple[XY, ...], spacing: Spacing) -> float:
    """Angle between the line through the first two points and the line through the others, 0–90°."""
    angle = _angle_deg(_step(points[0], points[1], spacing), _step(points[2], points[3], spacing))
    return min(angle, 180.0 - angle)


def _pauwels_type(angle_deg: float) -> str:
    """Pauwels' types: I up to 30°, II up to 50°, III above (Pauwels 1935)."""
    return "I" if angle_deg <= 30.0 else "II" if angle_deg <= 50.0 else "III"


def _segments(measurement: Measurement) -> tuple[tuple[XY, XY], ...]:
    points = measurement.points
    if measurement.kind is MeasurementKind.ANGLE:
        return (points[0], points[1]), (points[1], points[2])
    return tuple(zip(points[::2], points[1::2], strict=True))
