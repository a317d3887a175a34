"""What merging costs: a colleague's answers about N cases, against verifying the colleague's project alone.

python bench/merge.py --cases 200
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.store.annotations import Annotations
from app.store.audit import audit_database
from app.store.merge.merger import merge_source
from app.store.merge.source import project_source
from app.store.project import ProjectStore
from tests.support.projects import add_study

QUESTIONS = {"fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "3", "confidence": 80}


@contextlib.contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    """Note how long something takes, s."""
    began = time.perf_counter()
    yield
    times[name] = time.perf_counter() - began


def annotate(path: Path, reader: str, cases: int) -> None:
    """Five answers about every case."""
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        for number in range(cases):
            annotations.set_labels(f"case-{number}", QUESTIONS, author=reader)


def main() -> None:
    """Make two projects, merge them, and print the times and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    cases = parser.parse_args().cases
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        with ProjectStore.create(ours) as project:
            for number in range(cases):
                add_study(project, number)
        shutil.copytree(ours, theirs)
        annotate(ours, "Anna", cases)
        annotate(theirs, "Ben", cases)
        with (
            timed(times, "audit of the other project (baseline)"),
            contextlib.closing(sqlite3.connect(theirs / "project.db")) as connection,
        ):
            assert audit_database(connection) == []
        for name, is_rehearsal in (("rehearsal", True), ("merge", False), ("merge again", False)):
            with project_source(theirs) as source, ProjectStore.open(ours) as project, timed(times, name):
                report = merge_source(project, source, author="bench", is_rehearsal=is_rehearsal)
            print(f"{name}: {report.brought} events brought, {report.known} known")
    base = times["audit of the other project (baseline)"]
    print(f"{cases} cases, load {os.getloadavg()[0]:.1f}")
    for name, seconds in times.items():
        print(f"{name:<40} {seconds:8.3f} s   {seconds / base:6.1f} ×")


if __name__ == "__main__":
    main()
