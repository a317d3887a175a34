"""Which events of a project came from another one, and what they are called everywhere.

Every merge leaves an event with the target `merge:ORIGIN`: local numbers of the events that it brought, with the
identities that they have wherever they are merged to. So the same events are never brought twice, whichever way they
come, and a merge that was cut off goes on where it stopped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from app.core.event import Event, Json, target_of
from app.core.merging import IDENTITY_BYTES, identity_of
from app.store.events import EventLog

MERGE = "merge"  # kind of the targets of these events
BROUGHT = "events."  # + number of the first event of the batch


def note_brought(
    events: EventLog, origin: str, brought: Sequence[tuple[int, bytes]], seen: Sequence[bytes], *, author: str
) -> None:
    """Record what a batch of a merge brought, in its transaction.

    Args:
        events: of the project that is merged into.
        origin: the chain it came from.
        brought: local number and identity of every event.
        seen: identities of events that needed not be brought, because they change nothing here.
        author: who merges.
    """
    if not brought and not seen:
        return
    number, _ = events.head()
    events.append(
        target=target_of(MERGE, origin),
        field=f"{BROUGHT}{number + 1}",
        before=None,
        after={
            "ids": [event_id for event_id, _ in brought],
            "identities": _packed([identity for _, identity in brought]),
            "seen": _packed(seen),
        },
        text=f"{len(brought)} events of another project",
        author=author,
    )


def identities_of(events: Iterable[Event]) -> dict[int, bytes]:
    """The identity of every event, by its local number."""
    found: dict[int, bytes] = {}
    for event in events:
        found[event.id] = identity_of(event.row_hash)
        if (record := _record(event)) is not None:
            found |= dict(zip(record["ids"], _unpacked(record["identities"]), strict=True))
    return found


def seen_identities(events: Iterable[Event]) -> set[bytes]:
    """Identities of foreign events that needed not be brought."""
    records = filter(None, map(_record, events))
    return {identity for record in records for identity in _unpacked(record["seen"])}


def _record(event: Event) -> dict[str, Json] | None:
    is_one = event.target.startswith(f"{MERGE}:") and event.field.startswith(BROUGHT)
    return event.after if is_one and isinstance(event.after, dict) else None


def _packed(identities: Sequence[bytes]) -> str:
    return base64.b64encode(b"".join(identities)).decode("ascii")


def _unpacked(text: str) -> list[bytes]:
    content = base64.b64decode(text)
    return [content[start : start + IDENTITY_BYTES] for start in range(0, len(content), IDENTITY_BYTES)]
