"""Compressed pixel data: from items to the code stream of one frame (PS3.5 A.4).

Items are followed by their lengths, never searched for, so a delimiter inside a code stream cannot mislead.
"""

from __future__ import annotations

from struct import Struct

from app.store.reading.buffers import Buffer
from app.store.reading.nesting import ITEM, SEQUENCE_END, PixelElement

MAX_FRAGMENTS = 200_000
_LONG = Struct("<HHL").unpack_from


def find_fragments(buffer: Buffer, pixel: PixelElement) -> tuple[list[tuple[int, int]], bool]:
    """Offset and length of every item, the offset table first.

    Returns:
        the items, and whether the data end before they should.
    """
    end = len(buffer) if pixel.length is None else min(len(buffer), pixel.value + pixel.length)
    items: list[tuple[int, int]] = []
    position = pixel.value
    while position + 8 <= end and len(items) < MAX_FRAGMENTS:
        group, number, length = _LONG(buffer, position)
        tag = group << 16 | number
        position += 8
        if tag == SEQUENCE_END:
            return items, False
        if tag != ITEM:
            return items, True
        if position + length > end:
            if position < end:
                items.append((position, end - position))
            return items, True
        items.append((position, length))
        position += length
    return items, pixel.length is None


def frame_codestream(buffer: Buffer, items: list[tuple[int, int]], index: int, frame_count: int) -> bytes | None:
    """The compressed bytes of one frame, or None when it is not there."""
    found = frame_fragments(buffer, items, index, frame_count)
    return b"".join(bytes(buffer[start : start + length]) for start, length in found) if found else None


def frame_fragments(
    buffer: Buffer, items: list[tuple[int, int]], index: int, frame_count: int
) -> list[tuple[int, int]]:
    """Offset and length of the fragments of one frame; none when it is not there."""
    if not items:
        return []
    fragments = items[1:]
    if not fragments and items[0][1] > 0 and frame_count == 1:
        fragments = items  # no offset table was written
    groups = _group_by_frame(buffer, items[0], fragments, frame_count)
    return groups[index] if 0 <= index < len(groups) else []


def _group_by_frame(
    buffer: Buffer, table: tuple[int, int], fragments: list[tuple[int, int]], frame_count: int
) -> list[list[tuple[int, int]]]:
    """Which fragments belong to which frame."""
    if frame_count <= 1:
        return [fragments]
    if len(fragments) == frame_count:
        return [[fragment] for fragment in fragments]
    start, length = table
    if length == 4 * frame_count and fragments:
        raw = bytes(buffer[start : start + length])
        offsets = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, length, 4)]
        first = fragments[0][0] - 8
        frames: list[list[tuple[int, int]]] = [[] for _ in offsets]
        for fragment in fragments:
            frame = sum(offset <= fragment[0] - 8 - first for offset in offsets) - 1
            frames[max(frame, 0)].append(fragment)
        if all(frames):
            return frames
    frames = []
    for fragment in fragments:
        head = bytes(buffer[fragment[0] : fragment[0] + 4])
        if head.startswith((b"\xff\xd8", b"\xff\x4f\xff\x51")) or not frames:
            frames.append([])
        frames[-1].append(fragment)
    return frames if len(frames) == frame_count else [[fragment] for fragment in fragments]
