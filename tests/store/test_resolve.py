"""Decisions: several at once, taken back, and blocks; nothing is ever forgotten."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.core.case import Certainty, Projection, Side
from app.core.errors import UserError
from app.store.health import check_project
from app.store.project import ProjectStore
from app.store.resolve import (
    Decision,
    block_study,
    decisions_since,
    include_view,
    recompose_study,
    record_decisions,
    release_study,
    undo_decision,
)
from tests.support.projects import make_project


@pytest.fixture
def store(tmp_path: Path) -> ProjectStore:
    make_project(tmp_path / "p", studies=4, decisions=0)
    with ProjectStore.open(tmp_path / "p") as project:
        for study in project.studies.all():
            recompose_study(project, study.id, author="import")
        yield project  # type: ignore[misc]


def state(store: ProjectStore) -> tuple[object, ...]:
    """Everything that can be seen of a project."""
    return store.views.all(), store.cases.all(), store.studies.all()


def decided(store: ProjectStore, *decisions: Decision) -> tuple[int, ...]:
    before = store.events.head()[0]
    record_decisions(store, decisions, author="reader")
    return tuple(event.id for event in decisions_since(store, before))


def test_a_decision_that_is_taken_back_leaves_everything_as_it_was_but_the_record(store: ProjectStore) -> None:
    before, events = state(store), store.events.head()[0]
    made = decided(store, Decision(view_id="view-1", projection=Projection.FROG_LEG, side=Side.RIGHT))
    assert len(made) == 2
    assert state(store) != before
    undo_decision(store, made, author="reader")
    assert state(store) == before
    reverting = [event for event in store.events.since(events) if event.reverts]
    assert sorted(event.reverts for event in reverting if event.reverts) == sorted(made)
    assert store.views.get("view-1") is not None


def test_taking_back_a_second_thought_brings_the_first_one_back(store: ProjectStore) -> None:
    decided(store, Decision(view_id="view-1", side=Side.LEFT))
    second = decided(store, Decision(view_id="view-1", side=Side.RIGHT))
    undo_decision(store, second, author="reader")
    view = store.views.get("view-1")
    assert view is not None
    assert (view.side.value, view.side.certainty) == (Side.LEFT, Certainty.CONFIRMED)


def test_taking_back_a_taking_back_does_it_again(store: ProjectStore) -> None:
    made = decided(store, Decision(view_id="view-1", excluded="repeat"))
    before = store.events.head()[0]
    undo_decision(store, made, author="reader")
    (undone,) = decisions_since(store, before)
    undo_decision(store, [undone.id], author="reader")
    view = store.views.get("view-1")
    assert view is not None
    assert view.excluded_reason == "repeat"


def test_what_was_decided_anew_is_not_taken_back_from_under_it(store: ProjectStore) -> None:
    first = decided(store, Decision(view_id="view-1", side=Side.LEFT))
    decided(store, Decision(view_id="view-1", side=Side.RIGHT))
    before = state(store)
    with pytest.raises(UserError) as raised:
        undo_decision(store, first, author="reader")
    assert raised.value.kind == "changed-meanwhile"
    assert state(store) == before


def test_only_decisions_are_taken_back(store: ProjectStore) -> None:
    for number in (1, store.events.head()[0] + 7):
        with pytest.raises(UserError) as raised:
            undo_decision(store, [number], author="reader")
        assert raised.value.kind == "no-decision"


def test_several_decisions_are_recorded_together_or_not_at_all(store: ProjectStore) -> None:
    before = store.events.head()
    with pytest.raises(UserError):
        record_decisions(
            store, [Decision(view_id="view-1", side=Side.LEFT), Decision(view_id="nobody", side=Side.LEFT)], author="x"
        )
    assert store.events.head() == before
    cases = record_decisions(
        store, [Decision(view_id=f"view-{number}", side=Side.RIGHT) for number in (0, 2)], author="x"
    )
    assert {case.side for case in cases} == {Side.RIGHT}
    assert {case.study_id for case in cases} == {"2.25.0", "2.25.2"}


def test_blocking_and_releasing_need_reasons_and_are_taken_back_too(store: ProjectStore) -> None:
    with pytest.raises(UserError):
        block_study(store, "2.25.1", reason="  ", author="reader")
    before = store.events.head()[0]
    cases = block_study(store, "2.25.1", reason="Two different people.", author="reader")
    assert all(case.blocked_reason and case.frontal_id is None for case in cases)
    with pytest.raises(UserError):
        block_study(store, "2.25.1", reason="again", author="reader")
    (blocked,) = decisions_since(store, before)
    release_study(store, "2.25.1", reason="checked", author="second reader")
    released = store.events.of("study:2.25.1")[-1]
    assert (released.author, released.text) == ("second reader", "checked")
    undo_decision(store, [released.id], author="reader")
    assert all(case.blocked_reason for case in store.cases.of_study("2.25.1"))
    undo_decision(store, [blocked.id], author="reader")
    assert not any(case.blocked_reason for case in store.cases.of_study("2.25.1"))


def test_the_next_open_case_goes_round_and_stops_when_nothing_is_open(store: ProjectStore) -> None:
    order = [case.id for case in store.cases.all()]
    assert len(order) == 4
    assert store.cases.next_open() == order[0]
    assert [store.cases.next_open(name) for name in order] == [*order[1:], order[0]]
    block_study(store, "2.25.1", reason="mixed up", author="reader")
    record_decisions(store, [Decision(view_id=f"view-{n}", side=Side.LEFT) for n in (0, 2, 3)], author="reader")
    (blocked,) = [case.id for case in store.cases.of_study("2.25.1")]
    assert store.cases.next_open(order[0]) == blocked
    assert store.cases.next_open(blocked) == ""


@pytest.mark.parametrize("is_undone", [True, False])
def test_a_case_that_comes_back_is_the_same_case_with_its_labels(store: ProjectStore, is_undone: bool) -> None:
    decided(store, Decision(view_id="view-1", side=Side.LEFT))
    (case,) = store.cases.of_study("2.25.1")
    store.events.append(target=f"case:{case.id}", field="garden", after=3, author="reader")
    made = decided(store, Decision(view_id="view-1", excluded="repeat"))
    assert store.cases.of_study("2.25.1") == []
    if is_undone:
        undo_decision(store, made, author="reader")
    else:
        include_view(store, "view-1", author="reader")
    assert store.cases.of_study("2.25.1") == [case]
    assert store.events.current(f"case:{case.id}", "garden") == 3


@pytest.mark.parametrize("seed", range(3))
def test_any_decisions_taken_back_in_reverse_leave_the_beginning(
    store: ProjectStore, seed: int, tmp_path: Path
) -> None:
    choose, beginning = random.Random(seed), state(store)
    steps = []
    for _ in range(40):
        name = f"view-{choose.randrange(4)}"
        decision = choose.choice(
            [
                Decision(view_id=name, projection=choose.choice(list(Projection))),
                Decision(view_id=name, side=choose.choice(list(Side))),
                Decision(view_id=name, excluded=choose.choice(["", "repeat"])),
            ]
        )
        if made := decided(store, decision):
            steps.append(made)
        if steps and choose.random() < 0.2:
            undo_decision(store, steps.pop(), author="reader")
    while steps:
        undo_decision(store, steps.pop(), author="reader")
    assert state(store) == beginning
    store.close()
    assert not check_project(store.folder.path).is_damaged
