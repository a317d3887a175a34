"""What a run is computed on: chosen once, after looking whether the quicker way is safe, and kept for its resumptions.

Half precision and another library for matrix products are quicker on some processors and useless or inexact on others
(performance.md §0, §4). Before the first epoch the network's loss and gradient are computed both ways on the run's own
cases, and both are timed; the quicker way is taken where it agrees.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace as changed
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from app.engine.device import Choice, choose_device, use_quick_products
from app.engine.models.registry import architectures
from app.engine.training.batches import Batch, Batches
from app.engine.training.beginning import begin_with
from app.engine.training.steps import class_loss
from app.store.run_folder import RunFolder, replace

CPU_PASS = 8  # cases in one pass on a CPU: a batch of 32 of the full CVDT needs 12 GB, one of 8 needs 4
TURNS = 2
PROBED = 4  # cases that are computed both ways
LOSS_SLACK = 0.02  # relative difference of the loss
LEAST_COSINE = 0.95  # of the two gradients
QUICK_ENOUGH = 0.9  # share of the time from which half precision is worth it


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is computed on.

    Args:
        device: for torch.
        name: for people.
        precision: `float32` or `bfloat16`.
        threads: of torch; other ones add in another order and give other last digits.
        micro_batch: cases in one pass.
        seconds_per_case: of training, measured; None = not measured.
        notes: what was found out, one sentence each.
    """

    device: str
    name: str
    precision: str
    threads: int
    micro_batch: int
    seconds_per_case: float | None = None
    notes: tuple[str, ...] = ()

    def choice(self) -> Choice:
        """The device and precision."""
        return choose_device(self.device, self.precision)


def machine_of(run: RunFolder, *, device: str = "auto", precision: str = "auto", threads: int = 0) -> Machine:
    """The machine of a run: what it began on, or chosen now, measured and kept.

    A run that is resumed on a machine without its device begins anew with what there is, and says so.

    Args:
        run: with a filled cache.
        device: `auto`, `cpu`, `cuda`, `cuda:1` …; only for a run that begins.
        precision: `auto`, `float32` or `bfloat16`; only for a run that begins.
        threads: of torch; 0 = as many as the machine has cores, shared with the other processes of the run.

    Raises:
        UserError: there is no such device or precision.
    """
    kept = kept_machine(run)
    if kept is not None:
        try:
            kept.choice()
        except Exception:
            note = f"It began on {kept.name} and goes on elsewhere: the curve goes on, but not digit by digit."
            machine = _chosen(run, "auto", "auto", threads)
            machine = msgspec.structs.replace(machine, notes=(*machine.notes, note))
        else:
            torch.set_num_threads(kept.threads)
            return kept
    else:
        machine = _chosen(run, device, precision, threads)
    replace(run.machine_file, msgspec.json.format(msgspec.json.encode(machine)))
    return machine


def kept_machine(run: RunFolder) -> Machine | None:
    """What a run began on; None before its first start."""
    try:
        return msgspec.json.decode(run.machine_file.read_bytes(), type=Machine)
    except (OSError, msgspec.DecodeError):
        return None


def _chosen(run: RunFolder, device: str, precision: str, threads: int) -> Machine:
    plan = run.plan()
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # processes of this run on this machine
    count = threads or max(1, (os.cpu_count() or 1) // beside)
    torch.set_num_threads(count)
    choice = choose_device(device, precision)
    notes = []
    micro = plan.micro_batch
    if choice.device.type == "cpu":
        micro = micro or min(plan.batch, CPU_PASS)
        if not use_quick_products():
            notes.append("Quicker matrix products are inexact on this processor and are not used.")
    single = changed(choice, precision=torch.float32)
    probe = _Probe(run, plan.seed)
    if precision == "auto":
        half = changed(choice, precision=torch.bfloat16)
        answer = probe.compare(single, half)
        is_quicker = answer.half_s < QUICK_ENOUGH * answer.single_s
        choice = half if answer.is_safe and is_quicker else single
        words = (
            f"bfloat16 against float32 on {PROBED} cases: loss {answer.half_loss:.4f} against "
            f"{answer.single_loss:.4f}, cosine of the gradients {answer.cosine:.4f}, "
            f"{answer.half_s / answer.single_s:.2f} of the time"
        )
        verdict = "used" if choice is half else "not safe, not used" if not answer.is_safe else "not quicker, not used"
        notes.append(f"{words}: {verdict}.")
    else:
        probe.run(choice)
    return Machine(
        device=str(choice.device),
        name=choice.name,
        precision=str(choice.precision).removeprefix("torch."),
        threads=count,
        micro_batch=micro or plan.batch,
        seconds_per_case=probe.seconds.get(choice.precision),
        notes=tuple(notes),
    )


class _Answer(msgspec.Struct, frozen=True):
    single_loss: float
    half_loss: float
    cosine: float
    single_s: float
    half_s: float

    @property
    def is_safe(self) -> bool:
        apart = abs(self.half_loss - self.single_loss) / max(abs(self.single_loss), 0.1)
        return bool(np.isfinite(self.half_loss)) and apart <= LOSS_SLACK and self.cosine >= LEAST_COSINE


class _Probe:
    """A network at the beginning of its run, and a few of its cases."""

    def __init__(self, run: RunFolder, seed: int) -> None:
        plan = run.plan()
        batches = Batches.of_run(run)
        self._batch: Batch = batches.batch(batches.order(1)[:PROBED])
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        self._model = architectures()[plan.architecture].build()
        if plan.start:
            begin_with(self._model, plan.start, folder=run.path)
        torch.set_rng_state(state)
        self.seconds: dict[torch.dtype, float] = {}  # that a case took in each precision, at last

    def compare(self, single: Choice, half: Choice) -> _Answer:
        """Both ways, on the same cases, by turns."""
        turns = [(self.run(single), self.run(half)) for _ in range(TURNS)]
        one, other = turns[0]
        cosine = float(nn.functional.cosine_similarity(one[1].double(), other[1].double(), dim=0))
        return _Answer(one[0], other[0], cosine, min(a[2] for a, _ in turns), min(b[2] for _, b in turns))

    def run(self, choice: Choice) -> tuple[float, Tensor, float]:
        """Loss, gradient, and seconds of work a case, without chance: norms and dropout as in evaluation.

        On a CPU work is the time of all processors on this program alone: other programs may be busy at any moment.
        """
        model: Any = self._model.to(choice.device).to(memory_format=torch.channels_last)
        model.eval()
        images = [
            torch.from_numpy(view).to(choice.device).to(memory_format=torch.channels_last) for view in self._batch.views
        ]
        labels = torch.from_numpy(self._batch.labels).to(choice.device)
        work = []
        clock = time.process_time if choice.device.type == "cpu" else time.perf_counter
        for _ in range(2):  # the first pass makes the libraries ready
            model.zero_grad(set_to_none=True)
            _wait(choice)
            begun, started = time.perf_counter(), clock()
            with torch.autocast(choice.device.type, torch.bfloat16, enabled=choice.precision is torch.bfloat16):
                logits = model(*images)
            loss = class_loss(logits.float(), labels)
            torch.autograd.backward(loss)
            _wait(choice)
            work.append((clock() - started) / len(labels))
            self.seconds[choice.precision] = (time.perf_counter() - begun) / len(labels)
        gradient = torch.cat(
            [part.grad.flatten().float().cpu() for part in model.parameters() if part.grad is not None]
        )
        model.zero_grad(set_to_none=True)
        return float(loss.detach()), gradient, work[-1]


def _wait(choice: Choice) -> None:
    if choice.device.type == "cuda":
        torch.cuda.synchronize(choice.device)
