"""The list of projects that were open lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.store.project import ProjectStore
from app.store.recent import LIMIT, RecentProjects

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_latest_is_in_front_and_comes_again_after_a_restart(tmp_path: Path) -> None:
    recent = RecentProjects(tmp_path / "state" / "recent.json")
    for number in range(3):
        recent.note(tmp_path / f"p{number}", name=f"P{number}", case_count=number, now=NOON + timedelta(hours=number))
    recent.note(tmp_path / "p0", name="P0", case_count=7, now=NOON + timedelta(hours=9))
    assert [project.name for project in recent.projects] == ["P0", "P2", "P1"]
    again = RecentProjects(tmp_path / "state" / "recent.json")
    assert again.projects == recent.projects
    assert again.projects[0].case_count == 7
    assert (tmp_path / "state" / "recent.json").stat().st_mode & 0o077 == 0


def test_pinned_ones_stay_and_the_oldest_others_go(tmp_path: Path) -> None:
    recent = RecentProjects(tmp_path / "recent.json")
    recent.note(tmp_path / "first", name="First", case_count=1, now=NOON)
    recent.pin(tmp_path / "first", is_pinned=True)
    for number in range(LIMIT + 5):
        recent.note(tmp_path / str(number), name=str(number), case_count=0, now=NOON + timedelta(minutes=number + 1))
    assert len(recent.projects) == LIMIT
    assert recent.projects[0].name == "First"
    assert recent.projects[1].name == str(LIMIT + 4)
    recent.forget(tmp_path / "first")
    assert "First" not in {project.name for project in recent.projects}


def test_it_knows_what_is_missing(tmp_path: Path) -> None:
    recent = RecentProjects(None)
    ProjectStore.create(tmp_path / "here").close()
    recent.note(tmp_path / "here", name="Here", case_count=0)
    recent.note(tmp_path / "gone", name="Gone", case_count=0)
    assert {project.name: project.is_there for project in recent.projects} == {"Here": True, "Gone": False}


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"path": "x"}]', '{"a": 1}', '[{"path":"x","name":"y",'
                         '"opened_at":"soon","case_count":1,"is_pinned":false}]'])  # fmt: skip
def test_a_damaged_file_is_an_empty_list(tmp_path: Path, content: str) -> None:
    path = tmp_path / "recent.json"
    path.write_text(content, encoding="utf-8")
    recent = RecentProjects(path)
    assert recent.projects == ()
    recent.note(tmp_path, name="New", case_count=0)
    assert RecentProjects(path).projects == recent.projects


def test_a_place_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recent = RecentProjects(tmp_path / "file" / "recent.json")
    recent.note(tmp_path, name="New", case_count=0)
    assert [project.name for project in recent.projects] == ["New"]
