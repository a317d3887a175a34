"""Trains a run in processes that are killed at random moments, until one of them finishes.

    python -m tests.support.kill_training FOLDER KILLS SEED

A run that nobody disturbs is trained first; both must end with the same curve, the same weights and the same model.
Prints one JSON object. The libraries are imported once; every training is a process of its own, forked from this one
before torch has computed anything.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "0")

import pytest

from app.core.training_plan import Augmentation
from app.core.training_run import RunState
from app.engine.training import train_run as program
from app.engine.training import trainer
from app.store.run_folder import RunFolder
from tests.support.training_run import make_run, narrow_networks

WAIT_S = 300.0
MOST_EPOCHS = 10  # of two steps each
MOST_STEPS = 4  # that a process begins before it is killed
STEP_S = 0.2  # a step and what follows it take about as long


class Told(trainer.Trainer):
    """Says before every step which one it is, in the folder that holds the run's."""

    taken = 0

    def _step(self, *args: Any) -> float:
        self.taken += 1
        draft = self.folder.path.parent / f"step.{os.getpid()}"
        draft.write_text(f"{os.getpid()} {self.taken} {len(self.epochs) + 1}")
        draft.replace(self.folder.path.parent / "step")
        return super()._step(*args)


def stepping(run: RunFolder) -> tuple[int, int, int]:
    """Which process takes steps, how many it has begun, and in which epoch it is; zeros before the first."""
    try:
        process, taken, epoch = (run.path.parent / "step").read_text().split()
    except OSError:
        return 0, 0, 0
    return int(process), int(taken), int(epoch)


def begin(run: RunFolder) -> int:
    """Train in another process; returns its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        program.write_graph_of = lambda model: None  # of no interest here
        program.Trainer = Told  # type: ignore[attr-defined]
        code = 0 if program.train_run(run, device="cpu", precision="float32", threads=1) is RunState.FINISHED else 2
    finally:
        os._exit(code)


def is_over(child: int, seconds: float) -> bool:
    """Whether a process has ended within this time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if os.waitstatus_to_exitcode(status) != 0:
                raise SystemExit(f"the training ended with {os.waitstatus_to_exitcode(status)}")
            return True
        time.sleep(min(seconds, 0.02))
    return False


def restart(whole: RunFolder, killed: RunFolder) -> None:
    """It has come too far: kill the same run again, from its beginning."""
    shutil.rmtree(killed.path)
    shutil.copytree(
        whole.path, killed.path,
        ignore=shutil.ignore_patterns("model", "*.pt", "best*", "progress*", "live*", "eval*", "worst*", "*.lock"),
    )  # fmt: skip


def outcome(run: RunFolder) -> dict[str, Any]:
    """Everything that must not depend on interruptions."""
    epochs = [
        (each.number, each.training_loss, each.validation_loss, each.auc, each.learning_rate, each.is_best)
        for each in run.epochs()
    ]
    weights = run.best_file.read_bytes()
    model = (run.model_folder / "weights.safetensors").read_bytes()
    cases = [(case.id, case.probability) for case in getattr(run.evaluation(), "cases", ())]
    return {"epochs": epochs, "weights": weights, "model": model, "cases": cases}


def main(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Train undisturbed, then with kills."""
    rng = random.Random(seed)
    whole = make_run(
        folder / "whole", cases=16, epochs=min(kills + 2, MOST_EPOCHS), batch=4, average=0.9, localisation=0.5,
        augmentation=Augmentation(),
    )  # fmt: skip
    shutil.copytree(whole.path, folder / "killed")
    killed = RunFolder(folder / "killed")
    begun = time.monotonic()
    if not is_over(begin(whole), WAIT_S):
        raise SystemExit("the undisturbed run did not end")
    undisturbed = time.monotonic() - begun
    done, outside, moments = 0, 0, []
    while done < kills:
        child = begin(killed)
        # in some step from the first on; an epoch must end now and then, or nothing would ever be finished
        steps, is_done = rng.randint(1, MOST_STEPS), False
        while not is_done and (stepping(killed)[0] != child or stepping(killed)[1] < steps):
            is_done = is_over(child, 0.002)
        if is_done or is_over(child, rng.uniform(0, STEP_S)):
            restart(whole, killed)
            continue
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        finished = len(killed.epochs())
        if finished == whole.plan().epochs:  # it made the model already
            outside += 1
            restart(whole, killed)
            continue
        done += 1
        moments.append(f"{stepping(killed)[2]}/{finished}")
    if not is_over(begin(killed), WAIT_S):
        raise SystemExit("the resumed run did not end")
    one, other = outcome(whole), outcome(killed)
    return {
        "kills": done,
        "outside": outside,
        "undisturbed_s": round(undisturbed, 2),
        "moments": moments,
        "same": {name: one[name] == other[name] for name in one},
        "epochs": len(one["epochs"]),
    }


if __name__ == "__main__":
    narrow_networks(pytest.MonkeyPatch())
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
