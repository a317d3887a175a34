"""Lines and outlines without what lies beyond the edge of an image.

DICOM's coordinates end at the edge (PS3.3 C.10.5, C.18.6): a crop frame that reaches beyond must be cut off there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.geometry import XY


def clipped_segment(first_xy: XY, second_xy: XY, *, rows: int, cols: int) -> tuple[XY, XY] | None:
    """The part of a line that lies on an image (Liang and Barsky 1984); None when none does.

    Args:
        first_xy: one end, image coordinates.
        second_xy: the other.
        rows: image height, px.
        cols: image width, px.
    """
    (x0, y0), (x1, y1) = first_xy, second_xy
    dx, dy = x1 - x0, y1 - y0
    start, end = 0.0, 1.0
    for step, room in ((-dx, x0), (dx, cols - x0), (-dy, y0), (dy, rows - y0)):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            start = max(start, room / step)
        else:
            end = min(end, room / step)
    if start > end:
        return None
    return (x0 + start * dx, y0 + start * dy), (x0 + end * dx, y0 + end * dy)


def clipped_outline(corners: Sequence[XY], *, rows: int, cols: int) -> tuple[XY, ...]:
    """The part of a convex outline that lies on an image (Sutherland and Hodgman 1974); empty when none does.

    Args:
        corners: in order, the first one not repeated; image coordinates.
        rows: image height, px.
        cols: image width, px.
    """
    edges: tuple[tuple[Callable[[XY], bool], Callable[[XY, XY], XY]], ...] = (
        (lambda p: p[0] >= 0, lambda p, q: _at_x(p, q, 0.0)),
        (lambda p: p[0] <= cols, lambda p, q: _at_x(p, q, float(cols))),
        (lambda p: p[1] >= 0, lambda p, q: _at_y(p, q, 0.0)),
        (lambda p: p[1] <= rows, lambda p, q: _at_y(p, q, float(rows))),
    )
    kept = list(corners)
    for is_inside, crossing in edges:
        before, kept = kept, []
        for index, point in enumerate(before):
            previous = before[index - 1]
            if is_inside(point) != is_inside(previous):
                kept.append(crossing(previous, point))
            if is_inside(point):
                kept.append(point)
    return tuple(kept)


def _at_x(first: XY, second: XY, x: float) -> XY:
    share = (x - first[0]) / (second[0] - first[0])
    return x, first[1] + share * (second[1] - first[1])


def _at_y(first: XY, second: XY, y: float) -> XY:
    share = (y - first[1]) / (second[1] - first[1])
    return first[0] + share * (second[0] - first[0]), y
