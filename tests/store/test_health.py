"""The health check finds what is wrong, names it, and says what to do."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.core.event import row_hash
from app.store.backup import list_backups
from app.store.folder import ProjectFolder
from app.store.head import read_head
from app.store.health import HealthReport, State, check_project
from app.store.images import ImageStore
from app.store.project import ProjectStore
from app.store.schema import APPEND_ONLY, TABLES
from tests.support.bit_flips import dump, flip_bit, judge
from tests.support.projects import make_image


def states(report: HealthReport) -> dict[str, State]:
    return {item.name: item.state for item in report.items}


def edit(path: Path, *statements: str) -> None:
    """Change a database behind the app's back."""
    connection = sqlite3.connect(path / "project.db", isolation_level=None)
    for table in APPEND_ONLY:
        for action in ("update", "delete"):
            connection.execute(f"DROP TRIGGER {table}_no_{action}")
    for statement in statements:
        connection.execute(statement)
    with contextlib.closing(sqlite3.connect(path / "template.db")) as template:
        for (sql,) in template.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'"):
            connection.execute(sql)
    connection.close()


@pytest.fixture
def editable(closed: Path) -> Path:
    """A project beside which a copy keeps the definitions that `edit` takes away for a moment."""
    shutil.copyfile(closed / "project.db", closed / "template.db")
    return closed


def test_a_healthy_project(closed: Path) -> None:
    before = {file: file.read_bytes() for file in closed.rglob("*") if file.is_file()}
    report = check_project(closed, is_full=True)
    assert not report.is_damaged
    assert set(states(report).values()) == {State.FINE}
    assert report.problems == []
    after = {file: file.read_bytes() for file in closed.rglob("*") if file.is_file()}
    assert {file: content for file, content in after.items() if file in before} == before


def test_it_may_run_beside_the_writer(project: ProjectStore) -> None:
    project.events.append(target="t:1", field="f", after=1)
    report = check_project(project.folder.path)
    assert not report.is_damaged
    assert "Open for writing by process" in next(item.text for item in report.items if item.name == "lock")


@pytest.mark.parametrize(
    ("statement", "table", "key"),
    [
        ("UPDATE event SET author = 'x' WHERE id = 9", "event", "9"),
        ("UPDATE event SET id = 900 WHERE id = 9", "event", "9"),
        ("UPDATE event SET row_hash = zeroblob(32) WHERE id = 9", "event", "9"),
        ("DELETE FROM event WHERE id = 9", "event", "9"),
        ("DELETE FROM event WHERE id = (SELECT max(id) FROM event)", "event", None),
        ("UPDATE patient SET sex = 'M' WHERE id = 'P000001'", "patient", "P000001"),
        ("DELETE FROM source WHERE id = 2", "source", "2"),
        ("DELETE FROM head", "head", "1"),
        ("UPDATE head SET event_id = event_id - 1", "head", "1"),
        ("UPDATE current SET value = '7' WHERE target = 'case:case-1'", "current", "case:case-1 garden"),
        ("DELETE FROM current WHERE target = 'case:case-1'", "current", "case:case-1 garden"),
        ("UPDATE \"case\" SET status = 'reviewed' WHERE id = 'case-2'", "case", "case-2"),
        ("DELETE FROM \"case\" WHERE id = 'case-2'", "case", "case-2"),
        ("UPDATE view SET header = '{}' WHERE id = 'view-3'", "view", "view-3"),
    ],
)
def test_every_edit_behind_the_apps_back_is_named(editable: Path, statement: str, table: str, key: str | None) -> None:
    edit(editable, statement)
    report = check_project(editable)
    assert states(report)["database"] is State.DAMAGED
    assert "repair" in next(item.remedy for item in report.items if item.name == "database")
    named = {(problem.table, problem.key) for problem in report.problems}
    if key is None:
        assert ("event", str(_last_event(editable))) in named
    else:
        assert (table, key) in named


def _last_event(path: Path) -> int:
    head = read_head(ProjectFolder(path).head_file)
    assert head is not None
    return head.event_id


@pytest.mark.parametrize("is_consistent", [False, True])
def test_a_row_that_no_event_tells_of_is_named(editable: Path, is_consistent: bool) -> None:
    columns = {"id": "P9", "sex": "", "name_check": None, "birth_check": None}
    digest = row_hash("patient", columns) if is_consistent else b"x"
    edit(editable, f"INSERT INTO patient VALUES ('P9', '', NULL, NULL, x'{digest.hex()}')")  # noqa: S608
    assert ("patient", "P9") in {(problem.table, problem.key) for problem in check_project(editable).problems}


