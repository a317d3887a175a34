"""The window while a model is trained on the same cores: frames and heartbeat against the same window without training.

    python -m bench.training_window [ROUNDS] [SECONDS] [NICE]

One window on a project of large images, and the real trainer (the small CVDT at 224 px), started as the window starts
it. Rounds go by turns: the trainer is halted (SIGSTOP), which is the baseline, and let go on. In both the same hand
drags window and level with the right button, sets labels with keys and opens the next case. A frame is one step of the
drag until both panes are painted; a heartbeat is the gap between two beats of a timer of 16 ms.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import msgspec
import numpy as np
import psutil
from PySide6.QtCore import QElapsedTimer, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.training_run import RunState, StopWish
from app.store.run_folder import RunFolder
from app.ui.main_window import MainWindow
from app.ui.wiring import training
from bench.training_throughput import make
from tests.support.window import application, make_project, open_window, wait, wait_until

BEAT_MS, STEPS = 16, 60  # of one drag; then a label and the next case
IMAGE_PX = 2000
NO_MOD = Qt.KeyboardModifier.NoModifier


class Hand:
    """Somebody at work: drags, labels, next case; notes how long the window takes."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._beat = QTimer(window, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._do)
        self._clock, self._frame = QElapsedTimer(), QElapsedTimer()
        self._count = 0
        self.gaps: list[float] = []
        self.frames: list[float] = []
        self.keys: list[float] = []

    def work(self, seconds: float) -> None:
        """For so long."""
        self._clock.start()
        self._beat.start()
        wait(round(1000 * seconds))
        self._beat.stop()

    def _do(self) -> None:
        self.gaps.append(self._clock.nsecsElapsed() / 1e6)
        self._clock.restart()
        self._frame.start()
        step = self._count % (STEPS + 3)
        self._count += 1
        assert self._window.viewer is not None
        views = [place.pane.graphics for place in self._window.viewer.all_places if place.pane.isVisible()]
        target = views[0].viewport()
        at = QPoint(target.width() // 2 + (step * 7) % 120 - 60, target.height() // 2 + (step * 5) % 90 - 45)
        if step == 0:
            QTest.mousePress(target, Qt.MouseButton.RightButton, NO_MOD, at)
        elif step <= STEPS:
            QTest.mouseMove(target, at)
            for view in views:
                view.viewport().repaint()
            self.frames.append(self._frame.nsecsElapsed() / 1e6)
        elif step == STEPS + 1:
            QTest.mouseRelease(target, Qt.MouseButton.RightButton, NO_MOD, at)
            QTest.keyClick(QApplication.focusWidget() or self._window, Qt.Key.Key_1)
            self._window.repaint()
            self.keys.append(self._frame.nsecsElapsed() / 1e6)
        else:
            self._window.case_list.step(1 if self._window.case_list.neighbours((1,)) else -1000)


def begin(window: MainWindow, path: Path) -> RunFolder:
    """A run that takes longer than this measurement, started as the window starts one."""
    run = make(path, "cvdt-small", 64)
    run.plan_file.write_bytes(msgspec.json.encode(msgspec.structs.replace(run.plan(), epochs=1000)))
    window.training._begin([path])
    wait_until(lambda: run.live().state is RunState.RUNNING and run.live().step > 0, 240)
    return run


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 12.0
    if len(sys.argv) > 3:
        training.NICE = int(sys.argv[3])
    application()
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_project(Path(scratch) / "project", cases=12, rows=IMAGE_PX, cols=IMAGE_PX * 5 // 6)
        window = open_window(folder, size=(1600, 1000))
        run = begin(window, folder / "runs" / "bench")
        trainer = psutil.Process(run.live().pid)
        hands = {name: Hand(window) for name in ("alone", "beside training")}
        shares, own = [], psutil.Process()
        try:
            for _ in range(rounds):
                for name, hand in hands.items():
                    trainer.send_signal(signal.SIGSTOP if name == "alone" else signal.SIGCONT)
                    wait(500)
                    before = trainer.cpu_times().user + trainer.cpu_times().system
                    hand.work(seconds)
                    spent = trainer.cpu_times().user + trainer.cpu_times().system - before
                    if name != "alone":
                        shares.append(spent / seconds / (os.cpu_count() or 1))
        finally:
            trainer.send_signal(signal.SIGCONT)
            run.ask_to_stop(StopWish.PAUSE)
            memory = trainer.memory_info().rss
            try:
                trainer.wait(120)
            except psutil.TimeoutExpired:
                trainer.kill()
            window.close()
            wait(50)
    print(
        f"niceness {training.NICE}, {rounds} rounds of {seconds:.0f} s each way, two panes, images {IMAGE_PX} px; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print(f"the trainer had {100 * np.mean(shares):.0f} % of {os.cpu_count()} processors; {memory / 2**30:.2f} GiB, "
          f"the window {own.memory_info().rss / 2**30:.2f} GiB")  # fmt: skip
    for what in ("frames", "gaps", "keys"):
        figures = {name: np.array(getattr(hand, what)) for name, hand in hands.items()}
        title = {"frames": "frame of a drag", "gaps": "heartbeat", "keys": "label key, painted"}[what]
        for name, values in figures.items():
            print(f"{title:18} {name:16} median {np.median(values):6.2f}  p95 {np.quantile(values, 0.95):6.2f}  p99 "
                  f"{np.quantile(values, 0.99):6.2f}  largest {values.max():7.2f} ms  ({len(values)})")  # fmt: skip
        with_training, alone = figures["beside training"], figures["alone"]
        print(f"{title:18} p95 beside training : alone = "
              f"{np.quantile(with_training, 0.95) / np.quantile(alone, 0.95):.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
