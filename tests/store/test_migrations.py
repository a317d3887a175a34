"""Databases of every released version open, are migrated, and stay intact."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils

from app.core.errors import UserError
from app.store import database as database_module
from app.store import project as project_module
from app.store.backup import list_backups
from app.store.database import Database
from app.store.folder import ProjectFolder
from app.store.head import Head, reset_head
from app.store.health import check_project
from app.store.project import ProjectStore
from app.store.schema import MIGRATIONS, schema_digest
from tests.support.released import KEY, RELEASED

STORED = sorted(RELEASED.glob("*.db.gz"))


def _installed(stored: Path, path: Path) -> Path:
    """A project folder around a stored database."""
    ProjectStore.create(path).close()
    folder = ProjectFolder(path)
    for file in (*path.glob("project.db*"), *folder.backups.iterdir()):
        file.unlink()
    folder.database.write_bytes(gzip.decompress(stored.read_bytes()))
    folder.key_file.write_bytes(KEY)
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        ((number, digest),) = database.rows("SELECT event_id, event_hash FROM head")
    reset_head(folder.head_file, Head(event_id=number, event_hash=digest))
    return path


def test_every_migration_but_the_unreleased_has_a_stored_database() -> None:
    assert [file.name.removesuffix(".db.gz") for file in STORED] == list(MIGRATIONS)


@pytest.mark.parametrize("stored", STORED, ids=lambda path: path.name)
def test_a_released_database_opens_and_holds_what_it_held(tmp_path: Path, stored: Path) -> None:
    path = _installed(stored, tmp_path / "project")
    with ProjectStore.open(path) as project:
        assert project.database.pending_migrations() == []
        assert [case.id for case in project.cases.all()] == ["case-0", "case-1", "case-2"]
        assert len(project.views.all()) == len(project.patients.all()) == len(project.sources.all()) == 3
        assert len([event for event in project.events.since() if event.field == "garden"]) == 6
        digest = schema_digest(project.database.connection)
    report = check_project(path)
    assert report.problems == []
    with ProjectStore.create(tmp_path / "new") as project:
        names = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
        fresh = project.database.rows(names)
        assert digest != b""
    with ProjectStore.open(path, is_read_only=True) as project:
        assert project.database.rows(names) == fresh  # migrated and new databases have the same tables


def _with_another(monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    def tried(db: SqliteUtils) -> None:
        db.execute("CREATE TABLE tried (id INTEGER PRIMARY KEY) STRICT")
        if fails:
            raise ZeroDivisionError

    for module in (database_module, project_module):
        monkeypatch.setattr(module, "MIGRATIONS", {**MIGRATIONS, "m0002_tried": tried})


def test_a_migration_is_preceded_by_a_backup_that_is_kept(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_another(monkeypatch, fails=False)
    with ProjectStore.open(closed) as project:
        assert project.database.applied_migrations()[-1] == "m0002_tried"
        schema = [event for event in project.events.of("project") if event.field == "schema"]
        assert schema[-1].after["migrations"][-1] == "m0002_tried"
        project.events.append(target="t:1", field="f", after=1)
    assert "before-update" in {backup.label for backup in list_backups(ProjectFolder(closed))}
    assert check_project(closed).problems == []
    ProjectStore.open(closed).close()


def test_a_failed_migration_changes_nothing(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        _with_another(patch, fails=True)
        with pytest.raises(ZeroDivisionError):
            ProjectStore.open(closed)
    assert check_project(closed).problems == []
    with ProjectStore.open(closed) as project:
        assert project.database.value("SELECT 1 FROM sqlite_schema WHERE name = 'tried'") is None


def test_reading_a_database_that_needs_a_migration(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_another(monkeypatch, fails=False)
    with pytest.raises(UserError) as caught:
        ProjectStore.open(closed, is_read_only=True)
    assert caught.value.kind == "older-version"
