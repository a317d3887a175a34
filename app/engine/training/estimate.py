"""How long a run would take, from a few measured steps on random images."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import numpy as np
import torch

from app.core.training_plan import TrainingPlan
from app.engine.device import choose_device
from app.engine.models.registry import architectures
from app.engine.training.judging import autocast
from app.engine.training.steps import class_loss

MEASURED = 4  # cases in one pass
FORWARD_SHARE = 0.35  # of a case that is only looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What was measured.

    Args:
        device: for people.
        precision: the quicker one.
        seconds_per_case: of training.
        seconds: of the whole run; early stopping may end it sooner.
    """

    device: str
    precision: str
    seconds_per_case: float
    seconds: float


def estimate(plan: TrainingPlan, *, training: int, validation: int, device: str = "auto", threads: int = 0) -> Estimate:
    """Measure two passes in each precision.

    Args:
        plan: of the run; its start weights are not read.
        training: number of training cases.
        validation: number of validation cases.
        device: `auto`, `cpu`, `cuda` …
        threads: of torch; 0 = as many as there are cores.

    Raises:
        UserError: there is no such device.
    """
    torch.set_num_threads(threads or os.cpu_count() or 1)
    choice = choose_device(device, "float32")
    side, wanted = plan.input.size_px, plan.input
    model = architectures()[plan.architecture].build().to(choice.device).to(memory_format=torch.channels_last)
    model.train()
    rng = np.random.default_rng(0)
    shape = (MEASURED, wanted.channels, side, side)
    images = [
        torch.from_numpy(rng.standard_normal(shape, np.float32)).to(choice.device).to(memory_format=torch.channels_last)
        for _ in wanted.roles
    ]
    labels = torch.arange(MEASURED, device=choice.device) % 2
    best, precision = float("inf"), "float32"
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        for _ in range(2):  # the first makes the libraries ready
            begun = time.perf_counter()
            with autocast(replace(choice, precision=kind)):
                logits = model(*images)
            torch.autograd.backward(class_loss(logits.float(), labels))
            if choice.device.type == "cuda":
                torch.cuda.synchronize(choice.device)
            seconds = (time.perf_counter() - begun) / MEASURED
            model.zero_grad(set_to_none=True)
        if seconds < best:
            best, precision = seconds, name
    cases = training + FORWARD_SHARE * validation
    return Estimate(device=choice.name, precision=precision, seconds_per_case=best, seconds=best * cases * plan.epochs)
