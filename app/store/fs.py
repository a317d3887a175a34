"""The few file operations that must survive a power cut.

Everything that makes a file appear under its final name goes through a `FileSystem`, so that tests can record each
operation and replay every possible power cut (`imaging.md` §6).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeAlias

Chunk: TypeAlias = bytes | bytearray | memoryview

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
TEMPORARY_SUFFIX = ".part"


class FileSystem(Protocol):
    """What atomic writes need from a file system."""

    def write(self, path: Path, chunks: Iterable[Chunk], *, mode: int) -> None:
        """Create `path` (it must not exist) with the given content and rights."""

    def sync(self, path: Path) -> None:
        """Make the content of a file durable."""

    def replace(self, source: Path, target: Path) -> None:
        """Rename, replacing `target` if it exists."""

    def sync_folder(self, path: Path) -> None:
        """Make names in a folder durable."""

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""

    def make_folder(self, path: Path) -> None:
        """Create a folder that only its owner can read, with its parents; fine if it is there."""


class DiskFileSystem:
    """The real file system."""

    def write(self, path: Path, chunks: Iterable[Chunk], *, mode: int = PRIVATE_FILE) -> None:
        """Create `path` (it must not exist) with the given content and rights."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, mode), "wb", buffering=0) as file:
            for chunk in chunks:
                rest = memoryview(chunk).cast("B")
                while rest:
                    rest = rest[file.write(rest) or 0 :]

    def sync(self, path: Path) -> None:
        """Make the content of a file durable."""
        # Windows flushes only what is open for writing; elsewhere a read-only file can be synced too
        descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
        try:
            if sys.platform == "darwin":  # there fsync() stops at the drive's own cache
                import fcntl

                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            else:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, replacing `target` if it exists."""
        source.replace(target)

    def sync_folder(self, path: Path) -> None:
        """Make names in a folder durable. Windows has no such call; NTFS journals its names."""
        if sys.platform == "win32":
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """Create a folder that only its owner can read, with its parents; fine if it is there."""
        if path.is_dir():
            return
        self.make_folder(path.parent)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=PRIVATE_FOLDER)
            self.sync_folder(path.parent)


DISK = DiskFileSystem()


def temporary_path(target: Path) -> Path:
    """A name in the same folder that no finished file ever has."""
    return target.parent / f".{target.name}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}"


def is_temporary(path: Path) -> bool:
    """Whether a file is the unfinished leftover of an interrupted write."""
    return path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX)


def atomic_write(target: Path, chunks: Iterable[Chunk], *, mode: int = PRIVATE_FILE, fs: FileSystem = DISK) -> None:
    """Write a file so that its final name only ever shows the whole old or the whole new content.

    Temporary file in the same folder → sync → rename → sync the folder. When this returns, the file is durable.

    Args:
        target: final path; its folder is made when missing.
        chunks: the content, in pieces.
        mode: access rights of the file.
        fs: the file system, replaced in power-cut tests.

    Raises:
        OSError: the disk is full or cannot be written; nothing is left behind under either name.
    """
    fs.make_folder(target.parent)
    temporary = temporary_path(target)
    try:
        fs.write(temporary, chunks, mode=mode)
        fs.sync(temporary)
        fs.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            fs.remove(temporary)
        raise
    fs.sync_folder(target.parent)
