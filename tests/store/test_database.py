"""The connection, its transactions and its errors."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.core.case import Patient
from app.core.errors import UserError
from app.store.database import Database
from app.store.project import ProjectStore
from app.store.schema import APPEND_ONLY, TABLES
from tests.support.kill_loop import ROOT
from tests.support.projects import add_study


def test_settings_that_promises_rest_on(project: ProjectStore) -> None:
    def pragma(name: str) -> object:
        return project.database.value(f"PRAGMA {name}")

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("foreign_keys") == 1
    assert pragma("secure_delete") == 1
    assert pragma("recursive_triggers") == 1


def test_every_table_is_strict_and_has_a_row_hash(project: ProjectStore) -> None:
    statements = dict(project.database.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
    assert set(statements) - {"_sqlite_migrations"} == set(TABLES)
    for table, names in TABLES.items():
        assert "STRICT" in statements[table]
        found = [row[1] for row in project.database.rows(f'PRAGMA table_info("{table}")')]
        assert tuple(found) == names


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_facts_are_append_only(project: ProjectStore, table: str) -> None:
    add_study(project, 1)
    connection = project.database.connection
    column = TABLES[table][1]
    statements = (
        f'UPDATE "{table}" SET {column} = {column}',  # noqa: S608
        f'DELETE FROM "{table}"',  # noqa: S608
        f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"',  # noqa: S608
    )
    for statement in statements:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute(statement)


def test_nested_transactions_join_and_undo_their_own_part(project: ProjectStore) -> None:
    with project.transaction():
        project.patients.add(Patient(id="A"))
        with pytest.raises(ZeroDivisionError), project.transaction():  # noqa: PT012
            project.patients.add(Patient(id="B"))
            raise ZeroDivisionError
        project.patients.add(Patient(id="C"))
    assert [patient.id for patient in project.patients.all()] == ["A", "C"]
    assert [event.target for event in project.events.since(3)] == ["patient:A", "patient:C"]
    assert [event.id for event in project.events.since(3)] == [4, 5]  # no gap


def test_a_failed_transaction_leaves_nothing(project: ProjectStore) -> None:
    head = project.events.head()
    with pytest.raises(ZeroDivisionError), project.transaction():  # noqa: PT012
        project.patients.add(Patient(id="A"))
        raise ZeroDivisionError
    assert project.patients.get("A") is None
    assert project.events.head() == head


def test_read_only_refuses_changes(closed: Path) -> None:
    with ProjectStore.open(closed, is_read_only=True) as project:
        assert len(project.cases.all()) == 6
        with pytest.raises(UserError) as caught:
            project.patients.add(Patient(id="A"))
        assert caught.value.kind == "read-only"
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            project.database.connection.execute("INSERT INTO head VALUES (2, 0, x'', x'')")


def test_a_changed_row_is_not_handed_out(closed: Path) -> None:
    with sqlite3.connect(closed / "project.db") as connection:
        connection.execute("DROP TRIGGER patient_no_update")
        connection.execute("UPDATE patient SET sex = 'M' WHERE id = 'P000003'")
    connection.close()
    with ProjectStore.open(closed, is_read_only=True) as project:
        assert project.patients.get("P000002") is not None
        with pytest.raises(UserError) as caught:
            project.patients.get("P000003")
        assert caught.value.kind == "damaged"


def test_a_table_that_is_gone_is_damage(closed: Path) -> None:
    with sqlite3.connect(closed / "project.db") as connection:
        connection.execute('DROP TABLE "case"')
    connection.close()
    with ProjectStore.open(closed, is_read_only=True) as project, pytest.raises(UserError) as caught:
        project.cases.all()
    assert caught.value.kind == "damaged"


def test_unknown_names_are_bugs_not_sentences(project: ProjectStore) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), project.transaction():
        project.database.connection.execute("SELECT * FROM unknown_table")


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(2000)])
def test_what_is_no_database_is_one_sentence(closed: Path, content: bytes) -> None:
    (closed / "project.db").write_bytes(content)
    for is_read_only in (False, True):
        with pytest.raises(UserError) as caught:
            ProjectStore.open(closed, is_read_only=is_read_only)
        assert caught.value.kind == "damaged"
        assert "repair" in caught.value.remedy


READ_ONLY = """
import importlib.metadata, os, sys, tempfile
from pathlib import Path
from app.core.errors import UserError
from app.store.project import ProjectStore
path = Path(sys.argv[1])
with tempfile.TemporaryDirectory() as other:  # another user may not read the library from which opening imports late
    ProjectStore.create(Path(other) / "p").close()
    ProjectStore.open(Path(other) / "p").close()
