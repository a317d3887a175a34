"""PNG, TIFF and JPEG files."""

from __future__ import annotations

from struct import pack

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.case import ViewFlag
from app.core.errors import UserError
from app.core.grey import Photometric
from app.store.reading.raster import read_raster
from app.store.reading.raster_headers import png_size, tiff_size
from tests.store.reading.conftest import Read, stored
from tests.support import foreign_files as make

GREY16 = (make.radiograph(50, 70).astype(np.uint32) * 16).astype(np.uint16)
GREY8 = make.radiograph(50, 70, bits=8)
COLOURS = np.stack([GREY8, GREY8 // 2, 255 - GREY8], axis=-1)


@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8", "16"])
@pytest.mark.parametrize("encode", [make.png_bytes, make.tiff_bytes], ids=["png", "tiff"])
def test_grey_values_are_kept_exactly(read: Read, pixels: np.ndarray, encode: object) -> None:
    reading = read(encode(pixels))  # type: ignore[operator]
    np.testing.assert_array_equal(stored(reading), pixels)
    assert reading.grey.bits_stored == pixels.dtype.itemsize * 8
    assert ViewFlag.NOT_NATIVE not in reading.flags
    assert ViewFlag.MAY_HAVE_TEXT in reading.flags
    assert reading.header == {}


def test_jpeg_is_lossy_and_equals_another_decoder(read: Read) -> None:
    data = make.jpeg_bytes(GREY8)
    reading = read(data)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.abs(stored(reading) - other.astype(int)).max() <= 1
    assert ViewFlag.LOSSY in reading.flags
    assert reading.facts.is_lossy


def test_minimum_is_white_is_said_not_applied(read: Read) -> None:
    reading = read(make.tiff_bytes(GREY16, photometric=0))
    np.testing.assert_array_equal(stored(reading), GREY16)
    assert reading.grey.photometric is Photometric.MONOCHROME1


def test_big_endian_and_compressed_tiffs(read: Read) -> None:
    for compression in ("deflate", "lzw", "packbits"):
        codes = {"deflate": 8, "lzw": 5, "packbits": 32773}
        done, data = cv2.imencode(".tif", GREY16, [cv2.IMWRITE_TIFF_COMPRESSION, codes[compression]])
        assert done
        np.testing.assert_array_equal(stored(read(data.tobytes())), GREY16)


@pytest.mark.parametrize("samples", [3, 4], ids=["rgb", "rgba"])
def test_colour_becomes_brightness(read: Read, samples: int) -> None:
    values = COLOURS
    if samples == 4:
        values = np.concatenate([COLOURS, np.full((*GREY8.shape, 1), 9, np.uint8)], axis=-1)
    reading = read(bytes(imagecodecs.png_encode(values)))
    expected = 0.299 * COLOURS[..., 0] + 0.587 * COLOURS[..., 1] + 0.114 * COLOURS[..., 2]
    assert np.abs(stored(reading) - expected).max() <= 1
    assert ViewFlag.NOT_NATIVE in reading.flags
    assert reading.notices


def test_grey_saved_as_colour_keeps_its_values(read: Read) -> None:
    reading = read(bytes(imagecodecs.png_encode(np.repeat(GREY8[..., None], 3, axis=-1))))
    np.testing.assert_array_equal(stored(reading), GREY8)


def test_transparency_beside_16_bit_grey_does_not_cost_depth(read: Read) -> None:
    both = np.stack([GREY16, np.full_like(GREY16, 65535)], axis=-1)
    reading = read(bytes(imagecodecs.png_encode(both)))
    np.testing.assert_array_equal(stored(reading), GREY16)
    assert reading.grey.bits_stored == 16


def exif_jpeg(orientation: int) -> bytes:
    """A JPEG with an EXIF block that asks to be turned."""
    data = make.jpeg_bytes(GREY8)
    body = b"Exif\0\0" + b"MM\0*\0\0\0\x08" + pack(">H", 1) + pack(">HHIHH", 274, 3, 1, orientation, 0) + pack(">I", 0)
    return data[:2] + b"\xff\xe1" + pack(">H", len(body) + 2) + body + data[2:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_wish_to_be_turned_is_followed_as_opencv_follows_it(read: Read, orientation: int) -> None:
    data = exif_jpeg(orientation)
    reading = read(data)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)  # turns by itself
    assert (reading.rows, reading.cols) == other.shape
    assert np.abs(stored(reading) - other.astype(int)).max() <= 1
    assert bool(reading.notices) is (orientation > 1)
    header = read(data, is_header_only=True)
    assert (header.rows, header.cols) == other.shape


def test_a_tiff_may_ask_to_be_turned_too(read: Read) -> None:
    np.testing.assert_array_equal(stored(read(make.tiff_bytes(GREY16, orientation=3))), GREY16[::-1, ::-1])


def test_pages_are_not_chosen_silently(read: Read) -> None:
    with pytest.raises(UserError) as caught:
        read(make.tiff_bytes(GREY16, pages=3))
    assert caught.value.kind == "multi-frame"
    assert "3 pages" in caught.value.title


def test_bits_and_palettes(read: Read) -> None:
    two = (GREY8 > 128).astype(np.uint8) * 255
    done, data = cv2.imencode(".png", two, [cv2.IMWRITE_PNG_BILEVEL, 1])
    assert done
    np.testing.assert_array_equal(stored(read(data.tobytes())), two)


def test_palettes_become_brightness(read: Read) -> None:
    indices = (GREY8 // 64).astype(np.uint8)  # 0 … 3
    levels = np.zeros((3, 256), np.uint16)
    levels[:, :4] = np.array([[0, 65535, 0, 0], [0, 0, 65535, 0], [0, 0, 0, 65535]])
    reading = read(make.tiff_bytes(indices, photometric=3, palette=levels))
    expected = np.array([0, 76, 150, 29])[indices]
    assert np.abs(stored(reading) - expected).max() <= 1
    assert ViewFlag.NOT_NATIVE in reading.flags


def test_size_limits_come_before_decoding(read: Read) -> None:
    data = make.raw_png(30_000, 30_000, 8, lambda: iter([b"\0" * 10]))
    with pytest.raises(UserError) as caught:
        read(data)
    assert caught.value.kind == "too-large"


@settings(max_examples=200)
@given(st.data())
def test_damage_never_escapes_as_anything_else(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([make.png_bytes(GREY16), make.tiff_bytes(GREY16), exif_jpeg(6)]))
    wounded = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        wounded[data.draw(st.integers(3, min(len(wounded), 300) - 1))] = data.draw(st.integers(0, 255))
    try:
        reading = read_raster(bytes(wounded), frame=None, is_header_only=False)
    except UserError:
        return
    assert reading.image is not None
    assert reading.image.pixels.shape == (reading.rows, reading.cols)


@given(st.binary(max_size=200))
def test_headers_of_anything(tail: bytes) -> None:
    for head in (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"II*\0\x08\0\0\0", b"MM\0+\0\x08\0\0"):
        for size in (png_size, tiff_size):
            found = size(head + tail)
            assert found is None or found.rows >= 0
