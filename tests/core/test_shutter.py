"""The display shutter, as a header states it (PS3.3 C.7.6.11) and as the collimator shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.core.collimation import CollimatedArea, collimated_area
from app.core.grey import Photometric
from app.core.shutter import PENUMBRA, found_shutter, stated_shutter
from tests.support.borders import Border, as_stored, collimated, rectangle

SIZE = {"rows": 400, "cols": 300}


def header(**elements: Any) -> dict[str, Any]:
    """Elements by tag, DICOM JSON model."""
    return {tag.removeprefix("t"): {"vr": "IS", "Value": value} for tag, value in elements.items()}


RECTANGLE = {"t00181602": [11], "t00181604": [290], "t00181606": [21], "t00181608": [380]}


def test_a_rectangle_shows_the_pixels_at_its_edges() -> None:
    shutter = stated_shutter(header(t00181600=["RECTANGULAR"], **RECTANGLE), **SIZE)
    assert shutter is not None
    assert shutter.is_stated
    assert shutter.polygons_xy == (((10, 20), (290, 20), (290, 380), (10, 380)),)


def test_a_circle_is_round_on_the_patient() -> None:
    elements = header(t00181600=["CIRCULAR"], t00181610=[200, 150], t00181612=[100])
    shutter = stated_shutter(elements, **SIZE, aspect=2.0)
    assert shutter is not None
    corners = np.array(shutter.polygons_xy[0])
    assert corners.mean(axis=0) == pytest.approx((149.5, 199.5))
    assert np.ptp(corners, axis=0) == pytest.approx((200, 100), abs=0.5)


def test_shapes_are_cut_with_each_other_and_vertices_are_rows_and_columns() -> None:
    elements = header(t00181600=["RECTANGULAR", "POLYGONAL"], t00181620=["1", "2", 3, 299, 400, 150], **RECTANGLE)
    shutter = stated_shutter(elements, **SIZE)
    assert shutter is not None
    assert len(shutter.polygons_xy) == 2
    assert shutter.polygons_xy[1] == ((1.5, 0.5), (298.5, 2.5), (149.5, 399.5))


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"t00181600": ["BITMAP"]},
        {"t00181600": ["RECTANGULAR"]},
        {"t00181600": ["RECTANGULAR"], **RECTANGLE, "t00181604": [5]},
        {"t00181600": ["RECTANGULAR"], **RECTANGLE, "t00181602": ["left"]},
        {"t00181600": ["CIRCULAR"], "t00181610": [200, 150], "t00181612": [0]},
        {"t00181600": ["CIRCULAR"], "t00181610": [5000, 5000], "t00181612": [20]},
        {"t00181600": ["POLYGONAL"], "t00181620": [1, 2, 3, 4]},
        {"t00181600": ["POLYGONAL"], "t00181620": ["nan"] * 6},
    ],
)
def test_what_is_not_as_the_standard_has_it_is_no_shutter(elements: dict[str, Any]) -> None:
    assert stated_shutter(header(**elements), **SIZE) is None
    assert stated_shutter({"00181600": "RECTANGULAR"}, **SIZE) is None


@pytest.mark.parametrize("turn_deg", [0, 7])
def test_a_found_border_is_shut_with_the_blurred_edge_of_its_blades(turn_deg: float) -> None:
    shape = (520, 420)
    polygon = rectangle(shape, (0.7, 0.85), turn_deg)
    stored, grey = as_stored(collimated(shape, polygon, Border.WHITE, seed=1), Photometric.MONOCHROME2)
    area = collimated_area(stored, grey)
    shutter = found_shutter(area, rows=shape[0], cols=shape[1])
    assert shutter is not None
    assert not shutter.is_stated
    seen, reached = np.array(shutter.polygons_xy[0]), area.polygon_xy
    margin_px = PENUMBRA * max(shape)
    assert np.ptp(reached, axis=0) - np.ptp(seen, axis=0) == pytest.approx((2 * margin_px,) * 2, abs=0.7 * margin_px)


def test_nothing_is_shut_at_the_image_s_own_edge() -> None:
    strip = np.array([(100.0, 0.0), (200.0, 0.0), (200.0, 400.0), (100.0, 400.0)])
    shutter = found_shutter(CollimatedArea(polygon_xy=strip, is_found=True, is_border_bright=True), **SIZE)
    assert shutter is not None
    seen = np.array(shutter.polygons_xy[0])
    assert seen.min(axis=0) == pytest.approx((100 + 0.004 * 400, 0))
    assert seen.max(axis=0) == pytest.approx((200 - 0.004 * 400, 400))


def test_without_a_border_there_is_no_shutter() -> None:
    whole = np.array([(0.0, 0.0), (300.0, 0.0), (300.0, 400.0), (0.0, 400.0)])
    assert found_shutter(CollimatedArea(polygon_xy=whole, is_found=False), **SIZE) is None
    assert found_shutter(None, **SIZE) is None


def test_a_dark_border_is_left_alone() -> None:
    shape = (520, 420)
    stored, grey = as_stored(
        collimated(shape, rectangle(shape, (0.7, 0.85), 0), Border.BLACK, seed=1), Photometric.MONOCHROME2
    )
    area = collimated_area(stored, grey)
    assert area.is_found
    assert not area.is_border_bright
    assert found_shutter(area, rows=shape[0], cols=shape[1]) is None