def test_a_whole_tail_that_was_cut_off_is_found(editable: Path) -> None:
    """Even when the head row is set back too, so that the database agrees with itself."""
    last = _last_event(editable)
    with sqlite3.connect(editable / "project.db") as connection:
        connection.execute("BEGIN")
        digest = connection.execute("SELECT row_hash FROM event WHERE id = ?", (last - 1,)).fetchone()[0]
    connection.close()
    head = row_hash("head", {"id": 1, "event_id": last - 1, "event_hash": digest})
    edit(
        editable,
        f"DELETE FROM current WHERE event_id = {last}",  # noqa: S608
        f"DELETE FROM event WHERE id = {last}",  # noqa: S608
        f"UPDATE head SET event_id = {last - 1}, event_hash = x'{digest.hex()}', row_hash = x'{head.hex()}'",  # noqa: S608
    )
    assert ("event", str(last)) in {(problem.table, problem.key) for problem in check_project(editable).problems}


def test_a_changed_schema_is_found(closed: Path) -> None:
    with sqlite3.connect(closed / "project.db") as connection:
        connection.execute("DROP TRIGGER event_no_update")
    connection.close()
    assert "schema" in {problem.kind for problem in check_project(closed).problems}


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 500])
def test_a_ruined_database(closed: Path, content: bytes | None) -> None:
    if content is None:
        (closed / "project.db").unlink()
    else:
        (closed / "project.db").write_bytes(content)
    assert states(check_project(closed))["database"] is State.DAMAGED


def test_images(closed: Path) -> None:
    folder = ProjectFolder(closed)
    store = ImageStore(folder.images)
    first, second, *_ = store.addresses()
    store.path(first).unlink()
    path = store.path(second)
    path.chmod(0o600)
    flip_bit(path, 8 * (path.stat().st_size // 2))
    orphan = store.put(make_image(999))
    (store.path(orphan).parent / f".{orphan}.aa.part").write_bytes(b"x")
    seen: list[str] = []
    report = check_project(closed, progress=lambda items, total: seen.extend(items) or seen)  # type: ignore[func-returns-value]
    assert report.missing_images == [first]
    assert report.damaged_images == [second]
    assert report.orphan_images == [orphan]
    assert states(report)["images"] is State.DAMAGED
    assert states(report)["unused images"] is State.NOTICE
    assert set(seen) == set(store.addresses())


def test_notices(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ProjectFolder(closed)
    backup = list_backups(folder)[0]
    backup.path.rename(folder.backups / "project-20200101T000000Z-1.db")
    folder.holder_file.write_text(json.dumps({"pid": 1}))
    usage = shutil.disk_usage(closed)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    found = states(check_project(closed, now=datetime(2026, 1, 1, tzinfo=UTC)))
    assert (found["lock"], found["backups"], found["disk"]) == (State.NOTICE,) * 3
    shutil.rmtree(folder.backups)
    found = states(check_project(closed, now=datetime.now(UTC) + timedelta(days=1)))
    assert found["backups"] is State.NOTICE


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_open_rights_and_a_missing_key(closed: Path) -> None:
    closed.chmod(0o755)
    ProjectFolder(closed).key_file.unlink()
    report = check_project(closed)
    assert states(report)["folder"] is State.NOTICE
    assert states(report)["key"] is State.DAMAGED
    assert report.is_damaged


def test_not_a_project(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        check_project(tmp_path)
    assert caught.value.kind == "not-a-project"


@pytest.mark.slow
def test_single_bit_flips(closed: Path) -> None:
    """A sample; bench/faults_bits.py runs 400 on a larger project."""
    folder = ProjectFolder(closed)
    before = dump(folder.database)
    head = read_head(folder.head_file)
    assert before is not None
    assert head is not None
    assert {table for table, _ in before} >= set(TABLES)
    choose = random.Random(3)
    changed = 0
    copy = closed / "flipped.db"
    for _ in range(60):
        shutil.copyfile(folder.database, copy)
        flip_bit(copy, choose.randrange(folder.database.stat().st_size * 8))
        flip = judge(copy, before, head)
        assert flip.missed == frozenset()
        assert flip.is_reported or not flip.changed
        changed += bool(flip.changed)
        for file in closed.glob("flipped.db*"):
            file.unlink()
    assert changed > 5
