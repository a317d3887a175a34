"""Presets say what the papers say."""

from __future__ import annotations

import pytest

from app.core.case import ViewRole
from app.core.model_input import InputKind, ModelInput
from app.core.training_plan import Optimiser, Schedule, TrainingPlan
from app.core.training_presets import presets_for, with_preset

INPUT = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=64)


def plan(architecture: str, preset: str) -> TrainingPlan:
    start = TrainingPlan(architecture=architecture, classes=("a", "b"), finding=1, input=INPUT, seed=7)
    return with_preset(start, preset)


def test_paper_001() -> None:
    found = plan("densenet121-whole-view", "paper")
    assert (found.batch, found.epochs, found.learning_rate) == (8, 60, 1e-3)
    assert (found.optimiser, found.schedule) == (Optimiser.ADAM, Schedule.PLATEAU)
    assert found.augmentation.flip_vertical == 0.5  # stated, though no radiograph hangs so
    assert plan("densenet121-whole-view", "default").augmentation.flip_vertical == 0


@pytest.mark.parametrize(
    ("name", "optimiser", "epochs"),
    [("vgg19", Optimiser.SGD, 200), ("inception-v3", Optimiser.RMSPROP, 100), ("resnet50", Optimiser.ADAM, 100)],
)
@pytest.mark.parametrize("way", ["automated", "intervention"])
def test_paper_004(name: str, optimiser: Optimiser, epochs: int, way: str) -> None:
    found = plan(f"{name}-{way}", "paper")
    assert (found.optimiser, found.epochs, found.batch, found.learning_rate) == (optimiser, epochs, 5, 1e-5)
    assert (found.augmentation.rotation_deg, found.augmentation.shift, found.augmentation.zoom) == (10, 0.1, 0.1)


def test_paper_000_in_both_readings() -> None:
    adaptive, plain = plan("cvdt", "paper"), plan("cvdt", "paper-sgd")
    assert adaptive.batch == plain.batch == 32
    assert adaptive.learning_rate == pytest.approx(1.875e-4)
    assert (plain.optimiser, plain.learning_rate) == (Optimiser.SGD, 3e-3)


@pytest.mark.parametrize("architecture", ["cvdt", "cvdt-small", "swin-t-dual", "densenet121-frontal",
                                          "densenet121-body-part", "resnet50-intervention"])  # fmt: skip
def test_no_paper_uses_clicks_and_every_network_has_presets(architecture: str) -> None:
    found = presets_for(architecture)
    assert {"quick", "default", "paper"} <= set(found)
    for name in found:
        made = plan(architecture, name)
        assert made.preset == name
        assert made.seed == 7
        assert (made.localisation > 0) == (not name.startswith("paper"))
    assert plan(architecture, "quick").epochs < plan(architecture, "default").epochs


def test_densenet_in_paper_000_is_not_paper_001() -> None:
    assert plan("densenet121-dual", "paper").batch == 32


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(KeyError):
        plan("cvdt", "best")
