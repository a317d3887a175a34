"""kill -9 in the middle of a merge loses nothing: the next run goes on, and ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from app.store.annotations import Annotations
from app.store.audit import audit_database
from app.store.merge import merger
from app.store.merge.opinions import EventWriter
from app.store.project import ProjectStore
from tests.support.merging import annotate, annotate_at_random, make_strangers, merge

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the kill is a fork that ends itself")


def test_kill_9_at_any_event_of_a_merge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merger, "STUDIES_AT_ONCE", 1)  # many commits
    monkeypatch.setattr(merger, "make_backup", lambda *_, **__: None)
    ours, theirs = make_strangers(tmp_path)
    annotate(theirs, "Ben", {f"case-{100 + number}": {"fracture": "yes", "garden": "3"} for number in range(4)})
    annotate_at_random(ours, "Anna", seed=5, gestures=8)
    straight = tmp_path / "straight"
    shutil.copytree(ours, straight)
    total = merge(straight, theirs).brought
    wanted = _state(straight)
    for at in (1, total // 2, total):
        broken = tmp_path / f"killed-{at}"
        shutil.copytree(ours, broken)
        _killed_at(broken, theirs, at)
        with ProjectStore.open(broken) as project:
            assert project.was_unclean
            assert audit_database(project.database.connection) == []
            before = _values(project, "Anna")
        merge(broken, theirs)
        assert _state(broken) == wanted
        with ProjectStore.open(broken) as project:
            assert audit_database(project.database.connection) == []
            assert before == _values(project, "Anna")


def _killed_at(ours: Path, theirs: Path, number: int) -> None:
    """Merge in a process that ends with SIGKILL while it writes its Nth event."""
    child = os.fork()
    if child == 0:
        write, count = EventWriter._write, 0

        def counting(self: EventWriter, *arguments: object) -> object:
            nonlocal count
            count += 1
            written = write(self, *arguments)  # type: ignore[arg-type]
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return written

        EventWriter._write = counting  # type: ignore[method-assign,assignment]
        merge(ours, theirs)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def _values(project: ProjectStore, reader: str) -> list[tuple[str, str, object]]:
    return [(each.target, each.field, each.value) for each in Annotations(project).all() if each.reader == reader]


def _state(path: Path) -> tuple[str, list[str], list[str]]:
    with ProjectStore.open(path) as project:
        views = [view.id for view in project.views.all()]
        return Annotations(project).state_hash(), views, [case.id for case in project.cases.all()]
