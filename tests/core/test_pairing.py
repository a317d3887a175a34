"""From views to cases: what is certain is paired, the rest is asked, nothing is silently wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import (
    Assessment,
    Case,
    Certainty,
    Evidence,
    Projection,
    Side,
    Study,
    View,
    ViewFlag,
)
from app.core.grey import GreyScale, Photometric
from app.core.pairing import case_id, compose_cases
from app.core.spacing import Spacing

STUDY = Study(id="2.25.1", patient_id="P-1")
F, L, FROG, X, OBL = (
    Projection.FRONTAL,
    Projection.LATERAL,
    Projection.FROG_LEG,
    Projection.CROSS_TABLE,
    Projection.OBLIQUE,
)
LEFT, RIGHT, BOTH = Side.LEFT, Side.RIGHT, Side.BOTH


def assessed(value: Any, certainty: Certainty | None = None) -> Assessment[Any]:
    """An assessment of a value; None is unknown."""
    if value is None:
        return Assessment(value=None, certainty=certainty or Certainty.UNKNOWN)
    return Assessment(value=value, certainty=certainty or Certainty.EVIDENT)


def view(
    identifier: str, projection: Projection | None, side: Side | None, minute: int | None = 0, **fields: Any
) -> View:
    """A view taken at 10:00 plus minutes; None has no time."""
    at = "" if minute is None else f"2020-01-{1 + minute // 1440:02d}T{10 + minute // 60 % 14:02d}:{minute % 60:02d}:00"
    confirmed = Certainty.CONFIRMED if fields.pop("is_confirmed", False) else None
    return View(
        id=identifier,
        study_id=STUDY.id,
        image_sha256="0" * 64,
        rows=10,
        cols=10,
        projection=assessed(projection, confirmed),
        side=assessed(side, confirmed),
        spacing=Spacing(),
        grey=GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12),
        acquired_at=at,
        **fields,
    )


def flagged(*flags: ViewFlag) -> frozenset[ViewFlag]:
    return frozenset(flags)


def summary(cases: list[Case]) -> dict[str, tuple[str | None, str | None, tuple[str, ...], bool]]:
    """side → (frontal, lateral, unassigned, is a question open)."""
    return {
        case.side.value if case.side else "open": (
            case.frontal_id,
            case.lateral_id,
            case.unassigned_ids,
            bool(case.questions),
        )
        for case in cases
    }


# 41 studies with mixed, repeated and missing tags. Expected: side → (frontal, lateral, not placed, asks).
STUDIES: list[tuple[str, list[View], dict[str, tuple[str | None, str | None, tuple[str, ...], bool]]]] = [
    ("a pair", [view("f", F, LEFT), view("l", L, LEFT, 5)], {"left": ("f", "l", (), False)}),
    ("a right pair", [view("f", F, RIGHT), view("l", L, RIGHT, 5)], {"right": ("f", "l", (), False)}),
    ("a frog-leg lateral", [view("f", F, LEFT), view("l", FROG, LEFT, 5)], {"left": ("f", "l", (), False)}),
    ("a cross-table lateral", [view("f", F, LEFT), view("l", X, LEFT, 5)], {"left": ("f", "l", (), False)}),
    ("a frontal alone", [view("f", F, LEFT)], {"left": ("f", None, (), False)}),
    ("a lateral alone", [view("l", L, RIGHT)], {"right": (None, "l", (), False)}),
    ("a pelvis serves two", [view("p", F, BOTH)], {"right": ("p", None, (), False), "left": ("p", None, (), False)}),
    (
        "a pelvis and one lateral",
        [view("p", F, BOTH), view("l", X, LEFT, 9)],
        {"right": ("p", None, (), False), "left": ("p", "l", (), False)},
    ),
    (
        "a pelvis and two laterals",
        [view("p", F, BOTH), view("l", X, LEFT, 9), view("r", X, RIGHT, 12)],
        {"right": ("p", "r", (), False), "left": ("p", "l", (), False)},
    ),
    (
        "a pelvis and a frog-leg pelvis",
        [view("p", F, BOTH), view("g", FROG, BOTH, 4)],
        {"right": ("p", "g", (), False), "left": ("p", "g", (), False)},
    ),
    (
        "two full hips",
        [view("f", F, LEFT), view("l", L, LEFT, 2), view("g", F, RIGHT, 4), view("m", L, RIGHT, 6)],
        {"right": ("g", "m", (), False), "left": ("f", "l", (), False)},
    ),
    ("without times", [view("f", F, LEFT, None), view("l", L, LEFT, None)], {"left": ("f", "l", (), False)}),
    ("at sixty minutes", [view("f", F, LEFT), view("l", L, LEFT, 60)], {"left": ("f", "l", (), False)}),
    ("after sixty minutes", [view("f", F, LEFT), view("l", L, LEFT, 61)], {"left": ("f", None, ("l",), True)}),
    ("the next day", [view("f", F, LEFT), view("l", L, LEFT, 1440)], {"left": ("f", None, ("l",), True)}),
    (
        "late but paired by hand",
        [view("f", F, LEFT), view("l", L, LEFT, 300, is_confirmed=True)],
        {"left": ("f", "l", (), False)},
    ),
    ("a repeated frontal", [view("f", F, LEFT), view("g", F, LEFT, 5)], {"left": ("g", None, ("f",), True)}),
    (
        "a repeated frontal, the later rejected",
        [view("f", F, LEFT), view("g", F, LEFT, 5, flags=flagged(ViewFlag.REJECTED))],
        {"left": ("f", None, ("g",), True)},
    ),
    (
        "a repeated lateral",
        [view("f", F, LEFT), view("l", L, LEFT, 5), view("m", X, LEFT, 9)],
        {"left": ("f", "m", ("l",), True)},
    ),
    (
        "a repeat that was excluded",
        [view("f", F, LEFT), view("g", F, LEFT, 5, excluded_reason="repeat"), view("l", L, LEFT, 8)],
        {"left": ("f", "l", (), False)},
    ),
    (
        "a pelvis and a single frontal",
        [view("p", F, BOTH), view("f", F, LEFT, 3)],
        {"right": ("p", None, (), False), "left": ("f", None, ("p",), True)},
    ),
    (
        "a twin for processing",
        [view("f", F, LEFT), view("raw", F, LEFT, flags=flagged(ViewFlag.FOR_PROCESSING)), view("l", L, LEFT, 5)],
        {"left": ("f", "l", (), False)},
    ),
    (
        "for processing alone",
        [view("raw", F, LEFT, flags=flagged(ViewFlag.FOR_PROCESSING))],
        {"left": ("raw", None, (), False)},
    ),
    (
        "for processing at another time",
        [view("f", F, LEFT), view("raw", F, LEFT, 7, flags=flagged(ViewFlag.FOR_PROCESSING))],
        {"left": ("f", None, ("raw",), True)},
    ),
    ("side unknown", [view("f", F, None)], {"open": ("f", None, (), True)}),
    ("projection unknown", [view("v", None, LEFT)], {"left": (None, None, ("v",), True)}),
    ("nothing known", [view("v", None, None)], {"open": (None, None, ("v",), True)}),
    (
        "two views of unknown side are not a pair",
        [view("f", F, None), view("l", L, None, 5)],
        {"open": (None, None, ("f", "l"), True)},
    ),
    (
        "a lateral of unknown side is not given to anybody",
        [view("f", F, LEFT), view("l", L, None, 5)],
        {"left": ("f", None, (), False), "open": (None, "l", (), True)},
    ),
    (
        "nor beside a pelvis",
        [view("p", F, BOTH), view("l", L, None, 5)],
        {"right": ("p", None, (), False), "left": ("p", None, (), False), "open": (None, "l", (), True)},
    ),
    (
        "a view of unknown projection beside a pair",
        [view("f", F, LEFT), view("l", L, LEFT, 5), view("v", None, LEFT, 6)],
        {"left": ("f", "l", ("v",), True)},
    ),
    (
        "an oblique has no pane and asks nothing",
        [view("f", F, LEFT), view("o", OBL, LEFT, 5), view("l", L, LEFT, 6)],
        {"left": ("f", "l", ("o",), False)},
    ),
    ("left and right do not pair", [view("f", F, LEFT), view("l", L, RIGHT, 5)],
     {"right": (None, "l", (), False), "left": ("f", None, (), False)}),
    (
        "another part of the body",
        [view("v", F, RIGHT, flags=flagged(ViewFlag.OTHER_BODY_PART))],
        {"right": (None, None, ("v",), True)},
    ),
    (
        "another part of the body, confirmed as a hip",
        [view("v", F, RIGHT, flags=flagged(ViewFlag.OTHER_BODY_PART), is_confirmed=True)],
        {"right": ("v", None, (), False)},
    ),
    (
        "a knee beside a pair",
        [view("f", F, LEFT), view("l", L, LEFT, 5), view("k", L, LEFT, 6, flags=flagged(ViewFlag.OTHER_BODY_PART))],
        {"left": ("f", "l", ("k",), True)},
    ),
    ("everything excluded", [view("f", F, LEFT, excluded_reason="unusable")], {}),
    ("no views", [], {}),
    (
        "a pelvis of unknown projection",
        [view("v", None, BOTH)],
        {"right": (None, None, ("v",), True), "left": (None, None, ("v",), True)},
    ),
    (
        "three repeats",
        [view("a", F, LEFT), view("b", F, LEFT, 5), view("c", F, LEFT, 9, flags=flagged(ViewFlag.REJECTED))],
        {"left": ("b", None, ("a", "c"), True)},
    ),
    (
        "a pelvis days after its lateral",
        [view("l", X, LEFT), view("p", F, BOTH, 4000)],
        {"right": ("p", None, (), False), "left": ("p", None, ("l",), True)},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("views", "expected"), [(views, expected) for _, views, expected in STUDIES],
                         ids=[name for name, _, _ in STUDIES])  # fmt: skip
def test_studies(views: list[View], expected: dict[str, Any]) -> None:
    assert summary(compose_cases(STUDY, views)) == expected


def test_there_are_at_least_forty_studies() -> None:
    assert len(STUDIES) >= 40


@pytest.mark.parametrize(("views", "expected"), [(views, expected) for _, views, expected in STUDIES[:12]])
def test_the_order_of_the_files_does_not_matter(views: list[View], expected: dict[str, Any]) -> None:
    for order in permutations(views):
        assert compose_cases(STUDY, list(order)) == compose_cases(STUDY, views)


def test_a_question_says_why() -> None:
    side = Assessment(
        value=None,
        certainty=Certainty.CONTRADICTORY,
        evidence=(
            Evidence(source="Image Laterality", found="L", says="left", rank=1),
            Evidence(source="Laterality", found="R", says="right", rank=3),
        ),
    )
    [case] = compose_cases(STUDY, [replace(view("v", F, LEFT), side=side)])
    assert case.questions == (
        "v: which hip does it show, left, right or both? The evidence disagrees: Image Laterality says left; "
        "Laterality says right.",
    )


def test_a_blocked_study_hangs_nothing_and_says_why() -> None:
    blocked = replace(STUDY, blocked_reason="Images of one study differ in the patient's sex.")
    [case] = compose_cases(blocked, [view("f", F, LEFT), view("l", L, LEFT, 5)])
    assert (case.frontal_id, case.lateral_id, case.unassigned_ids) == (None, None, ("f", "l"))
    assert case.blocked_reason == blocked.blocked_reason


def test_a_view_of_another_study_is_a_bug() -> None:
    with pytest.raises(ValueError, match="another study"):
        compose_cases(STUDY, [replace(view("f", F, LEFT), study_id="2.25.2")])


def test_ids_depend_on_study_and_side_only() -> None:
    [first] = compose_cases(STUDY, [view("f", F, LEFT)])
    [second] = compose_cases(STUDY, [view("g", F, LEFT), view("l", L, LEFT)])
    assert first.id == second.id == case_id(STUDY.id, LEFT)


def test_a_case_keeps_its_id_when_its_side_becomes_known() -> None:
    before = compose_cases(STUDY, [view("f", F, None)])
    after = compose_cases(STUDY, [view("f", F, LEFT, is_confirmed=True)], previous=before)
    assert [case.id for case in after] == [case.id for case in before]
    again = compose_cases(STUDY, [view("f", F, RIGHT, is_confirmed=True)], previous=after)
    assert [case.id for case in again] == [case.id for case in before]


def test_when_both_hips_are_known_one_of_them_inherits_the_id() -> None:
    before = compose_cases(STUDY, [view("p", F, None)])
    after = compose_cases(STUDY, [view("p", F, BOTH, is_confirmed=True)], previous=before)
    assert len({case.id for case in after}) == 2
    assert before[0].id in {case.id for case in after}


views_strategy = st.lists(
    st.tuples(
        st.sampled_from([None, *Projection]),
        st.sampled_from([None, *Side]),
        st.one_of(st.none(), st.integers(0, 4000)),
        st.frozensets(st.sampled_from([ViewFlag.REJECTED, ViewFlag.FOR_PROCESSING, ViewFlag.OTHER_BODY_PART])),
    ),
    max_size=7,
)


@given(views_strategy)
def test_no_case_is_ever_silently_wrong(parts: list[tuple[Any, Any, Any, frozenset[ViewFlag]]]) -> None:
    views = [view(f"v{n}", p, s, at, flags=flags) for n, (p, s, at, flags) in enumerate(parts)]
    by_id = {item.id: item for item in views}
    cases = compose_cases(STUDY, views)
    assert len({case.id for case in cases}) == len(cases)
    for case in cases:
        for identifier, role in ((case.frontal_id, "frontal"), (case.lateral_id, "lateral")):
            if identifier is None:
                continue
            hung = by_id[identifier]
            assert hung.projection.value is not None
            assert hung.projection.value.role == role
            assert case.side is None or hung.side.value in (case.side, BOTH)
            rivals = [
                other
                for other in views
                if other.id != identifier
                and other.projection.value is not None
                and other.projection.value.role == role
                and other.side.value in (case.side, BOTH)
                and ViewFlag.OTHER_BODY_PART not in other.flags
                and ViewFlag.FOR_PROCESSING not in other.flags
            ]
            assert case.side is None or not rivals or case.questions
        assert case.side is not None or case.questions
    hung_or_listed = {identifier for case in cases for identifier in case.view_ids}
    for item in views:
        is_twin = ViewFlag.FOR_PROCESSING in item.flags
        assert is_twin or item.id in hung_or_listed


@given(views_strategy, views_strategy)
def test_ids_stay_unique_however_often_a_study_changes(first: list[Any], second: list[Any]) -> None:
    cases: list[Case] = []
    for parts in (first, second, first):
        views = [view(f"v{n}", p, s, at, flags=flags) for n, (p, s, at, flags) in enumerate(parts)]
        cases = compose_cases(STUDY, views, previous=cases)
        assert len({case.id for case in cases}) == len(cases)
        assert compose_cases(STUDY, views, previous=cases) == cases
