"""Training throughput against a plain PyTorch DataLoader loop on the same network and images, by turns in one run.

    python -m bench.training_throughput [NETWORK] [CASES] [TURNS]

The baseline decodes nothing (it reads the same memory-mapped crops), varies them with the same warp, and trains in
float32 with torch's own defaults, two loader workers: what one would write without Coxa. The last line but one is the
share of a step that Coxa's trainer spends waiting for images.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np
import psutil
import torch
from torch.utils.data import DataLoader, Dataset

from app.core.networks import network_named
from app.core.split import Part
from app.core.training_plan import TrainingCase, TrainingPlan
from app.core.training_presets import with_preset
from app.engine.device import choose_device
from app.engine.models.registry import architectures
from app.engine.training.batches import Batches
from app.engine.training.machine import machine_of
from app.engine.training.steps import class_loss, make_optimiser
from app.engine.training.trainer import Trainer
from app.store.run_folder import RunFolder, cached_side


def make(path: Path, name: str, cases: int) -> RunFolder:
    """A run on random images: time does not depend on what they show."""
    network = network_named(name)
    assert network is not None, name
    classes = ("fracture",) if network.outputs == 1 else ("no fracture", "fracture")
    plan = TrainingPlan(architecture=name, classes=classes, finding=len(classes) - 1, input=network.input, epochs=1)
    run = RunFolder(path)
    run.freeze(
        with_preset(plan, "default"),
        [
            TrainingCase(
                id=f"{n}", patient=f"{n}", label=n % 2, part=Part.VALIDATION if n < 4 else Part.TRAINING,
            )
            for n in range(cases + 4)
        ],
    )  # fmt: skip
    side = cached_side(network.input.size_px)
    levels, inside = run.open_cache((cases + 4, len(network.input.roles), side, side))
    levels[:], inside[:] = np.random.default_rng(0).integers(0, 255, levels.shape, np.uint8), True
    return run


class Plain(Dataset[tuple[list[np.ndarray], int]]):
    """One case at a time, as a Dataset has it."""

    def __init__(self, run: RunFolder) -> None:
        self._batches = Batches.of_run(run)
        self._numbers = self._batches.of(Part.TRAINING)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> tuple[list[np.ndarray], int]:
        batch = self._batches.batch(self._numbers[place : place + 1], epoch=1)
        return [view[0] for view in batch.views], int(batch.labels[0])


def plain_epoch(run: RunFolder) -> float:
    """Cases a second of the baseline."""
    plan = run.plan()
    torch.set_float32_matmul_precision("highest")
    torch.manual_seed(0)
    model = architectures()[plan.architecture].build().train()
    optimiser = make_optimiser(plan, [model])
    loader = DataLoader(Plain(run), batch_size=plan.batch, shuffle=True, num_workers=2, drop_last=True)
    seen, begun = 0, time.perf_counter()
    for views, labels in loader:
        loss = class_loss(model(*views), labels)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        seen += len(labels)
    return seen / (time.perf_counter() - begun)


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "cvdt-small"
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    ours, theirs, waits = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        run = make(Path(folder) / "run", name, cases)
        theirs_first = plain_epoch(run)  # warms the page cache; not counted
        machine = machine_of(run, device="cpu")
        for _ in range(turns):
            for file in (run.checkpoint_file, run.best_file):
                file.unlink(missing_ok=True)
            choose_device("cpu", machine.precision)
            (epoch,) = Trainer(run, machine.choice(), micro_batch=machine.micro_batch).run()
            ours.append(epoch.cases_per_s)
            waits.append(epoch.waiting)
            theirs.append(plain_epoch(run))
    print(f"{name}, {cases} cases, batch {run_batch(name)}, {torch.get_num_threads()} threads, {turns} turns")
    for note in machine.notes:
        print(note)
    print(f"Coxa's trainer ({machine.precision}): {np.median(ours):.2f} cases/s")
    print(f"plain DataLoader loop (float32): {np.median(theirs):.2f} cases/s (first, cold: {theirs_first:.2f})")
    print(f"a step takes {np.median(theirs) / np.median(ours):.2f} of the plain one")
    print(f"waiting for images: {100 * float(np.median(waits)):.2f} % of a step")
    print(f"memory: {psutil.Process().memory_info().rss / 2**30:.2f} GiB; load {os.getloadavg()[0]:.1f}")


def run_batch(name: str) -> int:
    """The preset's batch."""
    network = network_named(name)
    assert network is not None
    plan = TrainingPlan(architecture=name, classes=("a", "b"), finding=1, input=network.input)
    return with_preset(plan, "default").batch


if __name__ == "__main__":
    main()
