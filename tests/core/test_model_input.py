"""Inputs of networks: the right part, the right numbers, and a way back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import Side, ViewRole
from app.core.geometry import Alignment, mapped
from app.core.grey import DisplayTable, StoredImage
from app.core.model_input import (
    GreyScaling,
    InputKind,
    ModelInput,
    ViewGeometry,
    input_crop,
    input_key,
    mirrored,
    standardise,
    whole_view,
)
from app.core.region import RegionBox
from app.core.spacing import Spacing

LEVELS = np.minimum(np.arange(65536), 255).astype(np.uint8)
TABLE = DisplayTable(levels=LEVELS)
SQUARE = Spacing()


def model(kind: InputKind, **more: object) -> ModelInput:
    return ModelInput(kind=kind, roles=(ViewRole.FRONTAL,), size_px=64, **more)  # type: ignore[arg-type]


@given(
    rows=st.integers(8, 4000),
    cols=st.integers(8, 4000),
    aspect=st.floats(0.5, 2.0),
    size=st.sampled_from((64, 256, 512)),
)
def test_a_whole_view_is_centred_whole_and_undistorted(rows: int, cols: int, aspect: float, size: int) -> None:
    cut = whole_view(rows, cols, Spacing(aspect=aspect), size_px=size)
    left, top = mapped(cut.to_crop, (0, 0))
    right, bottom = mapped(cut.to_crop, (cols, rows))
    assert min(left, top) >= -1e-9
    assert max(right, bottom) <= size + 1e-9
    assert max(right - left, bottom - top) == pytest.approx(size)
    assert left + right == pytest.approx(size)
    assert top + bottom == pytest.approx(size)
    assert (bottom - top) / (right - left) == pytest.approx(rows * aspect / cols)


@given(x=st.floats(0, 300), y=st.floats(0, 200), angle=st.floats(-3, 3))
def test_a_point_finds_its_way_there_and_back_mirrored_or_not(x: float, y: float, angle: float) -> None:
    place = Alignment(center_xy=(150, 100), axis_xy=(150 + 50 * math.sin(angle), 100 + 50 * math.cos(angle)))
    view = ViewGeometry(rows=200, cols=300, spacing=SQUARE, side=Side.RIGHT, alignment=place)
    plain = input_crop(model(InputKind.ALIGNED_CROP), view)
    turned = input_crop(model(InputKind.ALIGNED_CROP, is_right_mirrored=True), view)
    assert plain is not None
    assert turned is not None
    one, other = mapped(plain.to_crop, (x, y)), mapped(turned.to_crop, (x, y))
    assert other == pytest.approx((64 - one[0], one[1]))
    assert mapped(turned.to_image, other) == pytest.approx((x, y), abs=1e-6)
    assert np.allclose(mirrored(mirrored(plain)).to_crop, plain.to_crop, atol=1e-9)


def test_only_right_hips_are_mirrored() -> None:
    wants = model(InputKind.WHOLE_VIEW, is_right_mirrored=True)
    plain = input_crop(wants, ViewGeometry(rows=9, cols=9, spacing=SQUARE))
    assert plain is not None
    for side, is_mirrored in ((Side.LEFT, False), (Side.RIGHT, True), (None, False)):
        cut = input_crop(wants, ViewGeometry(rows=9, cols=9, spacing=SQUARE, side=side))
        assert cut == (mirrored(plain) if is_mirrored else plain)


def test_a_missing_annotation_means_no_input() -> None:
    view = ViewGeometry(rows=200, cols=300, spacing=SQUARE)
    assert input_crop(model(InputKind.ALIGNED_CROP), view) is None
    assert input_crop(model(InputKind.REGION_CROP), view) is None
    box = ViewGeometry(rows=200, cols=300, spacing=SQUARE, region=RegionBox(left=10, top=10, right=110, bottom=160))
    assert input_crop(model(InputKind.REGION_CROP), box) is not None


@given(seed=st.integers(0, 999), channels=st.sampled_from((1, 3)))
def test_standardised_images_have_mean_0_and_deviation_1_where_there_is_image(seed: int, channels: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 64)).astype(np.uint16)
    wants = model(InputKind.WHOLE_VIEW, channels=channels)
    cut = whole_view(40, 64, SQUARE, size_px=64)
    result = standardise(StoredImage(pixels=pixels), TABLE, cut, wants)
    assert result.shape == (channels, 64, 64)
    assert result.dtype == np.float32
    inside = result[0, 12:52]
    assert inside.mean() == pytest.approx(0, abs=1e-4)
    assert inside.std() == pytest.approx(1, abs=1e-4)
    black = -(pixels / 255).mean() / (pixels / 255).std()
    assert result[0, :12] == pytest.approx(black, abs=1e-4)  # what is outside is as dark as black inside
    assert all(np.array_equal(result[0], channel) for channel in result)


def test_the_unit_scale_is_the_display_level() -> None:
    pixels = np.arange(64 * 64).reshape(64, 64).astype(np.uint16)
    wants = model(InputKind.WHOLE_VIEW, scaling=GreyScaling.UNIT, channels=1)
    result = standardise(StoredImage(pixels=pixels), TABLE, whole_view(64, 64, SQUARE, size_px=64), wants)
    assert np.array_equal(result[0], LEVELS[pixels].astype(np.float32) / 255)


def test_an_empty_image_gives_numbers() -> None:
    flat = StoredImage(pixels=np.zeros((20, 20), np.uint16))
    cut = whole_view(20, 20, SQUARE, size_px=64)
    assert np.array_equal(standardise(flat, TABLE, cut, model(InputKind.WHOLE_VIEW)), np.zeros((3, 64, 64)))
    away = Alignment(center_xy=(0, 0), axis_xy=(0, 50))
    far = input_crop(
        model(InputKind.ALIGNED_CROP), ViewGeometry(rows=20, cols=20, spacing=SQUARE, alignment=away.moved(5000, 5000))
    )
    assert far is not None
    assert np.isfinite(standardise(flat, TABLE, far, model(InputKind.ALIGNED_CROP))).all()


def test_keys_tell_inputs_apart() -> None:
    wants = model(InputKind.WHOLE_VIEW)
    cut = whole_view(20, 20, SQUARE, size_px=64)
    keys = {
        input_key(wants, (("a", cut),)),
        input_key(wants, (("b", cut),)),
        input_key(wants, (("a", mirrored(cut)),)),
        input_key(model(InputKind.WHOLE_VIEW, channels=1), (("a", cut),)),
        input_key(model(InputKind.WHOLE_VIEW, scaling=GreyScaling.UNIT), (("a", cut),)),
    }
    assert len(keys) == 5
    assert input_key(wants, (("a", cut),)) in keys


@pytest.mark.parametrize("roles", [(), (ViewRole.FRONTAL, ViewRole.FRONTAL), (ViewRole.UNASSIGNED,)])
def test_impossible_inputs_are_refused(roles: tuple[ViewRole, ...]) -> None:
    with pytest.raises(ValueError, match="each of its views once"):
        ModelInput(kind=InputKind.WHOLE_VIEW, roles=roles, size_px=64)
