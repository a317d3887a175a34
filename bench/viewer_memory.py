"""Memory of the window's process after 20 and after 200 cases.

    QT_QPA_PLATFORM=offscreen python -m bench.viewer_memory [CASES]

The real window steps through a project of 2688² 12-bit pairs (40 of them, more than the cache holds), forth and back,
with everything around each case decoded ahead. The baseline is the same process with the first case on the screen.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from app.ui.loader import CACHE_BYTES
from bench.case_switch import is_quiet, switch
from bench.viewer_images import make_radiograph_project
from tests.support.window import application, open_window, wait, wait_until

IN_PROJECT = 40
REPORTED = (20, 50, 100, 150, 200)
MIB = 1 << 20


def rss_mib() -> float:
    """Resident memory of this process."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / MIB


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    app = application()
    print(f"Qt platform {app.platformName()}, load {', '.join(f'{load:.1f}' for load in os.getloadavg())}, "
          f"cache {CACHE_BYTES / MIB:.0f} MiB")  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder = make_radiograph_project(Path(place) / "project", cases=IN_PROJECT)
        window = open_window(folder, size=(1920, 1080))
        loader = window.viewer.loader
        wait(200)
        start, first = time.monotonic(), rss_mib()
        print(f"first case: {first:.0f} MiB")
        step, at, most = 1, 0, 0.0
        for number in range(1, cases + 1):
            if not 0 <= at + step < IN_PROJECT:
                step = -step
            at += step
            switch(window, step)
            wait_until(lambda: is_quiet(window))
            most = max(most, loader.used_bytes / MIB)
            if number in REPORTED or number == cases:
                used = loader.used_bytes / MIB
                print(f"after {number:3} cases: {rss_mib():.0f} MiB, images at hand {used:.0f} MiB (most {most:.0f})")
        print(f"{(time.monotonic() - start) / cases * 1e3:.0f} ms a case with its neighbours")
        window.close()
        wait(50)
        print(f"project closed: {rss_mib():.0f} MiB")


if __name__ == "__main__":
    main()
