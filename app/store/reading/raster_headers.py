"""Size, depth and orientation of PNG, TIFF and JPEG files, from their headers alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from struct import unpack_from
from typing import Any

import numpy as np
import numpy.typing as npt

from app.store.reading.buffers import Buffer
from app.store.reading.codestream import codestream_size
from app.store.reading.limits import MIB

_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_PALETTE = 3
_JPEG_HEAD_BYTES = MIB
_MAX_PAGES = 1000
_MAX_ENTRIES = 512
_ERRORS = (struct.error, ValueError, IndexError, OverflowError)  # what damaged offsets and counts lead to
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_TIFF_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RasterSize:
    """What the header of a picture file says.

    Args:
        format: `PNG`, `TIFF` or `JPEG`.
        rows: height as stored, px.
        cols: width as stored, px.
        samples: samples of a pixel, transparency included.
        bits: bits of a sample.
        is_plain_grey: one sample, no palette, no transparency.
        is_white_zero: the smallest value is white (TIFF MINISWHITE).
        is_lossy: lossy compression.
        is_float: floating point or signed samples.
        orientation: how it wants to be turned, 1–8 (TIFF and EXIF Orientation).
        pages: full-size images in the file.
        palette: (N, 3) uint16 colours of a TIFF palette.
    """

    format: str
    rows: int
    cols: int
    samples: int
    bits: int
    is_plain_grey: bool
    is_white_zero: bool = False
    is_lossy: bool = False
    is_float: bool = False
    orientation: int = 1
    pages: int = 1
    palette: npt.NDArray[np.uint16] | None = None


def png_size(buffer: Buffer) -> RasterSize | None:
    """IHDR, and whether transparency follows (PNG 11.2.2, 11.3.2)."""
    if len(buffer) < 33 or bytes(buffer[12:16]) != b"IHDR":
        return None
    cols, rows, bits, kind = unpack_from(">IIBB", buffer, 16)
    if kind not in _PNG_SAMPLES or bits not in (1, 2, 4, 8, 16):
        return None
    has_transparency = False
    at = 33
    while at + 8 <= len(buffer):
        length, name = unpack_from(">I4s", buffer, at)
        if name == b"IDAT":
            break
        has_transparency |= name == b"tRNS"
        at += 12 + length
    samples = 3 if kind == _PNG_PALETTE else _PNG_SAMPLES[kind] + has_transparency
    return RasterSize(
        format="PNG", rows=rows, cols=cols, samples=samples, bits=bits, is_plain_grey=kind == 0 and not has_transparency
    )


def jpeg_size(buffer: Buffer) -> RasterSize | None:
    """SOF, and the orientation of an EXIF block."""
    head = bytes(buffer[:_JPEG_HEAD_BYTES])
    found = codestream_size(head)
    if found is None:
        return None
    return RasterSize(
        format="JPEG",
        rows=found.rows,
        cols=found.cols,
        samples=found.components,
        bits=found.precision,
        is_plain_grey=found.components == 1,
        is_lossy=b"\xff\xc3" not in head[:4096],
        orientation=_exif_orientation(head),
    )


def _exif_orientation(head: bytes) -> int:
    """The Orientation of EXIF, 1 when there is none."""
    at = 2
    while at + 10 <= len(head) and head[at] == 0xFF:
        length = unpack_from(">H", head, at + 2)[0]
        if head[at + 1] == 0xE1 and head[at + 4 : at + 10] == b"Exif\0\0":
            fields = _first_page(head[at + 10 : at + 2 + length])
            return _as_orientation(fields.get(274, [1])) if fields else 1
        at += 2 + length
    return 1


def tiff_size(buffer: Buffer) -> RasterSize | None:
    """The first image file directory, and how many full-size pages there are (TIFF 6.0)."""
    fields = _first_page(buffer)
    if fields is None or 256 not in fields or 257 not in fields:
        return None
    try:
        bits = int(max(fields.get(258, [1])))
        samples = int(fields.get(277, [1])[0])
        photometric = int(fields.get(262, [1])[0])
        sample_format = int(max(fields.get(339, [1])))
        compression = int(fields.get(259, [1])[0])
        palette = None
        if photometric == 3 and len(fields.get(320, [])) >= 3:
            colours = np.asarray(fields[320], np.uint16)
            palette = np.ascontiguousarray(colours[: colours.size // 3 * 3].reshape(3, -1).T)
        return RasterSize(
            format="TIFF",
            rows=int(fields[257][0]),
            cols=int(fields[256][0]),
            samples=max(samples, 1),
            bits=bits,
            is_plain_grey=photometric in (0, 1) and samples == 1,
            is_white_zero=photometric == 0,
            is_lossy=compression in (6, 7, 34712),
            is_float=sample_format != 1,
            orientation=_as_orientation(fields.get(274, [1])),
            pages=_count_pages(buffer),
            palette=palette,
        )
    except _ERRORS:
        return None


def _as_orientation(values: list[Any]) -> int:
    return int(values[0]) if values and 1 <= values[0] <= 8 else 1


def _first_page(data: Buffer) -> dict[int, list[Any]] | None:
    """The fields of the first directory of a TIFF or EXIF block; None when it is damaged."""
    try:
        order, is_big, at = _tiff_head(data)
        return _directory(data, order, is_big, at)[0]
    except _ERRORS:
        return None


def _tiff_head(data: Buffer) -> tuple[str, bool, int]:
    """Byte order, BigTIFF or not, offset of the first directory."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    if not order:
        raise ValueError("no byte order")
    is_big = unpack_from(order + "H", data, 2)[0] == 43
    return order, is_big, unpack_from(order + "Q", data, 8)[0] if is_big else unpack_from(order + "I", data, 4)[0]


def _directory(data: Buffer, order: str, is_big: bool, at: int) -> tuple[dict[int, list[Any]], int]:
    """The numeric fields of one directory, and the offset of the next (0 = none)."""
    count = unpack_from(order + ("Q" if is_big else "H"), data, at)[0]
    if count > _MAX_ENTRIES:
        raise ValueError("too many fields")
    at += 8 if is_big else 2
    entry_bytes, inline = (20, 8) if is_big else (12, 4)
    fields: dict[int, list[Any]] = {}
    for _ in range(count):
        tag, kind = unpack_from(order + "HH", data, at)
        number = unpack_from(order + ("Q" if is_big else "I"), data, at + 4)[0]
        place = at + (12 if is_big else 8)
        if kind in _TIFF_CODES and number <= 1 << 18 and tag in (254, 256, 257, 258, 259, 262, 274, 277, 320, 339):
            if number * _TIFF_SIZES[kind] > inline:
                place = unpack_from(order + ("Q" if is_big else "I"), data, place)[0]
            fields[tag] = list(unpack_from(f"{order}{number}{_TIFF_CODES[kind]}", data, place))
        at += entry_bytes
    return fields, unpack_from(order + ("Q" if is_big else "I"), data, at)[0]


def _count_pages(data: Buffer) -> int:
    """Pages that are not reduced copies of another (NewSubfileType bit 0)."""
    order, is_big, at = _tiff_head(data)
    seen: set[int] = set()
    pages = 0
    while at and at not in seen and len(seen) < _MAX_PAGES:
        seen.add(at)
        try:
            fields, at = _directory(data, order, is_big, at)
        except _ERRORS:
            break
        pages += not fields.get(254, [0])[0] & 1
    return max(pages, 1)
