"""The index of the worklist as a file: `cache/worklist.db`, made again from the project whenever it does not fit.

It remembers the end of the event chain that it was made from. When the project has gone on since, the cases that the
later events are about are read again; when it is another chain, or anything is wrong with the file, all are.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec

from app.core.event import NO_EVENT_HASH
from app.core.worklist import FIELDS, READER_MARK, WorklistRow, fixed_values, indexed_words, row_texts
from app.store.database import Database
from app.store.fs import PRIVATE_FILE, PRIVATE_FOLDER
from app.store.throwaway import delete_database
from app.store.worklist.rows import cases_of_studies, read_all, read_cases, studies_of_views

LOG = logging.getLogger(__name__)
FILE_NAME = "worklist.db"
LAYOUT = 4  # of the file, and of what a row holds; a file of another layout is made anew
SEPARATOR = "\x1f"  # between the values of a field that may have several
MANY_EVENTS = 200_000  # from here on everything is read again
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, msgspec.DecodeError)
NAMES = tuple(field.name for field in FIELDS)
PRAGMAS = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -32768",
)

Head = tuple[int, bytes]

TABLES = (
    "CREATE TABLE head (event_id INTEGER NOT NULL, event_hash BLOB NOT NULL) STRICT",
    "CREATE TABLE item (number INTEGER PRIMARY KEY, case_id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, "
    + ", ".join(f'"{name}" TEXT NOT NULL' for name in NAMES)
    + ") STRICT",
    "CREATE TABLE content (number INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT",
    "CREATE TABLE label (field TEXT NOT NULL, number INTEGER NOT NULL, value TEXT NOT NULL, "
    "PRIMARY KEY (field, number, value)) STRICT, WITHOUT ROWID",
    "CREATE INDEX label_by_number ON label (number)",
    "CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'ascii', prefix = '1 2 3', detail = none, columnsize = 0)",
)
_ITEM = f"INSERT INTO item VALUES ({', '.join('?' * (3 + len(NAMES)))})"  # noqa: S608
_LABEL = "INSERT INTO label VALUES (?, ?, ?)"


class IndexFile:
    """The index of one project.

    Args:
        database: the project's database.
        folder: the project's `cache` folder.
        is_writable: False beside another writer and for looking only: the index is then kept in memory.
        on_build: called with (done, total) while everything is read again.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        is_writable: bool,
        on_build: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._database = database
        self._path = folder / FILE_NAME
        self._is_writable = is_writable
        self._on_build = on_build
        self.connection = self._open()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def hand_over(self, database: Database) -> None:
        """Follow the project through another connection from now on: that of the thread that uses the index."""
        self._database = database
        self._on_build = lambda done, total: None

    def catch_up(self) -> set[int] | None:
        """Bring the index up to the end of the project's chain.

        Returns:
            Numbers of the cases that came, went or changed; None when everything is new.
        """
        head = self._project_head()
        known = self._known_head()
        if head == known:
            return set()
        touched = self._touched_since(known, head)
        if touched is not None:
            with self.connection:
                self.connection.execute("BEGIN")
                changed = self._replace(touched)
                self._note_head(head)
            return changed
        self.start_anew()
        return None

    def start_anew(self) -> None:
        """Throw everything away and read the whole project again."""
        self.connection.close()
        if self._is_writable:
            self._remove()
        self.connection = self._built()

    # --- opening ---

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._existing()
            if connection is not None:
                return connection
        except SQLITE_ERRORS as error:
            LOG.warning("the worklist's index is made anew (%s)", type(error).__name__)
        if self._is_writable:
            self._remove()
        return self._built()

    def _existing(self) -> sqlite3.Connection | None:
        """The file as it is, or for a reader a copy of it in memory; None when there is none that fits."""
        if not self._path.is_file():
            return None
        connection = _connect(str(self._path) if self._is_writable else ":memory:")
        try:
            if not self._is_writable:
                self._copy_into(connection)
            if connection.execute("PRAGMA user_version").fetchone()[0] == LAYOUT:
                if self._is_writable:
                    connection.execute("PRAGMA journal_mode = WAL").fetchall()
                    connection.execute("PRAGMA synchronous = NORMAL")  # never damaged by a power cut
                connection.execute("SELECT count(*) FROM head").fetchone()
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def _copy_into(self, connection: sqlite3.Connection) -> None:
        address = f"file:{quote(str(self._path))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as source:
            source.backup(connection)

    def _remove(self) -> None:
        try:
            delete_database(self._path)
        except OSError as error:
            LOG.warning("the worklist's index cannot be kept (%s)", type(error).__name__)
            self._is_writable = False

    def _built(self) -> sqlite3.Connection:
        """A new index of the whole project: in a file beside it that is renamed at the end, or in memory."""
        if not self._is_writable:
            connection = _connect(":memory:")
            try:
                self._fill(connection)
            except BaseException:
                connection.close()
                raise
            return connection
        draft = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            draft.unlink(missing_ok=True)
            connection = _connect(str(draft))
            try:
                connection.execute("PRAGMA journal_mode = OFF").fetchall()
                connection.execute("PRAGMA synchronous = OFF")
                self._fill(connection)
            finally:
                connection.close()
            draft.chmod(PRIVATE_FILE)
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(self._path)
            found = self._existing()
            if found is not None:
                return found
        except (OSError, sqlite3.OperationalError) as error:  # a full or failing disk: work on without the file
            LOG.warning("the worklist's index cannot be kept (%s)", type(error).__name__)
        self._is_writable = False
        return self._built()

    def _fill(self, connection: sqlite3.Connection) -> None:
        total = int(self._database.value('SELECT count(*) FROM "case"'))
        head = self._project_head()
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("BEGIN")
        rows: list[WorklistRow] = []
        number = 0
        for row in read_all(self._database):
            rows.append(row)
            if len(rows) == 2000:
                number = _insert(connection, number, rows)
                rows.clear()
                self._on_build(number, total)
        _insert(connection, number, rows)
        connection.execute("INSERT INTO head VALUES (?, ?)", head)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")

    # --- keeping up ---

    def _project_head(self) -> Head:
        found = self._database.rows("SELECT event_id, event_hash FROM head WHERE id = 1")
        return (int(found[0][0]), bytes(found[0][1])) if found else (0, NO_EVENT_HASH)

    def _known_head(self) -> Head:
        found = self.connection.execute("SELECT event_id, event_hash FROM head").fetchone()
        return (-1, b"") if found is None else (int(found[0]), bytes(found[1]))

    def _note_head(self, head: Head) -> None:
        self.connection.execute("UPDATE head SET event_id = ?, event_hash = ?", head)

    def _touched_since(self, known: Head, head: Head) -> set[str] | None:
        """The cases that the events between two heads are about; None when that cannot be told."""
        if not 0 <= head[0] - known[0] <= MANY_EVENTS:
            return None
        if known[0] and self._database.value("SELECT row_hash FROM event WHERE id = ?", (known[0],)) != known[1]:
            return None
        targets = self._database.rows("SELECT DISTINCT target FROM event WHERE id > ? AND id <= ?", (known[0], head[0]))
        named: dict[str, set[str]] = {"case": set(), "study": set(), "view": set()}
        for (target,) in targets:
            kind, _, identifier = target.partition(":")
            if kind in named:
                named[kind].add(identifier.partition(READER_MARK)[0])
        studies = named["study"] | studies_of_views(self._database, named["view"])
        return named["case"] | cases_of_studies(self._database, studies)

    def _replace(self, case_ids: set[str]) -> set[int]:
        """Write some cases anew; those that are gone are removed."""
        connection, changed = self.connection, set()
        number_of: dict[str, int] = {}
        for case_id in case_ids:
            found = connection.execute("SELECT number FROM item WHERE case_id = ?", (case_id,)).fetchone()
            if found is not None:
                number_of[case_id] = found[0]
                changed.add(found[0])
        for number in changed:
            for table, key in (("item", "number"), ("content", "number"), ("label", "number"), ("words", "rowid")):
                connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (number,))  # noqa: S608
        following = connection.execute("SELECT ifnull(max(number), -1) + 1 FROM item").fetchone()[0]
        following = max(following, max(changed, default=-1) + 1)
        for row in sorted(read_cases(self._database, case_ids), key=lambda row: (row.position, row.case_id)):
            number = number_of.get(row.case_id, following)
            following = max(following, number + 1)
            _insert(connection, number, [row])
            changed.add(number)
        return changed


