"""One frame of a DICOM object, decoded: the fastest codec, then pydicom's, then the labelled fallback.

`imaging.md` §2.4. Nothing here inverts or rescales: what comes out are stored values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.codecs import decode_fast
from app.store.reading.codestream import CodestreamSize, codestream_size
from app.store.reading.fallback import can_fall_back, decode_fallback
from app.store.reading.fragments import find_fragments, frame_codestream, frame_fragments
from app.store.reading.layout import PixelKind, PixelLayout, check_expansion
from app.store.reading.native import native_frame
from app.store.reading.part10 import DicomFile
from app.store.reading.reference import decode_reference
from app.store.reading.rle_partial import decode_rle_partially
from app.store.reading.unpack import unpack

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded frame.

    Args:
        values: (H, W) stored values or floating point values; (H, W, 3) for colour.
        photometric: photometric interpretation of `values`.
        rows_present: number of rows from the top that are there; equal to H unless the data were truncated.
        is_partial: whether the data were truncated.
        is_fallback: whether only the last-resort decoder could read it.
        is_assumed: whether the encoding had to be worked out.
        notices: sentences for the user.
    """

    values: Array
    photometric: str
    rows_present: int
    is_partial: bool = False
    is_fallback: bool = False
    is_assumed: bool = False
    notices: tuple[str, ...] = ()


def decode_frame(file: DicomFile, layout: PixelLayout, index: int, scratch: Path) -> Frame:
    """Decode one frame.

    Args:
        file: the file.
        layout: its layout, already checked against the budget.
        index: frame index, 0 … frames − 1.
        scratch: folder for temporary files of the fallback decoder.

    Raises:
        UserError: it cannot be decoded, or its code stream contradicts the layout.
        MemoryError: not enough memory.
    """
    pixel = file.pixel
    if pixel is None:
        raise UserError("The file holds no image.", kind="no-image")
    is_compressed = file.syntax not in syntaxes.NATIVE
    if is_compressed and pixel.length is not None and not _starts_with_item(file, pixel.value):
        return _decode_native(file, layout, index, "The pixels are not compressed, although the file says so.")
    if not is_compressed and pixel.length is not None:
        return _decode_native(file, layout, index)
    return _decode_compressed(file, layout, index, scratch)


def _starts_with_item(file: DicomFile, offset: int) -> bool:
    return bytes(file.buffer[offset : offset + 4]) == b"\xfe\xff\x00\xe0"


def _decode_native(file: DicomFile, layout: PixelLayout, index: int, said: str = "") -> Frame:
    """An uncompressed frame; rows that the file no longer holds are left empty."""
    notices = (said,) if said else ()
    if layout.is_grey or layout.kind is not PixelKind.INTEGER or layout.photometric == "PALETTE COLOR":
        cells, rows_present = native_frame(file, layout, index)
        values = cells
        if layout.kind is PixelKind.INTEGER:
            values = unpack(cells, layout, None, has_sign_per_stream=False)
        photometric = layout.photometric
    else:
        raw, rows_present = native_frame(file, layout, index)
        values, photometric = _decode_colour(raw.tobytes(), syntaxes.EXPLICIT_LITTLE, layout)
    return Frame(
        values=values,
        photometric=photometric,
        rows_present=rows_present,
        is_partial=rows_present < layout.rows,
        is_assumed=bool(said),
        notices=notices,
    )


def _decode_colour(raw: bytes, syntax: str, layout: PixelLayout) -> tuple[Array, str]:
    """Colour through pydicom, which turns YBR into RGB."""
    return decode_reference(raw, syntax, layout, is_raw=False)


