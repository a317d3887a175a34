"""Two processes that share a run do what one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning_fabric")

from app.core.errors import UserError  # noqa: E402
from app.core.split import Part  # noqa: E402
from app.engine.device import Choice  # noqa: E402
from app.engine.training import machine, processes  # noqa: E402
from app.engine.training.trainer import Trainer  # noqa: E402
from app.store.run_folder import RunFolder  # noqa: E402
from tests.support.training_run import make_run  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[3]
CPU = Choice(device=torch.device("cpu"), name="test", precision=torch.float32, memory_bytes=0)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="trains in forked processes")
def test_two_processes_do_what_one_does(tmp_path: Path) -> None:
    """The same batches, each case once; the same curve and opinions but for the order of sums; one of them writes."""
    command = [sys.executable, "-m", "tests.support.train_on_two", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    alone, two = found["alone"], found["two"]
    assert len(two["epochs"]) == 2
    for one, other in zip(alone["epochs"], two["epochs"], strict=True):
        assert other == pytest.approx(one, abs=1e-5)
    assert two["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)
    steps = alone["seen"][0]
    shares = list(zip(*two["seen"], strict=True))
    assert [[epoch, sorted(numbers)] for epoch, numbers in steps] == [
        [first[0], sorted(first[1] + second[1])] for first, second in shares
    ]
    table = RunFolder(tmp_path / "two").cases()
    training = sorted(number for number, case in enumerate(table) if case.part is Part.TRAINING)
    for epoch in (1, 2):
        seen = [number for share in two["seen"] for each, numbers in share if each == epoch for number in numbers]
        assert sorted(seen) == training


def test_chance_differs_between_processes_and_not_between_resumptions() -> None:
    def drawn(rank: int, epoch: int) -> float:
        fabric: Any = SimpleNamespace(world_size=2, global_rank=rank)
        processes.seed_epoch(fabric, 7, epoch)
        return float(torch.rand(1))

    assert drawn(0, 1) == drawn(0, 1)
    assert len({drawn(0, 1), drawn(1, 1), drawn(0, 2)}) == 3
    torch.manual_seed(5)
    alone = float(torch.rand(1))
    torch.manual_seed(5)
    processes.seed_epoch(SimpleNamespace(world_size=1), 7, 1)  # type: ignore[arg-type]
    assert float(torch.rand(1)) == alone


def test_a_full_memory_of_one_of_several_is_said_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait for its gradients, so the step cannot be done again: the next start takes half as much."""
    run = make_run(tmp_path / "run", cases=16, epochs=1, batch=8)
    kept = machine.Machine(device="cpu", name="CPU", precision="float32", threads=1, micro_batch=8)
    run.machine_file.write_bytes(msgspec.json.encode(kept))
    trainer = Trainer(run, CPU, micro_batch=8)

    def scarce(batch: Any, part: slice) -> Any:
        raise torch.OutOfMemoryError("planted")

    monkeypatch.setattr(trainer, "_loss", scarce)
    monkeypatch.setattr(type(trainer.fabric), "world_size", property(lambda _: 2))
    batch = trainer.batches.batch(trainer.batches.steps(1)[0])
    with pytest.raises(UserError) as caught:
        trainer._step(batch, len(batch.labels))
    assert caught.value.kind == "memory"
    again = machine.kept_machine(run)
    assert again is not None
    assert again.micro_batch == 4


def test_processes_share_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", cases=8)
    before = torch.get_num_threads()
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    try:
        assert machine.machine_of(run, device="cpu", precision="float32").threads == 1
    finally:
        torch.set_num_threads(before)
