"""What readers have drawn on a view, as lines and points on the image: for presentation states and printed reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.annotation import (
    ALIGNMENT,
    LANDMARK,
    MEASUREMENT,
    REGION,
    alignment_of,
    measurement_of,
    point_of,
    region_of,
)
from app.core.case import View
from app.core.clipping import clipped_outline, clipped_segment
from app.core.event import Json
from app.core.geometry import XY, aligned_crop
from app.core.measurement import LandmarkKind, Measurement, MeasurementKind, measure


class ShapeKind(StrEnum):
    """What was drawn."""

    ALIGNMENT = "alignment"
    REGION = "region"
    LANDMARK = "landmark"
    MEASUREMENT = "measurement"


LANDMARK_WORDS = {
    LandmarkKind.HEAD_CENTRE: "Head centre",
    LandmarkKind.GREATER_TROCHANTER: "Greater trochanter",
    LandmarkKind.LESSER_TROCHANTER: "Lesser trochanter",
    LandmarkKind.TEARDROP: "Teardrop",
    LandmarkKind.ACETABULAR_EDGE: "Acetabular edge",
    LandmarkKind.NECK_CENTRE: "Neck centre",
}
MEASUREMENT_WORDS = {
    MeasurementKind.LENGTH: "Length",
    MeasurementKind.ANGLE: "Angle",
    MeasurementKind.TWO_LINES: "Angle of two lines",
    MeasurementKind.NECK_SHAFT: "Neck-shaft angle",
    MeasurementKind.PAUWELS: "Pauwels angle",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One thing that was drawn, cut off at the edge of the image.

    Args:
        kind: what.
        lines: chains of points, image coordinates; a chain of one point is a point.
        text: what is written beside it; empty = nothing.
        anchor: the place that the text belongs to.
    """

    kind: ShapeKind
    lines: tuple[tuple[XY, ...], ...]
    text: str = ""
    anchor: XY | None = None


def drawn_shapes(view: View, values: Mapping[str, Json]) -> tuple[Shape, ...]:
    """What one reader has drawn on a view.

    Args:
        view: as it stands now.
        values: field -> value, of one reader.
    """
    found = []
    if (alignment := alignment_of(values.get(f"{ALIGNMENT}{view.id}"))) is not None:
        frame = _outline(aligned_crop(alignment, view.spacing).corners_xy, view)
        axis = _segments([(alignment.center_xy, alignment.axis_xy)], view)
        found.append(Shape(kind=ShapeKind.ALIGNMENT, lines=(*frame, *axis, *_points([alignment.center_xy], view))))
    if (box := region_of(values.get(f"{REGION}{view.id}"))) is not None:
        corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
        found.append(Shape(kind=ShapeKind.REGION, lines=_outline(corners, view)))
    for field in sorted(name for name in values if name.endswith(f".{view.id}")):
        if field.startswith(LANDMARK):
            kind = LandmarkKind(field.removeprefix(LANDMARK).removesuffix(f".{view.id}"))
            place = point_of(values[field])
            points = _points([place], view)
            found.append(Shape(kind=ShapeKind.LANDMARK, lines=points, text=LANDMARK_WORDS[kind], anchor=place))
        elif field.startswith(MEASUREMENT):
            found.append(_measured(measurement_of(values[field]), view))
    return tuple(shape for shape in found if shape.lines)


def _measured(measurement: Measurement, view: View) -> Shape:
    reading = measure(measurement, view.spacing)
    text = f"{MEASUREMENT_WORDS[measurement.kind]} {reading.text.replace('°', ' deg')}"
    return Shape(
        kind=ShapeKind.MEASUREMENT,
        lines=_segments(measured_lines(measurement), view),
        text=text,
        anchor=measurement.points[1],
    )


def measured_lines(measurement: Measurement) -> list[tuple[XY, XY]]:
    """The lines that a measurement is made of."""
    points = measurement.points
    if measurement.kind is MeasurementKind.ANGLE:
        return [(points[0], points[1]), (points[1], points[2])]
    return list(zip(points[::2], points[1::2], strict=True))


def _segments(lines: Sequence[tuple[XY, XY]], view: View) -> tuple[tuple[XY, ...], ...]:
    clipped = (clipped_segment(first, second, rows=view.rows, cols=view.cols) for first, second in lines)
    return tuple(line for line in clipped if line is not None)


def _outline(corners: Sequence[XY], view: View) -> tuple[tuple[XY, ...], ...]:
    """An outline without the edges of the image: where it was cut off it is open."""
    closed = [(first, corners[(index + 1) % len(corners)]) for index, first in enumerate(corners)]
    inside = clipped_outline(corners, rows=view.rows, cols=view.cols)
    if inside == tuple(corners):
        return ((*corners, corners[0]),)
    return _segments(closed, view)


def _points(places: Sequence[XY], view: View) -> tuple[tuple[XY, ...], ...]:
    return tuple((xy,) for xy in places if 0 <= xy[0] <= view.cols and 0 <= xy[1] <= view.rows)


def values_of_readers(annotations: Sequence[tuple[str, str, Json]]) -> Iterator[tuple[str, dict[str, Json]]]:
    """Annotations gathered by reader, by name.

    Args:
        annotations: (reader, field, value).
    """
    gathered: dict[str, dict[str, Json]] = {}
    for reader, field, value in annotations:
        gathered.setdefault(reader, {})[field] = value
    yield from sorted(gathered.items())
