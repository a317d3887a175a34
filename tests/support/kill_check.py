"""What must hold after a writer of a project was killed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from app.store.audit import audit_database
from app.store.database import Database
from app.store.folder import ProjectFolder
from app.store.head import read_head
from app.store.images import ImageStore
from tests.support.kill_loop import Outcome


def check_project_after_kill(path: Path, outcome: Outcome) -> None:
    """Nothing acknowledged is lost, every row is what was written, and no half-made file has a final name.

    Raises:
        AssertionError: naming what is wrong.
    """
    assert outcome.was_killed, f"the writer ended by itself: {outcome.errors}"
    folder = ProjectFolder(path)
    events: dict[int, str] = {}
    images = []
    for line in outcome.acknowledged:
        kind, *parts = line.split()
        if kind == "event":
            events[int(parts[0])] = parts[1]
        else:
            images.append(parts[0])
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        problems = audit_database(database.connection, read_head(folder.head_file))
        assert problems == [], problems[:5]
        for event_id, digest in events.items():
            found = database.value("SELECT row_hash FROM event WHERE id = ?", (event_id,))
            assert found is not None, f"acknowledged event {event_id} is lost"
            assert found.hex() == digest, f"acknowledged event {event_id} is another one"
        used = {address for (address,) in database.rows('SELECT DISTINCT image_sha256 FROM "view"')}
    store = ImageStore(folder.images)
    for address in store.addresses():
        store.verify(address)  # raises when it is half-made
    for address in {*images, *used}:
        assert store.has(address), f"acknowledged image {address} is lost"
