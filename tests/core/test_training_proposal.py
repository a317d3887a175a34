"""What a training run would be: who takes part, how they are divided, and what is refused."""

from __future__ import annotations

import random
from typing import Any

import pytest

from app.core.errors import UserError
from app.core.label_set import Choice, FieldType, LabelField, LabelSet
from app.core.networks import network_named, networks
from app.core.split import Part
from app.core.training_proposal import (
    FEWEST_PATIENTS,
    REASONS,
    REMEDIES,
    Candidate,
    Protocol,
    TrainingRequest,
    Unfit,
    propose,
)
from app.core.training_task import tasks_of
from app.store.label_sets import default_label_set

TASKS = {task.field: task for task in tasks_of(default_label_set())}
SMALL = network_named("cvdt-small")
assert SMALL is not None


def request(**changes: Any) -> TrainingRequest:
    return TrainingRequest(**({"task": TASKS["fracture"], "network": SMALL} | changes))


def candidates(count: int = 40, **changes: Any) -> list[Candidate]:
    return [
        Candidate(id=f"C{n:03d}", patient=f"P{n:03d}", label="yes" if n % 2 else "no", images=(f"i{n}",), **changes)
        for n in range(count)
    ]


def kind_of(found: list[Candidate], **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        propose(request(**changes), found)
    assert caught.value.remedy
    return caught.value.kind


def test_tasks_come_from_the_label_set() -> None:
    assert list(TASKS) == ["fracture", "displacement", "garden", "atypical"]
    assert [each.name for each in TASKS["fracture"].classes] == ["no fracture", "fracture"]
    assert TASKS["garden"].class_of("2") == 0
    assert TASKS["garden"].class_of("3") == 1
    assert TASKS["atypical"].class_of("uncertain") is None
    own = LabelSet(
        id="own", version=1, text="Own",
        fields=(
            LabelField(id="implant", text="Implant", type=FieldType.CHOICE,
                       choices=(Choice(id="screw", text="Screw"), Choice(id="nail", text="Nail"))),
            LabelField(id="many", text="Many", type=FieldType.CHOICE,
                       choices=tuple(Choice(id=name, text=name) for name in ("a", "b", "c"))),
        ),
    )  # fmt: skip
    assert [task.field for task in tasks_of(own)] == ["implant"]


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(REMEDIES) == set(Unfit)


def test_who_takes_part_and_why_others_do_not() -> None:
    found = [
        *candidates(30),
        Candidate(id="a", patient="pa", label=""),
        Candidate(id="b", patient="pb", label="", is_disputed=True),
        Candidate(id="c", patient="pc", label="uncertain"),
        Candidate(id="d", patient="pd", label="yes", gap=Unfit.MISSING_VIEW),
        Candidate(id="e", patient="pe", label="", gap=Unfit.EXCLUDED),
    ]
    proposal = propose(request(), found)
    assert proposal.unfit == {
        "a": Unfit.NO_LABEL, "b": Unfit.DISPUTED, "c": Unfit.UNDECIDED, "d": Unfit.MISSING_VIEW, "e": Unfit.EXCLUDED
    }  # fmt: skip
    assert set(proposal.labels) == {case.id for case in found[:30]}
    assert proposal.plan.classes == ("no fracture", "fracture")
    assert proposal.plan.localisation == 0  # nobody has clicked
    assert propose(request(), candidates(30, has_click=True)).plan.localisation > 0
    assert propose(request(preset="paper"), candidates(30, has_click=True)).plan.localisation == 0
    assert sum(sum(cases for cases, _ in row) for row in proposal.table().values()) == 30


def test_the_frozen_hold_out_only_tests() -> None:
    found = [Candidate(id=f"H{n}", patient=f"H{n}", label="yes" if n % 2 else "no", is_held_out=True) for n in range(8)]
    proposal = propose(request(), [*candidates(20), *found])
    assert {case for case, part in proposal.folds[0].items() if part is Part.TEST} == {case.id for case in found}
    assert not proposal.drawn_hold_out
    crossed = propose(request(protocol=Protocol.FIVE_FOLD), [*candidates(20), *found])
    assert all(crossed.unfit[case.id] is Unfit.HELD_OUT for case in found)
    drawn = propose(request(), candidates(20))
    tested = {case for case, part in drawn.folds[0].items() if part is Part.TEST}
    assert drawn.drawn_hold_out == {drawn.patients[case] for case in tested}
    assert tested


def test_protocols() -> None:
    ten = propose(request(protocol=Protocol.TEN_FOLD), candidates(100))
    assert len(ten.folds) == 10
    tested = [case for fold in ten.folds for case, part in fold.items() if part is Part.TEST]
    assert sorted(tested) == sorted(ten.labels)
    assert all(set(fold.values()) == set(Part) for fold in ten.folds)
    five = propose(request(protocol=Protocol.FIVE_FOLD), candidates(100))
    assert all(set(fold.values()) == {Part.TRAINING, Part.TEST} for fold in five.folds)
    (shares,) = propose(request(protocol=Protocol.SHARES), candidates(100)).folds
    assert sum(part is Part.TEST for part in shares.values()) == 20


def test_what_cannot_work_is_refused() -> None:
    assert kind_of([]) == "no-labels"
    assert kind_of([Candidate(id="a", patient="p", label="")]) == "no-labels"
    assert kind_of([Candidate(id=f"{n}", patient=f"{n}", label="yes") for n in range(9)]) == "one-class"
    with pytest.raises(UserError) as caught:
        propose(request(), [Candidate(id="a", patient="p", label="yes")])
    assert "The only case that qualifies" in caught.value.reason
    few = [*candidates(20)[1::2], *candidates(2 * (FEWEST_PATIENTS - 1))[0::2]]
    assert kind_of(few) == "too-few-patients"
    assert kind_of(candidates(8), protocol=Protocol.TEN_FOLD) == "too-few-patients"
    assert kind_of(candidates(), preset="paper-004") == "no-preset"
    double = candidates()
    double[7] = Candidate(id="C007", patient="P007", label="yes", images=("i6",))
    assert kind_of(double) == "duplicate-images"


def random_project(seed: int) -> tuple[list[Candidate], int | None]:
    """Some patients with one to four cases, and perhaps one radiograph that is there under two of them."""
    rng = random.Random(seed)
    share, found = rng.uniform(0.15, 0.85), []
    for patient in range(rng.randint(6, 60)):
        held_out = rng.random() < 0.15
        for number in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
            label = rng.choices(("yes", "no", "", "uncertain"), (share, 1 - share, 0.05, 0.05))[0]
            found.append(
                Candidate(
                    id=f"C{patient}-{number}", patient=f"P{patient}", label=label, is_held_out=held_out,
                    is_disputed=rng.random() < 0.03, images=(f"i{patient}-{number // 2}", f"l{patient}-{number}"),
                )
            )  # fmt: skip
    planted = None
    if rng.random() < 0.3:
        planted = rng.randrange(len(found))
        other = rng.choice([case for case in found if case.patient != found[planted].patient])
        found[planted] = Candidate(
            id=found[planted].id, patient=found[planted].patient, label="yes", images=(other.images[0], "own")
        )
    return found, planted


def test_a_thousand_random_data_sets_never_leak() -> None:
    """N11: no patient in two parts of any fold, every class in every fold when possible, a planted duplicate blocks."""
    outcomes: dict[str, int] = {}
    for seed in range(1000):
        found, planted = random_project(seed)
        protocol = list(Protocol)[seed % 4]
        try:
            proposal = propose(request(seed=seed, protocol=protocol), found)
        except UserError as error:
            outcomes[error.kind] = outcomes.get(error.kind, 0) + 1
            continue
        outcomes["made"] = outcomes.get("made", 0) + 1
        taking = [case for case in found if case.id in proposal.labels]
        owners: dict[str, set[str]] = {}
        for case in taking:
            for image in case.images:
                owners.setdefault(image, set()).add(case.patient)
        assert all(len(held_by) == 1 for held_by in owners.values()), (seed, planted)
        for fold in proposal.folds:
            parts: dict[str, set[Part]] = {}
            for case in taking:
                parts.setdefault(case.patient, set()).add(fold[case.id])
            assert all(len(where) == 1 for where in parts.values()), seed
            assert all(fold[case.id] is Part.TEST for case in taking if case.is_held_out), seed
        if protocol.folds > 1:
            pure = [
                {case.patient for case in taking if proposal.labels[case.id] == number}
                - {case.patient for case in taking if proposal.labels[case.id] == 1 - number}
                for number in range(2)
            ]
            if min(map(len, pure)) >= protocol.folds:  # so many patients of each class alone: then it is possible
                for fold in proposal.folds:
                    seen = {proposal.labels[case] for case, part in fold.items() if part is Part.TEST}
                    assert seen == {0, 1}, seed
    assert outcomes["made"] > 500
    assert outcomes["duplicate-images"] > 100


def test_networks_say_what_they_see() -> None:
    assert {network.views for network in networks()} == {"pair", "frontal", "lateral"}
    assert len({network.id for network in networks()}) == len(networks())
    assert network_named("nothing") is None
