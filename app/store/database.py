"""The connections to a project's database.

WAL with `synchronous=FULL`: what a commit has acknowledged survives a power cut (`imaging.md` §0.5). Only one process
writes, and of its threads only the one whose turn it is (`WriteTurn`). This keeps SQLite's WAL-reset defect (up to
3.51.2) out of reach, since it needs two connections that write or checkpoint at the same time.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from app.core.errors import UserError
from app.core.event import Scalar, row_hash
from app.store.schema import APPLICATION_ID, KEYS, MIGRATION_TABLE, MIGRATIONS, TABLES
from app.store.turn import WriteTurn

if TYPE_CHECKING:
    from app.store.sqlite import SqliteUtils

Row: TypeAlias = dict[str, Any]

LOG = logging.getLogger(__name__)
# With a damaged schema the text of SQLite's own message may not be UTF-8, which Python reports in its own way.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
LAST_VERSION_WITH_WAL_RESET_DEFECT = (3, 51, 2)

# Statements that set up the writing connection; the power-cut simulation runs exactly these.
WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # no identifier survives in a free page
    "PRAGMA recursive_triggers = ON",  # REPLACE must not slip past the append-only triggers
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA checkpoint_fullfsync = ON",  # macOS: reach the platter, not the drive's cache
    "PRAGMA fullfsync = ON",
    "PRAGMA busy_timeout = 2000",
    "PRAGMA cache_size = -65536",  # KiB: the working set of 100,000 cases
)
READER_PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA foreign_keys = ON", "PRAGMA trusted_schema = OFF",
                  "PRAGMA busy_timeout = 2000", "PRAGMA cell_size_check = ON")  # fmt: skip


class Database:
    """The database of one project.

    Args:
        connection: a connection in autocommit mode, pragmas set.
        is_read_only: refuse transactions.
        scratch: a private copy that is thrown away on close (see `open_reader`).
        turn: shared by the connections of this process that write one database.
        is_patient: let the other connections write first.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        is_read_only: bool = False,
        scratch: Path | None = None,
        turn: WriteTurn | None = None,
        is_patient: bool = False,
    ) -> None:
        self.turn = turn or WriteTurn()
        self._is_patient = is_patient
        self.connection = connection
        self.is_read_only = is_read_only
        self._scratch = scratch
        self._file = _file_of(connection)
        self._after_commit: list[Callable[[], None]] = []
        self._inserts = {table: _insert_statement(table) for table in TABLES}
        self._upserts = {table: _insert_statement(table, verb="INSERT OR REPLACE") for table in ("head", "current")}
        self._deletes = {table: _delete_statement(table) for table in ("current", "case")}

    @classmethod
    def open_writer(cls, path: Path, *, turn: WriteTurn | None = None) -> Database:
        """A writing connection; makes the file when it is missing. The caller holds the project lock.

        Args:
            path: the file.
            turn: of the connection that this process writes with already; None for the first one. The new
                connection is for one other thread and lets the first one go first.

        Raises:
            UserError: `damaged` or `unwritable-folder`.
        """
        with translated_errors():
            connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
            try:
                for pragma in WRITER_PRAGMAS:
                    connection.execute(pragma).fetchall()
                mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
                if mode != "wal":
                    raise UserError(
                        "The database cannot work safely on this disk.",
                        reason="Its file system does not support SQLite's write-ahead log.",
                        remedy="Keep the project on a local disk.",
                        kind="network-folder",
                    )
            except BaseException:
                connection.close()
                raise
        LOG.info("SQLite %s", sqlite3.sqlite_version)
        return cls(connection, turn=turn, is_patient=turn is not None)

    @classmethod
    def open_reader(cls, path: Path) -> Database:
        """A connection that cannot write, beside a writer or on a read-only disk.

        On a folder that cannot be written, a database that still has a write-ahead log cannot be read in place; a
        private copy is read instead.

        Raises:
            UserError: `damaged`, `unreadable-folder`, or `no-copy` where there is no room for one.
        """
        scratch: Path | None = None
        log = path.with_name(path.name + "-wal")
        is_fixed = not os.access(path.parent, os.W_OK) or not os.access(path, os.W_OK)
        with translated_errors(), ExitStack() as undone:
            if is_fixed and log.exists() and log.stat().st_size:
                try:
                    scratch = Path(tempfile.mkdtemp(prefix="coxa-"))
                    undone.callback(shutil.rmtree, scratch, ignore_errors=True)
                    shutil.copyfile(path, scratch / path.name)
                    shutil.copyfile(log, scratch / log.name)
                except OSError as error:
                    raise UserError(
                        "The project cannot be opened.",
                        reason="Its database can only be read from a copy, and there is no room for one among the "
                        "temporary files.",
                        remedy="Free some space and try again.",
                        kind="no-copy",
                    ) from error
                path, is_fixed = scratch / path.name, False
            address = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if is_fixed else ''}"
            connection = sqlite3.connect(address, isolation_level=None, uri=True)
            undone.callback(connection.close)
            for pragma in READER_PRAGMAS:
                connection.execute(pragma).fetchall()
            undone.pop_all()
        return cls(connection, is_read_only=True, scratch=scratch)

    def migrate(self) -> list[str]:
        """Apply pending migrations, each in one transaction, and return their names."""
        pending = self.pending_migrations()
        if pending:
            with translated_errors():
                self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                from app.store.sqlite import Migrations  # only here: importing it takes as long as opening a project

                steps = Migrations("coxa")
                for name, step in MIGRATIONS.items():
                    steps(name=name)(step)
                steps.apply(self._utils)
        return pending

    def pending_migrations(self) -> list[str]:
        """Names of the migrations that this database still needs, in order."""
        applied = set(self.applied_migrations())
        return [name for name in MIGRATIONS if name not in applied]

    @cached_property
    def _utils(self) -> SqliteUtils:
        from app.store.sqlite import SqliteUtils

        return SqliteUtils(self.connection, execute_plugins=False)  # looking for plugins takes 20 ms

    def applied_migrations(self) -> list[str]:
        """Names of the migrations in this database, oldest first."""
        if self.value("SELECT 1 FROM sqlite_schema WHERE name = ?", (MIGRATION_TABLE,)) is None:
            return []
        return [name for (name,) in self.rows(f"SELECT name FROM {MIGRATION_TABLE} ORDER BY id")]  # noqa: S608

    def on_commit(self, action: Callable[[], None]) -> None:
        """Call `action` after every commit."""
        self._after_commit.append(action)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One durable commit; a nested call joins the outer one and undoes only its own part when it fails.

        Raises:
            UserError: `read-only`, `disk-full` or `damaged`; nothing of the transaction is kept.
        """
        if self.is_read_only:
            raise UserError(
                "This project is open read-only.",
                reason="Nothing can be changed in it from here.",
                remedy="Open it for writing.",
                kind="read-only",
            )
        if self.connection.in_transaction:
            with self._utils.atomic():
                yield
            return
        with self.turn.taken(is_patient=self._is_patient):
            with translated_errors():
                self._require_file()
                self.connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self.connection.execute("COMMIT")
                except BaseException:
                    self._roll_back()
                    raise
            for action in self._after_commit:
                action()

    def _require_file(self) -> None:
        """A database whose folder was deleted can still be written, and nothing of it would ever be found again."""
        if self._file is None:
            return
        path, identity = self._file
        if _identity(path) != identity:
            raise UserError(
                "Nothing was recorded: the project is not there any more.",
                reason="Its folder was moved, deleted or replaced while it was open.",
                remedy="Put the folder back or restore a backup, then open the project again.",
                kind="project-gone",
            )

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # some errors have ended it already
            self.connection.execute("ROLLBACK")

    def insert(self, table: str, columns: Mapping[str, Scalar]) -> bytes:
        """Insert one row and return its row hash. `columns` holds every column but `row_hash`."""
        digest = row_hash(table, columns)
        self.connection.execute(self._inserts[table], {**columns, "row_hash": digest})
        return digest

    def upsert(self, table: str, columns: Mapping[str, Scalar]) -> None:
        """Insert or replace one row of a projection."""
        self.connection.execute(self._upserts[table], {**columns, "row_hash": row_hash(table, columns)})

    def delete(self, table: str, key: Mapping[str, Scalar]) -> None:
        """Delete one row of a projection."""
        self.connection.execute(self._deletes[table], dict(key))

    def records(self, table: str, where: str, parameters: Sequence[Scalar] = ()) -> list[Row]:
        """Whole rows of a table, each checked against its hash.

        Args:
            table: a name from `TABLES`.
            where: the rest of the statement (`WHERE …`), a constant; values go through `parameters`.
            parameters: values of the `?` in it.

        Raises:
            UserError: `damaged`: a row is not what was written.
        """
        names = TABLES[table]
        found = []
        for values in self.rows(f'SELECT {", ".join(names)} FROM "{table}" {where}', parameters):  # noqa: S608
            row = dict(zip(names, values, strict=True))
            if row_hash(table, row) != row["row_hash"]:
                raise damaged(f"A row of the table “{table}” is not what was written.")
            found.append(row)
        return found

    def record(self, table: str, **key: Scalar) -> Row | None:
        """The row with this key, checked against its hash; None when there is none."""
        where = " AND ".join(f"{name} = ?" for name in key)
        found = self.records(table, f"WHERE {where}", tuple(key.values()))
        return found[0] if found else None

    def rows(self, statement: str, parameters: Sequence[Scalar] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with translated_errors():
            return self.connection.execute(statement, parameters).fetchall()

    def value(self, statement: str, parameters: Sequence[Scalar] = ()) -> Any:
        """First column of the first row of a query; None when there is no row."""
        with translated_errors():
            row = self.connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Close the connection; the last one folds the write-ahead log into the file."""
        self.connection.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


