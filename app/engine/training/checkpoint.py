"""Everything that resuming needs, in one file: weights, optimiser, average, random numbers, epochs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from app.core.errors import UserError
from app.engine.training.steps import Average
from app.store.run_folder import Epoch


@dataclass(slots=True)
class Position:
    """Where a run is, between two epochs.

    Args:
        model: the network.
        localiser: see `steps.Localiser`; None = the plan has none.
        optimiser: with its state.
        average: of the weights.
        epochs: what has happened.
        micro_batch: cases in one pass; smaller after the memory did not suffice.
        notes: what whoever looks must know.
    """

    model: nn.Module
    localiser: nn.Module | None
    optimiser: torch.optim.Optimizer
    average: Average
    epochs: list[Epoch]
    micro_batch: int
    notes: list[str]


def write_checkpoint(path: Path, position: Position) -> None:
    """Write a checkpoint, whole or not at all, and onto the disk."""
    state = {
        "model": position.model.state_dict(),
        "localiser": position.localiser.state_dict() if position.localiser is not None else {},
        "optimiser": position.optimiser.state_dict(),
        "average": position.average.state(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "epochs": [msgspec.to_builtins(epoch) for epoch in position.epochs],
        "micro_batch": position.micro_batch,
        "notes": position.notes,
    }
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_checkpoint(path: Path, position: Position, device: torch.device) -> None:
    """Go to where a checkpoint was written; changes the position in place.

    Raises:
        UserError: `bad-checkpoint`.
    """
    try:
        # tensors and plain values only: a checkpoint that was swapped for a program is refused
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        position.model.load_state_dict(state["model"])
        if position.localiser is not None:
            position.localiser.load_state_dict(state["localiser"])
        position.optimiser.load_state_dict(state["optimiser"])
        position.average.restore(state["average"])
        torch.set_rng_state(state["random"].cpu())
        if torch.cuda.is_available() and len(state["random_cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([part.cpu() for part in state["random_cuda"]])
        position.epochs[:] = [msgspec.convert(epoch, Epoch) for epoch in state["epochs"]]
        position.micro_batch = int(state["micro_batch"])
        position.notes[:] = [str(note) for note in state["notes"]]
    except Exception as error:
        raise UserError(
            "This run cannot be resumed.",
            reason=f"Its checkpoint cannot be read ({type(error).__name__}).",
            remedy=f"Remove {path.name} to begin again; the best weights so far stay.",
            kind="bad-checkpoint",
        ) from error
