"""Several processes that share one run, as `torchrun` starts them; nearly all of the time there is only one.

Every process knows the whole case table and draws the same batches, of which it computes its share: cases are neither
lost nor seen twice. The first process prepares, writes and judges; the others only compute.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec
import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor

from app.core.errors import UserError
from app.engine.device import Choice
from app.engine.training.machine import kept_machine
from app.store.run_folder import RunFolder, replace


def is_first_process() -> bool:
    """Whether this is the only process, or the first of those that `torchrun` has started."""
    return os.environ.get("RANK", "0") == "0"


def is_alone() -> bool:
    """Whether there is no other process."""
    return os.environ.get("WORLD_SIZE", "1") == "1"


def make_fabric(choice: Choice) -> Fabric:
    """Fabric for one device, or for those that `torchrun` has given this process."""
    precision: Any = "32-true" if choice.precision is torch.float32 else "bf16-mixed"
    if torch.distributed.is_torchelastic_launched():
        backend = "nccl" if choice.device.type == "cuda" else "gloo"
        fabric = Fabric(
            accelerator=choice.device.type,
            devices=int(os.environ["LOCAL_WORLD_SIZE"]),
            num_nodes=int(os.environ["WORLD_SIZE"]) // int(os.environ["LOCAL_WORLD_SIZE"]),
            # a batch without a click does not use the localiser
            strategy=DDPStrategy(find_unused_parameters=True, process_group_backend=backend),
            precision=precision,
        )
        fabric.launch()
        return fabric
    devices: Any = [choice.device.index or 0] if choice.device.type == "cuda" else 1
    return Fabric(accelerator=choice.device.type, devices=devices, precision=precision)


def seed_epoch(fabric: Fabric, seed: int, epoch: int) -> None:
    """Chance of its own for each process, and the same after a resumption; one process alone goes on with its own
    chance, which its checkpoint keeps."""
    if fabric.world_size > 1:
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch, fabric.global_rank]).generate_state(1)[0]))


def as_in_the_first(fabric: Fabric, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the first process, in all of them: running means of norms differ otherwise."""
    if fabric.world_size == 1:
        return weights
    there = {name: value.to(fabric.device) for name, value in weights.items()}
    for value in there.values():
        torch.distributed.broadcast(value, 0)
    return there


def ask_for_smaller_passes(run: RunFolder, cases: int) -> UserError:
    """What is said when one of several processes has no memory left.

    The others already wait for the gradients of this step, so that it cannot be done again; the next start begins with
    passes of half the size.

    Args:
        run: of these processes.
        cases: in the pass that was too large.
    """
    half = max(1, cases // 2)
    machine = kept_machine(run)
    if machine is not None:
        smaller = msgspec.structs.replace(machine, micro_batch=half)
        replace(run.machine_file, msgspec.json.format(msgspec.json.encode(smaller)))
    return UserError(
        "The memory does not suffice.",
        reason=f"{cases} cases in one pass are too many for one of the processes.",
        remedy=f"Start it again: it goes on after its last whole epoch, with {half} in one pass.",
        kind="memory",
    )
