"""The window beside the AI engine: heartbeat during a batch, time to cancel, time from opening a case to its answer.

One window on a project of `--cases` cases, with the real engine and the bundled models (or those in `--models`).

1. Heartbeat: a timer of 16 ms in the window's event loop notes the gaps between its beats, first with the window idle,
   then while all cases are asked about. In both phases a label is set every half second and another case is opened
   every two seconds, as a person at work does. The baseline is the idle phase.
2. Cancel: a batch is cancelled; the time until the window says so, and until the engine owes no answer any more.
3. Opening a case: from the key press to the last answer about it, with look-ahead paused (the baseline) and with it.
   Between two cases the reader looks for `--dwell` seconds. Findings are thrown away before, so that all is computed.

Usage: python bench/engine_window.py [--cases 200] [--rows 1200] [--models DIR] [--opened 20] [--dwell 3]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PySide6.QtCore import QElapsedTimer, Qt, QTimer

from app.core.finding import ConsultationState
from app.ui.engine import Engine
from app.ui.engine_state import EngineState
from app.ui.main_window import MainWindow
from tests.support.window import application, make_project, open_window, wait, wait_until

BEAT_MS, LABEL_MS, OPEN_MS = 16, 500, 2000
COMMAND = (sys.executable, "-P", "-m", "app", "engine", "--nice", "10")
PATIENCE_S = 3600.0


class Heartbeat:
    """Gaps between the beats of a timer, ms, while a person works."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._gaps: list[float] = []
        self._clock = QElapsedTimer()
        self._beat = QTimer(window, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._note)
        self._label = QTimer(window, interval=LABEL_MS)
        self._label.timeout.connect(self._set_label)
        self._open = QTimer(window, interval=OPEN_MS)
        self._open.timeout.connect(self._open_next)
        self._count = 0

    def start(self) -> None:
        """Begin a phase."""
        self._gaps = []
        for timer in (self._beat, self._label, self._open):
            timer.start()
        self._clock.start()

    def stop(self) -> np.ndarray:
        """The gaps of the phase, ms."""
        for timer in (self._beat, self._label, self._open):
            timer.stop()
        return np.array(self._gaps)

    def _note(self) -> None:
        self._gaps.append(self._clock.nsecsElapsed() / 1e6)
        self._clock.restart()

    def _set_label(self) -> None:
        case_id, project = self._window.selection.on_screen, self._window.project
        if case_id and project is not None:
            self._count += 1
            value = "yes" if self._count % 2 else "no"
            project.annotate(
                case_id, lambda annotations, author: annotations.set_label(case_id, "fracture", value, author=author)
            )

    def _open_next(self) -> None:
        self._window.case_list.step(1 if self._window.case_list.neighbours((1,)) else -50)


def is_answered(engine: Engine, case_id: str) -> bool:
    """Whether every model that can be asked has answered."""
    entries = engine.consultations(case_id)
    settled = (ConsultationState.ANSWERED, ConsultationState.IMPOSSIBLE)
    return bool(entries) and all(entry.state in settled for entry in entries)


def forget(window: MainWindow) -> None:
    """Throw all findings away."""
    assert window.project is not None
    assert window.engine.engine is not None
    engine, store = window.engine.engine, window.project.look()
    models, localiser = engine.models, engine.localiser
    engine.use(None)
    store.findings.clear()
    engine.use(store, models, localiser=localiser, reader="tester")
    engine.open_case(window.selection.on_screen)


