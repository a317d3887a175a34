"""sqlite-utils without pandas, which it imports where it is installed: that takes longer than the window's start."""

from __future__ import annotations

from app.core.imports import without

with without("pandas"):
    from sqlite_utils import Database as SqliteUtils
    from sqlite_utils import Migrations as Migrations

__all__ = ["Migrations", "SqliteUtils"]
