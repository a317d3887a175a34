"""Turning and mirroring for the eye: the mapping is exact and left is never taken for right."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import Projection
from app.core.orientation import EDGES, OPPOSITE, Orientation, hung, opposite

EIGHT = [Orientation(angle_deg=turn, is_mirrored=mirrored) for turn in (0, 90, 180, -90) for mirrored in (False, True)]
ANGLES = st.floats(-720, 720, allow_nan=False)
ORIENTATIONS = st.builds(Orientation, angle_deg=ANGLES, is_mirrored=st.booleans())
SHAPES = st.integers(1, 4096)
ASPECTS = st.floats(0.25, 4.0)
PATIENTS = [
    (row, column) for row, column in itertools.permutations("LRAPHF", 2) if OPPOSITE[row] != column and row != column
]


def pattern() -> np.ndarray:
    """Every one of the eight orientations of it is different."""
    return np.arange(12, dtype=np.uint8).reshape(3, 4)


def drawn(image: np.ndarray, orientation: Orientation) -> np.ndarray:
    """The image as the matrix says, for quarter turns: pixel centres are mapped."""
    rows, cols = image.shape
    matrix = orientation.matrix(rows=rows, cols=cols)
    size = np.abs(matrix[:2, :2] @ (cols, rows)).round().astype(int)
    result = np.full((size[1], size[0]), 255, np.uint8)
    for row, col in np.ndindex(rows, cols):
        x, y, _ = matrix @ (col + 0.5, row + 0.5, 1)
        result[int(y), int(x)] = image[row, col]
    return result


@pytest.mark.parametrize("orientation", EIGHT)
def test_the_eight_orientations_are_those_of_numpy(orientation: Orientation) -> None:
    image = pattern()
    start = image[:, ::-1] if orientation.is_mirrored else image
    np.testing.assert_array_equal(drawn(image, orientation), np.rot90(start, -int(orientation.angle_deg) // 90))


@pytest.mark.parametrize("orientation", EIGHT)
def test_mirroring_mirrors_what_is_on_the_screen(orientation: Orientation) -> None:
    image = pattern()
    before = drawn(image, orientation)
    np.testing.assert_array_equal(drawn(image, orientation.mirrored_horizontally()), before[:, ::-1])
    np.testing.assert_array_equal(drawn(image, orientation.mirrored_vertically()), before[::-1])


@given(ORIENTATIONS, SHAPES, SHAPES, ASPECTS, st.floats(0, 1), st.floats(0, 1))
def test_a_point_comes_back(
    orientation: Orientation, rows: int, cols: int, aspect: float, across: float, down: float
) -> None:
    matrix = orientation.matrix(rows=rows, cols=cols, aspect=aspect)
    point = np.array([across * cols, down * rows, 1.0])
    np.testing.assert_allclose(np.linalg.inv(matrix) @ (matrix @ point), point, atol=1e-9, rtol=0)


@given(ORIENTATIONS, SHAPES, SHAPES, ASPECTS)
def test_the_turned_image_begins_at_the_origin_and_keeps_its_size(
    orientation: Orientation, rows: int, cols: int, aspect: float
) -> None:
    matrix = orientation.matrix(rows=rows, cols=cols, aspect=aspect)
    corners = matrix @ np.array([[0, cols, 0, cols], [0, 0, rows, rows], [1, 1, 1, 1]])
    np.testing.assert_allclose(corners[:2].min(axis=1), 0, atol=1e-9)
    assert abs(np.linalg.det(matrix)) == pytest.approx(aspect)


@given(ORIENTATIONS, ANGLES, st.lists(st.sampled_from(["h", "v", "turn"]), max_size=6))
def test_what_was_done_is_what_the_linear_map_says(orientation: Orientation, angle: float, steps: list[str]) -> None:
    expected, now = orientation.linear(), orientation
    turn = math.radians(angle)
    for step in steps:
        if step == "h":
            expected, now = np.diag([-1, 1]) @ expected, now.mirrored_horizontally()
        elif step == "v":
            expected, now = np.diag([1, -1]) @ expected, now.mirrored_vertically()
        else:
            around = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
            expected, now = around @ expected, now.turned(angle)
    np.testing.assert_allclose(now.linear(), expected, atol=1e-9)
    assert -180 < now.angle_deg <= 180


@given(ORIENTATIONS, st.sampled_from(PATIENTS))
def test_edge_letters_name_the_direction_that_points_there(orientation: Orientation, patient: tuple[str, str]) -> None:
    letters = orientation.edge_letters(patient)
    for edge, outward in EDGES.items():
        assert letters[edge], "with both directions known every edge has a letter"
        shares = []
        for letter in letters[edge]:
            direction = orientation.direction(letter, patient)
            assert direction is not None
            shares.append(float(direction @ outward))
        assert shares[0] >= math.sqrt(0.5) - 1e-6
        assert shares == sorted(shares, reverse=True) or shares[0] == pytest.approx(shares[-1])
        assert len(letters[edge]) <= 2
    assert set(letters["left"]) == {OPPOSITE[letter] for letter in letters["right"]}
    assert set(letters["top"]) == {OPPOSITE[letter] for letter in letters["bottom"]}


def test_letters_of_a_plain_and_of_a_slanted_image() -> None:
    plain = Orientation().edge_letters(("L", "F"))
    assert plain == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    slanted = Orientation(angle_deg=30).edge_letters(("L", "F"))
    assert slanted == {"left": "RF", "right": "LH", "top": "HR", "bottom": "FL"}
    mirrored = Orientation(is_mirrored=True).edge_letters(("L", "F"))
    assert mirrored == {"left": "L", "right": "R", "top": "H", "bottom": "F"}
    assert Orientation().edge_letters(("A", "FL")) == {"left": "P", "right": "A", "top": "HR", "bottom": "FL"}
    assert set(Orientation().edge_letters(()).values()) == {""}


def test_where_one_direction_is_not_known_its_edges_stay_empty() -> None:
    assert Orientation().edge_letters(("L", "")) == {"left": "R", "right": "L", "top": "", "bottom": ""}
    assert Orientation(angle_deg=90).edge_letters(("L", "")) == {"left": "", "right": "", "top": "R", "bottom": "L"}
    assert Orientation(angle_deg=30).edge_letters(("L", "")) == {"left": "R", "right": "L", "top": "", "bottom": ""}
    assert opposite("X") == ""


@pytest.mark.parametrize("stored", EIGHT)
def test_a_frontal_of_any_stored_orientation_is_hung_with_left_on_the_right_and_the_head_up(
    stored: Orientation,
) -> None:
    """An image was stored turned and mirrored, and its Patient Orientation says so truly."""
    letters = stored.edge_letters(("L", "F"))
    patient = (letters["right"], letters["bottom"])
    hanging = hung(Projection.FRONTAL, patient)
    assert hanging.edge_letters(patient) == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    upright = pattern()
    np.testing.assert_array_equal(drawn(drawn(upright, stored), hanging), upright)


def test_other_projections_and_frontals_without_orientation_stay_as_they_are_stored() -> None:
    for patient in PATIENTS:
        assert hung(Projection.LATERAL, patient).is_plain
        assert hung(None, patient).is_plain
        if not {*patient} <= {*"LRHF"}:
            assert hung(Projection.FRONTAL, patient).is_plain
    assert hung(Projection.FRONTAL, ()).is_plain
    assert hung(Projection.FRONTAL, ("L", "")).is_plain


def test_an_angle_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Orientation(angle_deg=math.nan)
