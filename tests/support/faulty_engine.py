"""The real engine, which is killed, stopped or aborted at one step of its protocol, by itself and to the instant.

    python faulty_engine.py PLAN.json

Everything is the engine's own: process, messages, models, files. Only the instant is ours: around the functions in
which a step happens lies a call of `suffer`. The plan: `faults`, each with a `step` of `STEPS`, `how` (`kill`, `stop`,
`abort`) and `after`, how many times the step passes unharmed before; a fault that has happened is taken out of the
file, so that the next process gets farther.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = {"kill": "SIGKILL", "stop": "SIGSTOP", "abort": "SIGABRT"}
STEPS = {
    "start": "before it has read anything",
    "hello": "greeted, nothing answered yet",
    "ready": "said that it is ready",
    "load": "has begun a job and loads its model",
    "begun": "has said that a job has begun",
    "locating": "looks for the hip",
    "computing": "the network has computed, nothing is said yet",
    "half-heatmap": "half a heatmap is written",
    "heatmap": "every heatmap is written, nothing is said yet",
    "half-answer": "half an answer is written",
    "answered": "has answered",
    "cancel": "is told to forget jobs",
    "idle": "waits for work",
    "unload": "is told to give its memory back",
    "shutdown": "its input has ended",
}


class Faults:
    """The plan of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._passed: dict[str, int] = {}

    def suffer(self, step: str) -> None:
        """Let the fault of this step happen, if it is its turn."""
        plan = json.loads(self._path.read_text())
        number = self._passed[step] = self._passed.get(step, 0) + 1
        found = next((one for one in plan["faults"] if one["step"] == step and number > one.get("after", 0)), None)
        if found is None:
            return
        plan["faults"].remove(found)
        draft = self._path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(plan))
        draft.replace(self._path)
        os.kill(os.getpid(), getattr(signal, SIGNALS[found["how"]]))

    def is_due(self, step: str) -> bool:
        """Whether a fault of this step waits in the plan."""
        return any(one["step"] == step for one in json.loads(self._path.read_text())["faults"])


def before(owner: Any, name: str, act: Callable[[], None]) -> None:
    """Do something before a function of the engine."""
    original = getattr(owner, name)

    def changed(*args: Any, **more: Any) -> Any:
        act()
        return original(*args, **more)

    setattr(owner, name, changed)


def after(owner: Any, name: str, act: Callable[[], None]) -> None:
    """Do something after a function of the engine."""
    original = getattr(owner, name)

    def changed(*args: Any, **more: Any) -> Any:
        result = original(*args, **more)
        act()
        return result

    setattr(owner, name, changed)


def arm(faults: Faults) -> None:
    """Lay the calls around the steps."""
    from app.core.engine_messages import Ready, Result, Started
    from app.engine import predictor, worker
    from app.engine.graph_model import GraphModel
    from app.engine.queue import JobQueue
    from app.engine.runtime import Runtime

    def suffer(step: str) -> Callable[[], None]:
        return lambda: faults.suffer(step)

    before(predictor.Predictor, "__init__", suffer("hello"))
    before(Runtime, "load", suffer("load"))
    before(predictor, "locate", suffer("locating"))
    after(GraphModel, "look", suffer("computing"))
    after(predictor, "_written", suffer("heatmap"))
    before(JobQueue, "forget", suffer("cancel"))
    before(JobQueue, "ask_to_unload", suffer("unload"))
    before(JobQueue, "close", suffer("shutdown"))

    take, send, save = JobQueue.take, worker.Replies.send, predictor.np.save

    def waiting(self: JobQueue, most: int, *, idle_s: float | None = None) -> Any:
        if not self._heap:
            faults.suffer("idle")
        return take(self, most, idle_s=idle_s)

    def sending(self: Any, reply: Any) -> None:
        if isinstance(reply, Result) and faults.is_due("half-answer"):
            self._stream.write(b'{"type":"Result","job":1,"weights_')
            faults.suffer("half-answer")
        send(self, reply)
        for kind, step in ((Ready, "ready"), (Started, "begun"), (Result, "answered")):
            if isinstance(reply, kind):
                faults.suffer(step)

    def saving(file: Any, array: Any, **more: Any) -> None:
        if faults.is_due("half-heatmap"):
            file.write(array.tobytes()[: array.nbytes // 2])
            file.flush()
            faults.suffer("half-heatmap")
        save(file, array, **more)

    JobQueue.take, worker.Replies.send = waiting, sending  # type: ignore[method-assign]
    predictor.np = SimpleNamespace(save=saving)  # type: ignore[assignment]  # it uses nothing else of it


def command(plan: Path) -> tuple[str, ...]:
    """Program and arguments."""
    return (sys.executable, "-P", str(Path(__file__).resolve()), str(plan))


def main() -> int:
    """Serve like `coxa engine`."""
    sys.path.insert(0, str(ROOT))
    faults = Faults(Path(sys.argv[1]))
    faults.suffer("start")
    from app.engine import worker

    arm(faults)
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
