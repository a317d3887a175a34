"""Stored values, whatever they were packed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.encaps import encapsulate

from app.core.case import ViewFlag
from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.codecs import decode_fast
from app.store.reading.codestream import codestream_size
from app.store.reading.fallback import decode_fallback
from app.store.reading.layout import PixelLayout
from app.store.reading.pool import ReaderPool
from app.store.reading.reference import decode_reference
from app.store.reading.sources import Source
from app.store.reading.unpack import to_stored_image, unpack
from tests.store.reading.conftest import Read, stored
from tests.support import foreign_files as make


def layout_of(
    rows: int, cols: int, *, bits_stored: int = 12, high_bit: int = 11, is_signed: bool = False
) -> PixelLayout:
    return PixelLayout(
        rows=rows,
        cols=cols,
        samples=1,
        frames=1,
        bits_allocated=16,
        bits_stored=bits_stored,
        high_bit=high_bit,
        is_signed=is_signed,
        photometric="MONOCHROME1",
        is_planar=False,
    )


@pytest.mark.parametrize("name", make.LOSSLESS)
def test_lossless_syntaxes_give_the_same_stored_values(name: str, read: Read) -> None:
    pixels = make.radiograph()
    reading = read(make.dicom_bytes(pixels, make.SYNTAXES[name]))
    np.testing.assert_array_equal(stored(reading), pixels)
    assert not reading.flags
    assert reading.facts.transfer_syntax_uid == make.SYNTAXES[name]


@pytest.mark.parametrize("name", ["jpeg-baseline", "jpeg-extended"])
def test_lossy_syntaxes_are_close_and_flagged(name: str, read: Read) -> None:
    pixels = make.radiograph(bits=8 if name == "jpeg-baseline" else 12)
    reading = read(make.dicom_bytes(pixels, make.SYNTAXES[name]))
    assert np.abs(stored(reading) - pixels).mean() < np.ptp(pixels) / 100
    assert reading.flags == {ViewFlag.LOSSY}


@pytest.mark.parametrize("name", ["implicit", "explicit", "big-endian", "deflated", "rle", "jpeg-lossless", "jpeg-ls"])
def test_signed_values_keep_their_sign(name: str, read: Read) -> None:
    pixels = (make.radiograph().astype(np.int16) - 2048).astype(np.int16)
    syntax = make.SYNTAXES[name]
    packed = None
    if syntax not in syntaxes.NATIVE:
        packed = encapsulate([make.encode_frame((pixels & 0x0FFF).astype(np.uint16), syntax)])
    data = make.dicom_bytes(pixels, syntax, pixel_data=packed, BitsStored=12, HighBit=11)
    reading = read(data)
    np.testing.assert_array_equal(stored(reading), pixels)
    assert reading.grey.is_signed


def test_monochrome1_is_never_inverted_here(read: Read) -> None:
    pixels = make.radiograph()
    for name in make.LOSSLESS:
        data = make.dicom_bytes(pixels, make.SYNTAXES[name], PhotometricInterpretation="MONOCHROME1")
        np.testing.assert_array_equal(stored(read(data)), pixels)


@given(arrays(np.uint16, (3, 5)), st.integers(1, 16), st.integers(0, 15), st.booleans())
def test_unpacking_follows_the_formula(cells: np.ndarray, bits: int, spare: int, is_signed: bool) -> None:
    high_bit = min(bits - 1 + spare, 15)
    layout = layout_of(3, 5, bits_stored=bits, high_bit=high_bit, is_signed=is_signed)
    values = unpack(cells, layout, None, has_sign_per_stream=False)
    for cell, value in zip(cells.ravel().tolist(), values.ravel().tolist(), strict=True):
        expected = (cell >> (high_bit + 1 - bits)) & ((1 << bits) - 1)
        if is_signed and expected >> (bits - 1):
            expected -= 1 << bits
        assert value == expected
    image = to_stored_image(values)
    np.testing.assert_array_equal(image.pixels.astype(int) + image.offset, values)


def test_an_overlay_in_the_high_bits_is_cut_away(read: Read) -> None:
    pixels = make.radiograph()
    dirty = pixels | np.uint16(0x8000) * (np.arange(pixels.size).reshape(pixels.shape) % 3 == 0).astype(np.uint16)
    reading = read(make.dicom_bytes(dirty, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(stored(reading), pixels)


def test_values_in_the_upper_bits_of_their_cells(read: Read) -> None:
    pixels = make.radiograph()
    reading = read(make.dicom_bytes(pixels << 4, BitsStored=12, HighBit=15))
    np.testing.assert_array_equal(stored(reading), pixels)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (("BitsStored",), "Bits Stored"),
        (("PixelRepresentation",), "Pixel Representation"),
        (("BitsAllocated",), "Bits"),
    ],
)
def test_missing_layout_is_assumed_and_said(missing: tuple[str, ...], expected: str, read: Read) -> None:
    pixels = make.radiograph()
    reading = read(make.dicom_bytes(pixels, without=missing))
    np.testing.assert_array_equal(stored(reading), pixels)
    assert ViewFlag.ASSUMED_ENCODING in reading.flags
    assert any(expected in notice for notice in reading.notices)


def test_multi_frame_needs_a_frame(read: Read) -> None:
    pixels = make.radiograph()
    for syntax in (syntaxes.EXPLICIT_LITTLE, syntaxes.RLE, syntaxes.JPEG_LS_LOSSLESS):
        data = make.dicom_bytes(pixels, syntax, frames=3)
        with pytest.raises(UserError) as caught:
            read(data)
        assert caught.value.kind == "multi-frame"
        np.testing.assert_array_equal(stored(read(data, frame=2)), pixels)
        with pytest.raises(UserError) as caught:
            read(data, frame=3)
        assert caught.value.kind == "no-such-frame"
        assert read(data, is_header_only=True).facts.frame_count == 3


def test_a_truncated_image_is_partial_with_padding(read: Read) -> None:
    pixels = make.radiograph(80, 96)
    data = make.dicom_bytes(pixels)
    reading = read(data[: -30 * 96 * 2 - 10])  # thirty rows and a bit
    assert ViewFlag.PARTIAL in reading.flags
    assert "31 of 80 rows" in reading.notices[0]
    np.testing.assert_array_equal(stored(reading)[:49], pixels[:49])
    assert reading.grey.padding is not None
    fill = reading.grey.padding[0]
    assert (stored(reading)[49:] == fill).all()
    assert fill not in pixels[:49]


def test_only_the_frame_that_is_cut_is_partial(read: Read) -> None:
    pixels = make.radiograph()
    data = make.dicom_bytes(pixels, syntaxes.JPEG_LS_LOSSLESS, frames=3)[:-200]
    first = read(data, frame=0)
    assert ViewFlag.PARTIAL not in first.flags
    np.testing.assert_array_equal(stored(first), pixels)
    assert ViewFlag.PARTIAL in read(data, frame=2).flags


def test_a_truncated_rle_image_keeps_its_complete_rows(read: Read) -> None:
    pixels = make.radiograph(80, 96)
    data = make.dicom_bytes(pixels, syntaxes.RLE)
    reading = read(data[: len(data) - 2500])
    assert ViewFlag.PARTIAL in reading.flags
    values = stored(reading)
    fill = reading.grey.padding[0] if reading.grey.padding else None
    present = int((values != fill).all(axis=1).sum())
    assert 0 < present < 80
    np.testing.assert_array_equal(values[:present], pixels[:present])


@pytest.mark.parametrize("name", ["jpeg-lossless", "jpeg-ls", "jpeg-2000", "rle", "htj2k"])
def test_the_fast_codecs_equal_pydicoms_own(name: str) -> None:
    pixels = make.radiograph(61, 47)
    layout = layout_of(61, 47)
    frame = make.encode_frame(pixels, make.SYNTAXES[name])
    fast = decode_fast(frame, make.SYNTAXES[name], layout)
    slow, _ = decode_reference(frame, make.SYNTAXES[name], layout, is_raw=True)
    assert fast is not None
    np.testing.assert_array_equal(fast, slow)
    np.testing.assert_array_equal(fast, pixels)


def test_the_fallback_decoder_does_not_invert_monochrome1(tmp_path: Path) -> None:
    pixels = make.radiograph()
    layout = layout_of(*pixels.shape)  # says MONOCHROME1, which SimpleITK would invert
    frame = make.encode_frame(pixels, syntaxes.JPEG_LOSSLESS_SV1)
    np.testing.assert_array_equal(decode_fallback(frame, syntaxes.JPEG_LOSSLESS_SV1, layout, tmp_path), pixels)
    assert list(tmp_path.iterdir()) == []


def test_the_fallback_is_labelled(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("app.store.reading.decode.decode_fast", refuses)
    monkeypatch.setattr("app.store.reading.decode.decode_reference", refuses)
    pixels = make.radiograph()
    data = make.dicom_bytes(pixels, syntaxes.JPEG_LOSSLESS_SV1, PhotometricInterpretation="MONOCHROME1")
    reading = read(data)
    assert ViewFlag.FALLBACK_DECODER in reading.flags
    assert "fallback decoder" in reading.notices[0]
    np.testing.assert_array_equal(stored(reading), pixels)


def test_a_codec_that_panics_is_survived(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicError(BaseException):
        """Like pyo3's PanicException: not an Exception."""

    def panics(*_: object, **__: object) -> None:
        raise PanicError

    monkeypatch.setattr("app.store.reading.decode.decode_fast", panics)
    pixels = make.radiograph()
    np.testing.assert_array_equal(stored(read(make.dicom_bytes(pixels, syntaxes.RLE))), pixels)


