"""The demo project's list: sixty pairs, every kind, faults, two studies of some patients, a clean hold-out."""

from __future__ import annotations

from collections import Counter

from app.core.case import Side
from app.engine.phantom.demo_cases import demo_cases
from app.engine.phantom.fracture import CaseKind, Difficulty, Visibility
from app.engine.phantom.views import ViewKind


def test_sixty_pairs_of_every_kind_view_and_difficulty():
    cases = demo_cases()
    assert len(cases) == 60
    assert [c.number for c in cases] == list(range(1, 61))
    kinds = Counter(c.request.kind for c in cases)
    assert set(kinds) == set(CaseKind)
    assert 20 <= kinds[CaseKind.NORMAL] <= 30
    assert min(kinds.values()) >= 4
    assert all(len(c.request.views) == 2 and c.request.views[0].is_frontal for c in cases)
    assert {v for c in cases for v in c.request.views} == set(ViewKind)
    assert {c.request.visibility for c in cases} - {None} == set(Visibility)
    assert {c.request.difficulty for c in cases} == set(Difficulty)
    sides = Counter(c.request.side for c in cases)
    assert min(sides[Side.LEFT], sides[Side.RIGHT]) >= 22


def test_faults_are_few_and_there():
    cases = demo_cases()
    assert sum(c.dose < 0.5 for c in cases) == 2
    assert sum(c.is_marker_wrong for c in cases) == 1
    assert sum(c.is_silent for c in cases) == 3
    assert sum(c.request.implant is not None for c in cases) == 1
    assert sum(c.is_monochrome1 for c in cases) == 2
    assert not any(c.is_marker_wrong and not c.has_marker for c in cases)


def test_second_studies_share_the_patient_and_follow_the_first():
    cases = demo_cases()
    by_patient: dict[int, list[int]] = {}
    for case in cases:
        by_patient.setdefault(case.patient, []).append(case.number)
    assert sum(len(v) == 2 for v in by_patient.values()) == 6
    assert sorted(by_patient) == list(range(54))
    assert len({c.name for c in cases}) == 54
    assert len({c.request.seed for c in cases}) == 60
    for case in cases:
        assert case.request.patient_seed == cases[by_patient[case.patient][0] - 1].request.patient_seed


def test_no_held_out_patient_has_a_study_outside_the_hold_out():
    cases = demo_cases()
    held, free = ({c.patient for c in cases if c.is_hold_out is flag} for flag in (True, False))
    assert not held & free
    assert 9 <= sum(c.is_hold_out for c in cases) <= 15
    assert {c.request.kind is CaseKind.NORMAL for c in cases if c.is_hold_out} == {True, False}
