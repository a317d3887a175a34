"""Which events of a project came from another one, and what they are called everywhere.

Every merge leaves an event with the target `merge:ORIGIN`: local numbers of the events that it brought, with the
identities that they have wherever they are merged to. So the same events are never brought twice, whichever way they
come, and a merge that was cut off goes on where it stopped.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from app.core.event import Json, target_of
from app.core.merging import IDENTITY_BYTES, identity_of
from app.store.database import Database
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


def identities_of(database: Database) -> dict[int, bytes]:
    """The identity of every event, by its local number."""
    rows = database.rows("SELECT id, row_hash FROM event ORDER BY id")
    found = {int(number): identity_of(bytes(digest)) for number, digest in rows}
    for record in _records(database):
        found |= dict(zip(record["ids"], _unpacked(record["identities"]), strict=True))
    return found


def seen_identities(database: Database) -> set[bytes]:
    """Identities of foreign events that needed not be brought."""
    return {identity for record in _records(database) for identity in _unpacked(record["seen"])}


def _records(database: Database) -> list[dict[str, Json]]:
    events = EventLog(database)
    rows = database.rows(
        "SELECT DISTINCT target FROM current WHERE target >= ? AND target < ?", (f"{MERGE}:", f"{MERGE};")
    )
    values = [events.current_of(target) for (target,) in rows]
    return [value for held in values for field, value in held.items() if field.startswith(BROUGHT)]


def _packed(identities: Sequence[bytes]) -> str:
    return base64.b64encode(b"".join(identities)).decode("ascii")


def _unpacked(text: str) -> list[bytes]:
    content = base64.b64decode(text)
    return [content[start : start + IDENTITY_BYTES] for start in range(0, len(content), IDENTITY_BYTES)]
