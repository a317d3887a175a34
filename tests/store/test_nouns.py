"""Patients, studies, views, cases and sources: what goes in comes out, with decisions laid over it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.case import Assessment, Certainty, Patient, Projection, ReviewStatus, Side, Study
from app.core.grey import GreyScale, Lut, Photometric, PresentationShape
from app.store.project import ProjectStore
from tests.support.projects import HEADER, make_case, make_view

PATIENT = Patient(id="P1", sex="F", name_check=7, birth_check=255)
STUDY = Study(id="2.25.7", patient_id="P1", date="2019-12-31")
VIEW = make_view("v1", STUDY.id, "a" * 64)


@pytest.fixture
def filled(project: ProjectStore) -> ProjectStore:
    """A project with one patient, one study and one view."""
    project.patients.add(PATIENT, author="import")
    project.studies.add(STUDY, author="import")
    project.views.add(VIEW, header=HEADER, offset=-32768, author="import")
    return project


def test_everything_comes_back(filled: ProjectStore) -> None:
    assert filled.patients.get("P1") == PATIENT
    assert filled.patients.all() == [PATIENT]
    assert filled.studies.get(STUDY.id) == STUDY
    assert filled.studies.of_patient("P1") == filled.studies.all() == [STUDY]
    assert filled.views.get("v1") == VIEW
    assert filled.views.of_study(STUDY.id) == filled.views.all() == filled.views.of_image("a" * 64) == [VIEW]
    assert filled.views.header("v1") == HEADER
    assert filled.views.has_element("v1", next(iter(HEADER)))
    assert not filled.views.has_element("v1", "00181600")
    assert filled.views.offset("v1") == -32768
    assert filled.patients.get("x") is filled.studies.get("x") is filled.views.get("x") is filled.cases.get("x") is None


def test_a_view_with_every_kind_of_table_comes_back(filled: ProjectStore) -> None:
    grey = GreyScale(
        photometric=Photometric.MONOCHROME2,
        bits_stored=16,
        is_signed=True,
        modality=Lut(first=-5, entries=tuple(range(300)), bits=16),
        voi=(Lut(first=0, entries=(0, 255), bits=8, name="x"),),
        presentation=PresentationShape.INVERSE,
    )
    view = replace(make_view("v2", STUDY.id, "b" * 64), grey=grey, orientation=(), flags=frozenset(), notices=())
    filled.views.add(view, header={}, offset=0)
    assert filled.views.get("v2") == view


def test_adding_the_same_again_changes_nothing_and_another_is_refused(filled: ProjectStore) -> None:
    head = filled.events.head()
    filled.patients.add(PATIENT)
    filled.studies.add(STUDY)
    filled.views.add(VIEW, header=HEADER, offset=-32768)
    assert filled.events.head() == head
    with pytest.raises(ValueError, match="other content"):
        filled.patients.add(replace(PATIENT, sex="M"))
    with pytest.raises(ValueError, match="other content"):
        filled.studies.add(replace(STUDY, date=""))
    with pytest.raises(ValueError, match="other content"):
        filled.views.add(VIEW, header=HEADER, offset=0)
    with pytest.raises(ValueError, match="confirm"):
        filled.views.add(
            replace(VIEW, id="v9", side=Assessment(value=Side.LEFT, certainty=Certainty.CONFIRMED)), header={}, offset=0
        )


def test_a_decision_is_an_event_with_who_and_the_evidence(filled: ProjectStore) -> None:
    view = filled.views.confirm(
        "v1", projection=Projection.CROSS_TABLE, side=Side.LEFT, author="Reader 1", text="axial"
    )
    assert view == filled.views.get("v1")
    assert (view.projection.value, view.projection.certainty) == (Projection.CROSS_TABLE, Certainty.CONFIRMED)
    assert view.projection.evidence == VIEW.projection.evidence  # what was on the table stays visible
    assert (view.side.value, view.side.certainty) == (Side.LEFT, Certainty.CONFIRMED)
    _, first, second = filled.events.of("view:v1")
    assert (first.field, first.author, first.text) == ("projection", "Reader 1", "axial")
    assert (first.before["value"], first.before["certainty"]) == ("frontal", "evident")
    assert (first.after["value"], first.after["evidence"][0]["found"]) == ("cross-table", "AP")
    assert (second.field, second.before["value"], second.after["value"]) == ("side", None, "left")
    head = filled.events.head()
    filled.views.confirm("v1", side=Side.LEFT, author="Reader 1")
    assert filled.events.head() == head  # nothing new was decided
    filled.views.confirm("v1", side=Side.RIGHT, author="Reader 2")
    assert filled.events.of("view:v1")[-1].before == second.after
    with pytest.raises(ValueError, match="nothing to confirm"):
        filled.views.confirm("v1", author="x")
    with pytest.raises(ValueError, match="no view"):
        filled.views.confirm("x", side=Side.LEFT, author="x")


def test_exclusion_and_blocking(filled: ProjectStore) -> None:
    filled.views.exclude("v1", "motion blur", author="r")
    filled.views.exclude("v1", "motion blur", author="r")
    assert filled.views.of_study(STUDY.id)[0].excluded_reason == "motion blur"
    filled.views.include("v1", author="r")
    assert filled.views.get("v1") == VIEW
    filled.studies.block(STUDY.id, "another birth date", author="import")
    blocked = filled.studies.get(STUDY.id)
    assert blocked is not None
    assert blocked.blocked_reason == "another birth date"
    filled.studies.unblock(STUDY.id, author="r", text="typing error at admission")
    assert filled.studies.get(STUDY.id) == STUDY
    assert [event.field for event in filled.events.of(f"study:{STUDY.id}")] == ["created", "blocked", "blocked"]
    with pytest.raises(ValueError, match="reason"):
        filled.views.exclude("v1", "", author="r")
    with pytest.raises(ValueError, match="reason"):
        filled.studies.block(STUDY.id, "", author="r")
    with pytest.raises(ValueError, match="no study"):
        filled.studies.block("x", "y", author="r")


def test_cases_keep_their_status_and_place(filled: ProjectStore) -> None:
    left = make_case("left", STUDY.id, "P1", "v1", questions=("Which side?",), unassigned_ids=("v1",))
    right = make_case("right", STUDY.id, "P1", side=Side.RIGHT, frontal_id=None, blocked_reason="mixed up")
    filled.cases.replace_for_study(STUDY.id, [left, right], author="import")
    assert filled.cases.all() == filled.cases.of_study(STUDY.id) == filled.cases.of_patient("P1") == [left, right]
    filled.cases.set_status("left", ReviewStatus.REVIEWED, author="r")
    changed = replace(left, unassigned_ids=(), questions=())
    filled.cases.replace_for_study(STUDY.id, [right, changed], author="r")
    reviewed = replace(changed, status=ReviewStatus.REVIEWED)
    assert filled.cases.all() == [reviewed, right]
    assert filled.cases.with_status(ReviewStatus.REVIEWED) == [reviewed]
    filled.cases.replace_for_study(STUDY.id, [right], author="r")
    assert filled.cases.get("left") is None
    filled.cases.replace_for_study(STUDY.id, [changed, right], author="r")
    assert filled.cases.all() == [reviewed, right]  # back in its place, with its status
    head = filled.events.head()
    filled.cases.replace_for_study(STUDY.id, [right, changed], author="r")
    filled.cases.set_status("left", ReviewStatus.REVIEWED, author="r")
    assert filled.events.head() == head
    history = [(event.field, event.after is None) for event in filled.events.of("case:left")]
    assert history == [("composition", False), ("status", False), ("composition", False), ("composition", True),
                       ("composition", False)]  # fmt: skip
    with pytest.raises(ValueError, match="another study"):
        filled.cases.replace_for_study("2.25.8", [left], author="r")
    with pytest.raises(ValueError, match="no case"):
        filled.cases.set_status("x", ReviewStatus.NEW, author="r")


def test_a_case_may_arrive_with_a_status(filled: ProjectStore) -> None:
    case = make_case("c", STUDY.id, "P1", "v1", status=ReviewStatus.SECOND_LOOK)
    filled.cases.add(case, author="r")
    assert filled.cases.get("c") == case
    assert filled.cases.count() == 1


def test_sources_are_found_by_hash_and_by_object(filled: ProjectStore) -> None:
    add = filled.sources.add
    refused = add(source_sha256="a" * 64, object_key="o1", outcome="refused")
    taken = add(source_sha256="a" * 64, object_key="o1", view_id="v1", outcome="imported")
    frame = add(source_sha256="a" * 64, object_key="o1", frame=3, outcome="duplicate")
    other = add(source_sha256="b" * 64, object_key="", predecessor_key="o1", view_id="v1", outcome="duplicate")
    assert filled.sources.find("a" * 64) == taken
    assert filled.sources.find("a" * 64, frame=3) == frame
    assert filled.sources.find("c" * 64) is None
    assert filled.sources.find_object("o1") == taken
    assert filled.sources.find_object("") is None
    assert filled.sources.of_predecessor("o1") == [other]
    assert filled.sources.all() == [refused, taken, frame, other]
