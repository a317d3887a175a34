"""The audit of a database: every row, the chain, and the projection computed again.

SQLite's own `integrity_check` sees the structure, not the content: of 400 single-bit flips it found 46 (`imaging.md`
§0.7). Here every row must still have its hash, every row must be told of by an event, and every event must follow the
one before it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import Any

from app.core.event import NO_EVENT_HASH, PROJECT, Event, canonical_json, row_hash
from app.core.replay import ReplayedState
from app.store.cases import STATUS, case_columns
from app.store.database import SQLITE_ERRORS, Row
from app.store.head import Head
from app.store.schema import FACT_TABLES, KEYS, SCHEMA, TABLES, schema_digest

MAX_STRUCTURE_MESSAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the database that is not as it was written.

    Args:
        kind: `row-changed`, `row-missing`, `row-unknown`, `chain`, `head`, `schema`, `structure` or `unreadable`.
        table: the table, or empty for the database as a whole.
        key: the row's key (parts joined by a space), or empty for a whole table.
        text: one sentence.
    """

    kind: str
    table: str = ""
    key: str = ""
    text: str


def audit_database(connection: sqlite3.Connection, noted: Head | None = None) -> list[Problem]:
    """Everything that is wrong with a database; an empty list says that it is what was written.

    Args:
        connection: an open connection; its text factory is changed for the duration.
        noted: the second copy of the chain's head, from outside the database, if there is one.
    """
    audit = _Audit(connection)
    factory = connection.text_factory
    connection.text_factory = lenient_text
    try:
        return audit.run(noted)
    finally:
        connection.text_factory = factory


