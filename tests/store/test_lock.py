"""One writer a project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.store.folder import ProjectFolder
from app.store.lock import ProjectLock, is_locked, read_holder
from app.store.project import ProjectStore
from tests.support.kill_loop import ROOT, python
from tests.support.race import race


def test_the_second_writer_is_told_who_holds_it(project: ProjectStore) -> None:
    with pytest.raises(UserError) as caught:
        ProjectStore.open(project.folder.path)
    assert caught.value.kind == "locked"
    assert str(os.getpid()) in caught.value.reason
    assert is_locked(project.folder)
    with ProjectStore.open(project.folder.path, is_read_only=True) as reader:
        assert reader.cases.all() == []


def test_closing_gives_it_back(closed: Path) -> None:
    folder = ProjectFolder(closed)
    assert not is_locked(folder)
    assert not folder.holder_file.exists()
    with ProjectStore.open(closed) as project:
        assert not project.was_unclean
        assert read_holder(folder.holder_file) is not None
    ProjectStore.open(closed).close()


def test_stale_information_never_blocks(closed: Path) -> None:
    folder = ProjectFolder(closed)
    for text in (json.dumps({"pid": 1, "host": "x", "user": "y", "since": "z"}), "{", "\x00", "[]"):
        folder.holder_file.write_text(text)
        with ProjectStore.open(closed) as project:
            assert project.was_unclean


def test_a_refused_opening_leaves_the_flag(closed: Path) -> None:
    folder = ProjectFolder(closed)
    folder.holder_file.write_text("{}")
    folder.key_file.unlink()
    with pytest.raises(UserError, match="key"):
        ProjectStore.open(closed)
    assert folder.holder_file.exists()
    assert not is_locked(folder)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="SIGKILL")
def test_a_killed_holder_blocks_nobody(closed: Path) -> None:
    process = subprocess.Popen(
        python("tests.support.race", closed),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert [process.stdout.readline().strip() for _ in range(2)] == ["ready", "writer"]
    with pytest.raises(UserError, match=str(process.pid)):
        ProjectStore.open(closed)
    process.kill()
    process.communicate()
    with ProjectStore.open(closed) as project:
        assert project.was_unclean


def test_lock_as_a_context(closed: Path) -> None:
    folder = ProjectFolder(closed)
    with ProjectLock(folder):
        assert is_locked(folder)
    with pytest.raises(ZeroDivisionError), ProjectLock(folder):
        raise ZeroDivisionError
    assert folder.holder_file.exists()  # an end that was not clean


@pytest.mark.slow
def test_racing_processes_get_one_writer(closed: Path) -> None:
    for _ in range(3):
        assert sorted(race(closed)) == ["locked", "writer"]
    assert sorted(race(closed, racers=4)) == ["locked", "locked", "locked", "writer"]