def heartbeats(window: MainWindow, engine: Engine, idle_s: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Gaps while idle and during a batch of all cases, ms; and how long the batch took, s."""
    heart = Heartbeat(window)
    heart.start()
    wait(round(1000 * idle_s))
    idle = heart.stop()
    forget(window)
    heart.start()
    begun = time.monotonic()
    window.actions_by_id["ai_all"].trigger()
    wait_until(lambda: engine.batch is not None and engine.batch.is_over, PATIENCE_S)
    took_s = time.monotonic() - begun
    return idle, heart.stop(), took_s


def cancelling(window: MainWindow, engine: Engine) -> tuple[float, float]:
    """Seconds from the key to the window's word, and to an engine that owes nothing."""
    engine.pause_look_ahead(True)  # what is owed afterwards belongs to the batch
    forget(window)
    wait_until(lambda: is_answered(engine, window.selection.on_screen), PATIENCE_S)
    window.actions_by_id["ai_all"].trigger()
    wait_until(lambda: engine.batch is not None and engine.batch.done >= 3, PATIENCE_S)
    begun = time.monotonic()
    window.actions_by_id["ai_cancel"].trigger()
    assert engine.batch is not None
    assert engine.batch.is_cancelled
    said_s = time.monotonic() - begun
    wait_until(lambda: not engine.process.is_owing, PATIENCE_S)
    return said_s, time.monotonic() - begun


def opening(window: MainWindow, engine: Engine, *, opened: int, dwell_s: float, is_ahead: bool) -> np.ndarray:
    """Seconds from the step to the next case to its last answer."""
    forget(window)
    engine.pause_look_ahead(not is_ahead)
    window.case_list.step(-10_000)
    wait_until(lambda: is_answered(engine, window.selection.on_screen), PATIENCE_S)
    times = []
    for _ in range(opened):
        wait(round(1000 * dwell_s))
        before = window.selection.on_screen
        begun = time.monotonic()
        window.case_list.step(1)
        wait_until(lambda before=before: window.selection.on_screen not in ("", before))  # type: ignore[misc]
        wait_until(lambda: is_answered(engine, window.selection.on_screen), PATIENCE_S)
        times.append(time.monotonic() - begun)
    return np.array(times)


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--opened", type=int, default=20)
    parser.add_argument("--dwell", type=float, default=3.0)
    parser.add_argument("--idle", type=float, default=15.0)
    args = parser.parse_args(argv)
    application()
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_project(Path(scratch) / "project", cases=args.cases, rows=args.rows, cols=args.rows * 5 // 6)
        window = open_window(folder, engine_command=COMMAND, models=args.models)
        engine = window.engine.engine
        assert engine is not None
        begun = time.monotonic()
        wait_until(lambda: engine.state in (EngineState.IDLE, EngineState.WORKING), PATIENCE_S)
        print(f"engine ready {time.monotonic() - begun:.1f} s after the first case; {engine.facts}")
        print(f"models: {', '.join(model.card.id for model in engine.models)}; load {os.getloadavg()[0]:.1f}")
        wait_until(lambda: is_answered(engine, window.selection.on_screen), PATIENCE_S)
        idle, busy, took_s = heartbeats(window, engine, args.idle)
        for name, gaps in (("idle", idle), ("batch", busy)):
            print(f"heartbeat {name:>6}: median {np.median(gaps):5.1f}  p95 {np.quantile(gaps, 0.95):5.1f}  "
                  f"p99 {np.quantile(gaps, 0.99):6.1f}  largest {gaps.max():6.1f} ms")  # fmt: skip
        print(f"p95 batch : idle = {np.quantile(busy, 0.95) / np.quantile(idle, 0.95):.2f}; "
              f"{args.cases} cases in {took_s:.1f} s, {args.cases / took_s:.2f} cases/s")  # fmt: skip
        said_s, done_s = cancelling(window, engine)
        print(f"cancel: said after {1000 * said_s:.1f} ms, nothing owed after {done_s:.2f} s")
        without = opening(window, engine, opened=args.opened, dwell_s=args.dwell, is_ahead=False)
        ahead = opening(window, engine, opened=args.opened, dwell_s=args.dwell, is_ahead=True)
        for name, times in (("off", without), ("on", ahead)):
            print(f"case to answer, look-ahead {name:>3}: median {np.median(times):.3f}  p95 "
                  f"{np.quantile(times, 0.95):.3f} s")  # fmt: skip
        print(f"median off : on = {np.median(without) / np.median(ahead):.1f}; load {os.getloadavg()[0]:.1f}")
        window.close()
        wait(50)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
