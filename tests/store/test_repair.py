"""Repair: nothing doubtful is taken over, nothing intact is left behind."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.store.backup import list_backups
from app.store.folder import ProjectFolder
from app.store.head import read_head
from app.store.health import check_project
from app.store.lock import ProjectLock
from app.store.project import ProjectStore
from app.store.repair import Repair, repair_database
from tests.support.bit_flips import dump, flip_bit
from tests.support.projects import add_study

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def repaired(path: Path) -> Repair:
    folder = ProjectFolder(path)
    with ProjectLock(folder):
        return repair_database(folder, now=NOW)


def test_with_a_backup_random_damage_is_undone_completely(tmp_path: Path, closed: Path) -> None:
    before = dump(closed / "project.db")
    choose = random.Random(5)
    for number in range(8):
        path = tmp_path / f"damaged-{number}"
        shutil.copytree(closed, path)
        for _ in range(20):
            flip_bit(path / "project.db", choose.randrange((path / "project.db").stat().st_size * 8))
        outcome = repaired(path)
        assert outcome.lost == 0
        assert dump(path / "project.db") == before
        assert not check_project(path).is_damaged


def test_work_since_the_backup_is_kept(closed: Path) -> None:
    with ProjectStore.open(closed) as project:
        add_study(project, 50)
        project.cases.set_status("case-50", ReviewStatus.REVIEWED, author="r")
        last = project.events.head()[0]
    before = dump(closed / "project.db")
    content = (closed / "project.db").read_bytes()
    flip_bit(closed / "project.db", content.index(b"reader 1") * 8)  # an old event: the backup holds it
    outcome = repaired(closed)
    assert (outcome.kept, outcome.lost) == (last, 0)
    assert outcome.backup == list_backups(ProjectFolder(closed))[0].path.name
    assert dump(closed / "project.db") == before
    assert outcome.replaced is not None
    assert (outcome.replaced / "project.db").read_bytes() != content
    with ProjectStore.open(closed) as project:
        case = project.cases.get("case-50")
        assert case is not None
        assert case.status is ReviewStatus.REVIEWED


def test_a_damaged_new_event_ends_the_history_there(closed: Path) -> None:
    with ProjectStore.open(closed) as project:
        project.events.append(target="t:1", field="f", after="precious")
        for number in range(4):
            project.events.append(target="t:1", field="f", after=f"later {number}")
        last = project.events.head()[0]
    content = (closed / "project.db").read_bytes()
    flip_bit(closed / "project.db", content.index(b'"later 1"') * 8 + 8)
    named = {problem.key for problem in check_project(closed).problems if problem.table == "event"}
    first = min(int(key) for key in named)  # the damaged one; the note in the next one's chain comes after it
    outcome = repaired(closed)
    assert (outcome.kept, outcome.lost) == (first - 1, last - first + 1)
    assert last - 3 <= first < last
    with ProjectStore.open(closed) as project:
        assert project.events.of("t:1")[0].after == "precious"
    assert not check_project(closed).is_damaged


def test_damaged_projections_need_no_backup(closed: Path) -> None:
    before = dump(closed / "project.db")
    shutil.rmtree(closed / "backups")
    content = (closed / "project.db").read_bytes()
    flip_bit(closed / "project.db", content.rindex(b"garden") * 8)
    outcome = repaired(closed)
    assert (outcome.lost, outcome.backup) == (0, "") or outcome.lost > 0
    assert not check_project(closed).is_damaged
    if outcome.lost == 0:
        assert dump(closed / "project.db") == before


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 900])
def test_a_ruined_database_comes_back_from_the_backup(closed: Path, content: bytes | None) -> None:
    before = dump(closed / "project.db")
    (closed / "project.db").unlink()
    if content is not None:
        (closed / "project.db").write_bytes(content)
    assert repaired(closed).lost == 0
    assert dump(closed / "project.db") == before


def test_a_lost_log_can_be_accepted(closed: Path) -> None:
    project = ProjectStore.open(closed)
    saved = (closed / "project.db").read_bytes()
    for number in range(5):
        project.events.append(target="t:1", field="f", after=number)
    project.close()
    (closed / "project.db").write_bytes(saved)
    with pytest.raises(UserError, match="repair"):
        ProjectStore.open(closed)
    assert repaired(closed).lost == 5
    ProjectStore.open(closed).close()
    head = read_head(ProjectFolder(closed).head_file)
    assert head is not None


def test_nothing_to_repair_from(closed: Path) -> None:
    shutil.rmtree(closed / "backups")
    (closed / "project.db").write_bytes(b"garbage")
    with pytest.raises(UserError) as caught:
        repaired(closed)
    assert caught.value.kind == "not-repairable"
    assert (closed / "project.db").read_bytes() == b"garbage"
    assert not list(closed.glob(".project.db.repaired*"))


def test_an_intact_database_stays_what_it_is(closed: Path) -> None:
    before = dump(closed / "project.db")
    assert repaired(closed).lost == 0
    assert dump(closed / "project.db") == before
