"""Sources of a project: which files were looked at, by hash and keyed identifiers only, and what came of them."""

from __future__ import annotations

from app.core.record import record
from app.store.database import Database
from app.store.events import EventLog

COLUMNS = ("id", "source_sha256", "frame", "object_key", "predecessor_key", "view_id", "outcome")


@record(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One file that an import looked at.

    Args:
        id: 1, 2, 3 … in order of import.
        source_sha256: hash of the whole file or archive member, hex.
        frame: frame index in a multi-frame object, or None.
        object_key: HMAC of the object's UID with the project key, or empty.
        predecessor_key: HMAC of the UID of the object that it re-encodes, or empty.
        view_id: the view that shows it, or None.
        outcome: what came of it, for example `imported`, `duplicate`, `refused`.
    """

    id: int
    source_sha256: str
    frame: int | None
    object_key: str
    predecessor_key: str
    view_id: str | None
    outcome: str


class Sources:
    """Sources: added, never changed; a file that is looked at again gets another record."""

    def __init__(self, database: Database, events: EventLog) -> None:
        self._database = database
        self._events = events

    def add(
        self,
        *,
        source_sha256: str,
        object_key: str = "",
        predecessor_key: str = "",
        view_id: str | None = None,
        outcome: str,
        frame: int | None = None,
        author: str = "",
    ) -> SourceRecord:
        """Record what came of one file."""
        with self._database.transaction():
            number = 1 + int(self._database.value("SELECT coalesce(max(id), 0) FROM source"))
            record = SourceRecord(
                id=number,
                source_sha256=source_sha256,
                frame=frame,
                object_key=object_key,
                predecessor_key=predecessor_key,
                view_id=view_id,
                outcome=outcome,
            )
            digest = self._database.insert("source", {name: getattr(record, name) for name in COLUMNS})
            self._events.record_row("source", str(number), digest, author=author)
        return record

    def find(self, source_sha256: str, *, frame: int | None = None) -> SourceRecord | None:
        """What came of this very file the last time; None when it was never looked at."""
        return self._last("WHERE source_sha256 = ? AND frame IS ? ORDER BY id DESC LIMIT 1", (source_sha256, frame))

    def find_object(self, object_key: str) -> SourceRecord | None:
        """The last record of this object that became a view, else the last record of it, else None."""
        return self._last(
            "WHERE object_key = ? AND object_key <> '' ORDER BY view_id IS NULL, id DESC LIMIT 1", (object_key,)
        )

    def of_predecessor(self, predecessor_key: str) -> list[SourceRecord]:
        """Records of objects that re-encode this one, oldest first."""
        return self._select("WHERE predecessor_key = ? AND predecessor_key <> '' ORDER BY id", (predecessor_key,))

    def of_view(self, view_id: str) -> list[SourceRecord]:
        """Records of the files that show this view, oldest first: the one it was made from, and its copies."""
        return self._select("WHERE view_id = ? ORDER BY id", (view_id,))

    def all(self) -> list[SourceRecord]:
        """Every record, oldest first."""
        return self._select("ORDER BY id", ())

    def _last(self, where: str, parameters: tuple[str | int | None, ...]) -> SourceRecord | None:
        found = self._select(where, parameters)
        return found[0] if found else None

    def _select(self, where: str, parameters: tuple[str | int | None, ...]) -> list[SourceRecord]:
        rows = self._database.records("source", where, parameters)
        return [SourceRecord(**{name: row[name] for name in COLUMNS}) for row in rows]