os.setuid(65534) if os.getuid() == 0 else None
with ProjectStore.open(path, is_read_only=True) as project:
    print(len(project.cases.all()), len(project.images.load(project.views.all()[0].image_sha256).pixels))
try:
    ProjectStore.open(path)
except UserError as error:
    print(error.kind)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
@pytest.mark.parametrize("has_log", [False, True])
def test_a_folder_that_cannot_be_written_opens_read_only(closed: Path, has_log: bool) -> None:
    if has_log:  # as after a crash: the newest commit is only in the write-ahead log
        database = Database.open_writer(closed / "project.db")
        with database.transaction():
            database.delete("case", {"id": "case-0"})
        saved = {name: (closed / name).read_bytes() for name in ("project.db", "project.db-wal")}
        database.close()
        for name, content in saved.items():
            (closed / name).write_bytes(content)
    with tempfile.TemporaryDirectory() as temporary:  # its parents can be reached by another user
        Path(temporary).chmod(0o755)
        path = Path(temporary) / "project"
        shutil.copytree(closed, path)
        for entry in (path, *path.rglob("*")):
            entry.chmod(0o555 if entry.is_dir() else 0o444)
        try:
            answer = subprocess.run(
                [sys.executable, "-c", READ_ONLY, path], cwd=ROOT, capture_output=True, text=True, check=False
            )
        finally:
            for entry in (path, *path.rglob("*")):
                entry.chmod(0o755)
    assert answer.stderr == ""
    assert answer.stdout.split() == ["5" if has_log else "6", "24", "unwritable-folder"]


@pytest.mark.parametrize("what", ["damaged", "no-copy"])
def test_a_copy_that_is_of_no_use_is_not_left_behind(closed: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """It holds what the project holds, and nobody would ever look for it."""

    def too_full(source: Path, target: Path) -> None:
        Path(target).write_bytes(Path(source).read_bytes()[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    copies = closed.parent / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    (closed / "project.db-wal").write_bytes(b"a log")
    if what == "damaged":
        (closed / "project.db").write_bytes(b"garbage" * 5000)
    else:
        monkeypatch.setattr(shutil, "copyfile", too_full)
    with pytest.raises(UserError) as refused:
        ProjectStore.open(closed, is_read_only=True)
    assert refused.value.kind == what
    assert list(copies.iterdir()) == []


def test_nothing_is_recorded_in_a_project_whose_folder_is_gone(tmp_path: Path) -> None:
    """SQLite would go on writing into the deleted file, and acknowledge what nobody will ever find."""
    with ProjectStore.create(tmp_path / "p") as project:
        project.patients.add(Patient(id="P-1"))
        (tmp_path / "p").rename(tmp_path / "elsewhere")
        with pytest.raises(UserError) as raised:
            project.patients.add(Patient(id="P-2"))
        assert raised.value.kind == "project-gone"
        (tmp_path / "elsewhere").rename(tmp_path / "p")
        project.patients.add(Patient(id="P-3"))
    with ProjectStore.open(tmp_path / "p") as project:
        assert {patient.id for patient in project.patients.all()} == {"P-1", "P-3"}


def test_a_database_that_nobody_closed_is_noticed(tmp_path: Path) -> None:
    """Python does so from 3.13 on, the tests themselves before that."""

    def forget(path: Path) -> None:
        sqlite3.connect(path)
        gc.collect()  # a connection and its statements hold each other

    with pytest.warns(ResourceWarning, match="unclosed database"):
        forget(tmp_path / "left.db")
