"""What is left of a truncated RLE frame (PS3.5 G): the rows whose every byte plane is there."""

from __future__ import annotations

from struct import unpack_from
from typing import Any

import numpy as np
import numpy.typing as npt

from app.store.reading.layout import PixelLayout


def decode_rle_partially(frame: bytes, layout: PixelLayout) -> tuple[npt.NDArray[Any], int] | None:
    """Decode as many rows as a damaged frame still holds.

    Args:
        frame: the code stream.
        layout: its layout; one sample a pixel.

    Returns:
        (H, W) unsigned cells, zero where rows are missing, and the number of rows present; None when there are none.
    """
    planes = layout.bits_allocated // 8
    if planes not in (1, 2) or len(frame) < 64:
        return None
    count, *offsets = unpack_from("<16L", frame)
    if count != planes:
        return None
    ends = [*offsets[1:planes], len(frame)]
    wanted = layout.rows * layout.cols
    cells = np.zeros((wanted, planes), np.uint8)
    complete = wanted
    for plane in range(planes):
        values = unpack_bits(frame[offsets[plane] : ends[plane]], wanted)
        cells[: len(values), planes - 1 - plane] = np.frombuffer(values, np.uint8)  # highest byte first
        complete = min(complete, len(values))
    rows_present = complete // layout.cols
    if rows_present == 0:
        return None
    cells[rows_present * layout.cols :] = 0
    return cells.view("<u2" if planes == 2 else "u1").reshape(layout.rows, layout.cols), rows_present


def unpack_bits(data: bytes, wanted: int) -> bytes:
    """PackBits, at most `wanted` bytes of it."""
    out = bytearray()
    at = 0
    while at < len(data) and len(out) < wanted:
        control = data[at]
        if control < 128:
            out += data[at + 1 : at + 2 + control]
            at += 2 + control
        elif control > 128:
            out += data[at + 1 : at + 2] * (257 - control)
            at += 2
        else:
            at += 1
    return bytes(out[:wanted])