def _connect(address: str) -> sqlite3.Connection:
    # made in one thread and handed to another: never used by two at a time
    connection = sqlite3.connect(address, isolation_level=None, timeout=0.5, check_same_thread=False)
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _insert(connection: sqlite3.Connection, number: int, rows: Sequence[WorklistRow]) -> int:
    """Insert rows under consecutive numbers; returns the number after them."""
    encode = _ENCODER.encode
    numbered = list(enumerate(rows, number))
    connection.executemany(_ITEM, (_item(number, row) for number, row in numbered))
    connection.executemany("INSERT INTO content VALUES (?, ?)", ((n, encode(row).decode()) for n, row in numbered))
    connection.executemany(_LABEL, _labels(numbered))
    connection.executemany(
        "INSERT INTO words (rowid, text) VALUES (?, ?)", ((n, indexed_words(row_texts(row))) for n, row in numbered)
    )
    return number + len(rows)


_ENCODER = msgspec.json.Encoder()


def _item(number: int, row: WorklistRow) -> tuple[int | str, ...]:
    return (number, row.case_id, row.position, *map(SEPARATOR.join, fixed_values(row)))


def _labels(numbered: Iterable[tuple[int, WorklistRow]]) -> Iterator[tuple[str, int, str]]:
    for number, row in numbered:
        for field, values in (*row.labels.items(), *row.readings.items()):
            for value in set(values):
                yield field, number, value
