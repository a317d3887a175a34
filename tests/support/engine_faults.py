"""The real window beside the real engine, which ends or hangs at a step; and the promises that must hold afterwards."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
from PySide6.QtCore import QElapsedTimer, QTimer

from app.core.engine_messages import Unload
from app.core.finding import ConsultationState, Finding
from app.core.grey import StoredImage
from app.store.derived import FILE_NAME
from app.store.located import KIND
from app.store.project import ProjectStore
from app.ui.engine import Engine
from app.ui.engine_process import STANDSTILL_S
from app.ui.engine_state import EngineState
from app.ui.main_window import MainWindow
from tests.support.faulty_engine import command
from tests.support.window import add_study, left_pair, open_window, wait, wait_until

Answer = tuple[tuple[float, ...], list[bytes]]
IMPATIENT_S = 3.0


def cloud(rng: np.random.Generator) -> StoredImage:
    """An image that is like no other."""
    smooth = cv2.resize(rng.random((9, 7)), (240, 300), interpolation=cv2.INTER_CUBIC)
    return StoredImage(pixels=np.clip(smooth * 3000 + 400, 0, 4095).astype(np.uint16))


def make_hips(folder: Path, *, cases: int) -> Path:
    """A project of clouds that no two cases share; no region is drawn."""
    rng = np.random.default_rng(5)
    with ProjectStore.create(folder) as store:
        for number in range(cases):
            add_study(store, number, left_pair(number, [cloud(rng) for _ in range(2)]))
    return folder


@dataclass(slots=True)
class Outcome:
    """What came of one fault.

    Args:
        broken: promises that were not kept, in words.
        gap_ms: longest time in which the window did not turn its event loop.
        seconds: from the fault's cause until everything was answered again.
    """

    broken: list[str]
    gap_ms: float
    seconds: float


class FaultyWindow:
    """One window, one project, and engines that suffer what the plan says.

    Args:
        place: an empty folder.
        cases: number of cases.
        models: folder of the models; Coxa's own when left out.
    """

    def __init__(self, place: Path, *, cases: int = 4, models: Path | None = None) -> None:
        self.plan = place / "plan.json"
        self._set([])
        self.folder = make_hips(place / "project", cases=cases)
        self.window: MainWindow = open_window(self.folder, engine_command=command(self.plan), models=models)
        assert self.window.engine.engine is not None
        self.engine: Engine = self.window.engine.engine
        self.restarts: list[str] = []
        self.engine.restarted.connect(self._on_restarted)
        self._is_said = False
        assert self.window.project is not None
        self.cases = [case.id for case in self.window.project.look().cases.all()]
        self._heart = QTimer(self.window, interval=10)
        self._heart.timeout.connect(self._beat)
        self._clock = QElapsedTimer()
        self._gap_ms = 0.0
        self._ask_all()
        self.reference = {case_id: self._answers(case_id) for case_id in self.cases}
        assert len({str(answer) for answer in self.reference.values()}) == len(self.cases), "cases look alike"

    def suffer(self, step: str, how: str, *, after: int = 0) -> Outcome:
        """Let the engine end or hang at a step, and see what becomes of it."""
        provoke = {
            "start": self._restart, "hello": self._restart, "ready": self._restart, "load": self._restart,
            "idle": self._answer_and_rest, "unload": self._unload, "cancel": self._cancel, "locating": self._locate,
        }.get(step, self._ask_all_begun)  # fmt: skip
        self.engine._rule.forgive()
        self.restarts.clear()
        self.window.banners.remove("engine")
        self._is_said = False
        before = self.engine.process.pid
        self._forget()
        self.engine.process.standstill_s = IMPATIENT_S if how == "stop" else STANDSTILL_S
        self._set([{"step": step, "how": how, "after": after}])
        self._gap_ms = 0.0
        self._heart.start()
        self._clock.start()
        begun = time.monotonic()
        provoke()
        wait_until(lambda: not self._plan(), 240)
        self._ask_all()
        seconds = time.monotonic() - begun
        self._heart.stop()
        return Outcome(self._broken(step, how, before), self._gap_ms, seconds)

    def kill_from_outside(self, delay_s: float, signal_number: int) -> Outcome:
        """The same at an instant that nobody has chosen, in the middle of a batch."""
        self.engine._rule.forgive()
        self.restarts.clear()
        before = self.engine.process.pid
        self._forget()
        self._gap_ms = 0.0
        self._heart.start()
        self._clock.start()
        begun = time.monotonic()
        self.engine.start_batch(self.cases)
        QTimer.singleShot(round(1000 * delay_s), self.window, lambda: os.kill(before, signal_number))
        wait(round(1000 * delay_s) + 20)
        self._ask_all()
        self._heart.stop()
        broken = self._wrong_answers()
        return Outcome(broken, self._gap_ms, time.monotonic() - begun)

    def close(self) -> list[str]:
        """Close the window; returns what is left behind."""
        pid = self.engine.process.pid
        self.window.close()
        wait(50)
        left = [f"engine {pid} lives on"] if pid and psutil.pid_exists(pid) else []
        return left + [f"process {child.pid} lives on" for child in _engines()]

    # --- causes ---

    def _restart(self) -> None:
        self.engine.restart()
        self.engine.open_case(self.cases[0])

    def _ask_all_begun(self) -> None:
        self.engine.open_case(self.cases[0])
        self.engine.start_batch(self.cases)

    def _answer_and_rest(self) -> None:
        """The engine has nothing left to do; if it stands still then, only the next question finds out."""
        self.engine.open_case(self.cases[0])

    def _unload(self) -> None:
        self.engine.process.send(Unload())

    def _cancel(self) -> None:
        self.engine.start_batch(self.cases)
        wait_until(lambda: self.engine.batch is not None and self.engine.process.is_owing)
        self.engine.cancel_batch()
        if self._plan():  # everything that was sent had begun: there was nothing to forget
            from app.core.engine_messages import Cancel

            self.engine.process.send(Cancel(jobs=(999_999,)))

    def _locate(self) -> None:
        with sqlite3.connect(self.folder / "cache" / FILE_NAME, timeout=30) as derived:
            derived.execute("DELETE FROM entry WHERE kind = ?", (KIND,))
        self.engine.open_case(self.cases[0])

    # --- what is known ---

    def _ask_all(self) -> None:
        """Until every model has answered about every case."""
        for case_id in self.cases:
            self.engine.open_case(case_id)
            wait_until(lambda case_id=case_id: self._is_settled(case_id), 240)  # type: ignore[misc]

    def _is_settled(self, case_id: str) -> bool:
        entries = self.engine.consultations(case_id)
        settled = (ConsultationState.ANSWERED, ConsultationState.IMPOSSIBLE, ConsultationState.FAILED)
        return bool(entries) and all(entry.state in settled for entry in entries)

    def _answers(self, case_id: str) -> Answer:
        """What is said of a case, and what lies in its heatmaps' files."""
        said: list[float] = []
        maps: list[bytes] = []
        for finding in self._findings(case_id):
            said += finding.probabilities
            for files in finding.heatmaps:
                maps += [self._content(name) for name in files.files]
        return tuple(said), maps

    def _content(self, name: str) -> bytes:
        assert self.window.project is not None
        array = np.load(self.window.project.look().findings.heatmap_folder / name, allow_pickle=False)
        return bytes(np.ascontiguousarray(array).tobytes())

    def _findings(self, case_id: str) -> list[Finding]:
        return [entry.finding for entry in self.engine.consultations(case_id) if entry.finding is not None]

    def _broken(self, step: str, how: str, before: int) -> list[str]:
        broken = self._wrong_answers()
        expected = ["silent"] if how == "stop" else ["crashed"]
        if step == "half-answer" and how != "stop":
            expected = ["crashed"]
        if self.restarts != expected:
            broken.append(f"the window noticed {self.restarts}, not {expected}")
        if not self._is_said:
            broken.append("the window does not say so")
        if self.engine.state not in (EngineState.IDLE, EngineState.WORKING):
            broken.append(f"the engine is {self.engine.state}")
        if self.engine.process.pid == before or psutil.pid_exists(before):
            broken.append("the old engine is still there")
        if len(_engines()) != 1:
            broken.append(f"{len(_engines())} engines run")
        return broken

    def _wrong_answers(self) -> list[str]:
        broken = []
        for case_id in self.cases:
            failed = [entry.failure for entry in self.engine.consultations(case_id) if entry.failure]
            if failed:
                broken.append(f"a case was given up: {failed[0]}")
            elif (said := self._answers(case_id)) != self.reference[case_id]:
                broken.append(
                    f"a case has another answer than without the fault: {_apart(said, self.reference[case_id])}"
                )
        return broken

    def _forget(self) -> None:
        """Throw all findings away, with their heatmaps."""
        engine, project = self.engine, self.window.project
        assert project is not None
        wait_until(lambda: engine.waiting_jobs == 0, 240)
        models, localiser, store = engine.models, engine.localiser, project.look()
        engine.use(None)
        store.findings.clear()
        for path in store.findings.heatmap_folder.glob("*"):
            path.unlink()
        engine.use(store, models, localiser=localiser, reader="tester")
        engine.pause_look_ahead(True)

    def _on_restarted(self, how: str) -> None:
        """The window was told first; its banner goes when the engine has worked again for a while."""
        self.restarts.append(how)
        self.engine.process.standstill_s = STANDSTILL_S  # the next one may start slowly on a busy machine
        self._is_said = "engine" in self.window.banners.texts

    def _beat(self) -> None:
        self._gap_ms = max(self._gap_ms, self._clock.nsecsElapsed() / 1e6)
        self._clock.restart()

    def _set(self, faults: list[dict[str, object]]) -> None:
        draft = self.plan.with_suffix(".new")
        draft.write_text(json.dumps({"faults": faults}))
        draft.replace(self.plan)

    def _plan(self) -> list[object]:
        found: list[object] = json.loads(self.plan.read_text())["faults"]
        return found


def _apart(said: Answer, meant: Answer) -> str:
    if len(said[0]) != len(meant[0]) or len(said[1]) != len(meant[1]):
        return f"{len(said[0])} probabilities and {len(said[1])} heatmaps, not {len(meant[0])} and {len(meant[1])}"
    return f"probabilities {np.abs(np.subtract(said[0], meant[0])).max():.1e}"


def _engines() -> list[psutil.Process]:
    """Engines that this process has started and that live."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and any("faulty_engine" in word for word in child.cmdline()):
                found.append(child)
    return found
