"""Presets: how each paper trains, and how we would.

What a paper states is taken as it is; what it leaves open is marked [R], our reading (models.md §1, §2). No preset of a
paper uses clicks as a second target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.core.training_plan import Augmentation, Optimiser, Schedule, TrainingPlan

STILL = Augmentation(rotation_deg=0, zoom=0, shift=0, contrast=0, noise=0)  # the paper states no augmentation

# 000 states a batch of 32 and a learning rate of 3e-3, and neither optimiser, schedule, epochs nor augmentation.
# [R] the trainer of DAT, whose rule scales the rate by the batch: 3e-3 · 32 / 512.
_PAPER_000: Mapping[str, Any] = {
    "epochs": 100, "batch": 32, "optimiser": Optimiser.ADAMW, "learning_rate": 3e-3 * 32 / 512, "weight_decay": 0.05,
    "clip": 5.0, "schedule": Schedule.COSINE, "warm_up_epochs": 5.0, "augmentation": STILL,
}  # fmt: skip
# [R] the other reading of the same numbers
_PAPER_000_SGD: Mapping[str, Any] = {
    **_PAPER_000, "optimiser": Optimiser.SGD, "learning_rate": 3e-3, "weight_decay": 0.0, "clip": 0.0,
}  # fmt: skip
# 001 states all of this; [R] "reduce on plateau" is Keras' default
_PAPER_001: Mapping[str, Any] = {
    "epochs": 60, "batch": 8, "optimiser": Optimiser.ADAM, "learning_rate": 1e-3, "weight_decay": 0.0, "clip": 0.0,
    "schedule": Schedule.PLATEAU,
    "augmentation": Augmentation(rotation_deg=10, zoom=0.1, shift=0, flip_horizontal=0.5, flip_vertical=0.5,
                                 contrast=0, noise=0),
}  # fmt: skip
# 004 states optimiser, rate, batch, epochs and amounts
_PAPER_004: Mapping[str, Any] = {
    "epochs": 100, "batch": 5, "learning_rate": 1e-5, "weight_decay": 0.0, "clip": 0.0,
    "schedule": Schedule.CONSTANT,
    "augmentation": Augmentation(rotation_deg=10, zoom=0.1, shift=0.1, contrast=0, noise=0),
}  # fmt: skip
WAYS_004 = ("automated", "intervention")
_OPTIMISERS_004 = {"vgg19": Optimiser.SGD, "inception-v3": Optimiser.RMSPROP, "resnet50": Optimiser.ADAM}

_DEFAULT: Mapping[str, Any] = {
    "epochs": 40, "batch": 16, "optimiser": Optimiser.ADAMW, "learning_rate": 3e-4, "weight_decay": 0.05, "clip": 5.0,
    "schedule": Schedule.COSINE, "average": 0.99, "patience": 12, "is_balanced": True, "localisation": 0.5,
    "augmentation": Augmentation(),
}  # fmt: skip
_QUICK: Mapping[str, Any] = {**_DEFAULT, "epochs": 8, "warm_up_epochs": 0.5, "patience": 0}


def presets_for(architecture: str) -> dict[str, Mapping[str, Any]]:
    """The presets that fit a network, by name, most useful first.

    Args:
        architecture: name in the registry of networks.

    Returns:
        Fields of a `TrainingPlan` for each preset.
    """
    found: dict[str, Mapping[str, Any]] = {"default": _DEFAULT, "quick": _QUICK}
    name, _, way = architecture.rpartition("-")
    if architecture.startswith("densenet121-") and way in ("view", "part"):
        found["paper"] = _PAPER_001
    elif way in WAYS_004:
        optimiser = _OPTIMISERS_004.get(name, Optimiser.ADAM)  # [R] a network that the paper does not have
        found["paper"] = {**_PAPER_004, "optimiser": optimiser, "epochs": 200 if name == "vgg19" else 100}
    else:
        found["paper"] = _PAPER_000
        found["paper-sgd"] = _PAPER_000_SGD
    return found


def protocol_for(architecture: str, name: str) -> str:
    """How the preset of a paper divides the cases: 000 in 10 folds, 001 80 to 20, 004 in 5 folds; ours keep the
    project's hold-out.

    Args:
        architecture: name in the registry of networks.
        name: of the preset.

    Returns:
        A `Protocol`.
    """
    if not name.startswith("paper"):
        return "hold-out"
    if architecture.startswith(("densenet121-whole-view", "densenet121-body-part")):
        return "80-20"
    return "5-fold" if architecture.rpartition("-")[2] in WAYS_004 else "10-fold"


def with_preset(plan: TrainingPlan, name: str) -> TrainingPlan:
    """A plan with everything that a preset decides.

    Raises:
        KeyError: the network has no such preset.
    """
    return msgspec.structs.replace(plan, **presets_for(plan.architecture)[name], preset=name)
