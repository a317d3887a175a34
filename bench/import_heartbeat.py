"""Heartbeat of the window while it imports 2,000 files, against the same window idle; files a second.

A timer of 16 ms in the window's event loop notes the gaps between its beats: a gap of 33 ms is two frames. Three
phases in one process: idle with a case on the screen; importing, with a case on the screen and the worklist brought up
to date as always; idle again. In each phase a decision is recorded every half second. Then `import_sources` (what
`coxa import` calls) brings the same files into another project, alone.

Usage: python bench/import_heartbeat.py [--files 2000]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PySide6.QtCore import QElapsedTimer, Qt, QTimer

from app.store.import_report import Outcome
from app.store.importer import import_sources
from app.store.project import ProjectStore
from app.store.reading.sources import find_sources
from app.ui.main_window import MainWindow
from bench.import_2000 import make_files
from tests.support.dropping import drop
from tests.support.window import application, make_project, open_window, wait

BEAT_MS = 16
IDLE_S = 10.0
DECIDE_MS = 500


class Heartbeat:
    """Gaps between the beats of a timer, and how long a decision takes to be durable, ms."""

    def __init__(self, window: MainWindow) -> None:
        self.gaps: list[float] = []
        self.decisions: list[float] = []
        self._window = window
        self._deciding = QTimer(window, interval=DECIDE_MS)
        self._deciding.timeout.connect(self._decide)
        self._clock = QElapsedTimer()
        self._timer = QTimer(window, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin a phase."""
        self.gaps, self.decisions = [], []
        self._clock.start()
        self._timer.start()
        self._deciding.start()

    def stop(self) -> tuple[np.ndarray, np.ndarray]:
        """End it; gaps and decisions."""
        self._timer.stop()
        self._deciding.stop()
        return np.array(self.gaps), np.array(self.decisions)

    def _decide(self) -> None:
        project = self._window.project
        assert project is not None
        started = time.perf_counter()
        project.look().events.append(target="case:bench", field="note", after=time.time(), author="bench")
        self.decisions.append((time.perf_counter() - started) * 1000)

    def _beat(self) -> None:
        self.gaps.append(self._clock.nsecsElapsed() / 1e6)
        self._clock.start()


def told(name: str, gaps: np.ndarray) -> str:
    """One line of a table."""
    p50, p95, p99 = np.percentile(gaps, (50, 95, 99))
    late = 100 * float(np.mean(gaps > 33.3))
    return (
        f"{name:<12} p50 {p50:5.1f}  p95 {p95:5.1f}  p99 {p99:5.1f}  max {gaps.max():6.1f} ms   > 33 ms: {late:.2f} %"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--cols", type=int, default=840)
    args = parser.parse_args()
    application()
    with tempfile.TemporaryDirectory(prefix="coxa-bench-") as name:
        folder = Path(name)
        size = make_files(folder / "in", count=args.files, rows=args.rows, cols=args.cols)
        print(f"{args.files} files of {args.rows} × {args.cols} px, {size / 1e9:.2f} GB; load {os.getloadavg()[0]:.1f}")
        window = open_window(make_project(folder / "p", cases=2, rows=args.rows, cols=args.cols))
        wait(2000)
        beat = Heartbeat(window)
        beat.start()
        wait(round(IDLE_S * 1000))
        idle, idle_decisions = beat.stop()
        beat.start()
        started = time.perf_counter()
        drop(window, [folder / "in"])
        while not window.importing.reports:
            wait(200)
        window_s = time.perf_counter() - started
        busy, busy_decisions = beat.stop()
        wait(1000)
        beat.start()
        wait(round(IDLE_S * 1000))
        after, _ = beat.stop()
        report = window.importing.reports[0][1]
        assert report.count(Outcome.IMPORTED) == args.files
        assert window.case_list.model.rowCount() == args.files // 2 + 2
        cancelled = import_and_cancel(window, folder)
        window.close()
        with ProjectStore.create(folder / "other") as project:
            started = time.perf_counter()
            sources = list(find_sources([folder / "in"]))
            again = import_sources(project, sources, author="bench")
            command_s = time.perf_counter() - started
            assert again.count(Outcome.IMPORTED) == args.files
    for words, gaps in (("idle", idle), ("importing", busy), ("idle again", after)):
        print(told(words, gaps))
    both = np.concatenate((idle, after))
    ratio = np.percentile(busy, 95) / np.percentile(both, 95)
    print(f"p95 importing / p95 idle: {ratio:.2f}")
    for words, times in (("idle", idle_decisions), ("importing", busy_decisions)):
        p50, p95 = np.percentile(times, (50, 95))
        print(f"a decision, {words:<10} p50 {p50:5.1f}  p95 {p95:5.1f}  max {times.max():6.1f} ms   ({len(times)})")
    print(f"window {args.files / window_s:6.1f} files/s, import_sources alone {args.files / command_s:6.1f} files/s: "
          f"{window_s / command_s:.2f} × its time")  # fmt: skip
    print(f"cancelled after {cancelled * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}")


def import_and_cancel(window: MainWindow, folder: Path) -> float:
    """Import the same files into a fresh project and cancel in the middle; seconds until the window says so."""
    window.projects.make_project(folder / "cancelled", "cancelled")
    drop(window, [folder / "in"])
    while window.importing.task.state.imported < 40:
        wait(50)
    started = time.perf_counter()
    window.importing.task.cancel()
    while window.importing.is_running:
        wait(5)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
