"""Which cases look different to a model since an event: moved clicks, a drawn box, another side, another image."""

from __future__ import annotations

from app.core.annotation import ALIGNMENT, CROP_VERDICT, REGION, split_target
from app.core.event import COMPOSITION
from app.store.database import Database
from app.store.worklist.rows import cases_of_studies, studies_of_views

FED_BY = (ALIGNMENT, CROP_VERDICT, REGION)
MANY_EVENTS = 200_000


def head_of(database: Database) -> tuple[int, bytes]:
    """The end of the event chain."""
    found = database.rows("SELECT event_id, event_hash FROM head WHERE id = 1")
    return (int(found[0][0]), bytes(found[0][1])) if found else (0, b"")


def touched_since(database: Database, known: tuple[int, bytes] | None, head: tuple[int, bytes]) -> set[str] | None:
    """The cases that events between two ends of the chain may have changed for a model.

    Args:
        database: the project's.
        known: the earlier end; None when there is none.
        head: the later end.

    Returns:
        Case ids; None when it cannot be told, and all may be touched.
    """
    if known is None or not 0 <= head[0] - known[0] <= MANY_EVENTS:
        return None
    if known[0] and database.value("SELECT row_hash FROM event WHERE id = ?", (known[0],)) != known[1]:
        return None
    rows = database.rows("SELECT DISTINCT target, field FROM event WHERE id > ? AND id <= ?", (known[0], head[0]))
    cases: set[str] = set()
    views: set[str] = set()
    studies: set[str] = set()
    for target, field in rows:
        kind, identifier, _ = split_target(target)
        if kind == "case" and (field == COMPOSITION or field.startswith(FED_BY)):
            cases.add(identifier)
        elif kind == "view":
            views.add(identifier)
        elif kind == "study":
            studies.add(identifier)
    return cases | cases_of_studies(database, studies | studies_of_views(database, views))
