"""Uncompressed frames, straight from the mapped file (PS3.5 8.1, 8.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.layout import PixelKind, PixelLayout
from app.store.reading.part10 import DicomFile


def native_frame(file: DicomFile, layout: PixelLayout, index: int) -> tuple[npt.NDArray[Any], int]:
    """The cells of one uncompressed frame.

    Args:
        file: the file.
        layout: its layout.
        index: frame index.

    Returns:
        (H, W) cells for one sample a pixel, unsigned or floating point; the bytes of the frame, little endian, for
        colour. And how many rows of them are there; the rest is zero.

    Raises:
        UserError: nothing of this frame is there.
    """
    if file.pixel is None:
        raise UserError("The file holds no image.", kind="no-image")
    buffer = file.buffer
    held = len(buffer) - file.pixel.value
    if file.pixel.length is not None:
        held = min(held, file.pixel.length)
    if layout.bits_allocated == 1:
        return _bits(file, layout, index, held)
    size = layout.frame_bits // 8
    skipped = index * size
    there = min(size, max(held - skipped, 0))
    row_bytes = size // layout.rows
    rows_present = layout.rows if there == size else there // row_bytes if row_bytes else 0
    if rows_present == 0:
        raise UserError(
            "The file is damaged.",
            reason="It ends before its image begins.",
            remedy="Copy it again from where it came from.",
            kind="damaged",
        )
    start = file.pixel.value + skipped
    is_swapped_word = (
        is_big_endian(file) and layout.bits_allocated == 8 and file.pixel.vr == "OW"
    )  # 8-bit cells in big-endian words (PS3.5 8.2)
    if is_swapped_word:
        return _swapped_words(buffer, file.pixel.value, skipped, there, layout), rows_present
    order = ">" if is_big_endian(file) else "<"
    kind = "u" if layout.kind is PixelKind.INTEGER else "f"
    dtype = np.dtype(f"{order}{kind}{layout.bits_allocated // 8}")
    values = np.frombuffer(buffer, dtype, there // dtype.itemsize, start)
    if there < size:
        whole = np.zeros(size // dtype.itemsize, dtype)
        kept = rows_present * (row_bytes // dtype.itemsize)
        whole[:kept] = values[:kept]
        values = whole
    if not dtype.isnative:
        values = values.astype(dtype.newbyteorder("="))
    if layout.samples > 1:
        return values.view(np.uint8), rows_present
    return values.reshape(layout.rows, layout.cols), rows_present


def is_big_endian(file: DicomFile) -> bool:
    """Whether cells are big endian."""
    return file.syntax == syntaxes.EXPLICIT_BIG


def _swapped_words(buffer: Any, value: int, skipped: int, there: int, layout: PixelLayout) -> npt.NDArray[Any]:
    """8-bit cells that were written as big-endian 16-bit words."""
    size = layout.frame_bits // 8
    first = skipped - skipped % 2
    raw = np.zeros(size + size % 2 + 2, np.uint8)
    piece = np.frombuffer(
        buffer, np.uint8, min(there + skipped - first + 1, len(buffer) - value - first), value + first
    )
    raw[: piece.size] = piece[: raw.size]
    cells = raw.reshape(-1, 2)[:, ::-1].reshape(-1)[skipped - first :][:size]
    return cells if layout.samples > 1 else cells.reshape(layout.rows, layout.cols)


def _bits(file: DicomFile, layout: PixelLayout, index: int, held: int) -> tuple[npt.NDArray[Any], int]:
    """Cells of one bit, eight to a byte, lowest bit first, frames not aligned to bytes (PS3.5 8.1.1)."""
    if file.pixel is None or layout.samples != 1:
        raise UserError(
            "The image cannot be read.", reason="Colour images of one bit are not known.", kind="unreadable"
        )
    count = layout.rows * layout.cols
    first = index * count
    last_byte = min((first + count + 7) // 8, held)
    raw = np.frombuffer(file.buffer, np.uint8, max(last_byte - first // 8, 0), file.pixel.value + first // 8)
    if is_big_endian(file) and file.pixel.vr == "OW" and raw.size % 2 == 0:
        raw = raw.reshape(-1, 2)[:, ::-1].reshape(-1)
    bits = np.unpackbits(raw, bitorder="little")[first % 8 :][:count]
    rows_present = bits.size // layout.cols
    if rows_present == 0:
        raise UserError("The file is damaged.", reason="It ends before its image begins.", kind="damaged")
    cells = np.zeros(count, np.uint8)
    cells[: bits.size] = bits
    return cells.reshape(layout.rows, layout.cols), rows_present