def test_the_code_stream_must_have_the_size_of_the_header(read: Read) -> None:
    for name in ("jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k", "jpeg-extended"):
        frame = make.encode_frame(make.radiograph(40, 40), make.SYNTAXES[name])
        data = make.dicom_bytes(make.radiograph(64, 64), make.SYNTAXES[name], pixel_data=encapsulate([frame]))
        with pytest.raises(UserError) as caught:
            read(data)
        assert "40 × 40" in caught.value.reason


@settings(max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90))
def test_code_streams_tell_their_size(rows: int, cols: int) -> None:
    for syntax in (syntaxes.JPEG_LS_LOSSLESS, syntaxes.JPEG_LOSSLESS_SV1, syntaxes.JPEG_2000_LOSSLESS):
        size = codestream_size(make.encode_frame(make.radiograph(rows, cols), syntax))
        assert size is not None
        assert (size.rows, size.cols, size.components) == (rows, cols, 1)


def test_pixels_of_32_bits_are_refused_with_a_sentence(read: Read) -> None:
    data = make.dicom_bytes(make.radiograph(8, 8), pixel_data=bytes(256), BitsAllocated=32, BitsStored=32, HighBit=31)
    with pytest.raises(UserError) as caught:
        read(data)
    assert caught.value.kind == "unsupported-pixels"


def test_real_hip_encodings_are_one_image(shared_data: Path, pool: ReaderPool) -> None:
    for film, cols in (("RG2", 1760), ("RG3", 1760)):
        images = {}
        for path in sorted((shared_data / "dicom-hip").glob(f"*{film}*.dcm")):
            read_image = pool.read(Source(path=path))
            images[path.name.split("__")[0]] = (pool.pixels(read_image).pixels, read_image)
        truth = images["RLE"][0]
        assert truth.shape[1] == cols
        for name in ("J2KR", "JLSL", "JPLL"):
            np.testing.assert_array_equal(images[name][0], truth)
            assert ViewFlag.LOSSY not in images[name][1].flags
        assert images["RLE"][1].grey.photometric == ("MONOCHROME1" if film == "RG3" else "MONOCHROME2")
        difference = {name: int(np.abs(images[name][0].astype(int) - truth).max()) for name in ("J2KI", "JLSN")}
        assert difference["J2KI"] <= 87
        assert difference["JLSN"] <= 4
        if film == "RG2":
            assert difference == {"J2KI": 87, "JLSN": 4}
        assert all(ViewFlag.LOSSY in images[name][1].flags for name in difference)
