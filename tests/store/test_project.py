"""Making, opening and closing projects."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.store.audit import audit_database
from app.store.backup import list_backups
from app.store.folder import ProjectFolder
from app.store.head import Head, HeadFile, read_head, reset_head
from app.store.images import ImageStore
from app.store.project import ProjectStore
from app.store.schema import MIGRATIONS
from tests.support.projects import add_study, make_project


def test_create_fill_close_open(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "deep" / "er" / "project", name="Hips") as project:
        view, address = add_study(project, 1)
        key = project.key
        assert project.name == "Hips"
    with ProjectStore.open(project.folder.path) as project:
        assert project.key == key
        assert not project.was_unclean
        found = project.views.get(view)
        assert found is not None
        assert found.image_sha256 == address
        assert project.images.load(address).pixels.shape == (24, 32)
        assert len(project.cases.all()) == 1


def test_two_projects_have_two_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        with ProjectStore.create(tmp_path / name) as project:
            keys.add(project.key)
    assert len(keys) == 2


def test_create_needs_a_free_place(tmp_path: Path) -> None:
    path = tmp_path / "project"
    path.mkdir()
    ProjectStore.create(path).close()  # an empty folder is a free place
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    for taken in (path, tmp_path / "file", tmp_path / "full"):
        with pytest.raises(UserError) as caught:
            ProjectStore.create(taken)
        assert caught.value.kind == "exists"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "full", "project"]


def test_a_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ProjectFolder, "write_marker", fail)
    with pytest.raises(UserError) as caught:
        ProjectStore.create(tmp_path / "project")
    assert caught.value.kind == "unwritable-folder"
    assert "no space left" in caught.value.reason
    assert list(tmp_path.iterdir()) == []


def test_abandoned_drafts_are_removed_when_old(tmp_path: Path) -> None:
    for name, age_s in ((".project.0001.new", 7200), (".project.0002.new", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    ProjectStore.create(tmp_path / "project").close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".project.0002.new", "project"]


@pytest.mark.parametrize("content", [None, b"", b"short"])
def test_without_its_key_a_project_is_refused(closed: Path, content: bytes | None) -> None:
    key_file = ProjectFolder(closed).key_file
    key_file.unlink()
    if content is not None:
        key_file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        ProjectStore.open(closed)
    assert caught.value.kind == "key-missing"


def test_another_projects_key_is_noticed(closed: Path) -> None:
    ProjectFolder(closed).key_file.write_bytes(bytes(32))
    with pytest.raises(UserError, match="another project"):
        ProjectStore.open(closed)


def test_a_newer_database_is_refused(closed: Path) -> None:
    with sqlite3.connect(closed / "project.db") as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('coxa', 'm9999_future', 'x')"
        )
    connection.close()
    for is_read_only in (True, False):
        with pytest.raises(UserError) as caught:
            ProjectStore.open(closed, is_read_only=is_read_only)
        assert caught.value.kind == "newer-version"


def test_a_missing_database_is_never_made_anew(closed: Path) -> None:
    (closed / "project.db").unlink()
    for is_read_only in (True, False):
        with pytest.raises(UserError) as caught:
            ProjectStore.open(closed, is_read_only=is_read_only)
        assert caught.value.kind == "damaged"
    assert not (closed / "project.db").exists()


def test_work_in_progress_is_swept_up_after_an_unclean_end(closed: Path) -> None:
    folder = ProjectFolder(closed)
    (folder.scratch / "deep").mkdir()
    (folder.scratch / "deep" / "x.npy").write_bytes(b"x")
    address = next(ImageStore(folder.images).addresses())
    leftover = folder.images / address[:2] / f".{address}.aa.part"
    leftover.write_bytes(b"x")
    halves = [place / ".name.abc.part" for place in (closed, folder.backups, folder.private)]
    for half in halves:
        half.write_bytes(b"half")
    folder.holder_file.write_text("{}")
    with ProjectStore.open(closed) as project:
        assert project.was_unclean
        assert not leftover.exists()
        assert not any(half.exists() for half in halves)
        assert list(folder.scratch.iterdir()) == []
        assert len(project.cases.all()) == 6


def test_damage_after_an_unclean_end_is_found_on_opening(closed: Path) -> None:
    folder = ProjectFolder(closed)
    with sqlite3.connect(folder.database) as connection:
        connection.execute("UPDATE current SET value = '3' WHERE field = 'garden'")
    connection.close()
    ProjectStore.open(closed).close()  # not noticed after a clean end …
    folder.holder_file.write_text("{}")
    with pytest.raises(UserError) as caught:
        ProjectStore.open(closed)  # … but after an unclean one everything is audited
    assert caught.value.kind == "damaged"
    with ProjectStore.open(closed, is_read_only=True) as project:  # and can still be looked at
        assert len(project.cases.all()) == 6


def test_a_lost_write_ahead_log_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "project"
    make_project(path)
    project = ProjectStore.open(path)
    saved = (path / "project.db").read_bytes()  # as it was before the next commits
    for number in range(5):
        project.cases.set_status(f"case-{number}", ReviewStatus.REVIEWED, author="r")
    project.close()
    (path / "project.db").write_bytes(saved)
    with pytest.raises(UserError, match="5 events at the end are missing"):
        ProjectStore.open(path)


def test_an_older_copy_of_another_history_is_noticed(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        make_project(tmp_path / name, seed=seed)
    (tmp_path / "a" / "project.db").write_bytes((tmp_path / "b" / "project.db").read_bytes())
    with pytest.raises(UserError) as caught:
        ProjectStore.open(tmp_path / "a")
    assert caught.value.kind == "damaged"


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\xff" * 512])
def test_a_lost_head_file_is_made_anew(closed: Path, content: bytes | None) -> None:
    head_file = ProjectFolder(closed).head_file
    expected = read_head(head_file)
    head_file.unlink()
    if content is not None:
        head_file.write_bytes(content)
    assert read_head(head_file) is None
    ProjectStore.open(closed).close()
    assert read_head(head_file) == expected


def test_the_head_file_survives_a_torn_slot(tmp_path: Path) -> None:
    path = tmp_path / "head"
    heads = [Head(event_id=number, event_hash=bytes([number] * 32)) for number in range(1, 5)]
    reset_head(path, heads[0])
    file = HeadFile(path, heads[0])
    for head in heads[1:]:
        file.write(head)
        assert read_head(path) == head
    file.close()
    content = bytearray(path.read_bytes())
    for number in range(len(content)):
        torn = content.copy()
        torn[number] ^= 1
        path.write_bytes(torn)
        assert read_head(path) in heads[-2:]


def test_a_note_that_cannot_be_written_does_not_undo_a_commit(tmp_path: Path) -> None:
    path = tmp_path / "head"
    head = Head(event_id=1, event_hash=bytes(32))
    reset_head(path, head)
    file = HeadFile(path, head)
    os.close(file._descriptor)
    file.write(Head(event_id=2, event_hash=bytes(32)))
    file.close()
    assert read_head(path) == head


def test_closing_makes_a_backup_when_one_is_due(tmp_path: Path) -> None:
    path = tmp_path / "project"
    make_project(path)
    backups = list_backups(ProjectFolder(path))
    assert len(backups) == 1
    with ProjectStore.open(path) as project:
        project.events.append(target="t:1", field="f", after=1)
    assert list_backups(ProjectFolder(path)) == backups  # the newest is younger than a day
    old = backups[0].path
    old.rename(old.with_name(old.name.replace("project-20", "project-19")))
    with ProjectStore.open(path) as project:
        assert len(list_backups(project.folder)) == 2  # due on opening already


def test_migrations_start_from_nothing_and_are_named_in_order() -> None:
    names = list(MIGRATIONS)
    assert names == sorted(names)
    assert all(name[:5] == f"m{number:04d}" for number, name in enumerate(names, start=1))


def test_nothing_of_a_deleted_row_stays_in_the_file(project: ProjectStore) -> None:
    project.events.append(target="t:1", field="f", after="x")
    secret = "secret-value-of-a-projection"
    project.database.upsert("current", {"target": "t:2", "field": "f", "value": secret, "event_id": 1})
    project.database.delete("current", {"target": "t:2", "field": "f"})
    project.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret.encode() not in project.folder.database.read_bytes()
    assert audit_database(project.database.connection) == []
