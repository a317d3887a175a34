"""kill -9, simulated power cuts and flipped bits while people annotate: nothing acknowledged may be lost.

python -m bench.faults_annotations [KILLS] [CUTS] [FLIPS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from app.store.annotations import Annotations
from app.store.project import ProjectStore
from tests.support.annotate_faults import annotate_much, annotation_statements, flip_annotations
from tests.support.kill_check import check_project_after_kill
from tests.support.kill_loop import kill_loop, python
from tests.support.power_check import DATABASE, check_database, pragmas
from tests.support.power_cut import cut_and_check, record_database
from tests.support.projects import make_project


def main() -> None:
    kills, cuts, flips = (int(word) for word in (*sys.argv[1:], *("200", "400", "400")[len(sys.argv) - 1 :]))
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
    kill(kills)
    cut(cuts)
    flip(flips)


def kill(rounds: int) -> None:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project"
        make_project(path, studies=4, decisions=0)
        killed, acknowledged = kill_loop(
            lambda number: python("tests.support.annotate_loop", path, number),
            lambda _, outcome: check_project_after_kill(path, outcome),
            rounds=rounds,
        )
        with ProjectStore.open(path) as project:
            events, count = project.events.head()[0], len(list(Annotations(project).all()))
    print(f"{killed} kills while annotating, {acknowledged} events acknowledged: 0 lost, 0 damaged rows")
    print(
        f"the project ends with {events} events, {count} annotations; {time.perf_counter() - start:.0f} s", flush=True
    )


def cut(cuts: int) -> None:
    runs = {
        "WAL + FULL (the app's own)": pragmas(),
        "control: WAL + NORMAL": pragmas(synchronous="NORMAL"),
        "control: WAL + OFF": pragmas(synchronous="OFF"),
    }
    for name, settings in runs.items():
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            statements = annotation_statements(folder / "app.db", gestures=300)
            steps = record_database(folder / DATABASE, statements, pragmas=settings)
            commits = sum(step.kind == "ack" for step in steps)
            failed = cut_and_check(steps, folder, cuts=cuts, check=check_database)
        print(
            f"{name}: {failed} of {cuts} cuts lost or damaged something "
            f"({commits} commits, {len(steps)} steps, {time.perf_counter() - start:.0f} s)",
            flush=True,
        )


def flip(flips: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_project(folder / "project", studies=4, decisions=0)
        annotate_much(folder / "project", gestures=1500)
        count = flip_annotations(folder / "project", folder, flips=flips)
        size = (folder / "project" / "project.db").stat().st_size >> 10
    print(f"{count.flips} flips in a database of {size} KiB; {count.changing} changed annotations or their events")
    print(f"{count.reported} of these were reported by verify; of {count.rows} changed rows it missed {count.missed}")


if __name__ == "__main__":
    main()
