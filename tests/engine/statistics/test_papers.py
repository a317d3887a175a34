"""The papers' own figures, found again from their counts, and those that cannot be (models.md §6, 19–22)."""

from __future__ import annotations

import pytest

pytest.importorskip("scipy")

from app.engine.statistics.binary import Confusion
from app.engine.statistics.folds import is_f1_possible, summarise
from app.engine.statistics.interval import clopper_pearson, mean_interval
from app.engine.statistics.several import several_classes

PELVIS = Confusion(true_positive=49, false_negative=1, true_negative=42, false_positive=8)
GARDEN = Confusion(true_positive=65, false_negative=5, true_negative=32, false_positive=3)


@pytest.mark.parametrize(
    ("figure", "value", "low", "high"),
    [
        (PELVIS.accuracy(), 91, 83.6, 95.8),
        (PELVIS.sensitivity(), 98, 89.35, 99.95),
        (PELVIS.specificity(), 84, 70.9, 92.8),
        (PELVIS.f1_as_published(), 91.59, 84.49, 95.61),
        (PELVIS.negative_likelihood_ratio(), 2.38, 0.34, 16.6),  # printed as the false-negative rate
        (PELVIS.false_negative_rate(), 2, 0.05, 10.65),
        (clopper_pearson(47, 49), 95.9, 86.0, 99.5),  # heatmaps on the fracture
    ],
)
def test_paper_001(figure: object, value: float, low: float, high: float) -> None:
    found = (figure.value, figure.low, figure.high)  # type: ignore[attr-defined]
    assert [100 * part for part in found] == pytest.approx((value, low, high), abs=0.06)


def test_paper_002_two_classes_has_sensitivity_and_specificity_exchanged() -> None:
    figures = (GARDEN.accuracy(), GARDEN.sensitivity(), GARDEN.specificity(), GARDEN.positive_predictive_value(),
               GARDEN.negative_predictive_value())  # fmt: skip
    assert [round(figure.value, 3) for figure in figures] == [0.924, 0.929, 0.914, 0.956, 0.865]


def test_paper_002_three_classes_prints_one_vs_rest_accuracy() -> None:
    truth = [number for number in range(3) for _ in range(35)]
    named = list(truth)
    for place in (*range(8), *range(35, 42), *range(70, 77)):  # 22 of 105 wrong
        named[place] = (named[place] + 1) % 3
    found = several_classes(truth, named, 3)
    assert found.top_1_accuracy.value == pytest.approx(83 / 105)
    assert found.one_vs_rest_accuracy == pytest.approx(0.860, abs=5e-4)
    assert found.macro_specificity == pytest.approx(0.895, abs=5e-4)
    assert found.macro_sensitivity == pytest.approx(0.790, abs=5e-4)


@pytest.mark.parametrize(
    ("folds", "mean", "sd"),
    [
        ((81.6, 84.4, 84.4, 81.6, 81.4), 82.7, 1.6),
        ((85.3, 89.1, 91.7, 91.1, 90.0), 89.4, 2.5),
        ((89.1, 90.7, 90.0, 92.5, 90.0), 90.5, 1.3),
        ((90.4, 94.9, 91.4, 95.1, 89.0), 92.2, 2.7),
        ((97.0, 94.3, 91.7, 88.0, 96.2), 93.4, 3.7),
        ((94.1, 94.3, 91.4, 97.0, 95.2), 94.4, 2.0),  # with the third fold as it must have been
    ],
)
def test_paper_004_folds(folds: tuple[float, ...], mean: float, sd: float) -> None:
    found = summarise(folds)
    assert found.mean == pytest.approx(mean, abs=0.06)
    assert found.sd == pytest.approx(sd, abs=0.06)


def test_paper_004_prints_a_column_that_does_not_give_its_mean() -> None:
    printed = summarise((94.1, 94.3, 94.2, 97.0, 95.2))
    assert printed.mean == pytest.approx(94.96)
    assert abs(printed.mean - 94.4) > 0.5


ROWS = {
    "MVC-NET": (71.96, 75.69, 73.30), "DualNet": (76.21, 82.37, 78.41), "Auloss": (78.42, 79.69, 78.86),
    "ResNet18-dual": (95.87, 76.14, 84.58), "Densenet-dual": (94.37, 82.20, 87.66),
    "Swin-dual": (95.44, 92.85, 94.01), "Lateral swin": (85.36, 78.77, 81.56), "Lateral": (84.51, 78.01, 80.68),
    "Frontal swin": (94.12, 85.55, 89.33), "Frontal": (93.19, 91.34, 92.11), "Ours w/o q": (96.10, 93.96, 96.36),
    "Ours": (95.65, 96.22, 95.83),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_paper_000_has_one_f1_that_cannot_be(row: str) -> None:
    assert is_f1_possible(*(value / 100 for value in ROWS[row])) is (row != "Ours w/o q")


def test_readers_of_paper_001_have_students_interval() -> None:
    found = mean_interval([0.9, 0.95, 1.0, 0.98, 0.92])
    assert found.low < found.value < found.high
    with pytest.raises(ValueError, match="no spread"):
        mean_interval([0.9])
