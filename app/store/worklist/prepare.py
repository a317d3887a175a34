"""Making the worklist's index in another thread, where that takes so long that a person would notice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from app.store.database import Database
from app.store.folder import ProjectFolder
from app.store.worklist.index_file import FILE_NAME, LAYOUT, SQLITE_ERRORS, IndexFile

MANY_CASES = 3000  # fewer are read while nobody notices
MANY_EVENTS = 20_000  # fewer are caught up with while nobody notices


def takes_long(database: Database, cache: Path) -> bool:
    """Whether the first question to the worklist would take a noticeable time."""
    if int(database.value('SELECT count(*) FROM "case"')) < MANY_CASES:
        return False
    known = _head(cache / FILE_NAME)
    if known is None or database.value("SELECT row_hash FROM event WHERE id = ?", (known[0],)) != known[1]:
        return True
    return int(database.value("SELECT ifnull(max(id), 0) FROM event")) - known[0] > MANY_EVENTS


def prepare_index(folder: ProjectFolder, *, is_writable: bool, note: Callable[[int, int], None]) -> IndexFile:
    """The index of a project, up to date, made with a connection of its own; for `ProjectStore.use_index`.

    Args:
        folder: the project.
        is_writable: whether the index may be kept in the project.
        note: called with cases done and cases in all; what it raises ends the work.

    Raises:
        UserError: the project cannot be read.
    """
    with closing(Database.open_reader(folder.database)) as database:
        index = IndexFile(database, folder.cache, is_writable=is_writable, on_build=note)
        try:
            index.catch_up()
        except BaseException:
            index.close()
            raise
    return index


def _head(path: Path) -> tuple[int, bytes] | None:
    """Up to where an index goes; None when there is none that can be used."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=0.2)) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                return None
            found = connection.execute("SELECT event_id, event_hash FROM head").fetchone()
    except SQLITE_ERRORS:
        return None
    return None if found is None else (int(found[0]), bytes(found[1]))
