"""Trains one run alone, and again in two processes that are stopped and started anew, as `torchrun` starts them.

    python -m tests.support.train_on_two FOLDER

The network has no chance of its own and norms that do not learn from a batch: only the order of sums may differ.
The libraries are imported once; every training is a process of its own, forked from this one before torch has computed
anything. Prints one JSON object.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import pytest
from torch import nn

from app.core.training_plan import Augmentation
from app.core.training_run import RunState, StopWish
from app.engine.training import train_run as program
from app.engine.training import trainer
from app.engine.training.batches import Batch
from app.store.run_folder import RunFolder
from tests.support.training_run import make_run, narrow_networks


class Watched(trainer.Trainer):
    """Says which cases it is given, and writes nothing unless it is the first process."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for part in self.model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
                part.train = functools.partial(_unmoved, part)  # type: ignore[method-assign, assignment]
        self._seen = (self.folder.path.parent / f"{self.folder.path.name}.{self.fabric.global_rank}.seen").open("a")

    def _step(self, batch: Batch, count: int) -> float:
        self._seen.write(json.dumps([len(self.epochs) + 1, batch.numbers.tolist()]) + "\n")
        self._seen.flush()
        return super()._step(batch, count)

    def _keep(self, *args: Any) -> None:
        assert self.fabric.global_rank == 0, "only the first process writes"
        super()._keep(*args)


def _unmoved(part: nn.Module, mode: bool = True) -> nn.Module:
    return part


def forked(work: Callable[[], RunState], **environment: str) -> int:
    """Work in another process; returns its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.environ |= environment
        work()
        code = 0
    finally:
        os._exit(code)


def train(run: RunFolder, processes: int, *, pause_after: int = 0) -> None:
    """Train to the end, or until some epochs are done."""

    def work() -> RunState:
        program.write_graph_of = lambda model: None
        program.Trainer = Watched  # type: ignore[attr-defined]

        def tell(epoch: Any) -> None:
            if epoch.number == pause_after:
                run.ask_to_stop(StopWish.PAUSE)

        return program.train_run(run, device="cpu", precision="float32", threads=1, on_epoch=tell)

    place = {}
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        place = {
            "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0",
        }  # fmt: skip
    children = [
        forked(work, **place, **({"RANK": str(n), "LOCAL_RANK": str(n)} if place else {})) for n in range(processes)
    ]
    for child in children:
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            raise SystemExit("a process failed")


def outcome(run: RunFolder, processes: int) -> dict[str, Any]:
    """What came out, and which cases each process was given in each step."""
    evaluation = run.evaluation()
    assert evaluation is not None
    seen = [
        [json.loads(line) for line in (run.path.parent / f"{run.path.name}.{rank}.seen").read_text().splitlines()]
        for rank in range(processes)
    ]
    return {
        "epochs": [(e.training_loss, e.validation_loss, e.auc, e.is_best) for e in run.epochs()],
        "probabilities": [case.probability for case in evaluation.cases],
        "seen": seen,
    }


def main(folder: Path) -> dict[str, Any]:
    """Alone; then by two, paused and resumed in between."""
    alone = make_run(
        folder / "alone", cases=12, epochs=2, batch=4, average=0.9, localisation=0.5, augmentation=Augmentation(),
        learning_rate=1e-4,
    )  # fmt: skip
    shutil.copytree(alone.path, folder / "two")
    two = RunFolder(folder / "two")
    train(alone, 1)
    train(two, 2, pause_after=1)
    train(two, 2)
    return {"alone": outcome(alone, 1), "two": outcome(two, 2)}


if __name__ == "__main__":
    narrow_networks(pytest.MonkeyPatch())
    print(json.dumps(main(Path(sys.argv[1]))))
