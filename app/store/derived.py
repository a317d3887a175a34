"""What was computed from images and can be computed again: automatic windows, thumbnails.

One SQLite file, `cache/derived.db`, safe to delete at any time. An entry is found by its kind (which names the version
of the algorithm, `windows/1`) and a key made of everything else that it depends on, so no entry is ever out of date:
when something changes, the key does. Every entry carries a checksum; what is damaged, missing or locked away is
computed anew, and nothing here ever fails a caller.

Nothing waits for the disk: entries survive the end of the process, and need not survive a power cut. Small values that
the file does not take (another window writes, the disk is full) are found again by this process: who asks for a value
until it is there would ask for ever.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from app.store.fs import PRIVATE_FILE, PRIVATE_FOLDER
from app.store.throwaway import delete_database, is_worth_keeping

LOG = logging.getLogger(__name__)
FILE_NAME = "derived.db"
LIMIT_BYTES = 2 << 30
FREED_SHARE = 0.2  # of what is there, when the limit is reached, so that not every new entry evicts an old one
CHECK_EVERY_SHARE = 0.05  # of the limit that is added between two looks at the size
HELD_ENTRY_BYTES = 4096  # what is larger is not held in memory where the file does not take it
HELD_ENTRIES = 20_000
LAYOUT = 1  # of the file; a file of another layout is thrown away
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)  # in a damaged file SQLite's own message may be no text

# Nothing is synced: a power cut may damage the file, and then it is thrown away.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA secure_delete = ON",
)
TABLE = (
    "CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key BLOB NOT NULL, "
    "content BLOB NOT NULL, crc INTEGER NOT NULL, UNIQUE (kind, key)) STRICT"
)


def derived_key(*parts: object) -> bytes:
    """Key of an entry: a hash of everything that it depends on besides its kind.

    Args:
        parts: image addresses, sizes, a `GreyScale` … anything that msgspec writes as JSON.
    """
    return hashlib.sha256(b"coxa-derived-1 " + msgspec.json.encode(parts, order="deterministic")).digest()


class DerivedCache:
    """Derived values of one project. Safe to use from several threads. Opened at the first use.

    Args:
        folder: the project's `cache` folder.
        is_writable: False beside another writer and in a project that is only looked at: nothing is written.
        limit_bytes: about the most that the file holds; what was kept first goes first.
    """

    def __init__(self, folder: Path, *, is_writable: bool = True, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = folder / FILE_NAME
        self._is_writable = is_writable
        self._limit_bytes = limit_bytes
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_over = False  # closed, or beyond help
        self._is_closed = False
        self._unchecked_bytes = 0
        self._held: dict[tuple[str, bytes], bytes] = {}

    def get(self, kind: str, key: bytes) -> bytes | None:
        """What was kept; None when there is nothing, or nothing intact.

        Args:
            kind: what it is, and the version of what computed it: `windows/1`, `thumbnail/2`.
            key: from `derived_key`.
        """
        return self.get_many(kind, [key]).get(key)

    def get_many(self, kind: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """What was kept under some keys, by key; see `get`."""
        asked = list(keys)
        with self._guard:
            found = {key: self._held[kind, key] for key in asked if (kind, key) in self._held}
            try:
                connection = self._open()
                if connection is None:
                    return found
                for key in asked:
                    statement = "SELECT content, crc FROM entry WHERE kind = ? AND key = ?"
                    row = connection.execute(statement, (kind, key)).fetchone()
                    if row is not None and row[1] == _crc(kind, key, row[0]):
                        found[key] = row[0]
            except SQLITE_ERRORS as error:
                self._start_anew(error)
        return found

    def put(self, kind: str, key: bytes, content: bytes) -> None:
        """Keep something, in the place of what was kept under this kind and key."""
        self.put_many(kind, {key: content})

    def put_many(self, kind: str, entries: Mapping[bytes, bytes]) -> None:
        """Keep several things at once, by key; see `put`."""
        with self._guard:
            if not (self._is_writable and self._write(kind, entries)) and not self._is_closed:
                self._hold(kind, entries)

    def _write(self, kind: str, entries: Mapping[bytes, bytes]) -> bool:
        """Write entries; whether the file has taken them."""
        rows = [(kind, key, content, _crc(kind, key, content)) for key, content in entries.items()]
        try:
            connection = self._open()
            if connection is None:
                return False
            with connection:
                statement = "INSERT OR REPLACE INTO entry (kind, key, content, crc) VALUES (?, ?, ?, ?)"
                connection.executemany(statement, rows)
            self._stay_below_limit(connection, sum(map(len, entries.values())))
        except SQLITE_ERRORS as error:
            self._start_anew(error)
            return False
        return True

    def _hold(self, kind: str, entries: Mapping[bytes, bytes]) -> None:
        for key, content in entries.items():
            if len(content) <= HELD_ENTRY_BYTES:
                self._held[kind, key] = content
        while len(self._held) > HELD_ENTRIES:
            del self._held[next(iter(self._held))]

    def close(self) -> None:
        """Close the file; from now on nothing is found and nothing kept."""
        with self._guard:
            self._is_over = self._is_closed = True
            self._held.clear()
            self._disconnect()

    def _open(self) -> sqlite3.Connection | None:
        """The connection; None when the file cannot be used."""
        if self._connection is not None or self._is_over:
            return self._connection
        if self._is_writable:
            self._connection = self._open_writer() or self._open_writer()  # the first may have been in the way
        elif self._path.is_file():
            address = f"file:{quote(str(self._path))}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, check_same_thread=False, timeout=0.2)
            if self._connection.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                self._disconnect()
        self._is_over = self._connection is None
        return self._connection

    def _open_writer(self) -> sqlite3.Connection | None:
        """Open or make the file; None after having thrown away one that is damaged or of another layout."""
        try:
            self._path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            connection = sqlite3.connect(self._path, check_same_thread=False, timeout=0.2)
        except (OSError, sqlite3.Error) as error:
            LOG.warning("derived values cannot be kept (%s)", type(error).__name__)
            return None
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma).fetchall()
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            if layout == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
                connection.execute(TABLE)
                connection.execute(f"PRAGMA user_version = {LAYOUT}")
                self._path.chmod(PRIVATE_FILE)
            elif layout != LAYOUT:
                raise sqlite3.DatabaseError("another layout")
        except (OSError, *SQLITE_ERRORS) as error:
            connection.close()
            self._throw_away(error)
            return None
        return connection

    def _start_anew(self, error: Exception) -> None:
        """After an error: throw a damaged file away; leave it when it is only busy or the disk is full."""
        if is_worth_keeping(error):
            LOG.warning("a derived value was not kept (%s)", type(error).__name__)
            return
        self._disconnect()
        if self._is_writable:
            self._throw_away(error)
        else:
            self._is_over = True

    def _throw_away(self, error: Exception) -> None:
        LOG.warning("the derived values are computed anew (%s)", type(error).__name__)
        try:
            delete_database(self._path)
        except OSError as reason:
            LOG.warning("derived values cannot be kept (%s)", type(reason).__name__)
            self._is_over = True

    def _stay_below_limit(self, connection: sqlite3.Connection, added: int) -> None:
        self._unchecked_bytes += added
        if self._unchecked_bytes < CHECK_EVERY_SHARE * self._limit_bytes:
            return
        self._unchecked_bytes = 0
        pages, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._limit_bytes:
            with connection:
                first = "SELECT id FROM entry ORDER BY id LIMIT (SELECT 1 + CAST(? * count(*) AS INTEGER) FROM entry)"
                connection.execute(f"DELETE FROM entry WHERE id IN ({first})", (FREED_SHARE,))  # noqa: S608

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _crc(kind: str, key: bytes, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(key, zlib.crc32(kind.encode())))
