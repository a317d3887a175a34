"""Kill `coxa import` with SIGKILL at random moments, and look at what is left."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.store.audit import audit_database
from app.store.fs import is_temporary
from app.store.project import ProjectStore
from tests.support.dicom_files import picture, write_dicom
from tests.support.imports import state

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class KillReport:
    """What a series of kills came to.

    Args:
        runs: imports that were started.
        killed: imports that were still running when they were killed.
        acknowledged: files that had been acknowledged before a kill, all of them found again.
        completed: imports that were completed afterwards, each ending as if never killed.
    """

    runs: int = 0
    killed: int = 0
    acknowledged: int = 0
    completed: int = 0


def make_archive(folder: Path, *, studies: int) -> Path:
    """Studies of a pelvis, a lateral view, and copies of the pelvis in other encodings; and one broken file."""
    for study in range(1, studies + 1):
        place, pixels = folder / f"{study:03d}", picture(study, rows=300, cols=260)
        common: dict[str, Any] = {"study": study, "patient": f"PID-{study}"}
        first = study * 10
        pelvis = {"ViewPosition": "AP", "BodyPartExamined": "PELVIS"}
        write_dicom(place / "1.dcm", pixels, instance=first + 1, copy_of=first, near=2, **common, **pelvis)
        write_dicom(place / "2.dcm", pixels, instance=first + 2, copy_of=first, jpegls=True, **common, **pelvis)
        write_dicom(place / "3.dcm", instance=first + 3, ViewPosition="LL", ImageLaterality="L", **common)
        write_dicom(place / "4.dcm", instance=first + 4, **common)
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\x00")
    return folder


def import_command(archive: Path, project: Path) -> list[str]:
    """The real command, naming every file once it is stored."""
    return [
        sys.executable, "-m", "app", "import", str(archive), "--project", str(project), "--verbose",
        "--author", "tester",
    ]  # fmt: skip


def run_import(archive: Path, project: Path, *, kill_after_s: float | None = None) -> tuple[list[str], bool]:
    """Run an import and kill it.

    Returns:
        The lines that acknowledged a file, and whether it was really killed.
    """
    process = subprocess.Popen(
        import_command(archive, project),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    was_killed = threading.Event()

    def kill() -> None:
        time.sleep(kill_after_s or 0.0)
        if process.poll() is None:
            was_killed.set()
            process.kill()

    killer = threading.Thread(target=kill, daemon=True) if kill_after_s is not None else None
    if killer is not None:
        killer.start()
    lines = [line.rstrip("\n") for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    if killer is not None:
        killer.join()
    acknowledged = [line for line in lines if line.split(maxsplit=1)[:1] and line.split()[0] in OUTCOMES]
    return acknowledged, was_killed.is_set()


OUTCOMES = ("imported", "duplicate", "refused")


def check_what_is_left(project: Path, acknowledged: list[str]) -> None:
    """Everything acknowledged is there, nothing half-made is, and the whole project is sound."""
    if not (project / "project.toml").exists():
        assert not acknowledged, "files were acknowledged, but there is no project"
        return
    with ProjectStore.open(project) as store:
        assert audit_database(store.database.connection) == []
        for line in acknowledged:
            outcome, view_id = line.split()[:2]
            if outcome != "refused":
                view = store.views.get(view_id)
                assert view is not None, f"acknowledged and lost: {line}"
                store.images.load(view.image_sha256)
        for address in store.images.addresses():
            store.images.verify(address)
        left = [path for path in project.rglob("*") if path.is_file() and is_temporary(path)]
        assert not left, f"half-made files: {left}"
        for view in store.views.all():
            cases = [case for case in store.cases.of_study(view.study_id) if view.id in case.view_ids]
            assert cases, "a view without a case"


def readers_left(patience_s: float = 20.0) -> list[int]:
    """Reader processes that nobody owns any more and that do not end (those of other tests may just be about to)."""
    end = time.monotonic() + patience_s
    while (found := _orphans()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _orphans() -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline", "ppid"]):
        words = process.info["cmdline"] or []
        if any("app.store.reading.worker" in word for word in words) and process.info["ppid"] == 1:
            found.append(process.pid)
    return found


def kill_series(folder: Path, archive: Path, *, kills: int, kills_a_project: int, seed: int = 0) -> KillReport:
    """Kill the same import again and again on one project, then let it finish; the end must be as if never killed.

    Args:
        folder: an empty folder to work in.
        archive: what is imported.
        kills: how many kills in all.
        kills_a_project: kills before an import is allowed to finish and a new project begins.
        seed: of the moments.
    """
    moments, report = random.Random(seed), KillReport()
    empty, reference = folder / "empty", folder / "reference"
    ProjectStore.create(empty).close()
    shutil.copytree(empty, reference)
    started = time.monotonic()
    run_import(archive, reference)
    whole_s = time.monotonic() - started
    with ProjectStore.open(reference, is_read_only=True) as store:
        expected = state(store)
    number = 0
    while report.killed < kills:
        number += 1
        project = folder / f"project-{number}"
        shutil.copytree(empty, project)
        promised: list[str] = []
        for _ in range(kills_a_project):
            lines, was_killed = run_import(archive, project, kill_after_s=moments.uniform(0.2, 1.0) * whole_s)
            promised += lines
            report.runs += 1
            report.killed += was_killed
            report.acknowledged += len(lines)
            check_what_is_left(project, promised)
            if report.killed >= kills:
                break
        run_import(archive, project)
        check_what_is_left(project, promised)
        with ProjectStore.open(project, is_read_only=True) as store:
            found = state(store)
        differing = {part: (found[part], expected[part]) for part in expected if found[part] != expected[part]}
        assert not differing, f"the completed import differs from one that was never killed: {differing}"
        report.completed += 1
        shutil.rmtree(project)
    assert not readers_left(), "reader processes were left behind"
    return report
