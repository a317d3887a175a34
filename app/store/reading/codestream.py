"""What a compressed frame says about its own size, before anything is decoded (T.81 B.2.2, T.87 C.2.2, T.800 A.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from

_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True, kw_only=True)
class CodestreamSize:
    """Size and depth as a code stream states them.

    Args:
        rows: height, px.
        cols: width, px.
        components: samples of a pixel.
        precision: bits of a sample.
        is_signed: whether samples are signed (JPEG 2000 only).
    """

    rows: int
    cols: int
    components: int
    precision: int
    is_signed: bool = False


def codestream_size(data: bytes) -> CodestreamSize | None:
    """Read SOF, SOF55 or SIZ; None when the code stream is neither JPEG, JPEG-LS nor JPEG 2000, or is damaged."""
    if data.startswith(b"\xff\x4f\xff\x51"):
        return _siz(data, 4)
    if data.startswith(b"\0\0\0\x0cjP"):
        start = data.find(b"\xff\x4f\xff\x51")
        return _siz(data, start + 4) if start >= 0 else None
    if data.startswith(b"\xff\xd8"):
        return _sof(data)
    return None


def _siz(data: bytes, at: int) -> CodestreamSize | None:
    if len(data) < at + 39:
        return None
    width, height, left, top = unpack_from(">4I", data, at + 4)
    components = unpack_from(">H", data, at + 36)[0]
    depth = data[at + 38]
    return CodestreamSize(
        rows=height - top,
        cols=width - left,
        components=components,
        precision=(depth & 0x7F) + 1,
        is_signed=bool(depth & 0x80),
    )


def _sof(data: bytes) -> CodestreamSize | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker in _SOF:
            if at + 10 > len(data):
                return None
            precision, rows, cols, components = unpack_from(">BHHB", data, at + 4)
            return CodestreamSize(rows=rows, cols=cols, components=components, precision=precision)
        else:
            at += 2 + unpack_from(">H", data, at + 2)[0]
    return None
