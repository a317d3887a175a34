"""Repair: the newest good backup, and everything since then that is still what was written.

A backup holds the past whole; the damaged database still holds most of the present. Since every row has its hash and
every event follows the one before, the two can be put together row by row: nothing that is doubtful is taken over.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.errors import UserError
from app.core.event import CREATED, NO_EVENT_HASH, canonical_json, row_hash
from app.core.replay import ReplayedState
from app.store.audit import audit_database, event_of_row, lenient_text
from app.store.backup import list_backups, swap_in, verify_backup
from app.store.cases import STATUS, case_columns
from app.store.database import SQLITE_ERRORS, Database, Row, translated_errors
from app.store.folder import ProjectFolder, cannot_write
from app.store.head import read_head
from app.store.schema import FACT_TABLES, MIGRATION_TABLE, TABLES

Facts = dict[tuple[str, str], Row]  # (table, row hash in hexadecimal) -> row


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair came to.

    Args:
        kept: number of events kept.
        lost: number of events known to have existed that could not be kept.
        backup: name of the backup that was built upon, or empty.
        replaced: the folder that holds the damaged database.
    """

    kept: int
    lost: int
    backup: str
    replaced: Path | None


def repair_database(folder: ProjectFolder, *, now: datetime) -> Repair:
    """Put a repaired database in the place of a damaged one. The caller holds the project lock.

    The result is audited before it takes the place; what it replaces is kept.

    Args:
        folder: the project's folder.
        now: the present, UTC.

    Raises:
        UserError: `not-repairable`: neither the database nor a backup can be read far enough.
    """
    backup = next((item for item in list_backups(folder) if not verify_backup(item)), None)
    draft = folder.path / ".project.db.repaired.part"
    try:
        _remove(draft)
        with translated_errors(), contextlib.ExitStack() as stack:
            sources = [_Salvage(stack.enter_context(_reader(folder.database)))] if folder.database.is_file() else []
            if backup is not None:
                sources.append(_Salvage(stack.enter_context(_reader(backup.path))))
            kept = _rebuild(draft, sources)
            noted = read_head(folder.head_file)
            known = max([kept, noted.event_id if noted else 0, *(source.last_known for source in sources)])
        replaced = swap_in(folder, draft, now=now, name=backup.path.name if backup else "")
    except OSError as error:
        raise cannot_write(error) from error
    finally:
        _remove(draft)
    return Repair(kept=kept, lost=known - kept, backup=backup.path.name if backup else "", replaced=replaced)


class _Salvage:
    """Every row of one database that is still what was written.

    Attributes:
        events: by number.
        facts: by table and row hash.
        migrations: rows of the list of applied migrations.
        last_known: the highest event number that anything in it speaks of.
    """

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self.events: dict[int, Row] = {}
        self.facts: Facts = {}
        self.migrations: list[tuple[Any, ...]] = []
        self.last_known = 0
        if connection is None:
            return
        connection.text_factory = lenient_text
        for row in _intact_rows(connection, "event"):
            self.events[row["id"]] = row
        for table in FACT_TABLES:
            for row in _intact_rows(connection, table):
                self.facts[table, row["row_hash"].hex()] = row
        heads = [row["event_id"] for row in _intact_rows(connection, "head")]
        self.last_known = max([0, *heads, *self.events])
        with contextlib.suppress(*SQLITE_ERRORS):
            self.migrations = connection.execute(f"SELECT * FROM {MIGRATION_TABLE} ORDER BY id").fetchall()  # noqa: S608


def _rebuild(draft: Path, sources: list[_Salvage]) -> int:
    """Write the longest whole history that the sources hold into a new database; returns its number of events."""
    for migrations in [source.migrations for source in reversed(sources) if source.migrations]:
        _remove(draft)
        with contextlib.closing(Database.open_writer(draft)) as database:
            with database.transaction():
                database.migrate()
                database.connection.execute(f"DELETE FROM {MIGRATION_TABLE}")  # noqa: S608
                database.connection.executemany(
                    f"INSERT INTO {MIGRATION_TABLE} VALUES (?, ?, ?, ?)",  # noqa: S608
                    migrations,
                )
                kept = _write_history(database, sources)
            if kept and not audit_database(database.connection):
                database.rows("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
                return kept
    raise UserError(
        "The project's database cannot be repaired.",
        reason="Neither it nor a backup holds the beginning of its history.",
        remedy="Put back a copy of the whole project folder.",
        kind="not-repairable",
    )


def _write_history(database: Database, sources: list[_Salvage]) -> int:
    """Events in order, each with the rows it created, until one cannot be found; then the projections."""
    state = ReplayedState()
    previous = NO_EVENT_HASH
    number = 0
    while (found := _next(sources, number + 1, previous)) is not None:
        event = event_of_row(found)
        if event.field == CREATED:
            table = event.target.partition(":")[0]
            fact = next((row for source in sources if (row := source.facts.get((table, str(event.after))))), None)
            if fact is None:
                break  # its row is gone: everything up to here is whole
            _insert(database, table, fact)
        _insert(database, "event", found)
        state.apply(event)
        number, previous = event.id, found["row_hash"]
    if number:
        database.upsert("head", {"id": 1, "event_id": number, "event_hash": previous})
    for (target, field), (value, event_id) in state.current.items():
        database.upsert(
            "current", {"target": target, "field": field, "value": canonical_json(value), "event_id": event_id}
        )
    for target, parts in state.compositions.items():
        status, _ = state.current.get((target, STATUS), ("new", 0))
        case_id = target.partition(":")[2]
        database.insert("case", case_columns(case_id, parts, position=state.positions[target], status=status))
    return number


def _next(sources: list[_Salvage], number: int, previous: bytes) -> Row | None:
    for source in sources:
        row = source.events.get(number)
        if row is not None and row["previous_hash"] == previous:
            return row
    return None


def _insert(database: Database, table: str, row: Row) -> None:
    database.insert(table, {name: value for name, value in row.items() if name != "row_hash"})


def _intact_rows(connection: sqlite3.Connection, table: str) -> Iterator[Row]:
    names = TABLES[table]
    try:
        for values in connection.execute(f'SELECT {", ".join(names)} FROM "{table}" NOT INDEXED'):  # noqa: S608
            row = dict(zip(names, values, strict=True))
            if row_hash(table, row) == row["row_hash"]:
                yield row
    except SQLITE_ERRORS:
        return  # what comes after cannot be read; the other source may hold it


@contextlib.contextmanager
def _reader(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A reading connection; None when the file is no database any more."""
    try:
        database = Database.open_reader(path)
    except UserError:
        yield None
        return
    with contextlib.closing(database):
        yield database.connection


def _remove(draft: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
