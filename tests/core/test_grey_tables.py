"""Properties of the tables that hold for every image; the values themselves are judged in test_grey_battery."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.grey import (
    SIGNED_OFFSET,
    TABLE_SIZE,
    GreyScale,
    Lut,
    Photometric,
    PresentationShape,
    Rescale,
    StoredImage,
    Window,
    WindowFunction,
)
from app.core.grey_tables import (
    apply_voi,
    display_table,
    is_shown_inverse,
    is_usable,
    modality_range,
    modality_table,
    modality_values,
    to_display,
    window_of_range,
)
from app.core.voi import auto_window

MONO1, MONO2 = Photometric.MONOCHROME1, Photometric.MONOCHROME2
CURVE = Lut(first=0, entries=tuple(range(0, 4096, 16)), bits=12)

windows = st.builds(
    Window,
    center=st.floats(-5000, 70000),
    width=st.floats(1, 70000),
    function=st.sampled_from(WindowFunction),
)
greys = st.builds(
    GreyScale,
    photometric=st.sampled_from(Photometric),
    bits_stored=st.integers(8, 16),
    modality=st.none()
    | st.builds(Rescale, slope=st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0]), intercept=st.floats(-9e3, 9e3)),
    presentation=st.none() | st.sampled_from(PresentationShape),
    padding=st.none() | st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
)


@given(grey=greys, window=windows)
def test_the_negative_is_the_complement_except_for_padding(grey: GreyScale, window: Window) -> None:
    plain = display_table(grey, window).levels.astype(int)
    negative = display_table(grey, window, is_inverted=True).levels.astype(int)
    is_image = modality_table(grey).is_image
    assert (np.abs(plain + negative - 255)[is_image] <= 1).all()
    assert (plain[~is_image] == 0).all()
    assert (negative[~is_image] == 0).all()


@given(grey=greys, window=windows, low=st.integers(0, 65535), high=st.integers(0, 65535))
def test_a_table_for_a_span_agrees_with_the_whole_one(grey: GreyScale, window: Window, low: int, high: int) -> None:
    low, high = min(low, high), max(low, high)
    whole = display_table(grey, window).levels
    part = display_table(grey, window, modality=modality_table(grey), span=(low, high)).levels
    assert (part[low : high + 1] == whole[low : high + 1]).all()
    assert not part[:low].any()
    assert not part[high + 1 :].any()


@given(window=windows, slope=st.sampled_from([-3.0, -0.5, 0.25, 2.0]))
def test_larger_modality_values_are_never_darker(window: Window, slope: float) -> None:
    """A negative slope turns stored values round, not what a window does to modality values."""
    grey = GreyScale(photometric=MONO2, bits_stored=12, modality=Rescale(slope=slope, intercept=7))
    order = np.argsort(modality_table(grey).values)
    assert (np.diff(display_table(grey, window).levels[order].astype(int)) >= 0).all()


@given(window=windows, seed=st.integers(0, 2**16))
def test_writing_an_image_as_monochrome1_changes_nothing(window: Window, seed: int) -> None:
    """The same radiograph stored either way round gives the same picture and the same modality values."""
    values = np.random.default_rng(seed).integers(0, 4096, (9, 7)).astype(np.uint16)
    direct = GreyScale(photometric=MONO2, bits_stored=12)
    turned = GreyScale(photometric=MONO1, bits_stored=12, modality=Rescale(slope=-1, intercept=4095))
    one, other = StoredImage(pixels=values), StoredImage(pixels=(4095 - values).astype(np.uint16))
    assert (modality_values(one, modality_table(direct)) == modality_values(other, modality_table(turned))).all()
    shown = to_display(one, display_table(direct, window)).pixels.astype(int)
    again = to_display(other, display_table(turned, window)).pixels.astype(int)
    assert (np.abs(shown + again - 255) <= 1).all()  # MONOCHROME1 inverts the *display* of equal modality values


def test_display_reads_signed_values_through_the_offset() -> None:
    stored = np.array([[-100, 0, 100]])
    image = StoredImage(pixels=(stored - SIGNED_OFFSET).astype(np.uint16), offset=SIGNED_OFFSET)
    grey = GreyScale(photometric=MONO2, bits_stored=12, is_signed=True)
    window = Window(center=0, width=200, function=WindowFunction.LINEAR_EXACT)
    assert to_display(image, display_table(grey, window, offset=image.offset)).pixels.tolist() == [[0, 128, 255]]
    assert modality_values(image, modality_table(grey, offset=image.offset)).tolist() == stored.tolist()


@pytest.mark.parametrize("values", [np.zeros((3, 5), np.uint16), np.full((1, 1), 65535, np.uint16)])
def test_display_is_one_byte_a_pixel(values: np.ndarray) -> None:
    shown = to_display(StoredImage(pixels=values), display_table(GreyScale(photometric=MONO2, bits_stored=16), None))
    assert shown.pixels.dtype == np.uint8
    assert shown.pixels.shape == values.shape


@pytest.mark.parametrize(
    ("grey", "ends"),
    [
        (GreyScale(photometric=MONO2, bits_stored=10), (0, 1023)),
        (GreyScale(photometric=MONO2, bits_stored=12, is_signed=True), (-2048, 2047)),
        (GreyScale(photometric=MONO2, bits_stored=8, modality=Rescale(slope=-2, intercept=10)), (-500, 10)),
        (GreyScale(photometric=MONO2, bits_stored=16, modality=CURVE), (0, 4095)),
    ],
)
def test_full_range_is_that_of_the_bits(grey: GreyScale, ends: tuple[float, float]) -> None:
    assert modality_range(grey) == ends
    shown = apply_voi(window_of_range(*ends), np.array([ends[0], ends[1]], np.float64))
    assert shown.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("voi", "expected"),
    [
        (Window(center=1, width=0), False),
        (Window(center=1, width=-5), False),
        (Window(center=1, width=0.5), False),
        (Window(center=1, width=1), True),
        (Window(center=1, width=0.5, function=WindowFunction.LINEAR_EXACT), True),
        (Window(center=float("nan"), width=5), False),
        (Window(center=1, width=float("inf")), False),
        (Lut(first=0, entries=(), bits=8), False),
        (CURVE, True),
    ],
)
def test_unusable_windows_are_told_apart(voi: Lut | Window, expected: bool) -> None:
    grey = GreyScale(photometric=MONO2, bits_stored=12)
    assert is_usable(voi) is expected
    full = display_table(grey, None).levels
    assert (display_table(grey, voi).levels == full).all() == (not expected)


def test_presentation_lut_replaces_the_inversion() -> None:
    """A Presentation LUT gives P-values itself: MONOCHROME1 is not inverted on top of it."""
    falling = Lut(first=0, entries=(255, 0), bits=8)
    window = Window(center=128, width=256)
    direct = display_table(GreyScale(photometric=MONO1, bits_stored=8, presentation=falling), window).levels
    other = display_table(GreyScale(photometric=MONO2, bits_stored=8, presentation=falling), window).levels
    assert (direct == other).all()
    assert (direct[0], direct[255]) == (255, 0)


def test_what_is_shown_inverse() -> None:
    def grey(photometric: Photometric, presentation: PresentationShape | Lut | None = None) -> GreyScale:
        return GreyScale(photometric=photometric, bits_stored=8, presentation=presentation)

    assert is_shown_inverse(grey(MONO1))
    assert not is_shown_inverse(grey(MONO2))
    assert is_shown_inverse(grey(MONO2, PresentationShape.INVERSE))
    assert is_shown_inverse(grey(MONO1, PresentationShape.INVERSE))
    assert not is_shown_inverse(grey(MONO1, PresentationShape.IDENTITY))
    assert is_shown_inverse(grey(MONO2, Lut(first=0, entries=(255, 0), bits=8)))


def test_tables_have_one_entry_for_every_index() -> None:
    grey = GreyScale(photometric=MONO2, bits_stored=12, padding=(10, 5))
    table = modality_table(grey, offset=SIGNED_OFFSET)
    assert table.values.shape == table.is_image.shape == (TABLE_SIZE,)
    assert np.flatnonzero(~table.is_image).tolist() == [value - SIGNED_OFFSET for value in range(5, 11)]


@pytest.mark.parametrize("slope", [1e308, -1e308, 1e-300, 1e12])
@pytest.mark.parametrize("function", WindowFunction)
@pytest.mark.parametrize("width", [1.0, 1e-310, 1e300])
def test_absurd_numbers_give_a_picture_not_a_warning(slope: float, function: WindowFunction, width: float) -> None:
    grey = GreyScale(photometric=MONO2, bits_stored=16, modality=Rescale(slope=slope, intercept=-1e307))
    image = StoredImage(pixels=np.arange(65536, dtype=np.uint16).reshape(256, 256))
    for voi in (Window(center=5, width=width, function=function), None, auto_window(image, grey)):
        assert display_table(grey, voi).levels.shape == (TABLE_SIZE,)
