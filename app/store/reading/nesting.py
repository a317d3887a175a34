"""An iterative walk over the raw bytes of a data set, before any DICOM toolkit sees them.

Toolkits recurse into sequences and overflow their stack on a hostile file (`imaging.md` §0.3). This walk keeps its own
stack, knows a ceiling for depth and number of elements, and finds where the pixel data begin. PS3.5 §7.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from pydicom._dicom_dict import DicomDictionary

from app.core.errors import UserError
from app.store.reading.buffers import Buffer
from app.store.reading.limits import MAX_DEPTH, MAX_ELEMENTS

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
KNOWN_VRS = LONG_VRS | frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)
_SEQUENCE_TAGS = frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelElement:
    """Where the pixel data of a data set are.

    Args:
        tag: (7FE0,0010), or (7FE0,0008) and (7FE0,0009) for float pixels.
        vr: its value representation; empty in an implicit encoding.
        start: offset of the element itself.
        value: offset of its value.
        length: bytes of its value; None for an undefined length.
    """

    tag: int
    vr: str
    start: int
    value: int
    length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What the walk found.

    Args:
        pixel: the pixel data element, if there is one.
        end: offset where the part before the pixel data ends.
        depth: deepest nesting of sequences.
        elements: number of data elements passed.
        is_cut: the data end in the middle of an element.
    """

    pixel: PixelElement | None
    end: int
    depth: int
    elements: int
    is_cut: bool


@dataclass(slots=True)
class _Level:
    """One open sequence, item or encapsulated value."""

    limit: int  # offset of its end; -1 when undefined
    holds_items: bool
    is_opaque: bool  # items hold fragments, not elements
    is_explicit: bool


def walk(buffer: Buffer, start: int, *, is_explicit: bool, is_little_endian: bool) -> Walk:
    """Walk one data set up to its pixel data.

    Args:
        buffer: the whole file.
        start: offset of the first element of the data set.
        is_explicit: explicit VR encoding.
        is_little_endian: byte order.

    Raises:
        UserError: nested too deep, too many elements, or no sense in the structure.
    """
    order = "<" if is_little_endian else ">"
    read_short = Struct(order + "HH2sH").unpack_from
    read_long = Struct(order + "HHL").unpack_from
    read_length = Struct(order + "L").unpack_from
    end = len(buffer)
    top = _Level(end, False, False, is_explicit)
    levels = [top]
    position = start
    depth = elements = deepest = 0
    pixel = None
    while True:
        level = levels[-1]
        while len(levels) > 1 and 0 <= level.limit <= position:
            depth -= level.holds_items
            levels.pop()
            level = levels[-1]
        if position + 8 > end:
            break
        element = position
        elements += 1
        if elements > MAX_ELEMENTS:
            raise _too_complex(f"It holds more than {MAX_ELEMENTS:,} data elements.")
        group, number, length = read_long(buffer, position)
        tag = group << 16 | number
        position += 8
        if level.holds_items:
            if tag == ITEM:
                if level.is_opaque:
                    position += length
                else:
                    limit = -1 if length == UNDEFINED else position + length
                    levels.append(_Level(limit, False, False, level.is_explicit))
            elif tag == SEQUENCE_END:
                depth -= 1
                levels.pop()
            elif level.limit < 0 and tag != ITEM_END:
                raise _damaged("A sequence holds something that is not an item.")
            continue
        if tag in (ITEM_END, SEQUENCE_END):
            if len(levels) > 1:
                levels.pop()
                if tag == SEQUENCE_END and levels[-1].holds_items:
                    depth -= 1
                    levels.pop()
                continue
            position = element  # a stray delimiter at the top: the data set ends here, as toolkits see it
            break
        vr = b""
        if level.is_explicit:
            _, _, vr, short = read_short(buffer, element)
            if vr in LONG_VRS:
                if position + 4 > end:
                    break
                length = read_length(buffer, position)[0]
                position += 4
            elif b"AA" <= vr <= b"ZZ":
                length = short
            else:
                vr = b""  # written without a VR in the middle of an explicit data set
        if tag in PIXEL_TAGS and len(levels) == 1:
            pixel = PixelElement(
                tag=tag,
                vr=vr.decode("ascii"),
                start=element,
                value=position,
                length=None if length == UNDEFINED else length,
            )
            return Walk(pixel=pixel, end=element, depth=deepest, elements=elements, is_cut=False)
        is_sequence = vr == b"SQ" or (
            (vr in (b"", b"UN")) and (length == UNDEFINED or (tag in _SEQUENCE_TAGS and length >= 8))
        )
        if is_sequence and length != 0:
            depth += 1
            deepest = max(deepest, depth)
            if depth > MAX_DEPTH:
                raise _too_complex(f"Its sequences are nested more than {MAX_DEPTH} deep.")
            if length != UNDEFINED and position + length > end:
                position = element
                break
            explicit = level.is_explicit and vr == b"SQ"
            if vr == b"UN" and length == UNDEFINED and level.is_explicit:
                explicit = _looks_explicit(buffer, position)
            limit = -1 if length == UNDEFINED else position + length
            levels.append(_Level(limit, True, False, explicit))
        elif length == UNDEFINED:
            depth += 1
            levels.append(_Level(-1, True, True, level.is_explicit))
        else:
            position += length
            if position > end:
                position = element
                break
    return Walk(pixel=None, end=min(position, end), depth=deepest, elements=elements, is_cut=position < end)


def _looks_explicit(buffer: Buffer, position: int) -> bool:
    """Whether the first element of the first item has a VR; UN sequences should have none, and often do."""
    return bytes(buffer[position + 12 : position + 14]) in KNOWN_VRS


def _too_complex(reason: str) -> UserError:
    return UserError(
        "The file is built in a way that no radiograph needs.",
        reason=reason,
        remedy="Export the image again from where it came from.",
        kind="too-complex",
    )


def _damaged(reason: str) -> UserError:
    return UserError(
        "The file is damaged.", reason=reason, remedy="Copy it again from where it came from.", kind="damaged"
    )
