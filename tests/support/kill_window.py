"""Kill a window with SIGKILL while it imports, and look at what is left."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from app.store.project import ProjectStore
from tests.support.imports import state
from tests.support.kill_import import ROOT, check_what_is_left, readers_left, run_import
from tests.support.window_import import FIELD


@dataclass(slots=True)
class WindowKills:
    """What a series of kills came to.

    Args:
        runs: windows that were started.
        killed: windows that were killed while they imported.
        views: views that a window had said were in, over all kills.
        decisions: decisions that a window had recorded, over all kills.
        completed: imports completed afterwards, each ending as if never killed.
    """

    runs: int = 0
    killed: int = 0
    views: int = 0
    decisions: int = 0
    completed: int = 0


def run_window(project: Path, archive: Path, *, kill_after_s: float | None) -> tuple[int, int, bool, float]:
    """Import in a window and kill it some time after the drop.

    Returns:
        Views and decisions promised, whether it was killed while it imported, and seconds from the drop to the end.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.window_import", str(project), str(archive)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    killer: threading.Timer | None = None
    views = decisions = 0
    started, is_closed = time.monotonic(), False
    for line in process.stdout:
        if not line.endswith("\n"):
            break
        word, *rest = line.split()
        if word == "ready":
            started = time.monotonic()
            if kill_after_s is not None:
                killer = threading.Timer(kill_after_s, process.kill)
                killer.start()
        elif word == "stored":
            views = int(rest[0])
        elif word == "decided":
            decisions = int(rest[0])
        elif word == "closed":
            is_closed = True
    took_s = time.monotonic() - started
    process.stdout.close()
    process.wait()
    if killer is not None:
        killer.cancel()
        killer.join()
    return views, decisions, not is_closed, took_s


def window_kill_series(folder: Path, archive: Path, *, kills: int, kills_a_project: int, seed: int = 0) -> WindowKills:
    """Kill a window's import again and again on one project, then let `coxa import` finish it.

    Args:
        folder: an empty folder to work in.
        archive: what is imported.
        kills: how many kills in all.
        kills_a_project: kills before the import is completed and a new project begins.
        seed: of the moments.
    """
    moments, report = random.Random(seed), WindowKills()
    empty, reference = folder / "empty", folder / "reference"
    ProjectStore.create(empty).close()
    shutil.copytree(empty, reference)
    _, _, was_killed, whole_s = run_window(reference, archive, kill_after_s=None)
    assert not was_killed, "the window did not finish its import"
    with ProjectStore.open(reference, is_read_only=True) as store:
        expected = _facts(store)
    number = 0
    while report.killed < kills:
        number += 1
        project = folder / f"project-{number}"
        shutil.copytree(empty, project)
        for _ in range(kills_a_project):
            before = _view_count(project)
            views, decisions, was_killed, _ = run_window(
                project, archive, kill_after_s=moments.uniform(0.15, 1.0) * whole_s
            )
            report.runs += 1
            report.killed += was_killed
            report.views += views
            report.decisions += decisions
            check_what_is_left(project, [])
            assert _view_count(project) >= before + views, "views that the window had promised are lost"
            with ProjectStore.open(project) as store:
                found = store.events.current("case:test", FIELD) if decisions else decisions
                assert isinstance(found, int)
                assert found >= decisions, "a recorded decision is lost"
            if report.killed >= kills:
                break
        run_import(archive, project)
        with ProjectStore.open(project, is_read_only=True) as store:
            assert _facts(store) == expected, "the completed import differs from one that was never killed"
        report.completed += 1
        shutil.rmtree(project)
    assert not readers_left(), "reader processes were left behind"
    return report


def _facts(store: ProjectStore) -> dict[str, object]:
    return state(store)


def _view_count(project: Path) -> int:
    with ProjectStore.open(project, is_read_only=True) as store:
        return len(store.views.all())
