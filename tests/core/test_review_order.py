"""Orders of review: flipped labels come early, patients alternate, models that agree come last."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.core.review_order import LEAST, annotation_values, label_conflict, spread

SEPARATION = 1.812  # of two normal distributions, for an AUC of 0.90


def test_the_spread_of_models_is_their_largest_difference() -> None:
    assert spread([0.2, 0.9, 0.5]) == pytest.approx(0.7)
    assert spread([0.4, 0.4]) == 0
    assert spread([0.4]) is None
    assert spread([]) is None


def test_a_conflict_is_the_surprise_at_the_label() -> None:
    assert label_conflict(is_finding=True, probability=0.25) == pytest.approx(math.log(4))
    assert label_conflict(is_finding=False, probability=0.25) == pytest.approx(math.log(4 / 3))
    assert label_conflict(is_finding=True, probability=0.0) == pytest.approx(-math.log(LEAST))
    assert label_conflict(is_finding=True, probability=1.0) == 0


@pytest.mark.parametrize("prevalence", [0.2, 0.5])
def test_most_flipped_labels_stand_in_the_first_part_of_the_order(prevalence: float) -> None:
    """M18: 5 % flipped labels; at least 60 % of them in the first 15 %, for a calibrated model of AUC 0.9."""
    shares, areas = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = rng.random(1000) < prevalence
        mark = rng.normal(np.where(truth, SEPARATION, 0.0))
        logit = SEPARATION * mark - SEPARATION**2 / 2 + math.log(prevalence / (1 - prevalence))
        probability = 1 / (1 + np.exp(-logit))
        areas.append(np.mean(mark[truth][:, None] > mark[~truth][None]))
        flipped = np.zeros(1000, bool)
        flipped[rng.permutation(1000)[:50]] = True
        conflict = [
            label_conflict(is_finding=bool(said), probability=float(p))
            for said, p in zip(truth ^ flipped, probability, strict=True)
        ]
        first = np.argsort(-np.array(conflict), kind="stable")[:150]
        shares.append(flipped[first].mean() * 150 / 50)
    assert np.mean(areas) == pytest.approx(0.9, abs=0.01)
    assert np.mean(shares) >= 0.6
    assert min(shares) >= 0.5  # one draw of fifty scatters by 0.07


def test_uncertain_cases_come_first_but_not_a_patient_twice_in_a_row() -> None:
    unsure = {"a1": ("A", 0.9), "a2": ("A", 0.8), "b": ("B", 0.5), "c": ("C", 0.6)}
    values = annotation_values(unsure, labelled=["C", "C"])
    assert values == pytest.approx({"a1": 0.9, "a2": 0.4, "b": 0.5, "c": 0.15})
    assert sorted(values, key=values.__getitem__, reverse=True) == ["a1", "b", "a2", "c"]
    assert annotation_values({}, ["A"]) == {}
