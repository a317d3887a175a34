"""Look-up tables of DICOM objects: unpacking their three-number descriptor and their data (PS3.3 C.11.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.core.grey import Lut

MAX_ENTRIES = 65536
MAX_BITS = 16
MIN_BITS = 8


def lut_from_descriptor(
    descriptor: Sequence[int],
    data: bytes | Sequence[int],
    is_signed: bool,
    *,
    name: str = "",
    is_little_endian: bool = True,
) -> Lut:
    """Unpack a Modality, VOI or Presentation LUT (PS3.3 C.11.1.1.1, C.11.2.1.1, C.11.4).

    Tolerates what is met in the field: 8-bit entries packed two to a word or spread one to a word, 10- and 12-bit
    depths, entries that need more bits than the descriptor says, and a table shorter than announced.

    Args:
        descriptor: number of entries (0 stands for 65536), first input value mapped, bits of an entry. The first
            value may come as unsigned 16-bit although it is signed.
        data: LUT Data as words (0 … 65535, negative words are taken modulo 65536), or its bytes.
        is_signed: whether the *input* of this table is signed: the stored values for a Modality LUT, the modality
            values for a VOI LUT, False for a Presentation LUT.
        name: LUT Explanation.
        is_little_endian: byte order of `data` when it is bytes.

    Returns:
        The table, with entries as unsigned values and a depth that holds all of them.

    Raises:
        ValueError: the descriptor is malformed, the depth is above 16 bits, or there are no data.
    """
    if len(descriptor) != 3:
        raise ValueError(f"a LUT descriptor has three values, not {len(descriptor)}")
    count, first, bits = (int(value) for value in descriptor)
    count = count & 0xFFFF or MAX_ENTRIES
    if not 1 <= bits <= MAX_BITS:
        raise ValueError(f"a LUT entry has 8 to 16 bits, not {bits}")
    first = _as_signed(first) if is_signed else first & 0xFFFF if first >= 0 else first
    entries = _unpack(data, count, is_little_endian)
    if entries.size == 0:
        raise ValueError("the LUT holds no data")
    needed = int(entries.max()).bit_length()
    return Lut(first=first, entries=tuple(entries.tolist()), bits=max(bits, needed, MIN_BITS), name=name)


def _as_signed(value: int) -> int:
    """The two's complement reading of a 16-bit word."""
    value &= 0xFFFF
    return value - 0x10000 if value & 0x8000 else value


def _unpack(data: bytes | Sequence[int], count: int, is_little_endian: bool) -> npt.NDArray[np.uint16]:
    """The first `count` entries; the length of the data, not the depth, tells whether bytes are packed."""
    if isinstance(data, bytes | bytearray | memoryview):
        order = "<u2" if is_little_endian else ">u2"
        words = np.frombuffer(bytes(data) + b"\0" * (len(data) % 2), order).astype(np.uint16)
    else:
        words = np.asarray([int(word) & 0xFFFF for word in data], np.uint16)
    # One entry a byte fills half as many words; the lower byte of a word comes first (PS3.5 8.1.1).
    if count > 1 and words.size == (count + 1) // 2:
        return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16)
    return words[:count]