class _Audit:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._problems: list[Problem] = []
        self._found: dict[str, dict[str, bytes]] = {table: {} for table in TABLES}  # table -> key -> row hash
        self._unreadable: set[str] = set()
        self._state = ReplayedState()
        self._schema: Any = None

    def run(self, noted: Head | None) -> list[Problem]:
        self._check_structure()
        self._check_events(noted)
        for table in TABLES:
            if table not in ("event", "head"):
                self._read_rows(table)
        self._check_facts()
        self._check_current()
        self._check_cases()
        self._check_schema()
        return self._problems

    def _add(self, kind: str, text: str, table: str = "", key: str = "") -> None:
        printable = key.encode("utf-8", "backslashreplace").decode("utf-8")
        self._problems.append(Problem(kind=kind, table=table, key=printable, text=text))

    def _check_structure(self) -> None:
        try:
            messages = [
                str(row[0])
                for row in self._connection.execute(f"PRAGMA integrity_check({MAX_STRUCTURE_MESSAGES})").fetchall()
            ]
            for message in messages:
                if message != "ok":
                    self._add("structure", f"SQLite: {message}.")
            for table, rowid, parent, _ in self._connection.execute("PRAGMA foreign_key_check").fetchall():
                self._add(
                    "structure", f"A row of {table} refers to a row of {parent} that is not there.", table, str(rowid)
                )
        except SQLITE_ERRORS as error:
            self._add("unreadable", f"SQLite: {error}.")

    def _rows(self, table: str) -> list[Row]:
        """Every row of a table that can be read, straight from the table, not through an index."""
        names = TABLES[table]
        rows: list[Row] = []
        try:
            cursor = self._connection.execute(f'SELECT {", ".join(names)} FROM "{table}" NOT INDEXED')  # noqa: S608
            for values in cursor:
                rows.append(dict(zip(names, values, strict=True)))  # one by one: what comes before an error is kept
        except SQLITE_ERRORS as error:
            self._unreadable.add(table)
            self._add("unreadable", f"Not every row of {table} can be read: {error}.", table)
        return rows

    def _check_row(self, table: str, row: Row) -> None:
        key = row_key(table, row)
        if row_hash(table, row) != row["row_hash"]:
            self._add("row-changed", f"A row of {table} has changed since it was written.", table, key)
        if key in self._found[table]:
            self._add("row-unknown", f"A row of {table} is there twice.", table, key)
        self._found[table][key] = row["row_hash"]

    def _read_rows(self, table: str) -> None:
        for row in self._rows(table):
            self._check_row(table, row)

    def _check_events(self, noted: Head | None) -> None:
        previous_id, previous_hash = 0, NO_EVENT_HASH
        hash_of: dict[int, Any] = {0: NO_EVENT_HASH}
        for row in sorted(self._rows("event"), key=_event_order):
            self._check_row("event", row)
            number = row["id"]
            for missing in range(previous_id + 1, min(number, previous_id + 1000)):
                self._add("row-missing", "An event is missing.", "event", str(missing))
            if number == previous_id + 1 and row["previous_hash"] != previous_hash:
                self._add("chain", "An event does not follow the one before it.", "event", str(number))
            previous_id, previous_hash = number, row["row_hash"]
            hash_of[number] = previous_hash
            self._apply(row)
        self._check_head(previous_id, previous_hash, hash_of, noted)

    def _check_head(self, last_id: int, last_hash: Any, hash_of: dict[int, Any], noted: Head | None) -> None:
        heads = self._rows("head")
        for row in heads:
            self._check_row("head", row)
        if not heads and last_id:
            self._add("head", "The note of where the events end is missing.", "head", "1")
        for row in heads:
            self._compare_head(row["event_id"], row["event_hash"], last_id, last_hash, hash_of, is_exact=True)
        if noted is not None:
            self._compare_head(noted.event_id, noted.event_hash, last_id, last_hash, hash_of, is_exact=False)

    def _compare_head(
        self, event_id: Any, event_hash: Any, last_id: int, last_hash: Any, hash_of: dict[int, Any], *, is_exact: bool
    ) -> None:
        if not isinstance(event_id, int):
            return  # its row hash has told of it
        for missing in range(last_id + 1, min(event_id, last_id + 1000) + 1):
            self._add("row-missing", "An event at the end is missing.", "event", str(missing))
        if is_exact and event_id < last_id:
            self._add("head", "There are events after the noted end.", "event", str(last_id))
        elif event_id <= last_id and hash_of.get(event_id) != event_hash:
            self._add("head", "The noted end and the events do not agree.", "event", str(event_id))

    def _apply(self, row: Row) -> None:
        try:
            event = event_of_row(row)
            self._state.apply(event)
            if row["target"] == PROJECT and row["field"] == SCHEMA:
                self._schema = event.after
        except (ValueError, TypeError):
            return  # a damaged event; its row hash has told of it

    def _check_facts(self) -> None:
        expected: dict[str, dict[str, str]] = {table: {} for table in FACT_TABLES}
        for target, digest in self._state.created.items():
            table, _, key = target.partition(":")
            if table in expected:
                expected[table][key] = digest
        for table, rows in expected.items():
            found = self._found[table]
            for key, digest in rows.items():
                if key not in found:
                    self._add("row-missing", f"A row of {table} is missing.", table, key)
                elif _hex(found[key]) != digest:
                    self._add("row-changed", f"A row of {table} is not the one that was created.", table, key)
            for key in found.keys() - rows.keys():
                self._add("row-unknown", f"No event tells of a row of {table}.", table, key)

    def _check_current(self) -> None:
        expected = {
            f"{target} {name}": row_hash(
                "current",
                {"target": target, "field": name, "value": canonical_json(value), "event_id": event_id},
            )
            for (target, name), (value, event_id) in self._state.current.items()
        }
        self._compare_projection("current", expected)

    def _check_cases(self) -> None:
        expected = {}
        for target, parts in self._state.compositions.items():
            key = target.partition(":")[2]
            status, _ = self._state.current.get((target, STATUS), ("new", 0))
            try:
                columns = case_columns(key, parts, position=self._state.positions[target], status=status)
            except (KeyError, TypeError):
                continue  # a damaged event; its row hash has told of it
            expected[key] = row_hash("case", columns)
        self._compare_projection("case", expected)

    def _compare_projection(self, table: str, expected: dict[str, bytes]) -> None:
        found = self._found[table]
        for key, digest in expected.items():
            if key not in found:
                self._add("row-missing", f"A row of {table} is missing.", table, key)
            elif found[key] != digest:
                self._add("row-changed", f"A row of {table} is not what the events say.", table, key)
        for key in found.keys() - expected.keys():
            self._add("row-unknown", f"No event tells of a row of {table}.", table, key)

    def _check_schema(self) -> None:
        try:
            digest = schema_digest(self._connection).hex()
        except SQLITE_ERRORS as error:
            self._add("unreadable", f"The schema cannot be read: {error}.")
            return
        if not isinstance(self._schema, dict) or self._schema.get("digest") != digest:
            self._add("schema", "The tables are not defined as they were when the project was made or updated.")


def event_of_row(row: Row) -> Event:
    """The event in a row.

    Raises:
        ValueError: its values are no JSON any more.
    """
    return Event(**(row | {name: None if row[name] is None else json.loads(row[name]) for name in ("before", "after")}))


def row_key(table: str, row: Row) -> str:
    """The key of a row as text, the parts joined by a space."""
    return " ".join(str(row[name]) for name in KEYS[table])


def count_by_kind(problems: list[Problem]) -> dict[str, int]:
    """Number of problems of each kind."""
    return dict(sorted(Counter(problem.kind for problem in problems).items()))


def lenient_text(raw: bytes) -> str:
    """Text as it is in the file, even where a flipped bit has made it invalid UTF-8."""
    return raw.decode("utf-8", "surrogateescape")


def _event_order(row: Row) -> int:
    return int(row["id"])


def _hex(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else ""
