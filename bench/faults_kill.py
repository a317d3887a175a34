"""kill -9 while a project is being written: nothing that was acknowledged may be lost.

python -m bench.faults_kill [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from app.store.project import ProjectStore
from tests.support.kill_check import check_project_after_kill
from tests.support.kill_loop import kill_loop, python


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project"
        ProjectStore.create(path).close()
        killed, acknowledged = kill_loop(
            lambda number: python("tests.support.write_loop", path, number),
            lambda _, outcome: check_project_after_kill(path, outcome),
            rounds=rounds,
        )
        with ProjectStore.open(path) as project:
            events, cases = project.events.head()[0], project.cases.count()
    print(f"{killed} kills, {acknowledged} acknowledgements: 0 lost, 0 half-made files, 0 damaged rows")
    print(f"the project ends with {events} events and {cases} cases; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
