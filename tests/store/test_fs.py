"""Atomic writes."""

from __future__ import annotations

import errno
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.store.fs import Chunk, DiskFileSystem, atomic_write, is_temporary, temporary_path


class FailingFileSystem(DiskFileSystem):
    """Fails at the n-th operation."""

    def __init__(self, at: int) -> None:
        self.left = at

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, path: Path, chunks: Iterable[Chunk], *, mode: int = 0o600) -> None:
        super().write(path, [b"half"], mode=mode)
        self._count()
        path.unlink()
        super().write(path, chunks, mode=mode)

    def sync(self, path: Path) -> None:
        self._count()
        super().sync(path)

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self._count()
        super().sync_folder(path)


def test_writes_replaces_and_keeps_rights(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "file"
    atomic_write(target, [b"one", memoryview(b"two")])
    atomic_write(target, [b"three"], mode=0o400)
    assert target.read_bytes() == b"three"
    assert [file.name for file in target.parent.iterdir()] == ["file"]
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o400
        assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, at: int) -> None:
    target = tmp_path / "file"
    atomic_write(target, [b"old"])
    with pytest.raises(OSError, match="No space"):
        atomic_write(target, [b"new content"], fs=FailingFileSystem(at))
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_temporary_names() -> None:
    first, second = (temporary_path(Path("/x/file")) for _ in range(2))
    assert first != second
    assert first.parent == Path("/x")
    assert is_temporary(first)
    assert not is_temporary(Path("/x/file.part"))
