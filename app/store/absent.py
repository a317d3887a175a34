"""Images that a copy of a project never had: withheld when it was exported, recorded so that they are not missed.

The record names an image, not a view, and says nothing once the image is there (ADR 0225).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.core.case import View
from app.store.database import Database
from app.store.events import EventLog
from app.store.images import ImageStore
from app.store.project import ProjectStore

IMAGE, ABSENT = "image", "absent"
TEXT = "Withheld when the other project was exported"


def note_absent(events: EventLog, addresses: Iterable[str], *, author: str) -> None:
    """Record that images did not come along; what is recorded already stays.

    Args:
        events: of the project that the views came into.
        addresses: SHA-256 of the images.
        author: who brought the views.
    """
    for address in sorted(set(addresses)):
        target = f"{IMAGE}:{address}"
        if events.current(target, ABSENT) is None:
            events.append(target=target, field=ABSENT, after=True, text=TEXT, author=author)


def noted_absent(database: Database) -> frozenset[str]:
    """Addresses of the images that are recorded as withheld, whether they have come since or not."""
    rows = database.rows(
        "SELECT substr(target, ?) FROM current WHERE target >= ? AND target < ? AND field = ?",
        (len(IMAGE) + 2, f"{IMAGE}:", f"{IMAGE};", ABSENT),
    )
    return frozenset(str(address) for (address,) in rows)


def absent_images(database: Database, images: ImageStore) -> frozenset[str]:
    """Addresses of the images that are recorded as withheld and have not come since."""
    return frozenset(address for address in noted_absent(database) if not images.has(address))


def with_absence(project: ProjectStore, views: Iterable[View]) -> list[View]:
    """The views; of those whose image was withheld from this copy it is said."""
    absent = absent_images(project.database, project.images)
    return [replace(view, is_absent=True) if view.image_sha256 in absent else view for view in views]
