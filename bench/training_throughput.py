"""Training throughput against a plain PyTorch DataLoader loop on the same network and images, by turns in one run.

    python -m bench.training_throughput [NETWORK] [CASES] [TURNS]

The baseline decodes nothing (it reads the same memory-mapped crops), varies them with the same warp, has the same
optimiser, and trains in float32 with torch's own defaults and two loader workers: what one would write without Coxa.
Coxa's trainer runs once more in float32, without quicker matrix products, so that the two curves can be compared. Every
training is a process of its own, whose memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "0")

import msgspec
import numpy as np
import psutil

from app.core.networks import network_named
from app.core.split import Part
from app.core.training_plan import TrainingCase, TrainingPlan
from app.core.training_presets import with_preset
from app.store.run_folder import RunFolder, cached_side

WAYS = ("plain", "coxa", "single")  # single: Coxa's trainer in float32, with torch's own matrix products
EPOCHS = 2  # the first warms libraries and page cache; the second is timed
VALIDATION = 4


def make(path: Path, name: str, cases: int) -> RunFolder:
    """A run on noise with a bright square in every second case."""
    network = network_named(name)
    assert network is not None, name
    classes = ("fracture",) if network.outputs == 1 else ("no fracture", "fracture")
    plan = TrainingPlan(architecture=name, classes=classes, finding=len(classes) - 1, input=network.input)
    plan = msgspec.structs.replace(
        with_preset(plan, "default"), epochs=EPOCHS, batch=min(16, cases), localisation=0.0, is_balanced=False
    )
    run = RunFolder(path)
    run.freeze(
        plan,
        [
            TrainingCase(
                id=f"{n}", patient=f"{n}", label=n % 2, part=Part.VALIDATION if n < VALIDATION else Part.TRAINING
            )
            for n in range(cases + VALIDATION)
        ],
    )
    side = cached_side(network.input.size_px)
    levels, inside = run.open_cache((cases + VALIDATION, len(network.input.roles), side, side))
    levels[:], inside[:] = np.random.default_rng(0).integers(60, 140, levels.shape, np.uint8), True
    levels[1::2, :, side // 3 : side // 2, side // 3 : side // 2] = 230
    levels.flush()  # type: ignore[attr-defined]
    inside.flush()  # type: ignore[attr-defined]
    return run


def train_coxa(run: RunFolder, *, is_single: bool) -> dict[str, Any]:
    """Coxa's trainer: the machine as it chooses it, or plain float32."""
    import torch

    from app.engine.training.machine import machine_of
    from app.engine.training.trainer import Trainer

    machine = machine_of(run, device="cpu", precision="float32" if is_single else "auto")
    if is_single:
        torch.set_float32_matmul_precision("highest")
    choice = machine.choice()
    if is_single:
        torch.set_float32_matmul_precision("highest")
    epochs = Trainer(run, choice, micro_batch=machine.micro_batch).run()
    return {
        "rate": epochs[-1].cases_per_s,
        "waiting": epochs[-1].waiting,
        "losses": [epoch.training_loss for epoch in epochs],
        "precision": machine.precision,
        "notes": machine.notes,
    }


def train_plain(run: RunFolder) -> dict[str, Any]:
    """The baseline."""
    import torch
    from torch.utils.data import DataLoader, Dataset

    from app.engine.models.registry import architectures
    from app.engine.training.batches import Batches
    from app.engine.training.steps import class_loss, make_optimiser

    batches = Batches.of_run(run)
    numbers = batches.of(Part.TRAINING)

    class Plain(Dataset[tuple[list[np.ndarray], int]]):
        """One case at a time, as a Dataset has it."""

        def __len__(self) -> int:
            return len(numbers)

        def __getitem__(self, place: int) -> tuple[list[np.ndarray], int]:
            batch = batches.batch(numbers[place : place + 1], epoch=1)
            return [view[0] for view in batch.views], int(batch.labels[0])

    plan = run.plan()
    torch.manual_seed(0)
    model = architectures()[plan.architecture].build().train()
    optimiser = make_optimiser(plan, [model])
    loader = DataLoader(Plain(), batch_size=plan.batch, shuffle=True, num_workers=2, persistent_workers=True)
    rate, waiting, losses = 0.0, 0.0, []
    for _ in range(EPOCHS):
        total, seen, waited, begun = 0.0, 0, 0.0, time.perf_counter()
        feed = iter(loader)
        while True:
            asked = time.perf_counter()
            found = next(feed, None)
            waited += time.perf_counter() - asked
            if found is None:
                break
            views, labels = found
            loss = class_loss(model(*views), labels)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
            optimiser.step()
            total, seen = total + float(loss.detach()) * len(labels), seen + len(labels)
        took = time.perf_counter() - begun
        rate, waiting = seen / took, waited / took
        losses.append(total / seen)
    return {"rate": rate, "waiting": waiting, "losses": losses, "precision": "float32", "notes": []}


def child(way: str, path: Path) -> None:
    """One training; prints what came of it."""
    run = RunFolder(path)
    found = train_plain(run) if way == "plain" else train_coxa(run, is_single=way == "single")
    print(json.dumps(found))


def measured(way: str, run: RunFolder) -> dict[str, Any]:
    """One training in a process of its own, and the most memory that it and its loaders had."""
    for file in (run.checkpoint_file, run.best_file, run.progress_file, run.machine_file):
        file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.training_throughput", "--child", way, str(run.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watched, most = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            family = [watched, *watched.children(recursive=True)]
            most = max(most, sum(_own(each) for each in family))
        except psutil.Error:
            pass  # one of them has just ended
        time.sleep(0.2)
    assert process.stdout is not None
    out = process.stdout.read()
    assert process.returncode == 0, way
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found | {"memory": most}


def _own(process: psutil.Process) -> int:
    """Memory that is not shared with others, bytes."""
    return int(process.memory_full_info().uss)


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "cvdt-small"
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        run = make(Path(folder) / "run", name, cases)
        batch = run.plan().batch
        for turn in range(turns):
            for way in WAYS if turn == 0 else WAYS[:2]:
                found[way].append(measured(way, run))
    middle = {
        way: {key: float(np.median([each[key] for each in rows])) for key in ("rate", "waiting", "memory")}
        for way, rows in found.items()
    }
    print(f"{name}, {cases} cases, batch {batch}, {turns} turns; load average {os.getloadavg()[0]:.1f}")
    for note in found["coxa"][0]["notes"]:
        print(note)
    titles = {"plain": "plain DataLoader loop, float32", "coxa": f"Coxa ({found['coxa'][0]['precision']})",
              "single": "Coxa, float32 with torch's own products"}  # fmt: skip
    for way, row in middle.items():
        print(
            f"{titles[way]}: {row['rate']:.2f} cases/s, waiting {100 * row['waiting']:.2f} % of a step, "
            f"{row['memory'] / 2**30:.2f} GiB"
        )
    print(f"a step of Coxa takes {middle['plain']['rate'] / middle['coxa']['rate']:.2f} of the plain one")
    quick, single = found["coxa"][0]["losses"], found["single"][0]["losses"]
    apart = max(abs(one / other - 1) for one, other in zip(quick, single, strict=True))
    print(f"losses by epoch: {_words(quick)}; in float32: {_words(single)}; at most {100 * apart:.2f} % apart")


def _words(losses: list[float]) -> str:
    return " ".join(f"{loss:.4f}" for loss in losses)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
