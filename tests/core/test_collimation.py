"""The collimated area, on borders whose shape is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import collimation
from app.core.collimation import collimated_area
from app.core.grey import GreyScale, Photometric, StoredImage
from app.core.half_planes import HalfPlane, clip_polygon, inside_mask
from app.core.voi import auto_window
from tests.support.borders import Border, as_stored, circle, collimated, rectangle

SHAPE = (520, 420)
MONO = (Photometric.MONOCHROME1, Photometric.MONOCHROME2)


def overlap(found: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Intersection over union, and the share of the true area that was lost."""
    one = inside_mask(found, SHAPE)
    other = np.zeros(SHAPE, np.uint8)
    cv2.fillPoly(other, [np.rint(truth - 0.5).astype(np.int32)], 1)
    other_mask = other.astype(bool)
    lost = (other_mask & ~one).sum() / other_mask.sum()
    return float((one & other_mask).sum() / (one | other_mask).sum()), float(lost)


@pytest.mark.parametrize("photometric", MONO)
@pytest.mark.parametrize("border", Border)
@pytest.mark.parametrize(
    "polygon",
    [
        rectangle(SHAPE, (0.7, 0.85), 0),
        rectangle(SHAPE, (0.7, 0.85), 7),
        rectangle(SHAPE, (0.6, 1.3), 3),  # two blades only
        rectangle(SHAPE, (1.3, 0.8), 0),
        rectangle(SHAPE, (0.55, 0.6), 30),
        rectangle(SHAPE, (0.92, 0.92), 0),  # thin strips
        circle(SHAPE, 0.36),
        circle(SHAPE, 0.44),  # cut by the sides of the image
    ],
    ids=["upright", "tilted", "two blades", "top and bottom", "turned", "thin", "circle", "cut circle"],
)
def test_finds_a_border(polygon: npt.NDArray[np.float64], border: Border, photometric: Photometric) -> None:
    image, grey = as_stored(collimated(SHAPE, polygon, border, seed=1), photometric)
    area = collimated_area(image, grey)
    shared, lost = overlap(area.polygon_xy, polygon)
    assert area.is_found
    assert shared > (0.95 if border is Border.WHITE else 0.93)  # a rim of black does no harm
    assert lost < 0.025


def test_the_border_of_a_very_large_image_is_searched_in_a_smaller_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collimation, "LARGEST_PX", 1500)  # so that the test is quick
    polygon = rectangle(SHAPE, (0.7, 0.85), 7)
    image, grey = as_stored(collimated(SHAPE, polygon, Border.WHITE, seed=1), Photometric.MONOCHROME2)
    large = StoredImage(pixels=cv2.resize(image.pixels, (SHAPE[1] * 5 + 1, SHAPE[0] * 5 + 1)), offset=image.offset)
    assert max(collimation._picture(large, grey).shape) <= 1500
    area = collimated_area(large, grey)
    shared, lost = overlap(area.polygon_xy / 5, polygon)
    assert area.is_found
    assert shared > 0.95
    assert lost < 0.025
    window, small = auto_window(large, grey), auto_window(image, grey)
    assert window.center == pytest.approx(small.center, rel=0.02)
    assert window.width == pytest.approx(small.width, rel=0.05)


