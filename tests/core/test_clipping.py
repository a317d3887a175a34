"""Lines and outlines end at the edge of the image."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clipping import clipped_outline, clipped_segment
from app.core.geometry import XY

ROWS, COLS = 60, 100
PLACES = st.tuples(st.floats(-200, 300), st.floats(-200, 300))


@given(PLACES, PLACES)
def test_a_line_keeps_exactly_what_is_on_the_image(first: XY, second: XY) -> None:
    found = clipped_segment(first, second, rows=ROWS, cols=COLS)
    steps = [i / 200 for i in range(201)]
    points = [(first[0] + t * (second[0] - first[0]), first[1] + t * (second[1] - first[1])) for t in steps]
    inside = [(x, y) for x, y in points if 0 <= x <= COLS and 0 <= y <= ROWS]
    if found is None:
        assert not inside
        return
    (x0, y0), (x1, y1) = found
    for x, y in found:
        assert -1e-6 <= x <= COLS + 1e-6
        assert -1e-6 <= y <= ROWS + 1e-6
    for x, y in inside:
        assert min(x0, x1) - 1e-6 <= x <= max(x0, x1) + 1e-6
        assert min(y0, y1) - 1e-6 <= y <= max(y0, y1) + 1e-6


def test_an_outline_inside_stays_as_it_is() -> None:
    square = ((10.0, 10.0), (50.0, 10.0), (50.0, 50.0), (10.0, 50.0))
    assert clipped_outline(square, rows=ROWS, cols=COLS) == square


def test_an_outline_over_a_corner_and_one_outside() -> None:
    square = ((-10.0, -10.0), (20.0, -10.0), (20.0, 30.0), (-10.0, 30.0))
    assert set(clipped_outline(square, rows=ROWS, cols=COLS)) == {(0.0, 0.0), (20.0, 0.0), (20.0, 30.0), (0.0, 30.0)}
    assert clipped_outline([(x + 500, y) for x, y in square], rows=ROWS, cols=COLS) == ()


@given(st.floats(0, math.tau), st.floats(5, 80), PLACES)
@settings(max_examples=25)
def test_area_of_a_clipped_square_is_that_of_the_pixels_it_covers(angle: float, half: float, middle: XY) -> None:
    turn = [(math.cos(angle + k * math.tau / 4), math.sin(angle + k * math.tau / 4)) for k in range(4)]
    corners = [(middle[0] + half * c, middle[1] + half * s) for c, s in turn]
    area = _area(clipped_outline(corners, rows=ROWS, cols=COLS))
    reach, turned = half / math.sqrt(2), angle + math.pi / 4  # half a side, and its direction
    cos, sin = math.cos(turned), math.sin(turned)
    steps = [(x + 0.5 - middle[0], y + 0.5 - middle[1]) for y in range(ROWS) for x in range(COLS)]
    count = sum(abs(dx * cos + dy * sin) <= reach and abs(dy * cos - dx * sin) <= reach for dx, dy in steps)
    assert area == pytest.approx(count, abs=8 * reach + 4)


def _area(points: tuple[XY, ...]) -> float:
    pairs = zip(points, (*points[1:], *points[:1]), strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2
