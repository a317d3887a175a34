"""One writer a project: the window or the command line, never two.

The lock itself is the operating system's (flock / LockFile through `filelock`), so it ends with the process that holds
it, however that ends. Who holds it is written beside it, for people only.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from app.core.errors import UserError
from app.store.folder import ProjectFolder, cannot_write
from app.store.fs import PRIVATE_FILE, atomic_write

PATIENCE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a project, as far as it is known.

    Args:
        pid: process number.
        host: name of the computer.
        user: account name.
        since: time in UTC, ISO 8601.
    """

    pid: int
    host: str
    user: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


class ProjectLock:
    """Exclusive right to write one project.

    Args:
        folder: the project folder.
    """

    def __init__(self, folder: ProjectFolder) -> None:
        self._folder = folder
        self._lock = FileLock(folder.lock_file, mode=PRIVATE_FILE, thread_local=False)
        self.was_unclean = False
        """Whether the writer before this one ended without closing the project."""

    def acquire(self) -> None:
        """Take the lock; gives up after a fifth of a second.

        Raises:
            UserError: `locked`, naming the holder; `unwritable-folder`.
        """
        try:
            # a moment's patience: `is_locked` holds the lock for an instant when it looks
            self._lock.acquire(timeout=PATIENCE_S, poll_interval=PATIENCE_S / 10)
        except Timeout:
            raise locked(read_holder(self._folder.holder_file)) from None
        except OSError as error:
            raise cannot_write(error) from None
        try:
            self.was_unclean = self._folder.holder_file.exists()
            holder = Holder(
                pid=os.getpid(),
                host=socket.gethostname(),
                user=_user(),
                since=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            text = json.dumps({name: getattr(holder, name) for name in ("pid", "host", "user", "since")})
            atomic_write(self._folder.holder_file, [text.encode()])
        except OSError as error:
            self._lock.release()
            raise cannot_write(error) from None

    def release(self, *, is_clean: bool = True) -> None:
        """Give the lock back; an unclean end leaves the holder file as a flag for the next writer."""
        if is_clean:
            with contextlib.suppress(OSError):
                self._folder.holder_file.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release(is_clean=error is None)


def is_locked(folder: ProjectFolder) -> bool:
    """Whether a living process holds the project now."""
    return is_held(folder.lock_file)


def is_held(lock_file: Path) -> bool:
    """Whether a living process holds a lock now; not if there is no such file, or it cannot be asked."""
    if not lock_file.exists():
        return False
    lock = FileLock(lock_file, mode=PRIVATE_FILE, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def read_holder(path: Path) -> Holder | None:
    """Who wrote the holder file; None when it is absent or unreadable. Says nothing about the lock itself."""
    try:
        parts: Any = json.loads(path.read_text(encoding="utf-8"))
        return Holder(
            pid=int(parts["pid"]), host=str(parts["host"]), user=str(parts["user"]), since=str(parts["since"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def locked(holder: Holder | None) -> UserError:
    """The sentence for a project that somebody else is writing."""
    return UserError(
        "The project is open elsewhere.",
        reason=f"It is held by {holder}." if holder else "Another process is writing it.",
        remedy="Close it there first, or open it read-only here.",
        kind="locked",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
