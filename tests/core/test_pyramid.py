"""The pyramid: sizes, means, and which level is taken."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.pyramid import build_pyramid


def test_every_level_is_half_of_the_one_above_and_keeps_the_mean() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (2048, 1536)).astype(np.uint16)
    pyramid = build_pyramid(pixels)
    assert [level.shape for level in pyramid.levels] == [(2048, 1536), (1024, 768), (512, 384), (256, 192), (128, 96)]
    assert pyramid.levels[0] is pixels
    for level in pyramid.levels[1:]:
        assert abs(float(level.mean()) - float(pixels.mean())) < 0.6  # half a grey value of rounding a level


def test_a_level_holds_the_average_of_two_by_two_pixels() -> None:
    pixels = np.arange(1024 * 1024, dtype=np.uint32).reshape(1024, 1024).astype(np.uint16)
    level = build_pyramid(pixels).levels[1]
    block = pixels[100:102, 200:202].astype(float).mean()
    assert abs(float(level[50, 100]) - block) <= 0.5


@given(st.floats(0.01, 8.0))
def test_the_chosen_level_is_never_coarser_than_the_picture(scale: float) -> None:
    pyramid = build_pyramid(np.zeros((4096, 4096), np.uint16))
    level = pyramid.level_for(scale)
    assert level == 0 or scale * 2**level <= 1.0 + 1e-9
    assert level + 1 == len(pyramid.levels) or scale * 2 ** (level + 1) > 1.0


def test_a_small_image_has_one_level() -> None:
    assert len(build_pyramid(np.zeros((100, 900), np.uint16)).levels) == 1
