"""The queue: exactly the cases on which readers disagree and nobody has decided, whatever has happened."""

from __future__ import annotations

import random

import pytest

from app.core.errors import UserError
from app.core.worklist import Filter, Query
from app.store.adjudications import adjudicate, case_disputes, versions
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from tests.support.projects import add_study

CASES = 8
ANSWERS = ("yes", "no", "uncertain", None)


def queue(project: ProjectStore, state: str) -> set[str]:
    query = Query(filters=(Filter("adjudication", (state,)),))
    return set(project.worklist.case_ids(project.worklist.numbers(query)))


def test_the_queue_is_exactly_what_a_person_would_find(project: ProjectStore) -> None:
    """Random answers of three readers and decisions, compared with a look at every case after each."""
    for number in range(CASES):
        add_study(project, number)
    annotations, choose = Annotations(project), random.Random(4)
    said: dict[str, dict[str, str]] = {f"case-{number}": {} for number in range(CASES)}
    decided: dict[str, tuple[str, dict[str, str]]] = {}
    for _ in range(60):
        case = choose.choice(sorted(said))
        if choose.random() < 0.25:
            if len(set(said[case].values())) > 1:
                answer = choose.choice(("yes", "no"))
                adjudicate(annotations, case, "fracture", answer, author="Chief")
                decided[case] = (answer, dict(said[case]))
        else:
            reader, answer_of = choose.choice(("Anna", "Ben", "Carl")), choose.choice(ANSWERS)
            annotations.set_labels(case, {"fracture": answer_of}, author=reader)
            if answer_of is None:
                said[case].pop(reader, None)
            else:
                said[case][reader] = answer_of
        waiting, settled = set(), set()
        for name, values in said.items():
            if len(set(values.values())) < 2:
                continue
            answer, seen = decided.get(name, ("", {}))
            is_settled = name in decided and all(
                value == answer or seen.get(who) == value for who, value in values.items()
            )
            (settled if is_settled else waiting).add(name)
        assert queue(project, "waiting") == waiting
        assert queue(project, "settled") == settled
        disagreeing = Query(filters=(Filter("disagreement", ("yes",)),))
        assert project.worklist.count_of(disagreeing) == len(waiting) + len(settled)


def test_decisions_are_checked_kept_and_taken_back(project: ProjectStore) -> None:
    add_study(project, 0)
    annotations = Annotations(project)
    for reader, answer in (("Anna", "yes"), ("Ben", "no")):
        annotations.set_label("case-0", "fracture", answer, author=reader)
    with pytest.raises(UserError, match="cannot be"):
        adjudicate(annotations, "case-0", "fracture", "perhaps", author="Chief")
    with pytest.raises(UserError, match="no such label"):
        adjudicate(annotations, "case-0", "nonsense", "yes", author="Chief")
    adjudicate(annotations, "case-0", "fracture", "yes", author="Chief")
    adjudicate(annotations, "case-0", "fracture", "no", author="Chief")
    assert annotations.labels("case-0", "Chief") == {}  # a decision is no opinion
    assert [each.answer.value for each in versions(annotations, "case-0") if each.answer] == ["yes", "no"]
    annotations.undo("case-0", author="Chief")
    (found,) = case_disputes(annotations, "case-0")
    assert found.value == "yes"
    adjudicate(annotations, "case-0", "fracture", None, author="Chief")
    (found,) = case_disputes(annotations, "case-0")
    assert found.value is None
