"""Lengths and angles with their unit and source; calibration by a known length or a ball; regions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.geometry import Alignment, crop, mapped
from app.core.grey import GreyScale, Photometric, Rescale
from app.core.grey_tables import dark_index, display_table
from app.core.measurement import (
    POINT_COUNT,
    CalibrationKind,
    Measurement,
    MeasurementKind,
    ScaleCalibration,
    calibrated_spacing,
    measure,
)
from app.core.region import (
    RegionBox,
    RegionMode,
    copied_region,
    proposed_region,
    region_around,
    region_between,
    region_crop,
)
from app.core.spacing import Spacing, SpacingSource

SQUARE = Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.CALIBRATED, is_trusted=True)
OBLONG = Spacing(row_mm=0.3, col_mm=0.2, source=SpacingSource.DETECTOR, is_trusted=True, aspect=1.5)
DOUBTFUL = Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.PIXEL_SPACING, note="Doubtful.")


def on_grid(points_mm: list[tuple[float, float]], spacing: Spacing) -> tuple[tuple[float, float], ...]:
    """Points in millimetres as image coordinates."""
    assert spacing.col_mm is not None
    assert spacing.row_mm is not None
    return tuple((x / spacing.col_mm, y / spacing.row_mm) for x, y in points_mm)


@pytest.mark.parametrize("spacing", [SQUARE, OBLONG])
@pytest.mark.parametrize(
    ("kind", "points_mm", "value", "unit"),
    [
        (MeasurementKind.LENGTH, [(10, 10), (40, 50)], 50.0, "mm"),
        (MeasurementKind.ANGLE, [(50, 10), (10, 10), (30, 30)], 45.0, "°"),
        (MeasurementKind.TWO_LINES, [(0, 0), (50, 0), (10, 30), (-10, 50)], 45.0, "°"),
        (MeasurementKind.NECK_SHAFT, [(40, 10), (10, 40), (10, 50), (10, 150)], 135.0, "°"),
        (MeasurementKind.PAUWELS, [(0, 0), (50, math.tan(math.radians(40)) * 50), (0, 0), (0, 90)], 40.0, "°"),
    ],
)
def test_values_hold_whatever_the_pixels_shape(
    kind: MeasurementKind, points_mm: list[tuple[float, float]], value: float, unit: str, spacing: Spacing
) -> None:
    reading = measure(Measurement(kind=kind, points=on_grid(points_mm, spacing)), spacing)
    assert reading.value == pytest.approx(value, rel=1e-9)
    assert reading.unit == unit
    assert reading.source is (spacing.source if unit == "mm" else None)


@given(st.permutations(range(2)), st.permutations(range(2)), st.floats(95, 160), st.floats(-180, 180))
def test_the_neck_shaft_angle_does_not_depend_on_how_one_clicks(
    neck: list[int], shaft: list[int], angle: float, turn: float
) -> None:
    lean = math.radians(180 - angle)

    def at(radius: float, direction: float) -> tuple[float, float]:
        return radius * math.sin(direction + math.radians(turn)), radius * math.cos(direction + math.radians(turn))

    necks, shafts = [(0.0, 0.0), at(50, math.pi + lean)], [(0.0, 0.0), at(100, 0.0)]
    points = (*(necks[index] for index in neck), *(shafts[index] for index in shaft))
    found = measure(Measurement(kind=MeasurementKind.NECK_SHAFT, points=points), SQUARE)
    assert found.value == pytest.approx(angle)


def test_without_a_trusted_spacing_lengths_are_in_px() -> None:
    length = Measurement(kind=MeasurementKind.LENGTH, points=((0.0, 0.0), (30.0, 40.0)))
    for spacing in (DOUBTFUL, Spacing(note="The object states no pixel size.")):
        reading = measure(length, spacing)
        assert (reading.value, reading.unit, reading.source) == (50.0, "px", SpacingSource.NONE)
        assert reading.note == spacing.note
        assert reading.text == "50 px"
    assert measure(length, SQUARE).text == "10.0 mm"


def test_pauwels_names_its_type() -> None:
    def note(angle: float) -> str:
        end = (100.0, 100 * math.tan(math.radians(angle)))
        points = ((0.0, 0.0), end, (0.0, 0.0), (0.0, 100.0))
        return measure(Measurement(kind=MeasurementKind.PAUWELS, points=points), SQUARE).note

    assert [note(angle).split(",")[0] for angle in (25, 45, 65)] == ["Pauwels I", "Pauwels II", "Pauwels III"]


@pytest.mark.parametrize("kind", list(MeasurementKind))
def test_a_measurement_has_its_points_at_different_places(kind: MeasurementKind) -> None:
    count = POINT_COUNT[kind]
    with pytest.raises(ValueError, match="points"):
        Measurement(kind=kind, points=((0.0, 0.0),) * (count + 1))
    with pytest.raises(ValueError, match="one place"):
        Measurement(kind=kind, points=((0.0, 0.0),) * count)
    with pytest.raises(ValueError, match="finite"):
        Measurement(kind=kind, points=tuple((math.inf, float(index)) for index in range(count)))


@pytest.mark.parametrize(("known_mm", "kind"), [(25.0, CalibrationKind.BALL), (100.0, CalibrationKind.LENGTH)])
@pytest.mark.parametrize("aspect", [1.0, 1.5])
def test_a_known_length_gives_the_scale(known_mm: float, kind: CalibrationKind, aspect: float) -> None:
    ends = ((100.0, 100.0), (100.0 + 0.6 * known_mm / 0.18, 100.0 + 0.8 * known_mm / (0.18 * aspect)))
    calibration = ScaleCalibration(kind=kind, first_xy=ends[0], second_xy=ends[1], known_mm=known_mm)
    spacing = calibrated_spacing(calibration, Spacing(aspect=aspect))
    assert spacing.source is SpacingSource.MANUAL
    assert spacing.is_trusted
    assert (spacing.col_mm, spacing.row_mm) == (pytest.approx(0.18), pytest.approx(0.18 * aspect))
    measured = measure(Measurement(kind=MeasurementKind.LENGTH, points=ends), spacing)
    assert measured.value == pytest.approx(known_mm)
    assert measured.source is SpacingSource.MANUAL
    assert f"{known_mm:g} mm" in spacing.note


@pytest.mark.parametrize(
    ("known_mm", "length_px", "said"),
    [(0.0, 200.0, "more than 0"), (math.nan, 200.0, "more than 0"), (25.0, 10.0, "10 px apart"),
     (900.0, 100.0, "9 mm wide"), (1.0, 400.0, "0.0025 mm wide")],
)  # fmt: skip
def test_an_impossible_calibration_is_refused(known_mm: float, length_px: float, said: str) -> None:
    calibration = ScaleCalibration(
        kind=CalibrationKind.LENGTH, first_xy=(0.0, 0.0), second_xy=(length_px, 0.0), known_mm=known_mm
    )
    with pytest.raises(UserError, match="calibrated") as caught:
        calibrated_spacing(calibration, SQUARE)
    assert said in caught.value.reason


def test_a_region_is_400_by_600_px_or_80_by_120_mm() -> None:
    literal = region_around((1000.0, 1000.0), Spacing(), rows=2000, cols=2000)
    assert (literal.width, literal.height, literal.center_xy) == (400.0, 600.0, (1000.0, 1000.0))
    fine = Spacing(row_mm=0.1, col_mm=0.1, source=SpacingSource.CALIBRATED, is_trusted=True)
    physical = region_around((1000.0, 1000.0), fine, rows=2000, cols=2000)
    assert (physical.width, physical.height) == pytest.approx((800.0, 1200.0))


def test_the_central_square_is_224_px() -> None:
    image = np.random.default_rng(0).integers(0, 4096, (900, 800), dtype=np.uint16)
    region = RegionBox(left=200, top=150, right=600, bottom=750)
    cut = region_crop(region, Spacing())
    assert np.array_equal(crop(image, cut), image[338:562, 288:512])
    whole = region_crop(region, Spacing(), mode=RegionMode.RESIZE)
    assert mapped(whole.to_crop, (200.0, 150.0)) == pytest.approx((0.0, 0.0))
    assert mapped(whole.to_crop, (600.0, 750.0)) == pytest.approx((224.0, 224.0))
    assert region_crop(region, SQUARE).mm_per_px == 0.2


def test_a_region_stays_on_the_image() -> None:
    region = proposed_region(Alignment(center_xy=(10, 990), axis_xy=(10, 500)), Spacing(), rows=1000, cols=900)
    assert (region.left, region.top, region.right, region.bottom) == (0.0, 400.0, 400.0, 1000.0)
    assert region.moved(-50, 500, rows=1000, cols=900) == region
    small = region_around((50.0, 50.0), Spacing(), rows=300, cols=200)
    assert (small.width, small.height) == (200.0, 300.0)


def test_a_region_is_drawn_either_way_and_cut_at_the_edge() -> None:
    one = region_between((100.0, 100.0), (300.0, 250.0), rows=1000, cols=900)
    assert one == region_between((300.0, 250.0), (100.0, 100.0), rows=1000, cols=900)
    cut = region_between((800.0, 900.0), (2000.0, 5000.0), rows=1000, cols=900)
    assert cut == RegionBox(left=800.0, top=900.0, right=900.0, bottom=1000.0)
    assert region_between((5.0, 5.0), (9.0, 400.0), rows=1000, cols=900) is None


def test_a_region_is_copied_at_the_same_level_and_size() -> None:
    frontal = RegionBox(left=300, top=200, right=700, bottom=800)
    plain = copied_region(frontal, (Spacing(), None, (1000, 1000)), (Spacing(), None, (2000, 1000)))
    assert (plain.center_xy, plain.width, plain.height) == ((500.0, 1000.0), 400.0, 600.0)
    fine = Spacing(row_mm=0.1, col_mm=0.1, source=SpacingSource.CALIBRATED, is_trusted=True)
    here = Alignment(center_xy=(500.0, 450.0), axis_xy=(500.0, 900.0))
    there = Alignment(center_xy=(900.0, 1200.0), axis_xy=(900.0, 1900.0))
    scaled = copied_region(frontal, (SQUARE, here, (1000, 1000)), (fine, there, (3000, 2000)))
    assert (scaled.width, scaled.height) == pytest.approx((800.0, 1200.0))
    assert scaled.center_xy == pytest.approx((900.0, 1300.0))  # 50 px of 0.2 mm below the fracture


@pytest.mark.parametrize("photometric", list(Photometric))
@pytest.mark.parametrize("slope", [1.0, -1.0])
@pytest.mark.parametrize(("is_signed", "offset"), [(False, 0), (True, -32768)])
@pytest.mark.parametrize("padding", [None, (3, 3)])
def test_beyond_the_edge_is_black(
    photometric: Photometric, slope: float, is_signed: bool, offset: int, padding: tuple[int, int] | None
) -> None:
    grey = GreyScale(
        photometric=photometric,
        bits_stored=12,
        is_signed=is_signed,
        modality=Rescale(slope=slope, intercept=5.0),
        padding=padding,
    )
    assert display_table(grey, None, offset=offset).levels[dark_index(grey, offset=offset)] == 0
