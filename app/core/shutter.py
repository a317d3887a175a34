"""The display shutter: what of an image is worth looking at, as the object states it or as its collimator shows.

Beside the collimated area a radiograph is often white, which blinds the eye for the dark parts of the hip. A viewer
darkens it; pixel values, crops, models and exports know nothing of it (ADR 0114).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from app.core.collimation import CollimatedArea
from app.core.half_planes import HalfPlane, clip_polygon
from app.core.record import record

Polygon: TypeAlias = tuple[tuple[float, float], ...]

SHUTTER_SHAPE = "00181600"  # Shutter Shape; PS3.3 C.7.6.11
EDGES = ("00181602", "00181604", "00181606", "00181608")  # left, right vertical; upper, lower horizontal
CENTER, RADIUS, VERTICES = "00181610", "00181612", "00181620"
CIRCLE_CORNERS = 90
PENUMBRA = 0.004  # share of the longer side that the blurred edge of a blade is wide


@record(frozen=True, slots=True, kw_only=True)
class Shutter:
    """What is seen lies inside every one of some polygons.

    Args:
        polygons_xy: corners in image coordinates (x right, y down, px, origin at the top-left corner of the first
            pixel), in order, not closed.
        is_stated: whether the object says so; else it was found in the image.
    """

    polygons_xy: tuple[Polygon, ...]
    is_stated: bool = False


def found_shutter(area: CollimatedArea | None, *, rows: int, cols: int) -> Shutter | None:
    """The shutter around the collimated area, without the bright edges of its blades; None without a bright border.

    A dark border blinds nobody, and may be nothing but air.

    Args:
        area: what the beam reached.
        rows: image height, px.
        cols: image width, px.
    """
    if area is None or not area.is_border_bright:
        return None
    corners, margin_px = area.polygon_xy, PENUMBRA * max(rows, cols)
    blades = []
    for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        step_x, step_y = other - one
        edge = HalfPlane(angle_deg=math.degrees(math.atan2(-step_x, step_y)), rho_px=0.0).through(one)
        x, y = (one + other) / 2 + edge.normal_xy  # a pixel further out
        if 0 <= x <= cols and 0 <= y <= rows:  # at the image's own edge there is no blade
            blades.append(edge.shifted(-margin_px))
    seen = clip_polygon(corners, blades)
    if len(seen) < 3:
        return None
    return Shutter(polygons_xy=(tuple((float(x), float(y)) for x, y in seen),))


def stated_shutter(header: Mapping[str, Any], *, rows: int, cols: int, aspect: float = 1.0) -> Shutter | None:
    """The shutter that a header states (Display Shutter Module, PS3.3 C.7.6.11); a bitmap is none.

    What is not as the standard has it, or leaves nothing of the image, is no shutter.

    Args:
        header: DICOM JSON model (PS3.18 F).
        rows: image height, px.
        cols: image width, px.
        aspect: row distance ÷ column distance of the pixels: a circle is round on the patient.
    """
    shapes = [str(value).strip().upper() for value in _values(header, SHUTTER_SHAPE)]
    polygons = []
    for shape in dict.fromkeys(shapes):
        polygon = None
        if shape == "RECTANGULAR":
            polygon = _rectangle([_numbers(header, tag) for tag in EDGES])
        elif shape == "CIRCULAR":
            polygon = _circle(_numbers(header, CENTER), _numbers(header, RADIUS), aspect)
        elif shape == "POLYGONAL":
            polygon = _vertices(_numbers(header, VERTICES))
        if polygon is None or not _is_within(polygon, rows, cols):
            return None
        polygons.append(polygon)
    return Shutter(polygons_xy=tuple(polygons), is_stated=True) if polygons else None


def _rectangle(edges: Sequence[Sequence[float]]) -> Polygon | None:
    """Columns and rows count from 1, and those at the edges are seen."""
    if any(len(edge) != 1 for edge in edges):
        return None
    left, right, top, bottom = (edge[0] for edge in edges)
    if right <= left or bottom <= top:
        return None
    left, top = left - 1, top - 1
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _circle(center: Sequence[float], radius: Sequence[float], aspect: float) -> Polygon | None:
    """Row and column of the centre, and a radius in px of a row."""
    if len(center) != 2 or len(radius) != 1 or radius[0] <= 0:
        return None
    row, col = center
    turns = [2 * math.pi * step / CIRCLE_CORNERS for step in range(CIRCLE_CORNERS)]
    return tuple(
        (col - 0.5 + radius[0] * math.cos(turn), row - 0.5 + radius[0] * math.sin(turn) / aspect) for turn in turns
    )


def _vertices(numbers: Sequence[float]) -> Polygon | None:
    """Row and column of every corner in turn."""
    if len(numbers) < 6 or len(numbers) % 2:
        return None
    return tuple((col - 0.5, row - 0.5) for row, col in zip(numbers[::2], numbers[1::2], strict=True))


def _is_within(polygon: Polygon, rows: int, cols: int) -> bool:
    """Whether some of the image is left, as far as its box tells."""
    xs, ys = zip(*polygon, strict=True)
    return bool(min(xs) < cols and max(xs) > 0 and min(ys) < rows and max(ys) > 0)


def _values(header: Mapping[str, Any], tag: str) -> list[Any]:
    element = header.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    return list(values) if isinstance(values, list) else []


def _numbers(header: Mapping[str, Any], tag: str) -> list[float]:
    """The values of an Integer String; none if one of them is no number."""
    try:
        numbers = [float(value) for value in _values(header, tag)]
    except (TypeError, ValueError):
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []
