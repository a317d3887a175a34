"""The outer shape of a DICOM file: preamble, file meta information, encoding, deflate (PS3.10 §7, PS3.5 §10).

Strict first. What is missing or wrong is worked out from the bytes, and said.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct

from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.buffers import Buffer
from app.store.reading.limits import MAX_INFLATED_BYTES, MAX_RATIO, MIB, RATIO_FREE_BYTES, too_large
from app.store.reading.nesting import KNOWN_VRS, LONG_VRS, PixelElement, walk

PREAMBLE = 128
_INFLATE_STEP = 8 * MIB
_SYNTAX_TAG = 0x00020010
_MAX_META_ELEMENTS = 64
_SHORT = Struct("<HH2sH").unpack_from
_LONG = Struct("<HHL").unpack_from
_LENGTH = Struct("<L").unpack_from


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomFile:
    """One DICOM file, taken apart without decoding anything.

    Args:
        buffer: the bytes that the offsets refer to: the file, or its inflated form.
        start: offset of the first element of the data set.
        end: offset where the elements before the pixel data end.
        syntax: transfer syntax UID, as written or as worked out.
        is_explicit: explicit VR encoding, as found.
        is_little_endian: byte order, as found.
        pixel: where the pixel data are, if anywhere.
        is_assumed: whether something about the encoding was missing and had to be worked out.
        is_cut: whether the file ends in the middle of an element before the pixel data.
        notices: sentences for the user.
    """

    buffer: Buffer
    start: int
    end: int
    syntax: str
    is_explicit: bool
    is_little_endian: bool
    pixel: PixelElement | None
    is_assumed: bool = False
    is_cut: bool = False
    notices: tuple[str, ...] = ()


def has_preamble(buffer: Buffer) -> bool:
    """Whether the 128 bytes of the preamble and the prefix are there."""
    return bytes(buffer[PREAMBLE : PREAMBLE + 4]) == b"DICM"


def is_dicom(buffer: Buffer) -> bool:
    """Whether the bytes are DICOM, with or without the preamble."""
    if has_preamble(buffer):
        return True
    head = bytes(buffer[:8])
    if len(head) < 8:
        return False
    group, element = _LONG(head)[:2]
    if head[4:6] in KNOWN_VRS and group in (0x0002, 0x0004, 0x0008) and element < 0x2000:
        return True
    swapped = (int.from_bytes(head[0:2], "big"), int.from_bytes(head[2:4], "big"))
    if head[4:6] in KNOWN_VRS and swapped[0] in (0x0002, 0x0008) and swapped[1] < 0x2000:
        return True
    return group in (0x0002, 0x0008) and element < 0x0100 and 0 < _LONG(head)[2] <= 1024


def open_dicom(buffer: Buffer) -> DicomFile:
    """Find encoding and pixel data of a DICOM file.

    Raises:
        UserError: not DICOM, damaged, built too deeply, or a deflated data set beyond all bounds.
    """
    is_prefixed = has_preamble(buffer)
    if not is_prefixed and not is_dicom(buffer):
        raise UserError(
            "This is not an image that Coxa knows.",
            reason="It is neither DICOM nor PNG, TIFF or JPEG.",
            kind="not-an-image",
        )
    notices = [] if is_prefixed else ["The file has no DICOM preamble; its encoding was worked out."]
    start, syntax = _read_meta(buffer, PREAMBLE + 4 if is_prefixed else 0)
    is_assumed = not is_prefixed
    if syntax == syntaxes.DEFLATED_EXPLICIT:
        buffer, start = _inflate(buffer, start), 0
    is_explicit, is_little_endian = _find_encoding(buffer, start)
    if syntax:
        said = (syntax != syntaxes.IMPLICIT_LITTLE, syntax != syntaxes.EXPLICIT_BIG)
        if said != (is_explicit, is_little_endian) and start + 8 <= len(buffer):
            is_assumed = True
            notices.append("The data are not encoded as the file says; the encoding was worked out.")
            if syntax in syntaxes.NATIVE:
                syntax = syntaxes.native(is_explicit=is_explicit, is_little_endian=is_little_endian)
    found = walk(buffer, start, is_explicit=is_explicit, is_little_endian=is_little_endian)
    if not syntax:
        is_assumed = True
        syntax = _guess_syntax(buffer, found.pixel, is_explicit, is_little_endian)
        if is_prefixed:
            notices.append("The file does not name its transfer syntax; it was worked out.")
    return DicomFile(
        buffer=buffer,
        start=start,
        end=found.end,
        syntax=syntax,
        is_explicit=is_explicit,
        is_little_endian=is_little_endian,
        pixel=found.pixel,
        is_assumed=is_assumed,
        is_cut=found.is_cut,
        notices=tuple(notices),
    )


def _read_meta(buffer: Buffer, position: int) -> tuple[int, str]:
    """Pass the group 2 elements. Returns the offset behind them and the transfer syntax, or an empty string."""
    syntax = ""
    end = len(buffer)
    for _ in range(_MAX_META_ELEMENTS):
        if position + 8 > end:
            break
        group, number, length = _LONG(buffer, position)
        if group != 0x0002:
            break
        vr = bytes(buffer[position + 4 : position + 6])
        value = position + 8
        if vr in LONG_VRS and position + 12 <= end:
            length = _LENGTH(buffer, value)[0]
            value += 4
        elif b"AA" <= vr <= b"ZZ":
            length = _SHORT(buffer, position)[3]
        if value + length > end:
            raise UserError(
                "The file is damaged.",
                reason="It ends inside its file meta information.",
                remedy="Copy it again from where it came from.",
                kind="damaged",
            )
        if group << 16 | number == _SYNTAX_TAG and length <= 66:
            syntax = bytes(buffer[value : value + length]).decode("ascii", "replace").strip("\0 ")
        position = value + length
    return position, syntax


def _inflate(buffer: Buffer, start: int) -> bytes:
    """Inflate a deflated data set (PS3.5 A.5), with a ceiling."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    held = len(buffer) - start
    rest: Buffer = memoryview(buffer)[start:]
    pieces: list[bytes] = []
    inflated = 0
    try:
        while not inflater.eof:
            piece = inflater.decompress(rest, _INFLATE_STEP)
            rest = inflater.unconsumed_tail
            pieces.append(piece)
            inflated += len(piece)
            if inflated > MAX_INFLATED_BYTES or (inflated > RATIO_FREE_BYTES and inflated > MAX_RATIO * held):
                raise too_large(f"{held:,} deflated bytes unpack to more than {inflated // MIB} MB.")
            if not piece and not rest:
                break  # truncated
    except zlib.error as error:
        raise UserError(
            "The file is damaged.",
            reason="Its deflated data cannot be inflated.",
            remedy="Copy it again from where it came from.",
            kind="damaged",
        ) from error
    return b"".join(pieces)


def _find_encoding(buffer: Buffer, start: int) -> tuple[bool, bool]:
    """Explicit VR and little endian, from the first element of the data set."""
    head = bytes(buffer[start : start + 8])
    if len(head) < 8:
        return True, True
    is_explicit = b"AA" <= head[4:6] <= b"ZZ" and head[4:5].isalpha() and head[5:6].isalpha()
    little = int.from_bytes(head[0:2], "little")
    big = int.from_bytes(head[2:4], "big") if little == 0 else int.from_bytes(head[0:2], "big")
    return is_explicit, not (little >= 0x0100 and big < little and int.from_bytes(head[0:2], "big") < 0x0100)


def _guess_syntax(buffer: Buffer, pixel: PixelElement | None, is_explicit: bool, is_little_endian: bool) -> str:
    """The transfer syntax of data that do not name one."""
    native = syntaxes.native(is_explicit=is_explicit, is_little_endian=is_little_endian)
    if pixel is None or pixel.length is not None:
        return native
    first_item = pixel.value
    table_length = _LENGTH(buffer, first_item + 4)[0] if first_item + 8 <= len(buffer) else 0
    fragment = first_item + 8 + table_length + 8
    return syntaxes.guess_from_codestream(bytes(buffer[fragment : fragment + 4096]))
