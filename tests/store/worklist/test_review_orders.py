"""Orders of review in the worklist, from what models say and the labels that hold just now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.case import ViewRole
from app.core.model_input import InputKind, ModelInput
from app.core.worklist import AI_CONFLICT, AI_FINDING, AI_NEXT, AI_SCORE, AI_SPLIT, OUTDATED, Query, Sort
from app.store.annotations import Annotations
from app.store.findings import Score
from app.store.project import ProjectStore
from app.store.worklist.opinions import ScoredModel
from app.store.worklist.review_orders import ReviewedOpinions
from tests.support.cards import make_card
from tests.support.projects import add_study

BOTH = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL, ViewRole.LATERAL), size_px=32)
FRONTAL, PAIR = make_card("frontal", outlier_limit=5.0), make_card("pair", input=BOTH)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project") as made:
        for number in (1, 2, 3, 4):
            add_study(made, number)
        yield made


def scored(card: object, *said: float, far: int = 0) -> ScoredModel:
    """A model that says this about the first cases; of one of them that it is far from all it knows."""
    scores = {
        f"case-{number}": Score(probabilities=(1 - p, p), distance=9.0 if number == far else 1.0)
        for number, p in enumerate(said, start=1)
    }
    return ScoredModel(card=card, scores=lambda: scores)  # type: ignore[arg-type]


def listed(project: ProjectStore, field: str) -> list[str]:
    """Cases by a field, largest first; those without a value are left out."""
    worklist = project.worklist
    opinions = worklist._opinions
    assert opinions is not None
    known = {case_id for case_id, _ in opinions.values(field)}
    order = worklist.case_ids(worklist.numbers(Query(sort=Sort(field, is_descending=True))))
    assert set(order[: len(known)]) == known  # cases without a value come last
    return order[: len(known)]


def test_where_models_disagree_comes_first(project: ProjectStore) -> None:
    models = [scored(FRONTAL, 0.1, 0.9, 0.5, 0.9, far=4), scored(PAIR, 0.2, 0.1, 0.5, 0.1)]
    project.worklist.use_opinions(ReviewedOpinions(project, models))
    assert listed(project, f"{AI_SPLIT}fracture") == ["case-2", "case-1", "case-3"]  # of case 4 one knows nothing
    project.worklist.use_opinions(ReviewedOpinions(project, models[:1]))
    assert f"{AI_SPLIT}fracture" not in [field.name for field in project.worklist.fields()]


def test_labels_that_models_speak_against_come_first_and_follow_the_reader(project: ProjectStore) -> None:
    project.worklist.use_opinions(ReviewedOpinions(project, [scored(FRONTAL, 0.05, 0.9, 0.6)]))
    field = f"{AI_CONFLICT}fracture"
    assert listed(project, field) == []
    annotations = Annotations(project)
    for case_id in ("case-1", "case-2", "case-3"):
        annotations.set_label(case_id, "fracture", "yes", author="Ann")
    assert listed(project, field) == ["case-1", "case-3", "case-2"]
    annotations.set_label("case-1", "fracture", "no", author="Ann")
    assert listed(project, field) == ["case-3", "case-2", "case-1"]
    annotations.set_label("case-3", "fracture", "no", author="Zoe")  # readers who disagree are another queue
    assert listed(project, field) == ["case-2", "case-1"]


def test_unlabelled_cases_come_by_uncertainty_with_patients_taking_turns(project: ProjectStore) -> None:
    other = project.cases.get("case-3")
    first = project.cases.get("case-1")
    assert other is not None
    assert first is not None
    project.cases.add(replace(other, patient_id=first.patient_id))
    project.worklist.use_opinions(ReviewedOpinions(project, [scored(FRONTAL, 0.5, 0.3, 0.45, 0.01)]))
    field = f"{AI_NEXT}fracture"
    assert listed(project, field) == ["case-1", "case-2", "case-3", "case-4"]
    Annotations(project).set_label("case-1", "fracture", "uncertain", author="Ann")
    assert listed(project, field) == ["case-2", "case-3", "case-4"]  # of what it is asked about, it is not asked again
    names = [known.name for known in project.worklist.fields()]
    assert field in names
    assert f"{AI_CONFLICT}fracture" in names


def test_what_a_model_before_has_said_is_outdated_until_the_present_one_has_looked(project: ProjectStore) -> None:
    now = replace(scored(FRONTAL, 0.9), outdated=lambda: {"case-1", "case-2"})
    opinions = ReviewedOpinions(project, [now])
    place = FRONTAL.task_id
    assert dict(opinions.values(f"{AI_FINDING}{place}")) == {"case-1": "found", "case-2": OUTDATED}
    assert dict(opinions.values(f"{AI_SCORE}{place}")) == {"case-1": "0.9000"}
    assert opinions.of_case("case-2") == {f"{AI_FINDING}{place}": (OUTDATED,)}
    assert opinions.of_case("case-3") == {}
