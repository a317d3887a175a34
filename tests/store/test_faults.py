"""Samples of the fault plan (`imaging.md` §6); the full counts are in `bench/faults_*.py`."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.store.backup import list_backups, restore_backup
from app.store.folder import ProjectFolder
from app.store.health import check_project
from app.store.project import ProjectStore
from tests.support.bit_flips import dump
from tests.support.kill_check import check_project_after_kill
from tests.support.kill_loop import ROOT, Outcome, kill_loop, python, run_and_kill
from tests.support.power_check import (
    check_database,
    check_images,
    pragmas,
    recorded_database,
    recorded_images,
)
from tests.support.power_cut import RecordingFileSystem, cut_and_check

posix_only = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")


@posix_only
@pytest.mark.slow
def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "project"
    ProjectStore.create(path).close()
    killed, acknowledged = kill_loop(
        lambda number: python("tests.support.write_loop", path, number),
        lambda _, outcome: check_project_after_kill(path, outcome),
        rounds=4,
    )
    assert killed == 4
    assert acknowledged > 20
    with ProjectStore.open(path) as project:
        assert project.was_unclean
        assert project.cases.count() > 0


@pytest.mark.parametrize("line", [f"event 5000 {'00' * 32}", f"event 5 {'00' * 32}", f"image {'0' * 64}"])
def test_the_kill_check_would_notice_a_loss(closed: Path, line: str) -> None:
    with pytest.raises(AssertionError, match=r"lost|another"):
        check_project_after_kill(closed, Outcome(acknowledged=[line], was_killed=True))


@posix_only
def test_the_kill_loop_reads_complete_lines_only() -> None:
    code = (
        "import sys, time; print('x', 'ready', 'one', 'hal', sep=chr(10), end=''); sys.stdout.flush(); time.sleep(60)"
    )
    outcome = run_and_kill([sys.executable, "-c", code], delay_s=0.5)
    assert outcome.was_killed
    assert outcome.acknowledged == ["one"]
    with pytest.raises(RuntimeError, match="never ready"):
        run_and_kill([sys.executable, "-c", "pass"], delay_s=0)


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", [None, 40])
def test_power_cuts_lose_nothing_acknowledged(tmp_path: Path, checkpoint: int | None) -> None:
    steps = recorded_database(tmp_path, commits=60, settings=pragmas(checkpoint=checkpoint))
    assert cut_and_check(steps, tmp_path, cuts=25, check=check_database) == 0


@pytest.mark.slow
def test_the_simulation_sees_what_a_weaker_setting_loses(tmp_path: Path) -> None:
    steps = recorded_database(tmp_path, commits=40, settings=pragmas(synchronous="NORMAL"))
    assert cut_and_check(steps, tmp_path, cuts=20, check=check_database) > 5


def test_power_cuts_of_the_image_store(tmp_path: Path) -> None:
    steps = recorded_images(tmp_path, count=8)
    assert cut_and_check(steps, tmp_path, cuts=60, check=check_images) == 0


def test_the_simulation_sees_missing_syncs(tmp_path: Path) -> None:
    steps = recorded_images(tmp_path, count=8, is_syncing=False)
    assert cut_and_check(steps, tmp_path, cuts=30, check=check_images) > 10


def test_power_cuts_during_a_restore(tmp_path: Path, closed: Path) -> None:
    """Whatever the moment, the next opening finds the old or the restored database, whole."""
    with ProjectStore.open(closed) as project:
        project.events.append(target="t:1", field="f", after=1)
    folder = ProjectFolder(closed)
    new = dump(list_backups(folder)[0].path)
    original = tmp_path / "original"
    shutil.copytree(closed, original)
    old = dump(original / "project.db")
    fs = RecordingFileSystem(closed)
    for path in sorted(closed.rglob("*")):  # what the disk held before
        if path.is_file():
            fs.note_existing(path)
    begin = len(fs.steps)
    restore_backup(folder, list_backups(folder)[0], now=datetime(2026, 11, 21, tzinfo=UTC), fs=fs)
    seen = set()

    def check(here: Path, _: list[str]) -> None:
        for name in ("images", "backups", "private"):
            (here / name).mkdir(exist_ok=True)
        with ProjectStore.open(here):
            pass
        found = dump(here / "project.db")
        assert found in (old, new)
        seen.add(found == new)
        assert not check_project(here).is_damaged

    assert cut_and_check(fs.steps, tmp_path / "cuts", cuts=60, check=check, begin=begin) == 0
    assert seen == {True, False}


FULL_DISK = """
import os, sys
from pathlib import Path
from app.core.errors import UserError
from app.store.project import ProjectStore
from tests.support.projects import add_study
path = Path(sys.argv[1])
project = ProjectStore.create(path)
print("made")
done = 0
try:
    while True:
        add_study(project, done)
        done += 1
except UserError as error:
    print(error.kind, done > 10)
(path / "ballast").unlink()
project.close()
with ProjectStore.open(path) as project:
    print(len(project.cases.all()) == done)
from app.store.health import check_project
report = check_project(path)
print(not report.is_damaged, report.problems)
"""


def _in_a_small_file_system(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with a folder of 8 MiB in a mount namespace of its own; skips where that is not allowed."""
    mount = f'mount -t tmpfs -o size=8m,mode=0700 none {folder} && exec {sys.executable} -c "$SCRIPT" {folder}/project'
    tool = shutil.which("unshare")
    if tool is None:
        pytest.skip("needs unshare")
    if subprocess.run([tool, "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    return subprocess.run(
        [tool, "-rm", "sh", "-c", mount], cwd=ROOT, env={"SCRIPT": script, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    script = FULL_DISK.replace('print("made")', '(path / "ballast").write_bytes(bytes(3 << 20))\nprint("made")')
    answer = _in_a_small_file_system(script, tmp_path)
    assert answer.stderr == "" or "no backup was made" in answer.stderr
    assert answer.stdout.split("\n")[:4] == ["made", "disk-full True", "True", "True []"]


def test_a_killed_creation_leaves_no_project(tmp_path: Path) -> None:
    code = (
        "import os, sys; from app.store.folder import ProjectFolder; from app.store.project import ProjectStore\n"
        "from pathlib import Path\n"
        "def kill(*a, **k): os.kill(os.getpid(), 9)\n"
        "ProjectFolder.write_marker = kill\n"
        "ProjectStore.create(Path(sys.argv[1]))\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "project"], cwd=ROOT, check=False)
    assert not (tmp_path / "project").exists()
    ProjectStore.create(tmp_path / "project").close()
