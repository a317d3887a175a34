"""Which window is shown: the object's own, the automatic one, presets, and what a user types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.grey import (
    SIGNED_OFFSET,
    GreyScale,
    Lut,
    Photometric,
    PresentationShape,
    Rescale,
    StoredImage,
    Window,
    WindowFunction,
)
from app.core.grey_tables import display_table, to_display
from app.core.voi import auto_window, choose_voi, file_voi, full_range_window, voi_choices, voi_notices
from tests.support.borders import Border, as_stored, collimated, rectangle

MONO1, MONO2 = Photometric.MONOCHROME1, Photometric.MONOCHROME2
NARROW = Window(center=100, width=50, name="NARROW")
WIDE = Window(center=500, width=900)
CURVE = Lut(first=0, entries=(0, 100, 255), bits=8, name="Bone Detail")
IMAGE = StoredImage(pixels=np.arange(1024, dtype=np.uint16).reshape(32, 32))


def grey_with(*voi: Lut | Window) -> GreyScale:
    return GreyScale(photometric=MONO2, bits_stored=10, voi=voi)


def test_file_means_the_first_usable_one() -> None:
    assert choose_voi(IMAGE, grey_with(CURVE, NARROW), "file") is CURVE
    assert choose_voi(IMAGE, grey_with(NARROW, WIDE), "FILE ") is NARROW
    broken = Window(center=0, width=0)
    assert choose_voi(IMAGE, grey_with(broken, WIDE), "file") is WIDE
    assert choose_voi(IMAGE, grey_with(broken), "file") == full_range_window(grey_with())
    assert choose_voi(IMAGE, grey_with(), "file") == Window(center=512, width=1024)


def test_a_broken_window_is_said() -> None:
    assert voi_notices(grey_with(NARROW)) == ()
    (notice,) = voi_notices(grey_with(Window(center=0, width=0)))
    assert "full range" in notice
    (notice,) = voi_notices(grey_with(Window(center=0, width=float("nan")), WIDE))
    assert "another" in notice
    assert file_voi(grey_with()) is None


def test_names() -> None:
    grey = grey_with(
        NARROW, WIDE, CURVE, Window(center=1, width=2, name="narrow"), Window(center=1, width=2, name="BONE")
    )
    names = [choice.name for choice in voi_choices(grey)]
    assert names == ["auto", "file", "NARROW", "file-2", "Bone Detail", "file-4", "BONE", "soft-tissue"]
    assert choose_voi(IMAGE, grey, "bone detail") is CURVE
    assert choose_voi(IMAGE, grey, "file-2") is WIDE
    assert choose_voi(IMAGE, grey, "bone") is grey.voi[4]  # the object's own goes before the preset
    assert len({name.lower() for name in names}) == len(names)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError) as error:
        choose_voi(IMAGE, grey_with(CURVE), "lung")
    assert error.value.kind == "unknown-window"
    for name in ("auto", "file", "Bone Detail", "bone", "soft-tissue"):
        assert name in error.value.reason


@given(center=st.floats(-1e5, 1e5), width=st.floats(1, 1e6))
def test_numbers(center: float, width: float) -> None:
    assert choose_voi(IMAGE, grey_with(), f" {center!r} , {width!r}") == Window(center=center, width=width)


def test_a_width_below_one_is_exact() -> None:
    assert choose_voi(IMAGE, grey_with(), "0.5,0.25") == Window(
        center=0.5, width=0.25, function=WindowFunction.LINEAR_EXACT
    )


@pytest.mark.parametrize("text", ["100,0", "100,-5", "nan,5", "5,inf"])
def test_impossible_numbers_are_refused(text: str) -> None:
    with pytest.raises(UserError) as error:
        choose_voi(IMAGE, grey_with(), text)
    assert error.value.kind == "bad-window"


@pytest.mark.parametrize("text", ["", "100", "1,2,3", "a,b", ","])
def test_other_words_are_unknown(text: str) -> None:
    with pytest.raises(UserError) as error:
        choose_voi(IMAGE, grey_with(), text)
    assert error.value.kind == "unknown-window"


def shown(image: StoredImage, grey: GreyScale, window: Lut | Window) -> npt.NDArray[np.uint8]:
    return to_display(image, display_table(grey, window, offset=image.offset)).pixels


@pytest.mark.parametrize("seed", range(3))
def test_auto_gives_one_picture_however_the_values_are_stored(seed: int) -> None:
    """MONOCHROME1, a shape, a slope of either sign, signed values: the same radiograph looks the same."""
    picture = collimated((240, 200), rectangle((240, 200), (0.7, 0.8), 3), Border.WHITE, seed)
    image, grey = as_stored(picture, MONO2)
    reference = shown(image, grey, auto_window(image, grey)).astype(int)
    turned, mono1 = as_stored(picture, MONO1)
    signed = StoredImage(
        pixels=(image.pixels.astype(int) - 2048 - SIGNED_OFFSET).astype(np.uint16), offset=SIGNED_OFFSET
    )
    for other, how in (
        (turned, mono1),
        (turned, GreyScale(photometric=MONO2, bits_stored=12, presentation=PresentationShape.INVERSE)),
        (turned, GreyScale(photometric=MONO2, bits_stored=12, modality=Rescale(slope=-1, intercept=4095))),
        (image, GreyScale(photometric=MONO2, bits_stored=12, modality=Rescale(slope=0.01, intercept=-3))),
        (signed, GreyScale(photometric=MONO2, bits_stored=12, is_signed=True)),
    ):
        again = shown(other, how, auto_window(other, how)).astype(int)
        assert np.abs(again - reference).max() <= 2


def test_auto_uses_the_range_of_brightness() -> None:
    image, grey = as_stored(collimated((240, 200), None, Border.WHITE, 1), MONO2)
    levels = shown(image, grey, auto_window(image, grey))
    assert (levels == 0).mean() < 0.03
    assert (levels == 255).mean() < 0.01
    assert np.percentile(levels, 99) > 180
    assert np.percentile(levels, 5) < 70


def test_presets_differ_as_their_names_say() -> None:
    image, grey = as_stored(collimated((240, 200), None, Border.WHITE, 1), MONO2)
    means = {name: shown(image, grey, choose_voi(image, grey, name)).mean() for name in ("bone", "auto", "soft-tissue")}
    assert means["bone"] < means["auto"] < means["soft-tissue"]


def test_padding_never_enters_the_window() -> None:
    image, grey = as_stored(collimated((240, 200), None, Border.WHITE, 1), MONO2)
    pixels = image.pixels.copy()
    pixels[:, :60] = 4095
    pixels[:, 60:90] = 4000
    padded = GreyScale(photometric=MONO2, bits_stored=12, padding=(4000, 4095))
    window = auto_window(StoredImage(pixels=pixels), padded)
    inside = auto_window(StoredImage(pixels=np.ascontiguousarray(image.pixels[:, 90:])), grey)
    assert window.center == pytest.approx(inside.center, rel=0.03)
    assert window.width == pytest.approx(inside.width, rel=0.05)


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_blank_image_has_a_window(value: int) -> None:
    image = StoredImage(pixels=np.full((20, 20), value, np.uint16))
    grey = GreyScale(photometric=MONO2, bits_stored=16)
    window = auto_window(image, grey)
    assert window.width > 0
    assert len(np.unique(shown(image, grey, window))) == 1


def test_an_image_of_padding_alone_has_a_window() -> None:
    image = StoredImage(pixels=np.zeros((20, 20), np.uint16))
    grey = GreyScale(photometric=MONO1, bits_stored=12, padding=(0, 0))
    assert shown(image, grey, auto_window(image, grey)).max() == 0


def test_real_radiographs_are_bone_white(shared_data: Path) -> None:
    """RG3 is MONOCHROME1: the tibia must come out brighter than the air beside the leg, the shaft not washed out."""
    import pydicom

    dataset = pydicom.dcmread(shared_data / "dicom-hip" / "RLE__RG3_RLE.dcm")
    image = StoredImage(pixels=np.ascontiguousarray(dataset.pixel_array))
    grey = GreyScale(photometric=MONO1, bits_stored=10)
    picture = shown(image, grey, choose_voi(image, grey, "auto"))
    cortex, muscle, air = picture[500:560, 812:822], picture[500:560, 720:750], picture[500:560, 490:560]
    assert cortex.mean() > muscle.mean() + 60 > air.mean() + 90
    assert air.mean() < 40
    assert (picture[300:900, 700:980] == 255).mean() < 0.02
