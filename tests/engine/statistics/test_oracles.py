"""Our figures against definitions written out, and against other libraries where they are installed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy")

from app.engine.statistics.agreement import cohen_kappa, fleiss_kappa
from app.engine.statistics.binary import Confusion, confusion
from app.engine.statistics.calibration import (
    brier,
    cross_entropy,
    expected_calibration_error,
    fit_temperature,
)
from app.engine.statistics.comparison import corrected_t, holm, mcnemar
from app.engine.statistics.interval import clopper_pearson, wilson
from app.engine.statistics.roc import auc, compare, delong_variance


def scored(seed: int, cases: int = 60, ties: int = 12):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, cases).astype(bool)
    truth[:2] = True, False
    first = rng.integers(0, ties, cases) + 3 * truth
    second = rng.integers(0, ties, cases) + 2 * truth
    return truth, first.astype(float), second.astype(float)


def structural_components(truth, score):  # type: ignore[no-untyped-def]
    """DeLong's definition: every pair of a positive and a negative."""
    wins = (score[truth][:, None] > score[~truth][None]) + 0.5 * (score[truth][:, None] == score[~truth][None])
    return wins.mean(), wins.mean(1), wins.mean(0)


@given(st.integers(0, 500))
def test_delong_is_its_definition(seed: int) -> None:
    truth, first, second = scored(seed)
    area, of_positives, of_negatives = structural_components(truth, first)
    other_area, other_positives, other_negatives = structural_components(truth, second)
    assert auc(truth, first).value == pytest.approx(area, abs=1e-12)
    if min(truth.sum(), (~truth).sum()) < 2:
        return
    variance = of_positives.var(ddof=1) / truth.sum() + of_negatives.var(ddof=1) / (~truth).sum()
    assert delong_variance(truth, first) == pytest.approx(variance, abs=1e-12)
    gap = (of_positives - other_positives).var(ddof=1) / truth.sum()
    gap += (of_negatives - other_negatives).var(ddof=1) / (~truth).sum()
    found = compare(truth, first, second)
    assert found.estimate.value == pytest.approx(area - other_area, abs=1e-12)
    assert (found.estimate.high - found.estimate.low) / 2 == pytest.approx(1.959964 * np.sqrt(gap), abs=1e-6)


@given(st.integers(0, 200))
def test_areas_stay_between_0_and_1(seed: int) -> None:
    truth, first, _ = scored(seed)
    found = auc(truth, first + 100 * truth * (seed % 2))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_perfect_area_still_has_an_interval() -> None:
    few, many = auc([0, 0, 1, 1], [1, 2, 3, 4]), auc([0] * 100 + [1] * 100, [0] * 100 + [1] * 100)
    assert few.value == many.value == 1
    assert few.low < many.low < 1
    for truth in ([1, 1], [0, 0]):
        with pytest.raises(ValueError, match="with and without"):
            auc(truth, [1, 2])
    with pytest.raises(ValueError, match="finite"):
        auc([0, 1], [float("nan"), 1])


def test_equal_scores_do_not_differ() -> None:
    truth, first, _ = scored(1)
    found = compare(truth, first, first)
    assert found.p == 1
    assert found.estimate.value == found.estimate.low == found.estimate.high == 0


@given(hits=st.integers(0, 40), more=st.integers(0, 40))
def test_proportions_equal_statsmodels(hits: int, more: int) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    total = hits + more
    if not total:
        return
    for ours, method in ((clopper_pearson(hits, total), "beta"), (wilson(hits / total, total), "wilson")):
        low, high = proportion.proportion_confint(hits, total, method=method)
        assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(("hits", "total"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_proportions_are_refused(hits: int, total: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        clopper_pearson(hits, total)


@given(st.integers(0, 200))
def test_decisions_equal_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    truth, first, second = scored(seed)
    said = first > 7
    table = confusion(truth, said)
    assert table.accuracy().value == pytest.approx(metrics.accuracy_score(truth, said))
    assert table.sensitivity().value == pytest.approx(metrics.recall_score(truth, said))
    assert table.matthews() == pytest.approx(metrics.matthews_corrcoef(truth, said))
    assert auc(truth, first).value == pytest.approx(metrics.roc_auc_score(truth, first))
    if said.any():
        assert table.f1().value == pytest.approx(metrics.f1_score(truth, said))
    assert cohen_kappa(first, second) == pytest.approx(metrics.cohen_kappa_score(first, second))
    probability = (first - first.min()) / np.ptp(first)
    assert brier(truth, probability) == pytest.approx(metrics.brier_score_loss(truth, probability))


def test_fleiss_kappa_of_his_own_example() -> None:
    """Fleiss 1971, Table 1, as it is usually quoted: 14 readers, 10 cases, 5 labels, 0.210."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)
    with pytest.raises(ValueError, match="same number"):
        fleiss_kappa([[1, 1], [2, 1]])


def test_mcnemar_exact_and_not() -> None:
    few = mcnemar([1] * 8 + [0] * 2 + [1] * 50, [0] * 8 + [1] * 2 + [1] * 50)
    assert few.is_exact
    assert few.p == pytest.approx(0.109375)  # binomial, 2 of 10, two-sided
    many = mcnemar([1] * 30 + [0] * 10, [0] * 30 + [1] * 10)
    assert not many.is_exact
    assert many.p == pytest.approx(0.002663, abs=1e-5)  # (|30 − 10| − 1)² / 40 = 9.025
    assert mcnemar([1, 0], [1, 0]).p == 1


def test_corrected_t_is_more_careful_than_students() -> None:
    gaps = [0.01, 0.02, 0.015, 0.03, 0.005]
    assert corrected_t(gaps, test_share=0.0) < corrected_t(gaps, test_share=0.25)
    assert corrected_t([0.1] * 5, test_share=0.25) == 0
    assert corrected_t([0.0] * 5, test_share=0.25) == 1


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_temperature_is_found_again(columns: int) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, columns)) * 2
    if columns == 1:
        truth = rng.random(len(logits)) < 1 / (1 + np.exp(-logits[:, 0]))
    else:
        chance = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        truth = np.array([rng.choice(columns, p=row) for row in chance])
    assert fit_temperature(logits * 3, truth) == pytest.approx(3, rel=0.05)
    assert cross_entropy(logits, truth.astype(int)) < cross_entropy(logits * 3, truth.astype(int))


def test_calibration_error() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(50_000)
    truth = rng.random(50_000) < chance
    assert expected_calibration_error(truth, chance) < 0.01
    assert expected_calibration_error(truth, np.full(50_000, 0.9)) == pytest.approx(0.4, abs=0.01)


def test_likelihood_ratios_of_empty_counts_are_refused() -> None:
    table = Confusion(true_positive=5, false_negative=0, true_negative=5, false_positive=0)
    for ratio in (table.negative_likelihood_ratio, table.positive_likelihood_ratio):
        with pytest.raises(ValueError, match="empty counts"):
            ratio()
    nothing = Confusion(true_positive=0, false_negative=0, true_negative=5, false_positive=0)
    with pytest.raises(ValueError, match="not defined"):
        nothing.f1()
