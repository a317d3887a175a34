"""The event chain and its projection `current`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.event import CREATED, NO_EVENT_HASH, ROW_FIELDS, Event, Json, canonical_json, target_of
from app.store.database import Database, Row


class _Unset:
    """No value was given (None is a value)."""


UNSET = _Unset()
LAST_NUMBER = (1 << 63) - 1  # SQLite counts no further


def _now() -> datetime:
    return datetime.now(UTC)


class EventLog:
    """Append-only, hash-chained events of one project.

    Args:
        database: the project's database.
        clock: where the time comes from.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def append(
        self,
        *,
        target: str,
        field: str,
        after: Json,
        before: Json | _Unset = UNSET,
        text: str = "",
        author: str = "",
        reverts: int | None = None,
        at: datetime | None = None,
    ) -> Event:
        """Record one change and bring `current` up to date, in one transaction.

        Args:
            target: what changes, `kind:id`.
            field: which property.
            after: the new value (JSON); None removes it.
            before: the value it replaces; taken from `current` when left out.
            text: one sentence for people.
            author: who does it.
            reverts: id of the event that this one undoes.
            at: the time of the gesture that this is a part of, see `moment`; now when left out.

        Raises:
            ValueError: `field` is one that only the store writes, or `before` is not the current value, so that
                somebody else's change would be lost.
        """
        if field in ROW_FIELDS:
            raise ValueError(f"events of the field {field!r} are written with their row")
        with self._database.transaction():
            found = self._database.record("current", target=target, field=field)
            if isinstance(before, _Unset):
                before = None if found is None else json.loads(found["value"])
            elif found is not None and canonical_json(before) != found["value"]:
                raise ValueError(f"{target} {field} has changed meanwhile")
            event = self._write(target, field, before, after, text, author, reverts, at)
            if after is not None:
                self._database.upsert(
                    "current",
                    {"target": target, "field": field, "value": canonical_json(after), "event_id": event.id},
                )
            elif found is not None:
                self._database.delete("current", {"target": target, "field": field})
        return event

    def record_row(self, kind: str, identifier: str, digest: bytes, *, author: str = "", text: str = "") -> Event:
        """Record that a row of a fact table was created; its hash makes a vanished or changed row visible."""
        return self._write(target_of(kind, identifier), CREATED, None, digest.hex(), text, author, None)

    def record_composition(
        self, target: str, field: str, before: Json, after: Json, *, author: str = "", text: str = ""
    ) -> Event:
        """Record the whole content of a projected row (None = the row is gone)."""
        return self._write(target, field, before, after, text, author, None)

    def current(self, target: str, field: str) -> Json:
        """The value of one property now; None when it has none."""
        row = self._database.record("current", target=target, field=field)
        return None if row is None else json.loads(row["value"])

    def current_of(self, target: str) -> dict[str, Json]:
        """Every property of one target that has a value."""
        rows = self._database.records("current", "WHERE target = ? ORDER BY field", (target,))
        return {row["field"]: json.loads(row["value"]) for row in rows}

    def of(self, target: str) -> list[Event]:
        """The history of one target, oldest first."""
        return [_event(row) for row in self._database.records("event", "WHERE target = ? ORDER BY id", (target,))]

    def of_targets(
        self,
        targets: Sequence[str],
        *,
        beginning: str = "",
        author: str | None = None,
        after: int = 0,
        until: int | None = None,
    ) -> list[Event]:
        """The common history of some targets, oldest first.

        Args:
            targets: these.
            beginning: and every target that begins like this; empty = no more.
            author: only what this person did; None = anybody.
            after: only what came after this event.
            until: only up to this event; None = all.
        """
        marks = ", ".join("?" * len(targets))
        where = f"(target IN ({marks}) OR (target >= ? AND target < ?)) AND id > ?"
        last = beginning[:-1] + chr(ord(beginning[-1]) + 1) if beginning else ""
        parameters: list[str | int] = [*targets, beginning, last, after]
        for condition, value in (
            ("author = ?", author),
            ("id <= ?", None if until is None else min(until, LAST_NUMBER)),
        ):
            if value is not None:
                where += f" AND {condition}"
                parameters.append(value)
        return [_event(row) for row in self._database.records("event", f"WHERE {where} ORDER BY id", parameters)]

    def moment(self) -> datetime:
        """The present as the time of a gesture: never that of the last event, so that two gestures are told apart."""
        now = self._clock().astimezone(UTC)
        last = self._database.value("SELECT at FROM event WHERE id = (SELECT event_id FROM head WHERE id = 1)")
        return now if _in_utc(now) != last else now + timedelta(microseconds=1)

    def since(self, event_id: int = 0, *, limit: int = -1) -> list[Event]:
        """Events after `event_id`, oldest first."""
        rows = self._database.records("event", "WHERE id > ? ORDER BY id LIMIT ?", (event_id, limit))
        return [_event(row) for row in rows]

    def get(self, event_id: int) -> Event | None:
        """One event; None where there is none of this number, which may be larger than a database counts."""
        if event_id > LAST_NUMBER:
            return None
        row = self._database.record("event", id=event_id)
        return None if row is None else _event(row)

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last event; (0, zeros) in an empty chain."""
        found = self._database.rows("SELECT event_id, event_hash FROM head WHERE id = 1")
        return (int(found[0][0]), bytes(found[0][1])) if found else (0, NO_EVENT_HASH)

    def _write(
        self,
        target: str,
        field: str,
        before: Json,
        after: Json,
        text: str,
        author: str,
        reverts: int | None,
        at: datetime | None = None,
    ) -> Event:
        """Write one event inside the transaction of the change that it records."""
        database = self._database
        if not database.connection.in_transaction:
            raise RuntimeError("an event is written in the transaction of what it tells of")
        last_id, last_hash = self.head()
        columns: dict[str, Any] = {
            "id": last_id + 1,
            "at": _in_utc(at or self._clock()),
            "author": author,
            "target": target,
            "field": field,
            "before": None if before is None else canonical_json(before),
            "after": None if after is None else canonical_json(after),
            "text": text,
            "reverts": reverts,
            "previous_hash": last_hash,
        }
        digest = database.insert("event", columns)
        database.upsert("head", {"id": 1, "event_id": last_id + 1, "event_hash": digest})
        return Event(**(columns | {"before": before, "after": after, "row_hash": digest}))


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _event(row: Row) -> Event:
    parts = dict(row)
    for name in ("before", "after"):
        parts[name] = None if parts[name] is None else json.loads(parts[name])
    return Event(**parts)
