"""The loop: it learns, it can be interrupted, and the same plan gives the same weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("scipy")

from safetensors.torch import load_file, save_file  # noqa: E402
from timm.layers.drop import DropPath  # noqa: E402
from torch import nn  # noqa: E402

from app.core.errors import UserError  # noqa: E402
from app.core.split import Part  # noqa: E402
from app.core.training_plan import Augmentation, Optimiser, Schedule, TrainingCase, TrainingPlan  # noqa: E402
from app.engine.device import Choice  # noqa: E402
from app.engine.training.steps import rate_at, rate_on_plateau  # noqa: E402
from app.engine.training.trainer import Trainer  # noqa: E402
from app.store.run_folder import RunFolder, cached_side  # noqa: E402
from tests.support.training_run import INPUT, NARROW, make_run, narrow_networks  # noqa: E402

CPU = Choice(device=torch.device("cpu"), name="test", precision=torch.float32, memory_bytes=0)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Any:
    narrow_networks(monkeypatch)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weights(folder: RunFolder) -> dict[str, Any]:
    return load_file(folder.best_file)  # type: ignore[no-any-return]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns_and_judges(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", cases=48, epochs=8, augmentation=Augmentation(rotation_deg=5), average=0.5)
    trainer = Trainer(folder, CPU)
    epochs = trainer.run()
    assert epochs[-1].training_loss < epochs[0].training_loss / 2
    assert folder.epochs() == epochs
    assert sum(epoch.is_best for epoch in epochs) >= 1
    scores = trainer.judge(Part.VALIDATION, features=True)
    assert ((scores.logits.argmax(1) == scores.labels).mean()) > 0.9
    assert scores.features.shape == (24, NARROW)
    assert trainer.judge(Part.TEST).logits.shape == (0, 2)


def test_the_same_plan_gives_the_same_weights(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", average=0.9, epochs=1)
    shutil.copytree(one.path, tmp_path / "other")
    other = RunFolder(tmp_path / "other")
    Trainer(one, CPU).run()
    Trainer(other, CPU).run()
    assert same(weights(one), weights(other))


def test_a_run_that_was_interrupted_continues_as_if_it_had_not_been(tmp_path: Path) -> None:
    """Stopped in the middle of an epoch, resumed by another process: the same curve and the same weights."""
    whole = make_run(
        tmp_path / "whole", epochs=3, cases=16, batch=4, average=0.9, localisation=0.5, augmentation=Augmentation()
    )
    shutil.copytree(whole.path, tmp_path / "broken")
    broken = RunFolder(tmp_path / "broken")
    expected = Trainer(whole, CPU).run()

    class Stopping(Trainer):
        steps = 0

        def _step(self, batch: Any, count: int) -> float:
            Stopping.steps += 1
            if Stopping.steps == 5:
                self.folder.stop_file.touch()
            return super()._step(batch, count)

    assert len(Stopping(broken, CPU).run()) == 2
    assert [epoch.number for epoch in broken.epochs()] == [1, 2]
    broken.stop_file.unlink()
    resumed = Trainer(broken, CPU).run()
    assert [epoch.training_loss for epoch in resumed] == [epoch.training_loss for epoch in expected]
    assert [epoch.auc for epoch in resumed] == [epoch.auc for epoch in expected]
    assert same(weights(whole), weights(broken))


def test_a_step_in_pieces_is_the_same_step(tmp_path: Path) -> None:
    """Gradients of micro-batches add up to those of the batch, where no norm looks at the whole batch."""
    side, kept = cached_side(224), []
    cases = [TrainingCase(id=str(n), patient=str(n), part=Part.TRAINING, label=n % 2) for n in range(4)]
    for micro in (0, 1, 3):
        folder = RunFolder(tmp_path / f"run{micro}")
        folder.freeze(
            plan(
                architecture="cvdt-small-frontal",
                input=replace(INPUT, size_px=224),
                epochs=1,
                batch=4,
                micro_batch=micro,
                learning_rate=1e-4,
            ),
            cases,
        )
        levels, inside = folder.open_cache((4, 1, side, side))
        levels[:], inside[:] = np.random.default_rng(0).integers(0, 255, levels.shape), True
        trainer = Trainer(folder, CPU)
        for part in trainer.model.modules():
            if isinstance(part, DropPath):
                part.drop_prob = 0.0  # chance would fall differently
            if isinstance(part, nn.BatchNorm2d):
                part.train = lambda mode, part=part: part  # type: ignore[assignment, method-assign]
                part.training = False  # it would look at the whole batch
        trainer.run()
        kept.append(weights(folder))
    for other in kept[1:]:
        assert all(torch.allclose(kept[0][name], other[name], atol=2e-5) for name in kept[0])


def test_the_localiser_is_not_part_of_what_is_kept(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", cases=16, epochs=1, localisation=1.0)
    trainer = Trainer(folder, CPU)
    trainer.run()
    assert trainer.localiser is not None
    assert not any("localiser" in name or "heads" in name for name in weights(folder))


def test_a_run_without_validation_keeps_its_last_epoch(tmp_path: Path) -> None:
    from app.core.training_plan import TrainingCase

    folder = make_run(tmp_path / "run", epochs=2)
    cases = [
        TrainingCase(id=case.id, patient=case.patient, part=Part.TRAINING, label=case.label) for case in folder.cases()
    ]

    folder.cases_file.write_bytes(b"".join(msgspec.json.encode(case) + b"\n" for case in cases))
    trainer = Trainer(folder, CPU)
    assert [epoch.is_best for epoch in trainer.run()] == [True, True]
    assert same(weights(folder), dict(trainer.model.state_dict()))


def test_it_ends_when_nothing_gets_better(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", epochs=20, patience=2, learning_rate=1e-9, cases=4, batch=2)
    assert len(Trainer(folder, CPU).run()) < 20


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", learning_rate=1e30, clip=0.0, optimiser=Optimiser.SGD, cases=48)
    with pytest.raises(UserError) as caught:
        Trainer(folder, CPU).run()
    assert caught.value.kind == "diverged"


@pytest.mark.parametrize("optimiser", list(Optimiser))
def test_every_optimiser_takes_steps(tmp_path: Path, optimiser: Optimiser) -> None:
    folder = make_run(tmp_path / "run", epochs=1, optimiser=optimiser, cases=8, learning_rate=1e-4)
    trainer = Trainer(folder, CPU)
    before = {name: part.clone() for name, part in trainer.model.state_dict().items()}
    trainer.run()
    assert not same(before, weights(folder))


def test_start_weights_fit_or_are_refused(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", epochs=1)
    Trainer(first, CPU).run()
    start = dict(weights(first))
    start["head.weight"], start["head.bias"] = torch.zeros(5, NARROW), torch.zeros(5)
    save_file(start, tmp_path / "start.safetensors")
    second = make_run(tmp_path / "second", start=str(tmp_path / "start.safetensors"))
    model = Trainer(second, CPU).model.state_dict()
    assert torch.equal(model["backbone.net.conv1.weight"], start["backbone.net.conv1.weight"])
    assert model["head.weight"].shape == (2, NARROW)
    save_file({"other": torch.zeros(3)}, tmp_path / "other.safetensors")
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04K\x01.")
    for name, kind in (("other", "other-start"), ("pickle", "no-start"), ("missing", "no-start")):
        run = make_run(tmp_path / f"run-{name}", start=str(tmp_path / f"{name}.safetensors"))
        with pytest.raises(UserError) as caught:
            Trainer(run, CPU)
        assert caught.value.kind == kind


def test_a_damaged_run_is_said(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    folder.checkpoint_file.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError) as caught:
        Trainer(folder, CPU).run()
    assert caught.value.kind == "bad-checkpoint"
    folder.plan_file.write_text("{}")
    with pytest.raises(UserError) as caught:
        folder.plan()
    assert caught.value.kind == "bad-run"
    with pytest.raises(UserError) as caught:
        RunFolder(tmp_path / "nowhere").plan()
    assert caught.value.kind == "no-run"


def plan(**changes: Any) -> TrainingPlan:
    facts: dict[str, Any] = {"architecture": "any", "classes": ("a", "b"), "finding": 1, "input": INPUT}
    return TrainingPlan(**(facts | changes))


def test_learning_rates() -> None:
    cosine = plan(epochs=11, learning_rate=1.0, warm_up_epochs=1.0)
    assert rate_at(cosine, 0.5) == 0.5
    assert rate_at(cosine, 1.0) == 1.0
    assert rate_at(cosine, 6.0) == pytest.approx(0.505)
    assert rate_at(cosine, 11.0) == pytest.approx(0.01)
    assert rate_at(plan(schedule=Schedule.CONSTANT, learning_rate=1.0), 7.7) == 1.0
    falling, flat = [1 / n for n in range(1, 40)], [1.0] * 21
    plateau = plan(schedule=Schedule.PLATEAU, learning_rate=1.0)
    assert rate_on_plateau(plateau, falling) == 1.0
    assert rate_on_plateau(plateau, flat[:10]) == 1.0
    assert rate_on_plateau(plateau, flat[:11]) == pytest.approx(0.1)
    assert rate_on_plateau(plateau, flat) == pytest.approx(0.01)


def test_the_average_follows_the_weights_slowly(tmp_path: Path) -> None:
    """Decay min(d, (1 + n) / (10 + n)); without one the weights themselves are kept."""
    from app.engine.training.steps import Average

    model = Trainer(make_run(tmp_path / "run", cases=8), CPU).model
    name = "head.bias"
    slow, none = Average(model, 0.99), Average(model, 0.0)
    begun = model.state_dict()[name].clone()
    with torch.no_grad():
        model.state_dict()[name].add_(1.0)
    slow.update(model)
    none.update(model)
    assert torch.allclose(slow.weights(model)[name], begun + (1 - 2 / 11))
    assert torch.allclose(none.weights(model)[name], begun + 1)
    for _ in range(2000):
        slow.update(model)
    assert torch.allclose(slow.weights(model)[name], begun + 1, atol=1e-4)


def test_without_validation_the_plateau_watches_the_training_loss(tmp_path: Path) -> None:
    from app.store.run_folder import Epoch

    trainer = Trainer(make_run(tmp_path / "run", schedule=Schedule.PLATEAU, cases=8), CPU)

    def rate(losses: list[float]) -> float:
        trainer.epochs = [
            Epoch(number=n, training_loss=loss, validation_loss=None, auc=None, accuracy=None, learning_rate=1e-3,
                  cases_per_s=1.0, seconds=1.0, is_best=True) for n, loss in enumerate(losses, 1)
        ]  # fmt: skip
        return trainer._set_rate(0.0)

    assert rate([1 / n for n in range(1, 30)]) == pytest.approx(1e-3)
    assert rate([1.0] * 12) == pytest.approx(1e-4)
