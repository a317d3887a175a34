"""Second copy of the head of the event chain, outside the database.

If the end of the database is lost as a whole (a deleted write-ahead log, an old copy put in its place), everything
that is left still agrees with itself. This file does not: it knows how far the chain had come.

Two slots are written in turn after every commit, without waiting for the disk: the file may lag behind the database
after a power cut but is never ahead of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from app.core.record import record
from app.store.fs import DISK, FileSystem, atomic_write

SLOT_SIZE = 256


@record(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of an event chain.

    Args:
        event_id: number of the last event.
        event_hash: its row hash, 32 bytes.
    """

    event_id: int
    event_hash: bytes


def read_head(path: Path) -> Head | None:
    """The newest intact slot; None when the file is absent or holds none."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    heads = [_decode(content[start : start + SLOT_SIZE]) for start in (0, SLOT_SIZE)]
    return max((head for head in heads if head is not None), key=lambda head: head.event_id, default=None)


def reset_head(path: Path, head: Head, *, fs: FileSystem = DISK) -> None:
    """Start the file anew, durably; for a new or a restored project."""
    atomic_write(path, [_encode(head) * 2], fs=fs)


class HeadFile:
    """The open head file of the one writer."""

    def __init__(self, path: Path, head: Head) -> None:
        known = read_head(path)
        if known is None or known.event_id < head.event_id:
            reset_head(path, head)
        self._descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self._slot = 0
        self._last = head

    def write(self, head: Head) -> None:
        """Note the head of a commit that is already durable.

        A failure is not passed on: the commit stands, and a note that lags behind is allowed for.
        """
        if head == self._last:
            return
        with contextlib.suppress(OSError):
            os.lseek(self._descriptor, self._slot * SLOT_SIZE, os.SEEK_SET)
            os.write(self._descriptor, _encode(head))
        self._slot = 1 - self._slot
        self._last = head

    def close(self) -> None:
        """Make the file durable and close it."""
        with contextlib.suppress(OSError):
            os.fsync(self._descriptor)
            os.close(self._descriptor)


def _encode(head: Head) -> bytes:
    text = f"{head.event_id} {head.event_hash.hex()}"
    check = hashlib.sha256(text.encode("ascii")).hexdigest()
    return f"{text} {check}".encode("ascii").ljust(SLOT_SIZE - 1) + b"\n"


def _decode(slot: bytes) -> Head | None:
    try:
        number, digest, check = slot.decode("ascii").split()
        if hashlib.sha256(f"{number} {digest}".encode("ascii")).hexdigest() != check:
            return None
        return Head(event_id=int(number), event_hash=bytes.fromhex(digest))
    except ValueError:
        return None
