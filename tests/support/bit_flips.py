"""Flip single bits in a database file and see whether the audit names every row that changed."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import UserError
from app.store.audit import audit_database, row_key
from app.store.database import SQLITE_ERRORS, Database
from app.store.head import Head
from app.store.schema import MIGRATION_TABLE, TABLES

Dump = dict[tuple[str, str], tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One flipped bit and what came of it.

    Args:
        changed: rows that read differently, as (table, key), before or after.
        named: those of them that the audit named one by one; the others are in a table or a schema that it reported.
        missed: those of them that the audit did not tell of.
        is_reported: whether the audit reported anything at all.
        is_integrity_ok: what SQLite's own `integrity_check` thought of it.
    """

    changed: frozenset[tuple[str, str]]
    named: frozenset[tuple[str, str]]
    missed: frozenset[tuple[str, str]]
    is_reported: bool
    is_integrity_ok: bool


def flip_bit(path: Path, position: int) -> None:
    """Flip bit `position` (0 = lowest bit of the first byte) of a file."""
    with path.open("r+b") as file:
        file.seek(position // 8)
        byte = file.read(1)[0]
        file.seek(position // 8)
        file.write(bytes([byte ^ (1 << (position % 8))]))


def dump(path: Path) -> Dump | None:
    """Every row that can be read, by table and key; None when the database cannot be opened."""
    rows: Dump = {}
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            for table, names in TABLES.items():
                _read(connection, table, names, rows)
            _read(connection, MIGRATION_TABLE, ("id", "migration_set", "name", "applied_at"), rows)
            _read(connection, "sqlite_schema", ("type", "name", "tbl_name", "sql"), rows)
    except SQLITE_ERRORS:
        return None
    return rows


def _read(connection: sqlite3.Connection, table: str, names: tuple[str, ...], rows: Dump) -> None:
    index = "" if table == "sqlite_schema" else "NOT INDEXED"
    try:
        for values in connection.execute(f'SELECT {", ".join(names)} FROM "{table}" {index}'):  # noqa: S608
            row = {
                name: value.decode("utf-8", "surrogateescape")
                if isinstance(value, bytes) and not _is_blob(name)
                else value
                for name, value in zip(names, values, strict=True)
            }
            key = row_key(table, row) if table in TABLES else str(row["name"])
            rows[table, key] = values
    except SQLITE_ERRORS:
        return  # the rest of the table cannot be read: those rows count as changed


def _is_blob(name: str) -> bool:
    return name.endswith("_hash")


def judge(path: Path, before: Dump, head: Head) -> Flip:
    """Compare what is readable now with what was there, and with what the audit says."""
    after = dump(path)
    changed = (
        frozenset(before)
        if after is None
        else frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    )
    try:
        with contextlib.closing(Database.open_reader(path)) as database:
            problems = audit_database(database.connection, head)
            ok = _integrity(database.connection)
    except (UserError, *SQLITE_ERRORS):
        return Flip(changed=changed, named=frozenset(), missed=frozenset(), is_reported=True, is_integrity_ok=False)
    named = {(problem.table, problem.key) for problem in problems}
    unreadable = {problem.table for problem in problems if problem.kind == "unreadable"}
    is_schema_reported = any(problem.kind == "schema" for problem in problems)
    told = frozenset(row for row in changed if (row[0], row[1].encode("utf-8", "backslashreplace").decode()) in named)
    missed = {
        (table, key)
        for table, key in changed - told
        if not unreadable & {table, ""}
        and not is_schema_reported  # one bit: rows read differently because the schema does
    }
    return Flip(changed=changed, named=told, missed=frozenset(missed), is_reported=bool(problems), is_integrity_ok=ok)


def _integrity(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    except SQLITE_ERRORS:
        return False
