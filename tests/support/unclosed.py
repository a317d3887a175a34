"""Databases that nobody closed, on every Python: since 3.13 it warns by itself, and warnings are errors here."""

from __future__ import annotations

import sqlite3
import sys
import warnings
from types import FrameType
from typing import Any, Protocol, TypeVar

FRAMES = 12
_connect = sqlite3.connect


class Closable(Protocol):
    """What has to be closed."""

    def close(self) -> None: ...


ClosableT = TypeVar("ClosableT", bound=Closable)


class Closing(Protocol):
    """Gives back what it is given, and closes it after the test."""

    def __call__(self, thing: ClosableT) -> ClosableT: ...


class _Watched(sqlite3.Connection):
    """A connection that remembers where it was made, and warns as those of Python 3.13 do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_closed = False
        self.made_at: list[str] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and len(self.made_at) < FRAMES:
            self.made_at.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            frame = frame.f_back

    def close(self) -> None:
        """Close it."""
        super().close()
        self.is_closed = True

    def __del__(self) -> None:
        if not getattr(self, "is_closed", True):
            warnings.warn(f"unclosed database, made at {' < '.join(self.made_at)}", ResourceWarning, stacklevel=1)


def watch_connections() -> None:
    """Let every database that is dropped without being closed warn, and say where it was opened."""

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        kwargs.setdefault("factory", _Watched)
        return _connect(*args, **kwargs)

    sqlite3.connect = connect  # type: ignore[assignment]  # the overloads of the real one
