"""Two clicks and the crop: coordinates to 1e-9 px, the axis to 0.2°, pixels to half a pixel of an analytic pattern."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.geometry import (
    Alignment,
    Crop,
    aligned_crop,
    alignment_from_clicks,
    axis_angle_deg,
    crop,
    crop_mask,
    inverted,
    mapped,
)
from app.core.spacing import Spacing, SpacingSource

ROWS, COLS = 3000, 2400
Floats = npt.NDArray[np.float32]


def spacing(row_mm: float = 0.15, col_mm: float = 0.15) -> Spacing:
    return Spacing(
        row_mm=row_mm, col_mm=col_mm, source=SpacingSource.CALIBRATED, is_trusted=True, aspect=row_mm / col_mm
    )


def clicks(count: int, seed: int) -> list[tuple[Alignment, Spacing]]:
    """Random alignments on a large image with square, oblong and unknown pixels."""
    choose = np.random.default_rng(seed)
    found: list[tuple[Alignment, Spacing]] = []
    while len(found) < count:
        center, axis = choose.uniform((0, 0), (COLS, ROWS)), choose.uniform((-300, -300), (COLS + 300, ROWS + 300))
        if math.dist(center, axis) < 5:
            continue
        kind = len(found) % 3
        used = (spacing(0.15, 0.15), spacing(0.12, 0.2), Spacing(aspect=1.25))[kind]
        side = float(choose.uniform(40, 300))
        found.append(
            (Alignment(center_xy=tuple(center), axis_xy=tuple(axis), side_mm=side, side_px=side * 4), used)
        )  # fmt: skip
    return found


def test_two_thousand_clicks_land_where_they_should() -> None:
    """Fracture centre at the crop's centre, shaft vertical, |angle| ≤ 90°, round trips exact: all to 1e-9 px."""
    for alignment, used in clicks(2000, seed=1):
        cut = aligned_crop(alignment, used)
        forth, back = cut.to_crop, cut.to_image
        assert math.dist(mapped(forth, alignment.center_xy), (128.0, 128.0)) <= 1e-9
        axis = mapped(forth, alignment.axis_xy)
        assert abs(axis[0] - 128.0) <= 1e-9 * max(1.0, abs(axis[1]))
        assert -90.0 <= alignment.angle_deg(used.aspect) < 90.0
        for xy in (alignment.center_xy, alignment.axis_xy, (0.0, 0.0), (COLS + 0.5, 17.25)):
            assert math.dist(mapped(back, mapped(forth, xy)), xy) <= 1e-9
        up = (alignment.axis_xy[1] < alignment.center_xy[1]) == (axis[1] < 128.0)
        assert up or abs(alignment.angle_deg(used.aspect)) > 89.999, "what is above stays above"


def test_a_crop_pixel_measures_what_it_says() -> None:
    for alignment, used in clicks(300, seed=2):
        cut = aligned_crop(alignment, used)
        one, two = mapped(cut.to_image, (0.0, 0.0)), mapped(cut.to_image, (256.0, 0.0))
        across, down = two[0] - one[0], two[1] - one[1]
        if cut.mm_per_px is None:
            assert math.hypot(across, down * used.aspect) == pytest.approx(alignment.side_px)
        else:
            assert used.col_mm is not None
            assert used.row_mm is not None
            assert math.hypot(across * used.col_mm, down * used.row_mm) == pytest.approx(alignment.side_mm)
            assert cut.mm_per_px * 256 == pytest.approx(alignment.side_mm)


def test_the_default_is_120_mm_or_the_literal_256_px() -> None:
    alignment = Alignment(center_xy=(1000, 1000), axis_xy=(1000, 1400))
    assert aligned_crop(alignment, spacing()).mm_per_px == pytest.approx(120 / 256)
    literal = aligned_crop(alignment, Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.DETECTOR))
    assert literal.mm_per_px is None
    image = np.random.default_rng(0).integers(0, 65536, (1200, 1200), dtype=np.uint16)
    assert np.array_equal(crop(image, literal), image[872:1128, 872:1128])  # upright and 1 : 1: the pixels themselves


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0.2, 5.0))
def test_either_side_of_the_fracture_gives_one_angle(dx: float, dy: float, aspect: float) -> None:
    """angle = (atan2(dx, dy) + 90°) mod 180° − 90°."""
    if math.hypot(dx, dy) < 5:
        return
    angle = axis_angle_deg((0.0, 0.0), (dx, dy), aspect=aspect)
    other = axis_angle_deg((0.0, 0.0), (-dx, -dy), aspect=aspect)
    assert -90.0 <= angle < 90.0
    assert min(abs(angle - other), 180.0 - abs(angle - other)) < 1e-9


