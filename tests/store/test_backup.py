"""Backups: made, verified, thinned out, restored, and interrupted at every step."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.store.backup import (
    finish_restore,
    is_backup_due,
    list_backups,
    make_backup,
    restore_backup,
    thin_out,
    verify_backup,
)
from app.store.folder import ProjectFolder
from app.store.fs import Chunk, DiskFileSystem
from app.store.health import check_project
from app.store.lock import ProjectLock
from app.store.project import ProjectStore
from tests.support.bit_flips import dump, flip_bit
from tests.support.projects import make_image

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Interrupted(OSError):
    """Where the interruption struck."""


class InterruptedFileSystem(DiskFileSystem):
    """Stops before its n-th operation, as if the process had been killed there."""

    def __init__(self, at: int) -> None:
        self.left = at

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted(errno.EIO, "interrupted")

    def write(self, path: Path, chunks: Iterable[Chunk], *, mode: int = 0o600) -> None:
        self._count()
        super().write(path, chunks, mode=mode)

    def sync(self, path: Path) -> None:
        self._count()
        super().sync(path)

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self._count()
        super().sync_folder(path)

    def remove(self, path: Path) -> None:
        self._count()
        super().remove(path)


def _changed(path: Path) -> int:
    """Change a project after its backup; returns the number of its last event."""
    with ProjectStore.open(path) as project:
        for number in range(6):
            project.cases.set_status(f"case-{number}", ReviewStatus.EXCLUDED, author="r")
        return project.events.head()[0]


def _restore(path: Path, **more: object) -> Path | None:
    folder = ProjectFolder(path)
    with ProjectLock(folder):
        return restore_backup(folder, list_backups(folder)[0], now=NOW, **more)  # type: ignore[arg-type]


def test_a_backup_is_one_verified_file_with_everything_in_it(project: ProjectStore) -> None:
    project.events.append(target="t:1", field="f", after=1)
    backup = make_backup(project.folder, project.database, now=NOW)
    assert backup.path.name == f"project-20261121T120000Z-{backup.event_id}.db"
    assert list_backups(project.folder)[0] == backup
    assert verify_backup(backup) == 0
    project.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    assert dump(backup.path) == dump(project.folder.database)
    names = {file.name for file in project.folder.backups.iterdir()}
    assert names == {item.path.name for item in list_backups(project.folder)}  # nothing beside it


def test_a_backup_may_be_made_while_somebody_writes(closed: Path) -> None:
    folder = ProjectFolder(closed)
    with ProjectStore.open(closed) as writer, ProjectStore.open(closed, is_read_only=True) as reader:
        writer.events.append(target="t:1", field="f", after=1)
        backup = make_backup(folder, reader.database, now=NOW)
        assert backup.event_id == writer.events.head()[0]
    assert verify_backup(backup) == 0


def test_no_backup_is_made_of_damage(closed: Path) -> None:
    with sqlite3.connect(closed / "project.db") as connection:
        connection.execute("UPDATE current SET value = '9'")
    connection.close()
    before = list_backups(ProjectFolder(closed))
    with ProjectStore.open(closed, is_read_only=True) as project, pytest.raises(UserError) as caught:
        make_backup(project.folder, project.database, now=NOW)
    assert caught.value.kind == "damaged"
    assert list_backups(ProjectFolder(closed)) == before
    assert all(file.suffix == ".db" for file in ProjectFolder(closed).backups.iterdir())


def test_a_project_that_cannot_be_backed_up_still_closes(closed: Path) -> None:
    shutil.rmtree(closed / "backups")
    project = ProjectStore.open(closed)
    shutil.rmtree(closed / "backups")
    (closed / "backups").write_text("not a folder")
    project.close()
    (closed / "backups").unlink()
    ProjectStore.open(closed).close()
    assert len(list_backups(ProjectFolder(closed))) == 1


def test_when_a_backup_is_due(project: ProjectStore) -> None:
    folder, database = project.folder, project.database
    for old in list_backups(folder):
        old.path.unlink()
    assert is_backup_due(folder, database, now=NOW)
    make_backup(folder, database, now=NOW)
    later = NOW + timedelta(days=2)
    assert not is_backup_due(folder, database, now=later)  # nothing has changed
    project.events.append(target="t:1", field="f", after=1)
    assert not is_backup_due(folder, database, now=NOW + timedelta(hours=23))
    assert is_backup_due(folder, database, now=later)
    assert is_backup_due(folder, database, now=NOW - timedelta(days=400))  # the clock was wrong once


def test_rotation_spares_labelled_backups(project: ProjectStore) -> None:
    folder = project.folder
    source = make_backup(folder, project.database, now=NOW).path
    for day in range(1, 400, 3):
        time = (NOW - timedelta(days=day)).strftime("%Y%m%dT%H%M%SZ")
        shutil.copyfile(source, folder.backups / f"project-{time}-1.db")
    labelled = folder.backups / "project-20200101T000000Z-1-before-update.db"
    shutil.copyfile(source, labelled)
    (folder.backups / "notes.txt").write_text("mine")
    thin_out(folder, now=NOW)
    left = list_backups(folder)
    assert 20 <= len(left) <= 34
    assert left[-1].path == labelled
    assert left[-1].label == "before-update"
    assert (folder.backups / "notes.txt").exists()


def test_restore_brings_back_what_was_and_keeps_what_is_replaced(closed: Path) -> None:
    folder = ProjectFolder(closed)
    before = dump(folder.database)
    last = _changed(closed)
    after = dump(folder.database)
    replaced = _restore(closed)
    assert dump(folder.database) == before
    assert replaced is not None
    assert dump(replaced / "project.db") == after
    assert not check_project(closed).is_damaged
    with ProjectStore.open(closed) as project:
        assert project.events.head()[0] < last
        project.events.append(target="t:1", field="f", after=1)
    assert not check_project(closed).is_damaged


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbage"),
        lambda path: path.write_bytes(path.read_bytes()[:9000]),
        lambda path: flip_bit(path, path.read_bytes().index(b"reader 1") * 8),
    ],
)
def test_a_damaged_backup_is_never_restored(closed: Path, damage: Callable[[Path], None]) -> None:
    folder = ProjectFolder(closed)
    _changed(closed)
    before = dump(folder.database)
    backup = list_backups(folder)[0]
    damage(backup.path)
    with pytest.raises(UserError) as caught:
        _restore(closed)
    assert caught.value.kind == "backup-damaged"
    assert dump(folder.database) == before
    assert check_project(closed, is_full=True).is_damaged


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbage" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    ],
)
def test_restore_works_from_every_kind_of_ruin(closed: Path, damage: Callable[[Path], None]) -> None:
    folder = ProjectFolder(closed)
    before = dump(folder.database)
    damage(folder.database)
    assert check_project(closed).is_damaged
    _restore(closed)
    assert dump(folder.database) == before
    assert not check_project(closed).is_damaged
    ProjectStore.open(closed).close()


def test_a_log_of_the_replaced_database_never_meets_the_new_one(closed: Path) -> None:
    folder = ProjectFolder(closed)
    before = dump(folder.database)
    project = ProjectStore.open(closed)
    for number in range(6):
        project.cases.set_status(f"case-{number}", ReviewStatus.EXCLUDED, author="r")
    log = folder.database.with_name("project.db-wal")
    saved = log.read_bytes()
    project.close()
    log.write_bytes(saved)  # as if the process had been killed
    folder.holder_file.write_text("{}")
    replaced = _restore(closed)
    assert replaced is not None
    assert (replaced / log.name).read_bytes() == saved
    with ProjectStore.open(closed):
        pass
    assert dump(folder.database) == before


def test_an_interrupted_restore_leaves_the_old_or_is_finished(tmp_path: Path, closed: Path) -> None:
    old_events = _changed(closed)
    original = tmp_path / "original"
    closed.rename(original)
    backed_up = list_backups(ProjectFolder(original))[0].event_id
    outcomes = set()
    for step in range(60):
        path = tmp_path / f"step-{step}"
        shutil.copytree(original, path)
        folder = ProjectFolder(path)
        fs = InterruptedFileSystem(step)
        with contextlib.suppress(UserError), ProjectLock(folder):
            restore_backup(folder, list_backups(folder)[0], now=NOW, fs=fs)
        if folder.restore_file.exists():
            with pytest.raises(UserError) as caught:
                ProjectStore.open(path, is_read_only=True)
            assert caught.value.kind == "restoring"
        with ProjectStore.open(path) as project:
            events = project.events.head()[0]
        assert events in (old_events, backed_up)
        outcomes.add(events)
        assert not check_project(path).is_damaged
        assert not folder.restore_file.exists()
        assert not folder.restored_file.exists()
        shutil.rmtree(path)
        if fs.left > 0:
            break
    else:
        pytest.fail("the restore never came to its end")
    assert step > 15
    assert outcomes == {old_events, backed_up}


def test_finishing_twice_is_fine(closed: Path) -> None:
    folder = ProjectFolder(closed)
    assert not finish_restore(folder)
    folder.restore_file.write_text(json.dumps({"backup": "x"}))
    assert finish_restore(folder)
    assert not finish_restore(folder)
    ProjectStore.open(closed).close()


def test_nothing_is_made_where_a_project_was_moved_away(closed: Path, tmp_path: Path) -> None:
    """A folder in its place would keep it from being put back."""
    elsewhere = tmp_path / "elsewhere"
    with contextlib.suppress(UserError), ProjectStore.open(closed) as project:
        closed.rename(elsewhere)
        with pytest.raises(UserError) as caught:
            make_backup(project.folder, project.database, now=NOW)
        assert caught.value.kind == "unwritable-folder"
        with pytest.raises(UserError) as caught:
            project.images.put(make_image(7))
        assert caught.value.kind == "unwritable-folder"
    assert not closed.exists()
    elsewhere.rename(closed)
    ProjectStore.open(closed).close()
