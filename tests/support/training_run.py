"""Small training runs: bright squares that a tiny network can learn to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.case import ViewRole
from app.core.model_input import InputKind, ModelInput
from app.core.split import Part
from app.core.training_plan import Augmentation, TrainingCase, TrainingPlan
from app.store.run_folder import RunFolder, cached_side

SIZE = 32
NARROW = 128  # features of a narrow network
STILL = Augmentation(rotation_deg=0, zoom=0, shift=0, contrast=0, noise=0)
INPUT = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=SIZE)


def narrow_networks(patch: pytest.MonkeyPatch) -> None:
    """A ResNet-18 with a sixteenth of the weights: a checkpoint of the real one is 135 MB, and a test writes dozens."""
    import timm
    from timm.models.resnet import BasicBlock, ResNet

    whole = timm.create_model

    def create(name: str, **more: Any) -> Any:
        if name != "resnet18":
            return whole(name, **more)
        more.pop("pretrained", None)
        return ResNet(BasicBlock, (2, 2, 2, 2), channels=(16, 32, 64, NARROW), **more)

    patch.setattr(timm, "create_model", create)


def make_run(path: Path, *, cases: int = 24, **changes: Any) -> RunFolder:
    """A run of `resnet18-frontal` on squares (class 1) and nothing (class 0); the click is the square's centre."""
    facts: dict[str, Any] = {
        "architecture": "resnet18-frontal", "classes": ("no", "yes"), "finding": 1, "input": INPUT, "epochs": 3,
        "batch": 8, "learning_rate": 1e-3, "weight_decay": 0.01, "augmentation": STILL,
    }  # fmt: skip
    plan = TrainingPlan(**(facts | changes))
    rng = np.random.default_rng(1)
    side = cached_side(SIZE)
    margin = (side - SIZE) // 2
    folder = RunFolder(path)
    levels = rng.integers(60, 100, (cases, 1, side, side)).astype(np.uint8)
    table = []
    for number in range(cases):
        label = number % 2
        x, y = rng.integers(8, SIZE - 8, 2)
        if label:
            levels[number, 0, margin + y - 4 : margin + y + 4, margin + x - 4 : margin + x + 4] = 240
        part = Part.VALIDATION if number % 4 >= 2 else Part.TRAINING
        click = (float(x), float(y)) if label else None
        table.append(TrainingCase(id=f"C-{number}", patient=f"P-{number}", part=part, label=label, clicks_xy=(click,)))
    folder.freeze(plan, table)
    stored, inside = folder.open_cache(levels.shape)
    stored[:], inside[:] = levels, True
    stored.flush()  # type: ignore[attr-defined]
    inside.flush()  # type: ignore[attr-defined]
    return folder
