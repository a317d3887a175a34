"""What must hold after a simulated power cut."""

from __future__ import annotations

import contextlib
from pathlib import Path

from app.core.errors import UserError
from app.store.audit import audit_database
from app.store.database import WRITER_PRAGMAS, Database
from app.store.images import DamagedImageError, ImageStore
from tests.support.power_cut import RecordingFileSystem, Step, record_database, record_statements
from tests.support.projects import make_image

DATABASE = "project.db"


def pragmas(*, synchronous: str = "FULL", checkpoint: int | None = None) -> list[str]:
    """The app's own pragmas, changed only where a control needs it."""
    changed = [f"PRAGMA synchronous = {synchronous}" if "synchronous" in text else text for text in WRITER_PRAGMAS]
    return changed + ([f"PRAGMA wal_autocheckpoint = {checkpoint}"] if checkpoint else [])


def recorded_database(folder: Path, *, commits: int, settings: list[str]) -> list[Step]:
    """The steps of the app's own statements under these pragmas."""
    statements = record_statements(folder / "app.db", commits=commits)
    return record_database(folder / DATABASE, statements, pragmas=settings)


def check_database(folder: Path, acknowledged: list[str]) -> None:
    """Every acknowledged event is there and the whole database is what was written."""
    expected = int(acknowledged[-1]) if acknowledged else 0
    path = folder / DATABASE
    if not path.exists():
        assert expected == 0, "the database is gone"
        return
    try:
        with contextlib.closing(Database.open_writer(path)) as database:
            if database.value("SELECT 1 FROM sqlite_schema WHERE name = 'head'") is None:
                assert expected == 0, "the tables are gone"
                return
            found = int(database.value("SELECT coalesce(max(id), 0) FROM event"))
            assert found >= expected, f"{expected - found} acknowledged events are lost"
            problems = audit_database(database.connection)
    except UserError as error:
        raise AssertionError(error.reason) from error
    assert problems == [], problems[:3]


def recorded_images(folder: Path, *, count: int, is_syncing: bool = True) -> list[Step]:
    """The steps of storing images."""
    fs = RecordingFileSystem(folder, is_syncing=is_syncing)
    store = ImageStore(folder / "images", fs=fs)
    for number in range(count):
        fs.acknowledge(store.put(make_image(number, rows=60, cols=80)))
    return fs.steps


def check_images(folder: Path, acknowledged: list[str]) -> None:
    """Every acknowledged image is there, and no final name shows anything half-made."""
    store = ImageStore(folder / "images")
    for address in acknowledged:
        assert store.has(address), "an acknowledged image is lost"
    for address in store.addresses():
        try:
            store.verify(address)
        except DamagedImageError as error:
            raise AssertionError(str(error)) from error
