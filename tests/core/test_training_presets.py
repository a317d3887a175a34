"""Presets say what the papers say."""

from __future__ import annotations

import pytest

from app.core.case import ViewRole
from app.core.model_input import InputKind, ModelInput
from app.core.training_plan import Optimiser, Schedule, TrainingPlan
from app.core.training_presets import presets_for, protocol_for, with_preset

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


# models.md §1: what each paper states, and where it is silent our reading
PAPERS: dict[str, tuple[Optimiser, float, Schedule, int, int, float, float, str]] = {
    # network: optimiser, rate, schedule, batch, epochs, weight decay, clip, protocol
    "cvdt": (Optimiser.ADAMW, 1.875e-4, Schedule.COSINE, 32, 100, 0.05, 5.0, "10-fold"),
    "cvdt-without-query-sharing": (Optimiser.ADAMW, 1.875e-4, Schedule.COSINE, 32, 100, 0.05, 5.0, "10-fold"),
    "swin-t-dual": (Optimiser.ADAMW, 1.875e-4, Schedule.COSINE, 32, 100, 0.05, 5.0, "10-fold"),
    "densenet121-dual": (Optimiser.ADAMW, 1.875e-4, Schedule.COSINE, 32, 100, 0.05, 5.0, "10-fold"),
    "densenet121-whole-view": (Optimiser.ADAM, 1e-3, Schedule.PLATEAU, 8, 60, 0.0, 0.0, "80-20"),
    "densenet121-body-part": (Optimiser.ADAM, 1e-3, Schedule.PLATEAU, 8, 60, 0.0, 0.0, "80-20"),
    "resnet50-intervention": (Optimiser.ADAM, 1e-5, Schedule.CONSTANT, 5, 100, 0.0, 0.0, "5-fold"),
    "inception-v3-automated": (Optimiser.RMSPROP, 1e-5, Schedule.CONSTANT, 5, 100, 0.0, 0.0, "5-fold"),
    "vgg19-intervention": (Optimiser.SGD, 1e-5, Schedule.CONSTANT, 5, 200, 0.0, 0.0, "5-fold"),
    "efficientnet-lite0-intervention": (Optimiser.ADAM, 1e-5, Schedule.CONSTANT, 5, 100, 0.0, 0.0, "5-fold"),
}


@pytest.mark.parametrize("architecture", PAPERS)
def test_every_number_of_a_papers_preset(architecture: str) -> None:
    optimiser, rate, schedule, batch, epochs, decay, clip, protocol = PAPERS[architecture]
    found = plan(architecture, "paper")
    assert (found.optimiser, found.schedule, found.batch, found.epochs) == (optimiser, schedule, batch, epochs)
    assert found.learning_rate == pytest.approx(rate)
    assert (found.weight_decay, found.clip) == (decay, clip)
    # what no paper has: a moving average of weights, early stopping, equal classes, clicks, warmer colours
    assert (found.average, found.patience, found.is_balanced, found.localisation) == (0.0, 0, False, 0.0)
    varied = found.augmentation
    assert (varied.contrast, varied.noise, varied.inversion) == (0.0, 0.0, 0.0)
    if batch == 32:  # 000 states no augmentation
        assert (varied.rotation_deg, varied.zoom, varied.shift, varied.flip_horizontal) == (0, 0, 0, 0)
    else:
        assert (varied.rotation_deg, varied.zoom) == (10, 0.1)
        assert varied.shift == (0.1 if batch == 5 else 0.0)
        assert varied.flip_horizontal == varied.flip_vertical == (0.5 if batch == 8 else 0.0)
    assert protocol_for(architecture, "paper") == protocol
    assert protocol_for(architecture, "quick") == protocol_for(architecture, "default") == "hold-out"


def test_ours_have_what_small_sets_need() -> None:
    for name, epochs in (("quick", 8), ("default", 40)):
        found = plan("cvdt-small", name)
        assert (found.epochs, found.batch, found.learning_rate) == (epochs, 16, 3e-4)
        assert (found.average, found.is_balanced, found.localisation) == (0.99, True, 0.5)
    assert plan("cvdt-small", "default").patience == 12
    assert plan("cvdt-small", "quick").patience == 0  # too short to give up
