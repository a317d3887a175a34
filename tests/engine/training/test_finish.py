"""A trained network becomes a model: what is chosen, what is measured, what the card says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("scipy")

from app.core.model_card import Abstention  # noqa: E402
from app.core.split import Part  # noqa: E402
from app.core.training_plan import TrainingPlan  # noqa: E402
from app.engine.device import Choice  # noqa: E402
from app.engine.loaded_model import LoadedModel  # noqa: E402
from app.engine.training import deciding  # noqa: E402
from app.engine.training.batches import Batches  # noqa: E402
from app.engine.training.deciding import ThresholdRule  # noqa: E402
from app.engine.training.finish import About, finish  # noqa: E402
from app.engine.training.finish_run import best_model, finish_run  # noqa: E402
from app.engine.training.judging import Judged, peaks_of, random_similarity, stored_precision  # noqa: E402
from app.engine.training.measuring import audit_heatmaps, peak_hits  # noqa: E402
from app.engine.training.trainer import Trainer  # noqa: E402
from app.store.model_folder import read_card, verified_weights  # noqa: E402
from tests.support.training_run import INPUT, make_run  # noqa: E402

CPU = Choice(device=torch.device("cpu"), name="test", precision=torch.float32, memory_bytes=0)
ABOUT = About(
    id="squares", title="Squares", task="Square or not.", trained_on="squares", chosen_on="12 validation squares",
    measured_on="test squares", initialised_from="random", seeds="0", command="coxa train", limits="Squares only.",
    licence="CC0",
)  # fmt: skip


def judged(rng: Any, count: int, *, shift: float = 2.0, hot: float = 1.0) -> Judged:
    """Opinions of an overconfident network whose logits are `hot` times too large."""
    labels = (np.arange(count) % 2).astype(np.int64)
    real = rng.normal(np.where(labels == 1, shift, -shift) / 2, 1.0)
    logits = np.stack([np.zeros(count), hot * real * shift], 1)
    clicks = np.where(labels[:, None, None] == 1, 16.0, np.nan) * np.ones((count, 1, 2))
    return Judged(
        logits=logits,
        labels=labels,
        patients=tuple(f"P-{number}" for number in range(count)),
        features=torch.from_numpy(rng.normal(size=(count, 6))).float(),
        peaks_xy=np.full((count, 1, 2), 17.0),
        heights=np.abs(real)[:, None],
        clicks_xy=clicks,
        cell_px=8.0,
    )


def plan(**changes: Any) -> TrainingPlan:
    facts: dict[str, Any] = {
        "architecture": "resnet18-frontal", "classes": ("no", "yes"), "finding": 1, "input": INPUT
    }  # fmt: skip
    return TrainingPlan(**(facts | changes))


def test_a_run_becomes_a_model_that_the_engine_can_use(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=24, epochs=1)
    Trainer(run, CPU).run()
    card = finish_run(run, tmp_path / "squares", ABOUT, CPU)
    assert read_card(tmp_path / "squares") == card
    verified_weights(tmp_path / "squares", card)
    assert {figure.name for figure in card.figures} >= {"AUC", "sensitivity", "specificity", "left unanswered"}
    assert all("too good" in figure.measured_on for figure in card.figures)  # nothing was held out
    assert card.heatmap_audit is not None
    loaded = LoadedModel(tmp_path / "squares", device=CPU.device, precision=CPU.precision)
    batches = Batches(run.plan(), run.cases(), *run.cache())
    batch = batches.batch(batches.of(Part.VALIDATION))
    opinions = loaded.look([(view,) for view in batch.views[0]])
    said = np.array([opinion.probabilities[1] for opinion in opinions])
    right = ((said >= card.threshold) == (batch.labels == 1)).mean()
    assert right == pytest.approx(next(f.value for f in card.figures if f.name == "accuracy"), abs=1e-6)
    assert all(not card.is_outlier(opinion.distance) for opinion in opinions)
    model, weights = best_model(run, CPU)
    before = {name: part.clone() for name, part in model.state_dict().items()}
    random_similarity(model, [batch], choice=CPU, finding=1, seed=0)
    assert all(torch.equal(part, before[name]) for name, part in model.state_dict().items())
    assert weights["backbone.net.conv1.weight"].dtype is torch.float16


def test_what_is_chosen_helps_on_cases_that_did_not_choose(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    validation, test = judged(rng, 400, hot=3.0), judged(rng, 2000, hot=3.0)
    features = torch.from_numpy(rng.normal(size=(500, 6))).float()
    card = finish(tmp_path / "m", {"a": torch.ones(2, 2)}, plan(), ABOUT, training_features=features,
                  validation=validation, test=test, similarity=0.1)  # fmt: skip
    assert card.calibration.temperature == pytest.approx(3.0, rel=0.25)
    assert card.calibration.error_after is not None
    assert card.calibration.error_before is not None
    assert card.calibration.error_after < card.calibration.error_before / 2
    named = {figure.name: figure for figure in card.figures}
    assert named["AUC"].value == pytest.approx(0.921, abs=0.02)  # two normals two SDs apart
    assert named["left unanswered"].value <= 0.1
    assert named["accuracy when it answers"].value > named["accuracy"].value
    assert card.abstention is not None
    assert card.abstention.risk < card.abstention.risk_of_all
    assert card.abstention.coverage >= 0.9
    assert card.heatmap_audit is not None
    assert card.heatmap_audit.is_passed
    assert all(f.low is not None and f.high is not None and f.low <= f.value <= f.high for f in card.figures)
    again = finish(tmp_path / "m", {"a": torch.ones(2, 2)}, plan(), ABOUT, training_features=features,
                   validation=validation, test=test, similarity=0.1)  # fmt: skip
    assert again == card  # the same again, in place of the old one
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_the_unsure_band_lies_around_the_threshold(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    card = finish(tmp_path / "m", {"a": torch.ones(2)}, plan(), ABOUT, training_features=torch.randn(20, 6),
                  validation=judged(rng, 200))  # fmt: skip
    assert card.unsure_band is not None
    low, high = card.unsure_band
    assert low < card.threshold < high
    assert card.is_unsure(card.threshold)
    assert not card.is_unsure(low)
    assert card.is_outlier(99.0)
    assert not card.is_outlier(None)
    with pytest.raises(ValueError, match="not negative"):
        Abstention(limit=-1, made_on="", coverage=1, risk=0, risk_of_all=0)


@given(seed=st.integers(0, 500), count=st.integers(2, 60), rule=st.sampled_from(ThresholdRule))
def test_thresholds(seed: int, count: int, rule: ThresholdRule) -> None:
    """No other threshold is better by the rule; none falls onto a case."""
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.5
    logit = np.round(rng.normal(truth * 1.5, 1), 1)
    at = deciding.choose_threshold(truth, logit, rule)
    if rule is ThresholdRule.EVEN or truth.all() or not truth.any() or len(np.unique(logit)) < 2:
        assert at == 0
        return

    def worth(limit: float) -> float:
        return float((logit[truth] >= limit).mean() + (logit[~truth] < limit).mean())

    if rule is ThresholdRule.YOUDEN:
        inner = list(np.unique(logit)[1:])
        assert worth(at) == pytest.approx(max(worth(value) for value in inner))
    elif (logit[truth] > np.unique(logit)[0]).mean() >= deciding.SENSITIVITY_TARGET:
        assert (logit[truth] >= at).mean() >= deciding.SENSITIVITY_TARGET


@given(seed=st.integers(0, 500), count=st.integers(1, 80))
def test_a_limit_answers_enough_and_never_costs(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.5
    curve = deciding.risk_coverage(truth, rng.normal(truth * 2.0 - 1, 1), 0.0)
    limit = deciding.abstention_limit(curve)
    answered = curve.distance >= limit
    assert answered.mean() >= deciding.LEAST_COVERAGE - 1e-9
    assert curve.risk[answered][-1] <= curve.risk[-1] + 1e-12
    assert deciding.thinned(curve)[-1][0] == 1.0


@pytest.mark.parametrize("count", [8, 60, 400])
def test_few_own_cases_are_foreign(count: int) -> None:
    rng = np.random.default_rng(count)
    shares = []
    for _ in range(50):
        own = rng.lognormal(0, 0.2, count)
        shares.append((rng.lognormal(0, 0.2, 2000) > deciding.outlier_limit(own)).mean())
    assert 0.01 < np.mean(shares) < 0.10  # features.md N10: at most a tenth of own cases is set aside


def test_a_planted_audit_gives_the_published_share() -> None:
    """Paper 001: 47 of 49 peaks inside; the strongest view counts, and what nobody has clicked is left out."""
    peaks, clicks = np.full((60, 2, 2), 10.0), np.full((60, 2, 2), np.nan)
    clicks[:49] = 12.0
    peaks[:2, 0] = 40.0
    heights = np.tile([2.0, 1.0], (60, 1))
    planted = Judged(
        logits=np.zeros((60, 2)), labels=np.ones(60, np.int64), patients=("P",) * 60, features=torch.zeros(60, 1),
        peaks_xy=peaks, heights=heights, clicks_xy=clicks, cell_px=8,
    )  # fmt: skip
    found = np.ones(60, bool)
    audit = audit_heatmaps(planted, found, radius_px=5, similarity=0.1, measured_on="planted")
    assert audit is not None
    assert (audit.hits, audit.positives, audit.is_passed) == (47, 49, True)
    assert np.isnan(peak_hits(planted, 5)[49:]).all()
    rolled = audit_heatmaps(planted, found, radius_px=5, similarity=0.9, measured_on="planted")
    assert rolled is not None
    assert not rolled.is_passed
    assert audit_heatmaps(planted, ~found, radius_px=5, similarity=0.1, measured_on="") is None


def test_peaks_are_in_input_coordinates() -> None:
    maps = np.zeros((2, 7, 7))
    maps[0, 1, 3] = 2.5
    at, heights = peaks_of(maps, 224)
    assert at[0].tolist() == [112.0, 48.0]
    assert np.isnan(at[1]).all()
    assert heights.tolist() == [2.5, 0.0]


def test_weights_that_half_precision_cannot_hold_stay_single() -> None:
    kept = stored_precision(
        {"m": torch.full((2, 2), 1e6), "n": torch.ones(2, 2), "b": torch.ones(2), "i": torch.ones(2, 2).long()}
    )
    assert [part.dtype for part in kept.values()] == [torch.float32, torch.float16, torch.float32, torch.int64]
