"""Figures of a card with the interval that belongs to them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from app.engine.statistics.roc import auc
from app.engine.training.measuring import area_by_patient


def test_few_patients_that_are_all_told_apart_are_still_few() -> None:
    """Every draw says 1: an interval of 1 to 1 would claim what eight cases cannot."""
    truth = np.array([True] * 5 + [False] * 3)
    ranks = np.arange(8.0)[::-1]
    patients = ["a", "a", "b", "c", "d", "e", "f", "g"]
    estimate = area_by_patient(truth, ranks, patients)
    assert (estimate.value, estimate.high) == (1, 1)
    assert estimate.low == pytest.approx(0.05 ** (1 / 3))  # three patients without it
    assert area_by_patient(truth, -ranks, patients).high == pytest.approx(1 - 0.05 ** (1 / 3))
    alone = area_by_patient(truth, ranks, list("abcdefgh"))
    assert alone.low == pytest.approx(auc(truth, ranks).low)


def test_where_draws_differ_they_give_the_interval() -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(60) % 2 == 0
    ranks = truth + rng.normal(size=60)
    estimate = area_by_patient(truth, ranks, [f"p{n // 2}" for n in range(60)])
    assert estimate.low < estimate.value < estimate.high < 1
    assert estimate.value == pytest.approx(auc(truth, ranks).value)
