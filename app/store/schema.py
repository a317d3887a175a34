"""Tables of the project database and the migrations that make them.

Migrations are never edited after a release; `tests/store/released/` keeps a database of every released version.

Every table carries `row_hash`. Tables of facts (`event`, `patient`, `study`, `view`, `source`) are append-only by
trigger; `current` and `case` are projections of `event`; `head` is the end of the chain.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from app.store.sqlite import SqliteUtils

Migration: TypeAlias = Callable[["SqliteUtils"], None]

APPLICATION_ID = 0x436F7861  # "Coxa", shown by file(1)
MIGRATION_TABLE = "_sqlite_migrations"
SCHEMA = "schema"  # field of the events that record the schema

# table -> every column, in the order of the table; the first is the key unless KEYS says otherwise
TABLES: dict[str, tuple[str, ...]] = {
    "event": (
        "id", "at", "author", "target", "field", "before", "after", "text", "reverts", "previous_hash", "row_hash",
    ),
    "head": ("id", "event_id", "event_hash", "row_hash"),
    "current": ("target", "field", "value", "event_id", "row_hash"),
    "patient": ("id", "sex", "name_check", "birth_check", "row_hash"),
    "study": ("id", "patient_id", "date", "blocked_reason", "row_hash"),
    "view": (
        "id", "study_id", "image_sha256", "rows", "cols", "pixel_offset", "projection", "side", "spacing", "grey",
        "acquired_at", "orientation", "flags", "notices", "header", "row_hash",
    ),
    "case": (
        "id", "position", "study_id", "patient_id", "side", "frontal_id", "lateral_id", "unassigned_ids", "status",
        "blocked_reason", "questions", "row_hash",
    ),
    "source": (
        "id", "source_sha256", "frame", "object_key", "predecessor_key", "view_id", "outcome", "row_hash",
    ),
}  # fmt: skip
KEYS: dict[str, tuple[str, ...]] = {table: (columns[0],) for table, columns in TABLES.items()} | {
    "current": ("target", "field")
}
FACT_TABLES = ("patient", "study", "view", "source")  # rows are created by one event each and never change
APPEND_ONLY = ("event", *FACT_TABLES)


def m0001_foundation(db: SqliteUtils) -> None:
    """Events, patients, studies, views, cases, sources."""
    for statement in _M0001:
        db.execute(statement)


MIGRATIONS: Mapping[str, Migration] = MappingProxyType({"m0001_foundation": m0001_foundation})
"""Every migration by its name, in order."""

_M0001 = (
    """CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        author TEXT NOT NULL,
        target TEXT NOT NULL,
        field TEXT NOT NULL,
        before TEXT,
        after TEXT,
        text TEXT NOT NULL,
        reverts INTEGER REFERENCES event (id),
        previous_hash BLOB NOT NULL,
        row_hash BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX event_by_target ON event (target, id)",
    """CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        event_id INTEGER NOT NULL,
        event_hash BLOB NOT NULL,
        row_hash BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE current (
        target TEXT NOT NULL,
        field TEXT NOT NULL,
        value TEXT NOT NULL,
        event_id INTEGER NOT NULL REFERENCES event (id),
        row_hash BLOB NOT NULL,
        PRIMARY KEY (target, field)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE patient (
        id TEXT PRIMARY KEY NOT NULL,
        sex TEXT NOT NULL,
        name_check INTEGER CHECK (name_check BETWEEN 0 AND 255),
        birth_check INTEGER CHECK (birth_check BETWEEN 0 AND 255),
        row_hash BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE study (
        id TEXT PRIMARY KEY NOT NULL,
        patient_id TEXT NOT NULL REFERENCES patient (id),
        date TEXT NOT NULL,
        blocked_reason TEXT NOT NULL,
        row_hash BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX study_by_patient ON study (patient_id)",
    """CREATE TABLE "view" (
        id TEXT PRIMARY KEY NOT NULL,
        study_id TEXT NOT NULL REFERENCES study (id),
        image_sha256 TEXT NOT NULL,
        rows INTEGER NOT NULL CHECK (rows > 0),
        cols INTEGER NOT NULL CHECK (cols > 0),
        pixel_offset INTEGER NOT NULL,
        projection TEXT NOT NULL,
        side TEXT NOT NULL,
        spacing TEXT NOT NULL,
        grey TEXT NOT NULL,
        acquired_at TEXT NOT NULL,
        orientation TEXT NOT NULL,
        flags TEXT NOT NULL,
        notices TEXT NOT NULL,
        header TEXT NOT NULL,
        row_hash BLOB NOT NULL
    ) STRICT""",
    'CREATE INDEX view_by_study ON "view" (study_id, id)',
    'CREATE INDEX view_by_image ON "view" (image_sha256)',
    """CREATE TABLE "case" (
        id TEXT PRIMARY KEY NOT NULL,
        position INTEGER NOT NULL,
        study_id TEXT NOT NULL REFERENCES study (id),
        patient_id TEXT NOT NULL REFERENCES patient (id),
        side TEXT CHECK (side IN ('left', 'right')),
        frontal_id TEXT REFERENCES "view" (id),
        lateral_id TEXT REFERENCES "view" (id),
        unassigned_ids TEXT NOT NULL,
        status TEXT NOT NULL,
        blocked_reason TEXT NOT NULL,
        questions TEXT NOT NULL,
        row_hash BLOB NOT NULL
    ) STRICT""",
    'CREATE INDEX case_by_position ON "case" (position, id)',
    'CREATE INDEX case_by_study ON "case" (study_id, position)',
    'CREATE INDEX case_by_patient ON "case" (patient_id, position)',
    'CREATE INDEX case_by_status ON "case" (status, position)',
    """CREATE TABLE source (
        id INTEGER PRIMARY KEY,
        source_sha256 TEXT NOT NULL,
        frame INTEGER,
        object_key TEXT NOT NULL,
        predecessor_key TEXT NOT NULL,
        view_id TEXT REFERENCES "view" (id),
        outcome TEXT NOT NULL,
        row_hash BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX source_by_hash ON source (source_sha256, id)",
    "CREATE INDEX source_by_object ON source (object_key, id) WHERE object_key <> ''",
    "CREATE INDEX source_by_predecessor ON source (predecessor_key, id) WHERE predecessor_key <> ''",
    *(
        f"""CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON "{table}"
        BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"""
        for table in APPEND_ONLY
        for action in ("UPDATE", "DELETE")
    ),
)


def schema_digest(connection: sqlite3.Connection) -> bytes:
    """SHA-256 over every table, index and trigger and over the list of applied migrations.

    Recorded in the event chain after each migration, so that a change of the schema itself is found too.
    """
    objects = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"
    ).fetchall()
    applied = connection.execute(f"SELECT * FROM {MIGRATION_TABLE} ORDER BY id").fetchall()  # noqa: S608
    return hashlib.sha256(json.dumps([objects, applied], ensure_ascii=True).encode("ascii")).digest()
