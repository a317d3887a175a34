"""A folder that a run can go on in: what it holds is written down first, one run works in it at a time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from app.core.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFolder:
    """Where a series of studies or pairs is written, each under its final name only when it is whole.

    Args:
        path: the folder; it may not exist yet.
        stamp: name of the file that says what the folder holds.
        what: of what, in the plural, for messages: `synthetic hips`.
    """

    path: Path
    stamp: str
    what: str

    def check(self) -> None:
        """Refuse a folder that holds something else; nothing is written.

        Raises:
            UserError: it exists, is not empty and has no stamp, or is no folder.
        """
        is_ours = (self.path / self.stamp).exists()
        if not is_ours and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UserError(
                "This folder is in use.",
                reason=f"It exists and is not a series of {self.what}.",
                remedy="Choose an empty or a new folder with --out.",
                kind="folder-in-use",
            )

    def open(self, wanted: Mapping[str, Any]) -> None:
        """Start the folder, or make sure that the one there holds the same series.

        Args:
            wanted: plain values; two series are the same exactly when these are equal.

        Raises:
            UserError: it holds something else, or cannot be written to.
        """
        self.check()
        text = json.dumps(wanted, indent=1, sort_keys=True) + "\n"
        stamp = self.path / self.stamp
        if stamp.exists():
            try:
                found = json.loads(stamp.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                found = None
            if found != json.loads(text):
                raise UserError(
                    f"This folder holds another series of {self.what}.",
                    reason="Its settings, its input or its generator were others; two series in one folder cannot be "
                    "told apart.",
                    remedy="Choose another folder with --out, or use the settings that the folder was made with.",
                    kind="other-series",
                )
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_whole(stamp, text)
        except OSError as error:
            raise UserError(
                "The folder cannot be written to.",
                reason=f"The system says: {error.strerror}.",
                remedy="Choose another folder with --out.",
                kind="not-writable",
            ) from error

    @contextlib.contextmanager
    def alone(self, *, partial: str) -> Iterator[None]:
        """Keep a second run out of the folder; nothing unfinished is left, neither of a run before nor of this one.

        Args:
            partial: pattern of the names of what is unfinished.

        Raises:
            UserError: another run works in it.
        """
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise UserError(
                "Another run is working in this folder.",
                reason="Two runs would make the same studies.",
                remedy="Wait until it ends, or choose another folder with --out.",
                kind="folder-in-use",
            ) from error
        try:
            self._remove(partial)
            yield
        finally:
            self._remove(partial)
            lock.release()

    def _remove(self, pattern: str) -> None:
        for left in self.path.glob(pattern):
            shutil.rmtree(left, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it is there whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
