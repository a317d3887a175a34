"""Evaluations: published counts give the published figures; two models on the same cases; folds together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")
pytest.importorskip("sklearn")

from app.cli.evaluate import cross_lines, lines_of
from app.core.evaluation import EvaluatedCase, Evaluation, risk_coverage
from app.engine.statistics.roc import compare
from app.engine.training.evaluating import compare_models, cross_evaluate, evaluate
from tests.support.cards import make_card


def cases(*counts: int, first: int = 0, **more: Any) -> list[EvaluatedCase]:
    """Decisions with these counts: true positive, false negative, true negative, false positive."""
    kinds = [(True, 0.9), (True, 0.1), (False, 0.1), (False, 0.9)]
    rows = [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count)]
    return [
        EvaluatedCase(
            id=f"C{first + n:04d}", patient=f"P{first + n:04d}", is_finding=finding, probability=chance,
            is_found=chance > 0.5, distance=1.0, vendor="Acme" if n % 2 else "", **more,
        )
        for n, (finding, chance) in enumerate(rows)
    ]  # fmt: skip


def figures(evaluation: Evaluation) -> dict[str, tuple[float, float | None, float | None]]:
    return {each.name: (each.value, each.low, each.high) for each in evaluation.figures}


def test_the_counts_of_paper_001_give_its_intervals() -> None:
    found = figures(evaluate(cases(49, 1, 42, 8), make_card("a"), measured_on="paper 001"))
    assert found["accuracy"] == pytest.approx((0.91, 0.836, 0.958), abs=5e-4)
    assert found["sensitivity"] == pytest.approx((0.98, 0.8935, 0.9995), abs=5e-5)
    assert found["specificity"] == pytest.approx((0.84, 0.709, 0.928), abs=5e-4)
    assert found["F1"][0] == pytest.approx(0.9159, abs=5e-5)


def test_the_counts_of_paper_002_give_its_figures() -> None:
    evaluation = evaluate(cases(65, 5, 32, 3), make_card("a"), measured_on="paper 002")
    found = {name: round(value, 3) for name, (value, _, _) in figures(evaluation).items()}
    assert (found["accuracy"], found["sensitivity"], found["specificity"]) == (0.924, 0.929, 0.914)
    assert (found["PPV"], found["NPV"]) == (0.956, 0.865)
    assert evaluation.counts == (65, 5, 32, 3)


def test_curves_tables_and_mistakes() -> None:
    rng = np.random.default_rng(3)
    listed = []
    for n in range(80):
        finding = bool(n % 2)
        chance = float(np.clip(rng.normal(0.6 if finding else 0.4, 0.2), 0.01, 0.99))
        listed.append(
            EvaluatedCase(
                id=f"C{n:03d}", patient=f"P{n // 2:03d}", is_finding=finding, probability=chance,
                is_found=chance >= 0.5, distance=1.0, vendor="Acme" if n < 40 else "Bora",
                is_hit=(n % 4 == 1) if finding else None,
            )
        )  # fmt: skip
    evaluation = evaluate(listed, make_card("a"), measured_on="made up")
    named = {each.name: each for each in evaluation.figures}
    assert named["AUC"].method == "bootstrap by patient"  # two cases a patient
    area = sum(
        (b.false_positive_rate - a.false_positive_rate) * (a.sensitivity + b.sensitivity) / 2
        for a, b in zip(evaluation.roc, evaluation.roc[1:], strict=False)
    )
    assert area == pytest.approx(named["AUC"].value, abs=1e-6)
    assert [group.name for group in evaluation.by_vendor] == ["Acme", "Bora"]
    assert sum(group.cases for group in evaluation.by_class) == 80
    assert sum(each.cases for each in evaluation.calibration) == 80
    assert evaluation.pr[-1].recall == 0
    hits = named["heatmap peak in the fracture region"]
    assert hits.cases == sum(case.is_finding and case.is_found for case in listed)
    wrong = evaluation.mistakes
    assert all(not case.is_right for case in wrong)
    assert abs(wrong[0].probability - 0.5) == max(abs(case.probability - 0.5) for case in wrong)
    one_class = evaluate(listed[1::2], make_card("a"), measured_on="positives only")
    assert one_class.roc == ()
    assert "AUC" not in {each.name for each in one_class.figures}


def test_the_gate_compares_the_same_cases() -> None:
    rng = np.random.default_rng(5)
    truth = np.arange(60) % 2 == 1

    def model(name: str, shift: float) -> Evaluation:
        chances = np.clip(rng.normal(0.5 + shift * (truth - 0.5), 0.2), 0.01, 0.99)
        listed = [
            EvaluatedCase(
                id=f"C{n:02d}", patient=f"P{n:02d}", is_finding=bool(truth[n]), probability=float(chances[n]),
                is_found=bool(chances[n] >= 0.5), distance=1.0,
            )
            for n in range(60)
        ]  # fmt: skip
        return evaluate(listed, make_card(name), measured_on="hold-out")

    good, poor = model("good", 0.6), model("poor", 0.1)
    better = compare_models(good, poor)
    assert better is not None
    expected = compare(truth, [case.probability for case in good.cases], [case.probability for case in poor.cases])
    assert (better.gain, better.low, better.high) == (
        expected.estimate.value, expected.estimate.low, expected.estimate.high
    )  # fmt: skip
    assert better.gain > 0
    assert not better.is_worse
    flipped = {n.id for n, o in zip(good.cases, poor.cases, strict=True) if n.is_found != o.is_found}
    assert {flip.case_id for flip in better.flips} == flipped
    worse = compare_models(poor, good)
    assert worse is not None
    assert worse.is_worse
    assert worse.gain == pytest.approx(-better.gain)
    same = compare_models(good, good)
    assert same is not None
    assert not same.is_worse
    assert same.flips == ()
    nobody = evaluate(cases(3, 0, 0, 0, first=900), make_card("x"), measured_on="others")
    assert compare_models(good, nobody) is None


def test_folds_together() -> None:
    """Mean ± SD with n − 1, each case pooled once, and a word about folds that are not done."""
    folds = [evaluate(cases(8, 2, 9, 1, first=100 * n), make_card("a"), measured_on=f"fold {n}") for n in range(3)]
    folds[1] = evaluate(cases(10, 0, 10, 0, first=100), make_card("a"), measured_on="fold 1")
    cross = cross_evaluate("q", [*folds, None], make_card("a"))
    rows = {row.name: row for row in cross.per_fold}
    assert rows["sensitivity"].folds == (0.8, 1.0, 0.8, None)
    assert rows["sensitivity"].mean == pytest.approx(np.mean([0.8, 1.0, 0.8]))
    assert rows["sensitivity"].sd == pytest.approx(np.std([0.8, 1.0, 0.8], ddof=1))
    assert len(cross.pooled.cases) == 60
    assert cross.pooled.counts == (26, 4, 28, 2)
    assert cross.notes[0].startswith("1 of 4 folds")


def test_every_fold_decides_by_its_own_threshold_in_the_pooled_figures_too() -> None:
    """A case at 0.6 is far from a threshold of 0.2, and near one of 0.55, whichever fold comes first."""

    def fold(number: int, threshold: float) -> Evaluation:
        listed = [
            EvaluatedCase(id=f"C{number}{n}", patient=f"P{number}{n}", is_finding=n == 1, probability=chance,
                          is_found=chance >= threshold, distance=1.0)
            for n, chance in enumerate((0.6, 0.9, 0.1))
        ]  # fmt: skip
        return evaluate(listed, make_card("a", threshold=threshold), measured_on="a fold")

    cross = cross_evaluate("q", [fold(1, 0.55), fold(2, 0.2)], make_card("a", threshold=0.55))
    assert {case.id: case.threshold for case in cross.pooled.cases if case.id.endswith("0")} == {
        "C10": 0.55,
        "C20": 0.2,
    }
    assert [case.id for case in cross.pooled.mistakes] == ["C20", "C10"]
    least_sure = risk_coverage(cross.pooled.cases, cross.pooled.threshold)[-2]
    assert least_sure[1] == pytest.approx(1 / 5), "C10 comes last"
    said = "\n".join(cross_lines(cross))
    assert "each fold from its own threshold, 0.200 to 0.550" in said
    assert "C20  no fracture, said 0.600 (found from 0.200)" in said
    assert "from 0.550\n" in "\n".join(lines_of(fold(1, 0.55)))
