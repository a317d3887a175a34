"""Screen pixels against an analytic image: right for every affine map, and the same whatever part is asked for."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.pyramid import ImagePyramid, build_pyramid
from app.core.resampling import Affine, Rect, SampleGrid, place, sample

ROWS, COLS = 1201, 950
Values = npt.NDArray[np.float64]


def analytic(u: Values, v: Values) -> Values:
    """An image without fine detail, in image coordinates; nothing about it is symmetric."""
    return 2000 + 700 * np.sin(u / 23) + 600 * np.cos(v / 31 + 0.4) + 400 * np.sin((u + 2 * v) / 61) + 0.2 * u


@pytest.fixture(scope="module")
def smooth() -> ImagePyramid:
    v, u = np.mgrid[:ROWS, :COLS] + 0.5
    return build_pyramid(np.rint(analytic(u, v)).astype(np.uint16))


@pytest.fixture(scope="module")
def noise() -> ImagePyramid:
    return build_pyramid(np.random.default_rng(3).integers(0, 65536, (ROWS, COLS), dtype=np.uint16))


def affine(zoom: float, turn_deg: float, mirror: int, x: float, y: float) -> Affine:
    """Zoom, turn, mirror (±1) and move."""
    turn = math.radians(turn_deg)
    return (
        zoom * math.cos(turn) * mirror,
        zoom * math.sin(turn) * mirror,
        -zoom * math.sin(turn),
        zoom * math.cos(turn),
        x,
        y,
    )


turns = st.one_of(st.sampled_from([0.0, 90.0, 180.0, 270.0]), st.floats(-180, 180))
maps = st.builds(
    affine,
    zoom=st.floats(math.log(0.06), math.log(40)).map(math.exp),
    turn_deg=turns,
    mirror=st.sampled_from([-1, 1]),
    x=st.floats(-3000, 3000),
    y=st.floats(-3000, 3000),
)


def positions(to_screen: Affine, origin_xy: tuple[int, int], rect: Rect) -> tuple[Values, Values]:
    """Image coordinates of the centres of screen pixels."""
    a, b, c, d, x, y = to_screen
    down, across = np.mgrid[rect.top : rect.bottom, rect.left : rect.right] + 0.5
    down, across = down + origin_xy[1] - y, across + origin_xy[0] - x
    determinant = a * d - b * c
    return (d * across - c * down) / determinant, (a * down - b * across) / determinant


def a_part(covered: Rect, share_x: float, share_y: float, size: int = 160) -> Rect:
    """Some screen pixels that the image covers."""
    left = covered.left + round(share_x * max(0, covered.width - size))
    top = covered.top + round(share_y * max(0, covered.height - size))
    return Rect(left=left, top=top, right=left + size, bottom=top + size).common(covered)


shares = st.floats(0, 1)


@given(to_screen=maps, share_x=shares, share_y=shares)
@settings(max_examples=120, deadline=None)
def test_every_pixel_is_what_lies_under_its_centre(
    smooth: ImagePyramid, to_screen: Affine, share_x: float, share_y: float
) -> None:
    placement = place(smooth, to_screen, squares_from=1000)
    rect = a_part(placement.covered, share_x, share_y)
    found = np.zeros((rect.height, rect.width), np.uint16)
    sample(smooth, placement.grid, rect, found)
    u, v = positions(to_screen, placement.origin_xy, rect)
    scale = 2.0**placement.grid.level
    is_inside = (u > scale) & (v > scale) & (u < COLS - scale) & (v < ROWS - scale)
    error = np.abs(found - analytic(u, v))[is_inside]
    # 1 px is a step of up to 50 values, positions are right to 1/25 screen pixel, and averages and chords flatten waves
    zoom = math.sqrt(abs(to_screen[0] * to_screen[3] - to_screen[1] * to_screen[2]))
    assert error.max(initial=0) < 3 + 50 * 0.04 / zoom + 0.45 * scale**2


@given(zoom=st.floats(8, 40), mirror=st.sampled_from([-1, 1]), turn_deg=turns, share_x=shares, share_y=shares)
@settings(max_examples=40, deadline=None)
def test_squares_are_single_pixels_of_the_image(
    noise: ImagePyramid, zoom: float, mirror: int, turn_deg: float, share_x: float, share_y: float
) -> None:
    to_screen = affine(zoom, turn_deg, mirror, 12.3, -45.6)
    placement = place(noise, to_screen, squares_from=8)
    rect = a_part(placement.covered, share_x, share_y)
    found = np.zeros((rect.height, rect.width), np.uint16)
    sample(noise, placement.grid, rect, found)
    u, v = positions(to_screen, placement.origin_xy, rect)
    margin = 0.05 + 1 / zoom / 16  # next to an edge of a square either side may be right
    is_clear = (np.abs(u - np.rint(u)) > margin) & (np.abs(v - np.rint(v)) > margin)
    is_clear &= (u > 0) & (v > 0) & (u < COLS) & (v < ROWS)
    expected = noise.levels[0][v.clip(0, ROWS - 1).astype(int), u.clip(0, COLS - 1).astype(int)]
    assert (found == expected)[is_clear].all()


@given(to_screen=maps, share_x=shares, share_y=shares, cuts=st.lists(shares, min_size=4, max_size=4))
@settings(max_examples=120, deadline=None)
def test_a_part_is_the_same_to_the_last_bit_whatever_is_sampled_with_it(
    noise: ImagePyramid, to_screen: Affine, share_x: float, share_y: float, cuts: list[float]
) -> None:
    placement = place(noise, to_screen, squares_from=8)
    whole = a_part(placement.covered, share_x, share_y, 700)
    found = np.zeros((whole.height, whole.width), np.uint16)
    sample(noise, placement.grid, whole, found)
    xs, ys = sorted(cuts[:2]), sorted(cuts[2:])
    part = Rect(
        left=whole.left + round(xs[0] * (whole.width - 1)),
        right=whole.left + round(xs[1] * (whole.width - 1)) + 1,
        top=whole.top + round(ys[0] * (whole.height - 1)),
        bottom=whole.top + round(ys[1] * (whole.height - 1)) + 1,
    )
    alone = np.zeros((part.height, part.width), np.uint16)
    sample(noise, placement.grid, part, alone)
    u, v = positions(to_screen, placement.origin_xy, part)
    is_inside = (u > 0) & (v > 0) & (u < COLS) & (v < ROWS)  # beyond the image nothing is drawn
    assert (alone == whole.of(found, part))[is_inside].all()


@given(zoom=st.floats(0.05, 30), dx=st.integers(-2000, 2000), dy=st.integers(-2000, 2000), x=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_moving_by_whole_pixels_keeps_the_grid(noise: ImagePyramid, zoom: float, dx: int, dy: int, x: float) -> None:
    before = place(noise, (zoom, 0, 0, zoom, x, 1 - x), squares_from=8)
    after = place(noise, (zoom * (1 + 1e-15), 0, 0, zoom, x + dx, 1 - x + dy), squares_from=8)
    assert after.grid == before.grid
    assert after.covered == before.covered
    moved = after.origin_xy[0] - before.origin_xy[0], after.origin_xy[1] - before.origin_xy[1]
    assert moved == (dx, dy)


def test_one_to_one_is_the_image_itself(noise: ImagePyramid) -> None:
    placement = place(noise, (1, 0, 0, 1, -40, 17), squares_from=8)
    assert placement.origin_xy == (-40, 17)
    assert placement.covered == Rect(left=0, top=0, right=COLS, bottom=ROWS)
    found = np.zeros((ROWS, COLS), np.uint16)
    sample(noise, placement.grid, placement.covered, found)
    assert np.array_equal(found, noise.levels[0])


@pytest.mark.parametrize(("turn_deg", "mirror"), [(90, 1), (180, 1), (270, 1), (0, -1), (90, -1), (180, -1)])
def test_quarter_turns_and_mirrors_at_one_to_one_move_pixels_and_change_none(
    noise: ImagePyramid, turn_deg: int, mirror: int
) -> None:
    placement = place(noise, affine(1, turn_deg, mirror, 0, 0), squares_from=8)
    found = np.zeros((placement.covered.height, placement.covered.width), np.uint16)
    sample(noise, placement.grid, placement.covered, found)
    expected = noise.levels[0][:, ::mirror]
    assert np.array_equal(found, np.rot90(expected, -turn_deg // 90))


@pytest.mark.parametrize("zoom", [0.21, 0.335, 0.45, 0.55, 0.8])
@pytest.mark.parametrize("turn_deg", [0.0, 17.0])
def test_it_is_far_nearer_to_the_area_average_than_nearest_pixels(zoom: float, turn_deg: float) -> None:
    rng = np.random.default_rng(5)
    fine = cv2.GaussianBlur(rng.normal(2000, 900, (1500, 1500)), (0, 0), 0.6)
    for _ in range(150):
        ends = rng.integers(0, 1500, 4).tolist()
        cv2.line(fine, (ends[0], ends[1]), (ends[2], ends[3]), 3500, 1)
    image = fine.clip(0, 4095).astype(np.uint16)
    to_screen = affine(zoom, turn_deg, 1, 0, 0)
    placement = place(build_pyramid(image), to_screen, squares_from=8)
    middle = positions_of_middle(to_screen)
    rect = Rect(left=middle[0] - 100, top=middle[1] - 100, right=middle[0] + 100, bottom=middle[1] + 100)
    found = np.zeros((200, 200), np.uint16)
    sample(build_pyramid(image), placement.grid, rect, found)
    around = [positions(shifted(to_screen, dx, dy), placement.origin_xy, rect) for dx, dy in steps_in_a_pixel()]
    values = [image[v.astype(int), u.astype(int)].astype(float) for u, v in around]
    truth = np.mean(values, axis=0)  # 16 × 16 points in every screen pixel
    u, v = positions(to_screen, placement.origin_xy, rect)
    nearest = image[v.astype(int), u.astype(int)].astype(float)
    ours, theirs = (math.sqrt(np.mean((one - truth) ** 2)) for one in (found, nearest))
    assert ours < 0.5 * theirs


def positions_of_middle(to_screen: Affine) -> tuple[int, int]:
    """The screen pixel of the middle of a 1500² image."""
    a, b, c, d, _, _ = to_screen
    return round(750 * (a + c)), round(750 * (b + d))


def steps_in_a_pixel() -> list[tuple[float, float]]:
    """256 places in a screen pixel, relative to its centre."""
    return [((i + 0.5) / 16 - 0.5, (j + 0.5) / 16 - 0.5) for i in range(16) for j in range(16)]


def shifted(to_screen: Affine, dx: float, dy: float) -> Affine:
    """The same map, moved."""
    a, b, c, d, x, y = to_screen
    return (a, b, c, d, x + dx, y + dy)


def test_a_map_that_cannot_be_inverted_is_refused(noise: ImagePyramid) -> None:
    for wrong in ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), (1.0, 2.0, 2.0, 4.0, 0.0, 0.0), (math.nan, 0, 0, 1, 0, 0)):
        with pytest.raises(ValueError, match="inverted"):
            place(noise, wrong, squares_from=8)


def test_taking_a_part_out_leaves_the_rest_once() -> None:
    whole = Rect(left=-3, top=2, right=20, bottom=15)
    part = Rect(left=1, top=2, right=20, bottom=9)
    counts = np.zeros((13, 23), int)
    for rect in [part, *whole.without(part)]:
        counts[rect.top - 2 : rect.bottom - 2, rect.left + 3 : rect.right + 3] += 1
    assert (counts == 1).all()
    assert whole.without(whole) == []


def test_a_grid_tells_images_and_zooms_apart(noise: ImagePyramid) -> None:
    grids: set[SampleGrid] = set()
    for zoom in (0.2, 0.5, 0.999, 1, 1.001, 7.9, 8.1):
        grids.add(place(noise, affine(zoom, 0, 1, 0.25, 0), squares_from=8).grid)
    assert len(grids) == 7
