"""The grey chain against an independent oracle: named objects, and random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.grey_tables import display_table, to_display
from app.core.voi import choose_voi
from tests.support.grey_cases import BATTERY, GreyCase, grey_of
from tests.support.grey_oracle import oracle_levels


def worst_difference(case: GreyCase) -> float:
    """Largest distance between our levels and the oracle's, in levels of 255."""
    image, grey = grey_of(case)
    table = display_table(grey, choose_voi(image, grey, "file"), offset=image.offset)
    ours = to_display(image, table).pixels.astype(float)
    return float(np.abs(ours - np.array(oracle_levels(case.dataset()))).max())


@pytest.mark.parametrize("case", BATTERY, ids=lambda case: case.name)
def test_named_object_equals_the_oracle(case: GreyCase) -> None:
    assert worst_difference(case) <= 0.5 + 1e-6  # nothing but the rounding to 8 bits


def test_the_battery_holds_what_was_promised() -> None:
    assert len(BATTERY) >= 37
    assert len({case.name for case in BATTERY}) == len(BATTERY)
    assert {case.name for case in BATTERY if case.in_pydicom_failures} >= {
        "mono1_linear",
        "voifunc_empty",
        "width0",
        "neg_slope",
        "voilut8bit_4096entries",
        "voilut8bit_packed_ow",
        "modlut12",
        "highbit15_stored12",
        "no_bitsstored",
        "no_pixelrep",
    }


@pytest.mark.parametrize("case", BATTERY, ids=lambda case: case.name)
def test_oracle_sees_a_picture(case: GreyCase) -> None:
    """A battery of blank pictures would prove nothing."""
    levels = np.array(oracle_levels(case.dataset()))
    assert levels.max() - levels.min() > 50


def finite(low: float, high: float) -> st.SearchStrategy[float]:
    # Decimal strings of DICOM hold 16 characters; a step of 1/64 is exact in both.
    return st.integers(math.ceil(low * 64), math.floor(high * 64)).map(lambda value: value / 64)


@st.composite
def grey_cases(draw: st.DrawFn) -> GreyCase:
    stored = draw(st.integers(6, 16))
    is_signed = draw(st.booleans())
    bottom = -(2 ** (stored - 1)) if is_signed else 0
    top = bottom + 2**stored - 1
    tags: dict[str, object] = {}
    luts: dict[str, list[tuple[tuple[int, int, int], bytes | list[int]]]] = {}

    def lut(low: int, high: int) -> list[tuple[tuple[int, int, int], bytes | list[int]]]:
        bits = draw(st.integers(8, 16))
        count = draw(st.integers(3, 300))
        entries = draw(st.lists(st.integers(0, 2**bits - 1), min_size=count, max_size=count))
        return [((count, draw(st.integers(max(low, -32768), min(high, 32767))), bits), entries)]

    value_low, value_high = float(bottom), float(top)
    match draw(st.sampled_from(["none", "rescale", "lut"])):
        case "rescale":
            slope = draw(finite(-3, 3).filter(lambda value: abs(value) > 0.01))
            intercept = draw(finite(-4000, 4000))
            tags |= {"RescaleSlope": slope, "RescaleIntercept": intercept}
            value_low, value_high = sorted((slope * bottom + intercept, slope * top + intercept))
        case "lut":
            luts["ModalityLUTSequence"] = lut(bottom, top)
            value_low, value_high = 0.0, 65535.0
    match draw(st.sampled_from(["none", "window", "lut"])):
        case "window":
            tags["WindowCenter"] = draw(finite(value_low - 100, value_high + 100))
            tags["WindowWidth"] = draw(finite(1, max(2.0, 2 * (value_high - value_low))))
            tags["VOILUTFunction"] = draw(st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]))
        case "lut" if "RescaleSlope" not in tags and "ModalityLUTSequence" not in luts:
            luts["VOILUTSequence"] = lut(bottom, top)
    if draw(st.booleans()):
        tags["PresentationLUTShape"] = draw(st.sampled_from(["IDENTITY", "INVERSE"]))
    if draw(st.booleans()):
        tags["PixelPaddingValue"] = draw(st.integers(bottom, top))
        if draw(st.booleans()):
            tags["PixelPaddingRangeLimit"] = draw(st.integers(bottom, top))
    return GreyCase(
        name="random",
        stored=stored,
        high=draw(st.integers(stored - 1, 15)),
        is_signed=is_signed,
        is_monochrome1=draw(st.booleans()),
        tags=tags,
        luts=luts,
        junk_bits=draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(case=grey_cases())
def test_random_object_equals_the_oracle(case: GreyCase) -> None:
    assert worst_difference(case) <= 0.5 + 1e-6
