"""A scale bar has a round length, fits, and is as long as it says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.scale_bar import round_length, scale_bar
from app.core.spacing import Spacing, SpacingSource


@given(st.floats(1e-6, 1e6))
def test_a_round_length_is_the_next_one_below(longest: float) -> None:
    length = round_length(longest)
    assert length <= longest * (1 + 1e-9)
    assert length > longest / 2.5 * (1 - 1e-9)
    lead = length / 10 ** math.floor(math.log10(length) + 1e-9)
    assert min(abs(lead - step) for step in (1, 2, 5)) < 1e-6


def test_lengths_that_are_none_are_refused() -> None:
    for length in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="greater than zero"):
            round_length(length)


@given(st.floats(0.02, 2.0), st.floats(0.25, 4), st.floats(0.02, 32), st.floats(40, 400))
def test_a_bar_is_as_long_as_it_says(col_mm: float, aspect: float, unit_px: float, room_px: float) -> None:
    spacing = Spacing(row_mm=col_mm * aspect, col_mm=col_mm, source=SpacingSource.CALIBRATED, is_trusted=True)
    bar = scale_bar(spacing, unit_px=unit_px, room_px=room_px)
    assert bar.length_px <= room_px * (1 + 1e-9)
    millimetres = bar.amount * {"mm": 1, "cm": 10}[bar.unit]
    assert bar.length_px * col_mm / unit_px == pytest.approx(millimetres)
    assert (bar.unit == "cm") == (millimetres >= 10)


def test_without_a_spacing_the_bar_counts_whole_pixels() -> None:
    bar = scale_bar(Spacing(), unit_px=0.3, room_px=120)
    assert (bar.amount, bar.unit) == (200, "px")
    assert bar.length_px == pytest.approx(60)
    enlarged = scale_bar(Spacing(), unit_px=32, room_px=20)
    assert enlarged.amount == 1
