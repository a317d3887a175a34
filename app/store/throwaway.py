"""SQLite files that can be made again: when one is damaged it is thrown away."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def is_worth_keeping(error: Exception) -> bool:
    """Whether a file is only busy, or the disk is full, after an error that SQLite gave."""
    return isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error)


def delete_database(path: Path) -> None:
    """Delete a file, if it is there, and what SQLite has put beside it.

    Raises:
        OSError: it cannot be deleted.
    """
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
