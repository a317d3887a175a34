"""Exports that are disturbed at any step: failing file systems, and processes that are killed.

python -m tests.support.export_faults PROJECT OUT STEP     kills itself with SIGKILL before the STEP-th operation
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, SplitRequest
from app.store.exchange.plan import plan_export
from app.store.exchange.write import ExportReport, write_export
from app.store.fs import DISK, Chunk
from app.store.project import ProjectStore

EVERYTHING = ExportRequest(
    contents=frozenset(Content) - {Content.FINDINGS, Content.HEATMAPS},
    formats=frozenset({ExportFormat.TABLES, ExportFormat.PNG, ExportFormat.IMAGE_FOLDER, ExportFormat.COCO,
                       ExportFormat.COXA}),
    split=SplitRequest(kind=SplitKind.SEED, seed=3, shares=(0.6, 0.2, 0.2)),
)  # fmt: skip


class DisturbedFileSystem:
    """The real file system; before the given operation something happens, and a write is half done.

    Args:
        step: number of the operation, from 1; 0 = never.
        disturb: what happens.
    """

    def __init__(self, step: int, disturb: Callable[[], None]) -> None:
        self.count = 0
        self.log: list[tuple[str, Path]] = []
        self._step = step
        self._disturb = disturb

    def write(self, path: Path, chunks: Iterable[Chunk], *, mode: int) -> None:
        """See `FileSystem`."""
        if self._is_due("write", path):
            data = b"".join(bytes(chunk) for chunk in chunks)
            DISK.write(path, [data[: len(data) // 2]], mode=mode)
            self._disturb()
        DISK.write(path, chunks, mode=mode)

    def sync(self, path: Path) -> None:
        """See `FileSystem`."""
        if self._is_due("sync", path):
            self._disturb()

    def replace(self, source: Path, target: Path) -> None:
        """See `FileSystem`."""
        if self._is_due("replace", source):
            self._disturb()
        DISK.replace(source, target)

    def sync_folder(self, path: Path) -> None:
        """See `FileSystem`."""
        if self._is_due("sync-folder", path):
            self._disturb()

    def remove(self, path: Path) -> None:
        """See `FileSystem`."""
        DISK.remove(path)

    def make_folder(self, path: Path) -> None:
        """See `FileSystem`."""
        if not path.is_dir() and self._is_due("make-folder", path):
            self._disturb()
        DISK.make_folder(path)

    def _is_due(self, what: str, path: Path) -> bool:
        self.count += 1
        self.log.append((what, path))
        return self.count == self._step


def no_space() -> None:
    """What a full disk answers."""
    raise OSError(errno.ENOSPC, "No space left on device")


def kill() -> None:
    """The end, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def export(path: Path, out: Path, fs: DisturbedFileSystem, request: ExportRequest = EVERYTHING) -> ExportReport:
    """One export with one worker, so that the order of operations is always the same."""
    with ProjectStore.open(path, is_read_only=True) as project:
        return write_export(project, plan_export(project, request), out, fs=fs, workers=1)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]), DisturbedFileSystem(int(sys.argv[3]), kill))
