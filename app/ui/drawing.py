"""What people have drawn on one view, and its handles: plain values that the painter and the tools share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.core.annotation import (
    ALIGNMENT,
    CROP_VERDICT,
    LANDMARK,
    MEASUREMENT,
    REGION,
    alignment_of,
    measurement_of,
    point_of,
    region_of,
)
from app.core.case import View
from app.core.event import Json
from app.core.geometry import XY, Alignment, aligned_crop, mapped
from app.core.measurement import Measurement
from app.core.region import RegionBox
from app.core.spacing import Spacing
from app.store.crops import CropState, crop_state

CENTRE, AXIS, SIZE = "centre", "axis", "size"
BODY = "body"
CORNERS = ("top-left", "top-right", "bottom-right", "bottom-left")


@dataclass(slots=True, kw_only=True)
class Drawing:
    """What is drawn over one view.

    Args:
        view: the view.
        spacing: its length scale.
        alignment: the two clicks; while they are dragged, where they would be.
        stored: the two clicks as they are stored.
        state: what was said about the crop of these.
        region: the box.
        measurements: number -> measurement.
        landmarks: name -> point.
        pending: clicks of a gesture that is not complete, image coordinates.
        pointer: where the mouse is in such a gesture.
        active: what is chosen, for example `measurement:2` or `alignment`; keys apply to it.
    """

    view: View
    spacing: Spacing
    alignment: Alignment | None = None
    stored: Alignment | None = None
    state: CropState = CropState.UNSEEN
    region: RegionBox | None = None
    measurements: dict[str, Measurement] = field(default_factory=dict)
    landmarks: dict[str, XY] = field(default_factory=dict)
    pending: list[XY] = field(default_factory=list)
    pointer: XY | None = None
    active: str = ""

    @property
    def rows(self) -> int:
        """Image height, px."""
        return self.view.rows

    @property
    def cols(self) -> int:
        """Image width, px."""
        return self.view.cols


def drawing_of(view: View, values: Mapping[str, Json]) -> Drawing:
    """What a reader's values say about one view."""
    drawing = Drawing(view=view, spacing=view.spacing)
    drawing.alignment = drawing.stored = alignment_of(values.get(f"{ALIGNMENT}{view.id}"))
    drawing.region = region_of(values.get(f"{REGION}{view.id}"))
    if drawing.alignment is not None:
        drawing.state = crop_state(drawing.alignment, view, values.get(f"{CROP_VERDICT}{view.id}"))
    for name, value in values.items():
        kind, _, rest = name.partition(".")
        what, _, view_id = rest.partition(".")
        if view_id != view.id:
            continue
        if f"{kind}." == MEASUREMENT:
            drawing.measurements[what] = measurement_of(value)
        elif f"{kind}." == LANDMARK:
            drawing.landmarks[what] = point_of(value)
    return drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A point that can be dragged.

    Args:
        owner: `alignment`, `region`, `measurement:2`, `landmark:head-centre`.
        name: which of its points.
        xy: image coordinates.
    """

    owner: str
    name: str
    xy: XY


def alignment_handles(drawing: Drawing) -> list[Handle]:
    """Centre, axis and the crop's corners, which set its size."""
    if drawing.alignment is None:
        return []
    cut = aligned_crop(drawing.alignment, drawing.spacing)
    points = [(CENTRE, drawing.alignment.center_xy), (AXIS, drawing.alignment.axis_xy)]
    points += [(SIZE, xy) for xy in cut.corners_xy]
    return [Handle(owner="alignment", name=name, xy=xy) for name, xy in points]


def region_handles(drawing: Drawing) -> list[Handle]:
    """The corners of the box."""
    box = drawing.region
    if box is None:
        return []
    places = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
    return [Handle(owner="region", name=name, xy=xy) for name, xy in zip(CORNERS, places, strict=True)]


def measurement_handles(drawing: Drawing) -> list[Handle]:
    """Every point of every measurement, and every landmark."""
    found = [
        Handle(owner=f"measurement:{number}", name=str(index), xy=xy)
        for number, measurement in drawing.measurements.items()
        for index, xy in enumerate(measurement.points)
    ]
    return found + [Handle(owner=f"landmark:{name}", name="0", xy=xy) for name, xy in drawing.landmarks.items()]


def dragged_alignment(alignment: Alignment, handle: Handle, to_xy: XY, spacing: Spacing) -> Alignment | None:
    """The alignment with one handle at another place; None where it cannot be."""
    try:
        if handle.name == CENTRE:
            (x, y), (cx, cy) = to_xy, alignment.center_xy
            return alignment.moved(x - cx, y - cy)
        if handle.name == AXIS:
            return replace(alignment, axis_xy=to_xy)
        cut = aligned_crop(alignment, spacing)
        u, v = mapped(cut.to_crop, to_xy)
        half = cut.size_px / 2
        share = max(abs(u - half), abs(v - half)) / half
        if cut.mm_per_px is not None:
            return replace(alignment, side_mm=round(alignment.side_mm * share, 1))
        return replace(alignment, side_px=round(alignment.side_px * share))
    except ValueError:
        return None  # the two points too close, or a size that makes no sense


def dragged_region(region: RegionBox, handle: Handle, to_xy: XY, *, rows: int, cols: int) -> RegionBox | None:
    """The box with one corner at another place; None where it would be too small."""
    x, y = min(max(to_xy[0], 0.0), float(cols)), min(max(to_xy[1], 0.0), float(rows))
    vertical, _, across = handle.name.partition("-")
    edges = {vertical: y, across: x}
    try:
        return replace(region, **edges)
    except ValueError:
        return None


def holds(region: RegionBox, xy: XY) -> bool:
    """Whether a point lies in a box."""
    return region.left <= xy[0] <= region.right and region.top <= xy[1] <= region.bottom


def nearest(handles: list[Handle], places: list[XY], at: XY, *, within_px: float) -> Handle | None:
    """The handle nearest to a place on the screen.

    Args:
        handles: the handles.
        places: where each of them is on the screen, logical px.
        at: the place, logical px.
        within_px: no handle that is further away.
    """
    found = sorted(
        ((math.dist(place, at), number) for number, place in enumerate(places)), key=lambda pair: pair
    )  # fmt: skip
    if not found or found[0][0] > within_px:
        return None
    return handles[found[0][1]]