def test_clicks_too_close_are_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="too close") as caught:
        alignment_from_clicks((100.0, 100.0), (103.0, 103.9), rows=ROWS, cols=COLS)
    assert caught.value.kind == "clicks-too-close"
    assert "5 px" in caught.value.reason
    alignment_from_clicks((100.0, 100.0), (103.0, 104.0), rows=ROWS, cols=COLS)
    with pytest.raises(UserError, match="outside the image"):
        alignment_from_clicks((-1.0, 100.0), (100.0, 100.0), rows=ROWS, cols=COLS)
    with pytest.raises(ValueError, match="finite"):
        Alignment(center_xy=(math.nan, 0.0), axis_xy=(9.0, 9.0))


def sampled(xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> Floats:
    """A smooth pattern that is nowhere alike, at image coordinates, grey values about 1000 ± 900."""
    waves = np.sin(xs / 31) + np.cos(ys / 23) + np.sin((xs + 2 * ys) / 57)
    return (1000 + 300 * waves).astype(np.float32)


def test_the_pixels_are_those_of_the_analytic_pattern() -> None:
    """The crop of a rendered pattern against the pattern at the coordinates: no shift, no turn, no double blur."""
    xs, ys = np.meshgrid(np.arange(COLS) + 0.5, np.arange(ROWS) + 0.5)
    image = np.rint(sampled(xs, ys)).astype(np.uint16)
    shifts = []
    for alignment, used in clicks(40, seed=3):
        cut = aligned_crop(alignment, used)
        found = crop(image, cut).astype(np.float32)
        inside = crop_mask(cut, rows=ROWS, cols=COLS)
        if inside.mean() < 0.5:
            continue
        centres = np.arange(256) + 0.5
        u, v = np.meshgrid(centres, centres)
        back = cut.to_image
        x, y = (back[row, 0] * u + back[row, 1] * v + back[row, 2] for row in (0, 1))
        difference = np.abs(found - sampled(x, y))[inside]
        assert np.percentile(difference, 99) < 15.0  # of ±900: what the smoothing of the coarsest crop takes
        whole = cv2.erode(inside.astype(np.uint8), np.ones((5, 5))).astype(bool)
        shift = _shift_px(found, sampled(x, y), whole)
        shifts.append(shift)
    assert len(shifts) >= 20
    assert max(shifts) <= 0.05  # the claim is 0.5 px


def _shift_px(found: Floats, wanted: Floats, inside: npt.NDArray[np.bool_]) -> float:
    """Least-squares displacement between two almost equal pictures (optical flow of one patch)."""
    gy, gx = np.gradient(wanted)
    a = np.stack([gx[inside], gy[inside]], axis=1).astype(np.float64)
    b = (wanted - found)[inside].astype(np.float64)
    return float(np.linalg.norm(np.linalg.lstsq(a, b, rcond=None)[0]))


def test_a_shaft_is_vertical_in_the_rendered_crop() -> None:
    """A bright line along the clicked axis leans by at most 0.2° in the crop, whatever the pixels' shape."""
    worst = 0.0
    for alignment, used in clicks(24, seed=4):
        (cx, cy), (ax, ay) = alignment.center_xy, alignment.axis_xy
        alignment = Alignment(center_xy=(cx * 0.5 + 600, cy * 0.5 + 750), axis_xy=(ax, ay), side_mm=120, side_px=800)
        cx, cy = alignment.center_xy
        xs, ys = np.meshgrid(np.arange(COLS) + 0.5, np.arange(ROWS) + 0.5)
        dx, dy = ax - cx, (ay - cy) * used.aspect
        distance = np.abs((xs - cx) * dy - (ys - cy) * used.aspect * dx) / math.hypot(dx, dy)
        image = (4000 * np.exp(-((distance / 4) ** 2))).astype(np.float32)
        picture = crop(image, aligned_crop(alignment, used))
        columns = np.arange(256) + 0.5
        weights = picture.sum(axis=1)
        usable = weights > weights.max() / 2
        middles = (picture * columns).sum(axis=1)[usable] / weights[usable]
        assert usable.sum() > 100
        slope, offset = np.polyfit((np.arange(256) + 0.5)[usable], middles, 1)
        worst = max(worst, abs(math.degrees(math.atan(slope))))
        assert slope * 128 + offset == pytest.approx(128, abs=0.1)
    assert worst <= 0.2


def test_a_fine_line_is_never_missed() -> None:
    """A line one original pixel wide keeps its light at every angle, though the crop is six times coarser."""
    image = np.zeros((2000, 2000), np.float32)
    image[:, 1000] = 1200.0
    for angle in (0.0, 7.0, 31.0, 45.0):
        alignment = Alignment(center_xy=(1000.5, 1000.0), axis_xy=(1000.5, 1300.0), side_px=1536.0).turned(angle)
        picture = crop(image, aligned_crop(alignment, Spacing()))
        light = picture[64:192].sum() / 128
        assert light == pytest.approx(1200 / 6 / math.cos(math.radians(angle)), rel=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_outside_the_image_is_filled_and_nothing_bleeds_in(dtype: type) -> None:
    image = np.full((300, 300), 200, dtype)
    cut = aligned_crop(Alignment(center_xy=(20.0, 30.0), axis_xy=(60.0, 100.0)), Spacing())
    picture = crop(image, cut, fill=7)
    inside = crop_mask(cut, rows=300, cols=300)
    assert picture.dtype == image.dtype
    assert 0 < inside.sum() < inside.size
    assert np.all(picture[inside] == 200)
    assert np.all(picture[~inside] == 7)
    away = Crop(matrix=((1.0, 0.0, 9000.0), (0.0, 1.0, 0.0)))
    assert np.all(crop(image, away, fill=7) == 7)


def test_eight_ways_to_hang_an_image_give_one_crop() -> None:
    """Flips and quarter turns of an image with the clicks carried along: the crop is the same hip, upright."""
    image = np.random.default_rng(5).integers(0, 4000, (400, 300)).astype(np.float32)
    image = cv2.GaussianBlur(image, (0, 0), 4)
    alignment = Alignment(center_xy=(150.0, 200.0), axis_xy=(170.0, 300.0), side_px=256.0)
    wanted = crop(image, aligned_crop(alignment, Spacing()))
    for turns in range(4):
        for is_flipped in (False, True):
            turned = np.rot90(image[:, ::-1] if is_flipped else image, turns)

            def carried(
                xy: tuple[float, float], turns: int = turns, is_flipped: bool = is_flipped
            ) -> tuple[float, float]:
                x, y, width, height = (300 - xy[0] if is_flipped else xy[0]), xy[1], 300.0, 400.0
                for _ in range(turns):
                    x, y, width, height = y, width - x, height, width
                return x, y

            there = Alignment(
                center_xy=carried(alignment.center_xy), axis_xy=carried(alignment.axis_xy), side_px=256.0
            )  # fmt: skip
            picture = crop(np.ascontiguousarray(turned), aligned_crop(there, Spacing()))
            straight = [picture, picture[::-1, ::-1], picture[:, ::-1], picture[::-1]]  # up or down, mirrored or not
            inner = (slice(8, -8), slice(8, -8))
            assert min(float(np.abs(way - wanted)[inner].max()) for way in straight) < 0.5


def test_the_key_names_the_pixels() -> None:
    alignment = Alignment(center_xy=(100.0, 200.0), axis_xy=(120.0, 300.0))
    cut = aligned_crop(alignment, spacing())
    keys = {
        cut.key("a"),
        cut.key("b"),
        aligned_crop(alignment, spacing(0.16, 0.16)).key("a"),
        aligned_crop(alignment.moved(1e-6, 0.0), spacing()).key("a"),
        aligned_crop(alignment, spacing(), size_px=224).key("a"),
    }
    assert len(keys) == 5
    assert aligned_crop(alignment, spacing()).key("a") == cut.key("a")


def test_turning_by_steps_is_turning() -> None:
    alignment = Alignment(center_xy=(100.0, 200.0), axis_xy=(100.0, 300.0))
    turned = alignment.turned(10.0, aspect=1.25)
    assert turned.angle_deg(1.25) == pytest.approx(10.0)
    assert turned.turned(-10.0, aspect=1.25).axis_xy == pytest.approx(alignment.axis_xy)
    assert alignment.moved(3.0, -4.0).angle_deg() == alignment.angle_deg()


def test_a_matrix_and_its_inverse_are_one() -> None:
    matrix = np.array([[2.0, 1.0, 5.0], [-1.0, 3.0, 7.0]])
    assert mapped(inverted(matrix), mapped(matrix, (11.0, -4.0))) == pytest.approx((11.0, -4.0))


def test_a_crop_is_made_of_the_part_that_it_covers() -> None:
    """Cut out of a part of the image or out of the whole: the same bytes."""
    image = np.random.default_rng(6).integers(0, 4096, (2000, 2000), dtype=np.uint16)
    cut = aligned_crop(Alignment(center_xy=(1000.0, 1000.0), axis_xy=(1050.0, 1300.0)), spacing())
    inner = Crop(matrix=(_shifted(cut.matrix[0], 300), _shifted(cut.matrix[1], 300)))
    difference = crop(image, cut).astype(int) - crop(np.ascontiguousarray(image[300:1700, 300:1700]), inner)
    assert np.abs(difference).max() <= 1  # the matrices differ by rounding


def _shifted(row: tuple[float, float, float], by: float) -> tuple[float, float, float]:
    return row[0], row[1], row[2] + (row[0] + row[1]) * by
