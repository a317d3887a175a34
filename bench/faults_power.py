"""Simulated power cuts of the database and of the image store, with controls that must lose something.

python -m bench.faults_power [CUTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.support.power_check import check_database, check_images, pragmas, recorded_database, recorded_images
from tests.support.power_cut import cut_and_check


def main() -> None:
    cuts = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    runs = {
        "WAL + FULL (the app's own)": pragmas(),
        "WAL + FULL, checkpoint every 40 pages": pragmas(checkpoint=40),
        "control: WAL + NORMAL": pragmas(synchronous="NORMAL"),
        "control: WAL + OFF": pragmas(synchronous="OFF"),
    }
    for name, settings in runs.items():
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            steps = recorded_database(folder, commits=400, settings=settings)
            commits = sum(step.kind == "ack" for step in steps)
            failed = cut_and_check(steps, folder, cuts=cuts, check=check_database)
        print(
            f"{name}: {failed} of {cuts} cuts lost or damaged something "
            f"({commits} commits, {len(steps)} steps, {time.perf_counter() - start:.0f} s)",
            flush=True,
        )
    for name, is_syncing in (("image store", True), ("control: image store without syncs", False)):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            steps = recorded_images(folder, count=60, is_syncing=is_syncing)
            failed = cut_and_check(steps, folder, cuts=cuts, check=check_images)
        print(f"{name}: {failed} of {cuts} cuts lost or damaged something ({len(steps)} steps)")


if __name__ == "__main__":
    main()
