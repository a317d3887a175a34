"""Events: the append-only record of everything that happened in a project.

One table is at once the audit trail, the undo history and the format in which two projects are merged. Every event
carries the hash of the event before it, and every row of every table carries a hash of its own content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from app.core.record import record

Json: TypeAlias = Any  # what `json.dumps` accepts: None, bool, int, float, str, list, dict with str keys
Scalar: TypeAlias = str | int | float | bytes | None

NO_EVENT_HASH = bytes(32)  # what the first event has as its previous hash

# Fields whose events create or replace whole rows; every other field is a value in `current`.
CREATED = "created"
COMPOSITION = "composition"
ROW_FIELDS = frozenset({CREATED, COMPOSITION})

PROJECT = "project"  # the target of events about the project itself


@record(frozen=True, slots=True, kw_only=True)
class Event:
    """One recorded change.

    Args:
        id: 1, 2, 3 … without gaps; the order of events (clocks jump, numbers do not).
        at: time in UTC, ISO 8601 with microseconds.
        author: who did it.
        target: what changed, as `kind:id`, for example `view:4f1c…`.
        field: which property of the target.
        before: JSON value before, None when there was none.
        after: JSON value after, None when it was removed.
        text: one sentence for people, or empty.
        reverts: id of the event that this one undoes.
        previous_hash: row hash of the event before this one, 32 bytes.
        row_hash: SHA-256 over everything above, 32 bytes.
    """

    id: int
    at: str
    author: str
    target: str
    field: str
    before: Json
    after: Json
    text: str = ""
    reverts: int | None = None
    previous_hash: bytes = NO_EVENT_HASH
    row_hash: bytes = b""


def target_of(kind: str, identifier: str) -> str:
    """The event target of one thing."""
    return f"{kind}:{identifier}"


def canonical_json(value: Json) -> str:
    """The one text form of a JSON value: keys sorted, no spaces, NaN refused."""
    return _CANONICAL.encode(value)


def row_hash(table: str, columns: Mapping[str, Scalar]) -> bytes:
    """SHA-256 of one database row.

    The input is the ASCII JSON text `[table, [[column, value], …]]`, columns sorted by name and `row_hash` itself left
    out; bytes are written as `{"hex": "…"}`. Nothing in it depends on how SQLite lays out a row, so the same row has
    the same hash in every version of the library.

    Args:
        table: name of the table; a row that moves to another table is a changed row.
        columns: every column of the row.

    Returns:
        32 bytes.
    """
    content = [[name, columns[name]] for name in sorted(columns) if name != "row_hash"]
    return hashlib.sha256(_ASCII.encode([table, content]).encode("ascii")).digest()


def _bytes_as_hex(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    raise TypeError(f"a database row cannot hold {type(value).__name__}")


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ASCII = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_bytes_as_hex)
