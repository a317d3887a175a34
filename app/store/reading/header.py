"""A few attributes of very many files: a parser that does nothing else (`performance.md` §2c).

It knows the plain case: explicit little endian, ascending tags, sequences of defined length, simple character
sets. On anything else it gives up, and pydicom reads the file. Its values equal pydicom's, as stripped text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from struct import Struct

from pydicom.datadict import keyword_for_tag, tag_for_keyword

from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.buffers import Buffer
from app.store.reading.elements import whole_text

HEAD_BYTES = 16 * 1024

_PREFIXED_START = 132
_UNDEFINED = 0xFFFFFFFF
_CHARSET = 0x00080005
_SYNTAX = 0x00020010
# Every compressed syntax is explicit little endian as well; a deflated data set is not readable as it is.
_EXPLICIT_LITTLE = frozenset(name.encode() for name in syntaxes.READABLE - syntaxes.NATIVE | {syntaxes.EXPLICIT_LITTLE})
_ENCODINGS = {b"": "ascii", b"ISO_IR 6": "ascii", b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8"}
_read_element = Struct("<IHH").unpack_from
_read_length = Struct("<I").unpack_from


def _vr(letters: str) -> int:
    return int.from_bytes(letters.encode(), "little")


_LONG = frozenset(_vr(name) for name in ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
_SHORT = frozenset(
    _vr(name)
    for name in ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST")
) | frozenset(_vr(name) for name in ("TM", "UI", "UL", "US"))
_TEXT = frozenset(_vr(name) for name in ("AE", "AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UI"))
_WORD = _vr("US")


class HeaderScanner:
    """Reads the same attributes from many files.

    Args:
        keywords: attributes of group 0008 and above whose values are text (not DS or IS, which pydicom rewrites) or
            unsigned 16-bit numbers.
    """

    def __init__(self, keywords: Iterable[str]) -> None:
        self._names: dict[int, str] = {}
        tags = []
        for keyword in keywords:
            tag = tag_for_keyword(keyword)
            if tag is None or tag >> 16 < 0x0008:
                raise ValueError(f"{keyword} cannot be scanned for")
            tags.append(tag)
            self._names[_swap(tag)] = keyword_for_tag(tag)
        self._last_group = max(tag >> 16 for tag in tags)
        self._wanted = frozenset(self._names) | {_swap(_CHARSET)}

    def scan_file(self, path: Path | str) -> dict[str, str]:
        """The attributes of one DICOM file, as pydicom's text; absent and empty ones are empty.

        Raises:
            UserError: pydicom cannot read it either.
        """
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            head = os.read(handle, HEAD_BYTES)
        finally:
            os.close(handle)
        found = self.scan(head, is_whole=len(head) < HEAD_BYTES)
        return self._scan_slowly(Path(path)) if found is None else found

    def scan(self, data: bytes, *, is_whole: bool = False) -> dict[str, str] | None:
        """The attributes in the first bytes of a file, or None when this parser does not know how.

        Args:
            data: the beginning of the file.
            is_whole: whether that is all of it.
        """
        if data[128:132] != b"DICM":
            return None
        start, syntax = _read_meta(data)
        if syntax not in _EXPLICIT_LITTLE:
            return None
        raw = self._walk_explicit(data, start, is_whole=is_whole)
        return None if raw is None else self._texts(raw)

    def _walk_explicit(self, data: bytes, position: int, *, is_whole: bool) -> dict[int, tuple[int, bytes]] | None:
        """The wanted elements: swapped tag -> VR and bytes. None for anything out of the ordinary."""
        found: dict[int, tuple[int, bytes]] = {}
        wanted, last_group = self._wanted, self._last_group
        long_vrs, short_vrs = _LONG, _SHORT
        read_element, read_length = _read_element, _read_length
        limit = len(data) - 12
        group = 0
        while position <= limit:
            tag, vr, length = read_element(data, position)
            if tag & 0xFFFF != group:
                if tag & 0xFFFF < group:
                    return None  # not in ascending order
                group = tag & 0xFFFF
                if group > last_group:
                    return found
            if vr in short_vrs:
                value = position + 8
            elif vr in long_vrs:
                length = read_length(data, position + 8)[0]
                if length == _UNDEFINED:
                    return None
                value = position + 12
            else:
                return None
            position = value + length
            if tag in wanted:
                if tag in found:
                    return None
                found[tag] = (vr, data[value:position])
        if position > len(data) or not is_whole:
            return None  # the wanted part goes on behind what was read
        return found if position == len(data) else None

    def _texts(self, raw: dict[int, tuple[int, bytes]]) -> dict[str, str] | None:
        charset = raw.get(_swap(_CHARSET), (0, b""))[1].strip(b" \0")
        encoding = _ENCODINGS.get(charset)
        if encoding is None:
            return None
        texts = {}
        for tag, name in self._names.items():
            vr, value = raw.get(tag, (0, b""))
            if not value:
                texts[name] = ""
            elif vr in _TEXT:
                try:
                    text = value.decode(encoding)
                except UnicodeDecodeError:
                    return None
                if "\\" in text:
                    text = "\\".join(part.strip(" \0") for part in text.split("\\"))
                texts[name] = text.strip(" \0")
                if not texts[name].isprintable():
                    return None
            elif vr == _WORD and len(value) == 2:
                texts[name] = str(value[0] | value[1] << 8)
            else:
                return None
        return texts

    def _scan_slowly(self, path: Path) -> dict[str, str]:
        """The same through pydicom."""
        import warnings

        import pydicom

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            except Exception as error:
                raise UserError("The file is damaged.", reason="Its header cannot be read.", kind="damaged") from error
            return {name: whole_text(dataset, name) for name in self._names.values()}


def _swap(tag: int) -> int:
    """A tag as its four bytes read as one little-endian number: element above group."""
    return (tag & 0xFFFF) << 16 | tag >> 16


def _read_meta(data: Buffer) -> tuple[int, bytes]:
    """Offset behind the file meta information and the transfer syntax; an empty syntax when anything is odd."""
    position = _PREFIXED_START
    syntax = b""
    limit = min(len(data) - 12, 4096)
    while position <= limit:
        tag, vr, length = _read_element(data, position)
        if tag & 0xFFFF != 0x0002:
            return position, syntax
        value = position + 8
        if vr in _LONG:
            length = _read_length(data, value)[0]
            value += 4
        elif vr not in _SHORT:
            break
        position = value + length
        if tag == _swap(_SYNTAX):
            syntax = bytes(data[value:position]).rstrip(b"\0 ")
    return position, b""
