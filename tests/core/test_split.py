"""Splits: whole patients, even labels, nothing in two parts."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.split import Part, SplitCase, cross_validation, folds, leaks, split_by_shares


@st.composite
def data_sets(draw: st.DrawFn) -> list[SplitCase]:
    """20 to 120 patients with 1 to 4 cases each; some films are there under two names."""
    seed, patients = draw(st.integers(0, 10_000)), draw(st.integers(20, 120))
    rng = random.Random(seed)
    cases = []
    for patient in range(patients):
        for number in range(rng.choice((1, 1, 1, 2, 4))):
            image = f"image {patient}-{number}" if rng.random() > 0.03 else "a copied film"
            label = rng.choice(("fracture", "normal", "normal"))
            cases.append(SplitCase(id=f"C-{patient}-{number}", patient=f"P-{patient}", label=label, images=(image,)))
    return [
        *cases,
        SplitCase(id="C-x", patient="P-x", label="fracture"),
        SplitCase(id="C-y", patient="P-y", label="normal"),
    ]


@given(data_sets(), st.integers(2, 10), st.integers(0, 5))
@settings(max_examples=200)
def test_folds_hold_every_case_once_and_no_patient_twice(cases: list[SplitCase], count: int, seed: int) -> None:
    dealt = folds(cases, count, seed=seed)
    assert sorted(name for fold in dealt for name in fold) == sorted(case.id for case in cases)
    assert all(dealt)
    for fold in dealt:
        split = {case.id: Part.TEST if case.id in fold else Part.TRAINING for case in cases}
        assert leaks(cases, split) == []


@given(data_sets(), st.integers(0, 5), st.randoms())
def test_folds_depend_on_the_seed_and_not_on_the_order(cases: list[SplitCase], seed: int, rng: random.Random) -> None:
    dealt = folds(cases, 5, seed=seed)
    shuffled = list(cases)
    rng.shuffle(shuffled)
    assert folds(shuffled, 5, seed=seed) == dealt
    assert folds(cases, 5, seed=seed + 1) != dealt


def one_case_each(count: int) -> list[SplitCase]:
    return [SplitCase(id=f"C-{n}", patient=f"P-{n}", label="fracture" if n % 7 < 3 else "normal") for n in range(count)]


@pytest.mark.parametrize("count", [2, 5, 10])
def test_labels_are_spread_evenly(count: int) -> None:
    """As in paper 000: 768 pairs, 329 fractures, ten folds of 76–77 with 32–33 fractures."""
    cases = one_case_each(768)
    labels = {case.id: case.label for case in cases}
    for fold in folds(cases, count, seed=1):
        assert len(fold) in (768 // count, 768 // count + 1)
        fractures = Counter(labels[name] for name in fold)["fracture"]
        assert abs(fractures - Counter(labels.values())["fracture"] / count) < 1


@given(data_sets(), st.integers(0, 5))
def test_shares_are_met(cases: list[SplitCase], seed: int) -> None:
    shares = {Part.TRAINING: 0.7, Part.VALIDATION: 0.15, Part.TEST: 0.15}
    split = split_by_shares(cases, shares, seed=seed)
    assert set(split) == {case.id for case in cases}
    assert leaks(cases, split) == []
    sizes = Counter(split.values())
    for part, share in shares.items():
        assert sizes[part] / len(cases) == pytest.approx(share, abs=0.17)


def test_cross_validation_of_paper_000() -> None:
    cases = one_case_each(768)
    splits = cross_validation(cases, 10, inner=0.1, seed=3)
    assert len(splits) == 10
    tested = Counter(name for split in splits for name, part in split.items() if part is Part.TEST)
    assert tested == Counter(case.id for case in cases)
    for split in splits:
        sizes = Counter(split.values())
        assert sizes[Part.TEST] in (76, 77)
        assert sizes[Part.VALIDATION] == pytest.approx(69, abs=4)
        assert leaks(cases, split) == []


def test_without_an_inner_part_the_rest_trains() -> None:
    splits = cross_validation(one_case_each(40), 5, inner=0, seed=3)
    assert all(set(split.values()) == {Part.TRAINING, Part.TEST} for split in splits)


def test_planted_leaks_are_found() -> None:
    cases = [
        SplitCase(id="a", patient="1", label="x", images=("i",)),
        SplitCase(id="b", patient="1", label="y", images=("j",)),
        SplitCase(id="c", patient="2", label="x", images=("j",)),
        SplitCase(id="d", patient="3", label="x", images=("k",)),
    ]
    found = leaks(cases, {"a": Part.TRAINING, "b": Part.TEST, "c": Part.VALIDATION, "d": Part.TEST})
    assert [(leak.what, leak.name, leak.cases) for leak in found] == [
        ("image", "j", ("b", "c")),
        ("patient", "1", ("a", "b")),
    ]
    assert found[0].parts == (Part.VALIDATION, Part.TEST)


def test_what_cannot_be_split_is_said() -> None:
    with pytest.raises(UserError) as caught:
        folds([SplitCase(id=str(n), patient=str(n), label="x") for n in range(9)], 3, seed=0)
    assert caught.value.kind == "one-class"
    few = [SplitCase(id=str(n), patient=str(n % 2), label=str(n % 2)) for n in range(9)]
    with pytest.raises(UserError) as caught:
        folds(few, 3, seed=0)
    assert caught.value.kind == "too-few-patients"
    with pytest.raises(ValueError, match="every case once"):
        folds([*few, few[0]], 2, seed=0)
