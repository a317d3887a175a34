"""Two or more processes race for one project: `python -m tests.support.race PROJECT`.

Says `ready`; on a line on standard input tries to open the project for writing and says `writer` or `locked`; holds
what it got until the next line.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.core.errors import UserError
from app.store.project import ProjectStore
from tests.support.kill_loop import ROOT, python


def race(path: Path, *, racers: int = 2) -> list[str]:
    """What each of some freshly started processes got when all tried at the same moment."""
    processes = [
        subprocess.Popen(
            python("tests.support.race", path),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for _ in range(racers)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [process.stdout.readline().strip() for process in processes if process.stdout is not None]
    finally:
        for process in processes:
            process.communicate("done\n", timeout=60)


def main() -> None:
    path = Path(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        with ProjectStore.open(path) as project:
            project.events.append(target="project", field="race", after=project.events.head()[0])
            print("writer", flush=True)
            sys.stdin.readline()
    except UserError as error:
        print(error.kind, flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