@pytest.mark.parametrize("has_air", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_leaves_an_uncollimated_image_whole(seed: int, has_air: bool) -> None:
    picture = collimated(SHAPE, None, Border.WHITE, seed, has_air=has_air)
    area = collimated_area(*as_stored(picture, Photometric.MONOCHROME2))
    whole = np.array([(0, 0), (SHAPE[1], 0), (SHAPE[1], SHAPE[0]), (0, SHAPE[0])], float)
    assert overlap(area.polygon_xy, whole)[0] > 0.98


@settings(max_examples=20, deadline=None)
@given(
    shares=st.tuples(st.floats(0.5, 1.3), st.floats(0.5, 1.3)),
    angle_deg=st.floats(-44, 44),
    border=st.sampled_from(Border),
    photometric=st.sampled_from(MONO),
    seed=st.integers(0, 50),
    has_air=st.booleans(),
)
def test_never_loses_tissue(
    shares: tuple[float, float],
    angle_deg: float,
    border: Border,
    photometric: Photometric,
    seed: int,
    has_air: bool,
) -> None:
    """Whatever the blades do, what is cut away is not what was irradiated (air may be)."""
    polygon = rectangle(SHAPE, shares, angle_deg)
    picture = collimated(SHAPE, polygon, border, seed, has_air=has_air)
    area = collimated_area(*as_stored(picture, photometric))
    inside = np.zeros(SHAPE, np.uint8)
    cv2.fillPoly(inside, [np.rint(polygon - 0.5).astype(np.int32)], 1)
    is_tissue = (inside != 0) & (picture > 0.1)
    lost = (is_tissue & ~inside_mask(area.polygon_xy, SHAPE)).sum() / is_tissue.sum()
    assert lost < 0.04


@pytest.mark.parametrize("photometric", MONO)
def test_a_white_border_does_not_move_the_automatic_window(photometric: Photometric) -> None:
    polygon = rectangle(SHAPE, (0.6, 0.7), 0)
    picture = collimated(SHAPE, polygon, Border.WHITE, 3)
    (left, top), (right, bottom) = polygon.min(axis=0).astype(int), polygon.max(axis=0).astype(int)
    bare = auto_window(*as_stored(picture[top + 6 : bottom - 6, left + 6 : right - 6], photometric))
    bordered = auto_window(*as_stored(picture, photometric))
    assert bordered.width == pytest.approx(bare.width, rel=0.03)
    assert bordered.center == pytest.approx(bare.center, rel=0.03)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((40, 40), np.uint16),
        np.full((40, 40), 65535, np.uint16),
        np.zeros((1, 1), np.uint16),
        np.zeros((2000, 3), np.uint16),
        np.tile(np.arange(64, dtype=np.uint16), (64, 1)),
    ],
    ids=["black", "white", "one pixel", "sliver", "ramp"],
)
def test_odd_images_are_left_whole(pixels: npt.NDArray[np.uint16]) -> None:
    area = collimated_area(StoredImage(pixels=pixels), GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=16))
    height, width = pixels.shape
    assert not area.is_found
    assert area.polygon_xy.tolist() == [[0, 0], [width, 0], [width, height], [0, height]]
    assert area.mask(pixels.shape, margin=0.02).all()


def test_padding_counts_as_border() -> None:
    polygon = rectangle(SHAPE, (0.7, 0.8), 5)
    image, _ = as_stored(collimated(SHAPE, polygon, Border.BLACK, 2), Photometric.MONOCHROME2)
    pixels = np.where(image.pixels == 0, np.uint16(4095), image.pixels)  # white padding, to be shown black
    grey = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12, padding=(4095, 4095))
    area = collimated_area(StoredImage(pixels=pixels), grey)
    assert area.is_found
    assert overlap(area.polygon_xy, polygon)[0] > 0.95


def test_margin_shrinks_the_mask() -> None:
    polygon = rectangle(SHAPE, (0.7, 0.8), 0)
    area = collimated_area(*as_stored(collimated(SHAPE, polygon, Border.WHITE, 2), Photometric.MONOCHROME2))
    assert area.mask(SHAPE, margin=0.02).sum() < area.mask(SHAPE).sum() * 0.93


def test_clipping_a_square() -> None:
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], float)
    right = clip_polygon(square, [HalfPlane(angle_deg=0, rho_px=4)])
    assert sorted(map(tuple, right.round(9).tolist())) == [(0, 0), (0, 10), (4, 0), (4, 10)]
    assert len(clip_polygon(square, [HalfPlane(angle_deg=0, rho_px=-1)])) == 0
    assert len(clip_polygon(square, [HalfPlane(angle_deg=45, rho_px=12)])) == 5


@pytest.mark.parametrize(("name", "left", "right"), [("RLE__RG2_RLE", 184, 1440), ("RLE__RG3_RLE", 450, 1245)])
def test_real_white_borders(shared_data: Path, name: str, left: int, right: int) -> None:
    """The blades of two real radiographs, measured by eye in the middle of the image."""
    import pydicom

    dataset = pydicom.dcmread(shared_data / "dicom-hip" / f"{name}.dcm")
    grey = GreyScale(photometric=Photometric(dataset.PhotometricInterpretation), bits_stored=10)
    area = collimated_area(StoredImage(pixels=np.ascontiguousarray(dataset.pixel_array)), grey)
    row = area.mask(dataset.pixel_array.shape)[dataset.Rows // 2]
    columns = np.flatnonzero(row)
    assert columns[0] == pytest.approx(left, abs=15)
    assert columns[-1] == pytest.approx(right, abs=15)
