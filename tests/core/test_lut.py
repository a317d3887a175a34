"""LUT descriptors and data, as the standard has them and as they are met."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.lut import lut_from_descriptor


@given(
    entries=st.lists(st.integers(0, 65535), min_size=1, max_size=70),
    first=st.integers(-32768, 32767),
    is_little_endian=st.booleans(),
)
def test_words_and_bytes_say_the_same(entries: list[int], first: int, is_little_endian: bool) -> None:
    data = np.array(entries, "<u2" if is_little_endian else ">u2").tobytes()
    from_words = lut_from_descriptor((len(entries), first, 16), entries, True)
    from_bytes = lut_from_descriptor((len(entries), first, 16), data, True, is_little_endian=is_little_endian)
    assert from_words == from_bytes
    assert from_words.entries == tuple(entries)
    assert from_words.first == first


@given(entries=st.lists(st.integers(0, 255), min_size=2, max_size=70))
def test_packed_bytes(entries: list[int]) -> None:
    """Two 8-bit entries a word, padded to an even length; and one a word."""
    padded = bytes(entries) + b"\0" * (len(entries) % 2)
    descriptor = (len(entries), 0, 8)
    as_words = np.frombuffer(padded, "<u2").tolist()
    assert lut_from_descriptor(descriptor, padded, False).entries == tuple(entries)
    assert lut_from_descriptor(descriptor, as_words, False).entries == tuple(entries)
    swapped = np.frombuffer(padded, "<u2").astype(">u2").tobytes()
    assert lut_from_descriptor(descriptor, swapped, False, is_little_endian=False).entries == tuple(entries)
    assert lut_from_descriptor(descriptor, entries, False).entries == tuple(entries)


def test_zero_entries_stand_for_65536() -> None:
    assert len(lut_from_descriptor((0, 0, 16), bytes(131072), False).entries) == 65536
    assert len(lut_from_descriptor((65536, 0, 16), bytes(131072), False).entries) == 65536


@pytest.mark.parametrize(("is_signed", "first"), [(True, -1024), (False, 64512)])
def test_first_value_is_read_by_the_sign_of_the_input(is_signed: bool, first: int) -> None:
    assert lut_from_descriptor((2, 64512, 12), [0, 4095], is_signed).first == first
    assert lut_from_descriptor((2, -1024, 12), [0, 4095], is_signed).first == -1024


@pytest.mark.parametrize(
    ("bits", "entries", "depth"), [(8, [0, 255], 8), (8, [0, 4095], 12), (12, [0, 4095], 12), (5, [0, 31], 8)]
)
def test_depth_holds_every_entry(bits: int, entries: list[int], depth: int) -> None:
    assert lut_from_descriptor((2, 0, bits), entries, False).bits == depth


def test_a_short_table_is_taken_as_far_as_it_goes() -> None:
    assert lut_from_descriptor((10, 0, 16), [1, 2, 3], False).entries == (1, 2, 3)
    assert lut_from_descriptor((2, 0, 16), [1, 2, 3], False).entries == (1, 2)


@pytest.mark.parametrize(
    ("descriptor", "data"),
    [((2, 0), [0, 1]), ((2, 0, 0), [0, 1]), ((2, 0, 17), [0, 1]), ((2, 0, 16), []), ((2, 0, 16), b"")],
)
def test_nonsense_is_refused(descriptor: tuple[int, ...], data: bytes | list[int]) -> None:
    with pytest.raises(ValueError, match="LUT"):
        lut_from_descriptor(descriptor, data, False)