def _insert_statement(table: str, verb: str = "INSERT") -> str:
    names = TABLES[table]
    return f'{verb} INTO "{table}" ({", ".join(names)}) VALUES ({", ".join(":" + name for name in names)})'


def _delete_statement(table: str) -> str:
    return f'DELETE FROM "{table}" WHERE ' + " AND ".join(f"{name} = :{name}" for name in KEYS[table])  # noqa: S608


def damaged(reason: str) -> UserError:
    """The sentence for a database that is not what was written."""
    return UserError(
        "The project's database is damaged.",
        reason=reason,
        remedy="Run `coxa check` to see what is affected, then `coxa backup repair`: it keeps what is still intact.",
        kind="damaged",
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what SQLite and the disk may answer into a UserError; programming errors stay what they are."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        text = str(error)
        if name.startswith("SQLITE_FULL"):
            raise UserError(
                "The disk is full.",
                reason="The last change could not be saved; everything saved before it is safe.",
                remedy="Free some space and try again.",
                kind="disk-full",
            ) from error
        if name.startswith("SQLITE_IOERR"):
            raise UserError(
                "The disk could not be read or written.",
                reason=f"SQLite says: {text}.",
                remedy="Check that the disk is connected and has space, then open the project again.",
                kind="disk-error",
            ) from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            raise UserError(
                "The project's database cannot be opened.",
                reason=f"SQLite says: {text}.",
                remedy="Check the folder's rights, or open the project read-only.",
                kind="unwritable-folder",
            ) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise UserError(
                "The project's database is busy.",
                reason="Another program is writing to it.",
                remedy="Close the other program and try again.",
                kind="locked",
            ) from error
        is_gone = text in {f"no such table: {table}" for table in TABLES}
        if is_gone or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "Could not decode to UTF-8" in text:
            raise damaged(f"SQLite says: {text}.") from error
        raise
    except UnicodeDecodeError as error:
        raise damaged("Its text cannot be read any more.") from error


def _file_of(connection: sqlite3.Connection) -> tuple[str, tuple[int, int] | None] | None:
    """The main file of a connection and which file on which disk it is; None for a database in memory."""
    path = next((str(row[2]) for row in connection.execute("PRAGMA database_list") if row[1] == "main"), "")
    return (path, _identity(path)) if path else None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