def _decode_compressed(file: DicomFile, layout: PixelLayout, index: int, scratch: Path) -> Frame:
    if file.pixel is None:
        raise UserError("The file holds no image.", kind="no-image")
    items, is_cut = find_fragments(file.buffer, file.pixel)
    frame = frame_codestream(file.buffer, items, index, layout.frames)
    if not frame:
        raise _undecodable("Its pixel data are missing or end too early.")
    notices: list[str] = []
    syntax, is_assumed = file.syntax, False
    if syntax in syntaxes.NATIVE:
        syntax, is_assumed = syntaxes.guess_from_codestream(frame[:4096]), True
        notices.append("The pixels are compressed, although the file says otherwise; the compression was worked out.")
    if syntax not in syntaxes.READABLE:
        raise _undecodable("It is compressed in a way that Coxa does not know.")
    is_cut = is_cut and items[-1] in frame_fragments(file.buffer, items, index, layout.frames)
    stream = codestream_size(frame) if syntax != syntaxes.RLE else None
    check_stream(layout, stream)
    check_expansion(layout, len(frame))
    values, photometric, rung = _climb(frame, syntax, layout, stream, scratch, is_cut=is_cut)
    rows_present = layout.rows
    if rung == "partial":
        is_cut = True
        rows_present = int(photometric)
        photometric = layout.photometric
    if rung == "fallback":
        notices.append("Only the fallback decoder can read this image; its values may be wrong in places.")
    return Frame(
        values=values,
        photometric=photometric,
        rows_present=rows_present,
        is_partial=is_cut,
        is_fallback=rung == "fallback",
        is_assumed=is_assumed,
        notices=tuple(notices),
    )


def check_stream(layout: PixelLayout, stream: CodestreamSize | None) -> None:
    """Refuse a code stream whose size is not the size that the object states.

    Raises:
        UserError: the sizes differ.
    """
    if stream is None:
        return
    has_rows = stream.rows != 0  # a JPEG may leave the number of rows to a later marker
    if stream.cols != layout.cols or (has_rows and stream.rows != layout.rows):
        raise UserError(
            "The image cannot be read.",
            reason=f"Its header says {layout.cols} × {layout.rows} px, its compressed data say "
            f"{stream.cols} × {stream.rows} px.",
            remedy="Export the image again from where it came from.",
            kind="damaged",
        )


def _climb(
    frame: bytes, syntax: str, layout: PixelLayout, stream: CodestreamSize | None, scratch: Path, *, is_cut: bool
) -> tuple[Array, str, str]:
    """Try one decoder after the other. Returns values, their photometric interpretation, and the rung reached."""
    has_sign = syntax in syntaxes.J2K | syntaxes.HTJ2K_ALL | syntaxes.JPEG_LS
    is_single = layout.samples == 1

    def fast() -> tuple[Array, str, str] | None:
        cells = decode_fast(frame, syntax, layout)
        if cells is None:
            return None
        return unpack(cells, layout, stream, has_sign_per_stream=has_sign), layout.photometric, "fast"

    def reference() -> tuple[Array, str, str]:
        if not is_single:
            values, photometric = _decode_colour(frame, syntax, layout)
            return values, photometric, "reference"
        cells, _ = decode_reference(frame, syntax, layout, is_raw=True)
        return unpack(cells, layout, stream, has_sign_per_stream=has_sign), layout.photometric, "reference"

    def partial() -> tuple[Array, str, str] | None:
        if syntax != syntaxes.RLE or not is_single:
            return None
        found = decode_rle_partially(frame, layout)
        if found is None:
            return None
        cells, rows_present = found
        return unpack(cells, layout, None, has_sign_per_stream=False), str(rows_present), "partial"

    def fallback() -> tuple[Array, str, str] | None:
        if not can_fall_back(syntax):
            return None
        values = decode_fallback(frame, syntax, layout, scratch)
        return values, layout.photometric if is_single else "RGB", "fallback"

    rungs: tuple[Callable[[], tuple[Array, str, str] | None], ...] = (fast, reference, partial, fallback)
    for rung in rungs:
        try:
            result = rung()
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:
            if _is_out_of_memory(error):
                raise MemoryError from error
            continue
        if result is not None and result[0].shape[:2] == (layout.rows, layout.cols):
            return result
    if is_cut:
        raise _undecodable("Its pixel data are truncated.")
    raise _undecodable("Its compressed pixel data are damaged, or compressed in a way that no decoder here knows.")


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether a codec's own exception stands for a lack of memory."""
    said = str(error).lower()
    return "out of memory" in said or "alloc" in said or "insufficient memory" in said


def _undecodable(reason: str) -> UserError:
    return UserError(
        "The image cannot be decoded.",
        reason=reason,
        remedy="Export the image again, uncompressed if possible.",
        kind="undecodable",
    )
