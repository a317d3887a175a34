"""Agreement of readers: the same figures as other people's programs, and exactly the cases that are disputed."""

from __future__ import annotations

import random

import pytest

from app.core.agreement import agreement, cohen_kappa, disagreements


@pytest.mark.parametrize("labels", [2, 3, 5])
def test_kappa_is_that_of_scikit_learn_and_its_interval_that_of_statsmodels(labels: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    rng = random.Random(labels)
    for _ in range(40):
        first = [rng.randrange(labels) for _ in range(rng.randrange(12, 90))]
        second = [label if rng.random() < 0.7 else rng.randrange(labels) for label in first]
        found = cohen_kappa(first, second)
        assert found.value == pytest.approx(metrics.cohen_kappa_score(first, second), abs=1e-12)
        names = sorted({*first, *second})
        table = [[sum(pair == (a, b) for pair in zip(first, second, strict=True)) for b in names] for a in names]
        expected = inter_rater.cohens_kappa(table)
        if found.low is None or found.high is None:
            assert expected.std_kappa == pytest.approx(0, abs=1e-6)
            continue
        half = (found.high - found.low) / 2
        if abs(found.low) < 1 and found.high < 1:
            assert half == pytest.approx(1.959963984540054 * expected.std_kappa, abs=1e-9)


def test_kappa_of_readers_who_only_ever_said_one_thing_is_not_defined() -> None:
    assert cohen_kappa(["no"] * 5, ["no"] * 5).value is None
    assert cohen_kappa(["no"] * 5, ["yes"] * 5).value == 0.0
    with pytest.raises(ValueError, match="same cases"):
        cohen_kappa([], [])


def test_agreement_counts_the_cases_that_both_have_answered() -> None:
    opinions = {
        "C1": {"Anna": {"fracture": "yes"}, "Ben": {"fracture": "yes"}},
        "C2": {"Anna": {"fracture": "no"}, "Ben": {"fracture": "yes"}},
        "C3": {"Anna": {"fracture": "no"}, "Ben": {}},
        "C4": {"Ben": {"fracture": "no"}, "Carl": {"fracture": "no"}},
    }
    found = {(each.first, each.second): each for each in agreement(opinions, ["fracture", "garden"])}
    assert found.keys() == {("Anna", "Ben"), ("Ben", "Carl")}
    assert (found["Anna", "Ben"].cases, found["Anna", "Ben"].agreeing) == (2, 1)
    assert found["Ben", "Carl"].kappa.value is None


def test_disagreements_are_exactly_the_fields_with_two_different_values() -> None:
    opinions = {
        "C2": {"Anna": {"signs": ("b", "a")}, "Ben": {"signs": ("a", "b")}},
        "C1": {"Anna": {"fracture": "yes"}, "Ben": {"fracture": "no"}, "Carl": {"fracture": "yes"}},
        "C3": {"Anna": {"fracture": "yes"}, "Ben": {"garden": "1"}},
    }
    found = disagreements(opinions, ["fracture", "signs", "garden"])
    assert [(each.case_id, each.field) for each in found] == [("C1", "fracture")]
    assert found[0].values == {"Anna": "yes", "Ben": "no", "Carl": "yes"}
