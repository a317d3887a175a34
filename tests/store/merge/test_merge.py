"""Two annotators' projects become one: nothing is lost, nothing comes twice, opinions live side by side."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.core.annotation import is_annotation
from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.store.annotations import Annotations
from app.store.audit import audit_database
from app.store.merge.identities import identities_of, seen_identities
from app.store.merge.source import project_source
from app.store.project import ProjectStore
from tests.support.merging import annotate, annotate_at_random, make_strangers, make_twins, merge


def test_two_annotators_of_one_project_come_together(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}, "case-1": {"fracture": "no"}, "case-2": {"fracture": "no"}})
    annotate(theirs, "Ben", {"case-0": {"fracture": "yes"}, "case-1": {"fracture": "yes"}})
    report = merge(ours, theirs)
    assert (report.new_views, report.new_cases, report.shared_cases, report.conflicts) == (0, 0, 3, [])
    (found,) = [each for each in report.agreement if each.field == "fracture"]
    assert (found.first, found.second, found.cases, found.agreeing) == ("Anna", "Ben", 2, 1)
    assert [(each.case_id, each.field) for each in report.disagreements] == [("case-1", "fracture")]
    with ProjectStore.open(ours) as project:
        annotations = Annotations(project)
        assert annotations.labels("case-1", "Anna")["fracture"] == "no"
        assert annotations.labels("case-1", "Ben")["fracture"] == "yes"
        event = next(each for each in annotations.history("case-1") if each.author == "Ben")
        with project_source(theirs) as source:
            assert event.at in {each.event.at for each in source.events}
        assert audit_database(project.database.connection) == []


def test_the_second_time_nothing_changes(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate_at_random(ours, "Anna", seed=1)
    annotate_at_random(theirs, "Ben", seed=2)
    assert not merge(ours, theirs).changes_nothing
    with ProjectStore.open(ours) as project:
        before = project.events.head()
    assert merge(ours, theirs).changes_nothing
    with ProjectStore.open(ours) as project:
        assert project.events.head() == before


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost_whatever_was_done(tmp_path: Path, seed: int) -> None:
    """Every event of the other project is here, or is known to change nothing; every reader's opinion is kept."""
    ours, theirs = make_twins(tmp_path)
    annotate_at_random(ours, "Anna", seed=100 + seed, gestures=10)
    shutil.rmtree(theirs)
    shutil.copytree(ours, theirs)
    annotate_at_random(ours, "Anna", seed=seed)
    annotate_at_random(theirs, "Ben" if seed % 2 else "Anna", seed=50 + seed)
    said = _opinions(theirs)
    own = _opinions(ours)
    report = merge(ours, theirs)
    with project_source(theirs) as source, ProjectStore.open(ours) as project:
        events = project.events.since()
        here = {*identities_of(events).values(), *seen_identities(events)}
        assert {each.identity for each in source.events} <= here
        assert audit_database(project.database.connection) == []
    after = _opinions(ours)
    for key, values in own.items():
        assert key in after
        if not any((each.case_id, each.reader) == key for each in report.kept_apart):
            assert {**after[key], **values} == after[key] or seed % 2 == 0
    names = {(each.case_id, each.reader): each.kept_as for each in report.kept_apart}
    for (case, reader), values in said.items():
        held = after[case, names.get((case, reader), reader)]
        if (case, reader) in names:
            assert held == values
            assert after[case, reader] == own[case, reader]


def test_there_and_back_ends_with_the_same_opinions(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate_at_random(ours, "Anna", seed=3)
    annotate_at_random(theirs, "Ben", seed=4)
    merge(ours, theirs)
    merge(theirs, ours)
    mine, other = _opinions(ours), _opinions(theirs)
    assert mine == other
    assert merge(ours, theirs).brought == merge(theirs, ours).brought == 0 or _opinions(ours) == _opinions(theirs)
    assert merge(ours, theirs).changes_nothing


def test_one_reader_who_says_two_things_is_kept_as_two(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}})
    annotate(theirs, "Anna", {"case-0": {"fracture": "no"}, "case-1": {"fracture": "no"}})
    report = merge(ours, theirs)
    assert [(each.case_id, each.reader, each.kept_as) for each in report.kept_apart] == [("case-0", "Anna", "Anna (2)")]
    annotate(theirs, "Anna", {"case-0": {"fracture": "uncertain"}})
    merge(ours, theirs)  # goes on under the same name
    with ProjectStore.open(ours) as project:
        annotations = Annotations(project)
        assert annotations.labels("case-0", "Anna")["fracture"] == "yes"
        assert annotations.labels("case-0", "Anna (2)")["fracture"] == "uncertain"
        assert annotations.labels("case-1", "Anna")["fracture"] == "no"
        assert [each.reader for each in annotations.opinions("case-0")] == ["Anna", "Anna (2)"]


def test_what_is_one_for_both_stays_and_the_other_value_is_in_the_history(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    for path, status in ((ours, ReviewStatus.REVIEWED), (theirs, ReviewStatus.EXCLUDED)):
        with ProjectStore.open(path) as project:
            project.cases.set_status("case-0", status, author=path.name)
            project.views.exclude("view-2", f"{path.name} says so", author=path.name)
    with ProjectStore.open(theirs) as project:
        project.cases.set_status("case-1", ReviewStatus.SECOND_LOOK, author="Ben")
    report = merge(ours, theirs)
    assert {(each.what, each.ours, each.theirs) for each in report.conflicts} == {
        ("status", "reviewed", "excluded"),
        ("excluded", "ours says so", "theirs says so"),
    }
    with ProjectStore.open(ours) as project:
        first, second = project.cases.get("case-0"), project.cases.get("case-1")
        assert first is not None
        assert first.status is ReviewStatus.REVIEWED
        assert second is not None
        assert second.status is ReviewStatus.SECOND_LOOK
        said = [each.after for each in project.events.of("case:case-0") if each.field == "status"]
        assert said == ["reviewed", "excluded", "reviewed"]
        assert audit_database(project.database.connection) == []
    assert merge(ours, theirs).changes_nothing


def test_projects_with_other_keys_meet_in_their_images(tmp_path: Path) -> None:
    ours, theirs = make_strangers(tmp_path)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}, "case-1": {"fracture": "no"}})
    annotate(theirs, "Ben", {"case-100": {"fracture": "yes"}, "case-101": {"fracture": "no"},
                             "case-103": {"fracture": "yes"}})  # fmt: skip
    with ProjectStore.open(theirs) as project:
        value = {"center_xy": [10.0, 10.0], "axis_xy": [10.0, 18.0], "source": "clicks"}
        annotations = Annotations(project)
        change = annotations.change("case:case-100@Ben", "alignment.view-100", value)
        annotations.record("case-100", [change], author="Ben")
    rehearsal = merge(ours, theirs, is_rehearsal=True)
    with ProjectStore.open(ours) as project:
        head = project.events.head()
        assert project.cases.count() == 3
    report = merge(ours, theirs)
    rehearsal.is_rehearsal = False
    assert rehearsal == report
    assert not report.has_same_key
    assert (report.new_patients, report.new_views, report.new_cases, report.shared_cases) == (1, 1, 1, 3)
    assert any("pseudonyms" in note for note in report.notes)
    with ProjectStore.open(ours) as project:
        annotations = Annotations(project)
        assert project.events.head() != head
        assert annotations.labels("case-0", "Ben")["fracture"] == "yes"
        assert "alignment.view-0" in annotations.values("case-0", "Ben")
        assert project.cases.count() == 4
        new = project.cases.get("case-103")
        assert new is not None
        assert annotations.labels("case-103", "Ben")["fracture"] == "yes"
        view = project.views.get(new.frontal_id or "")
        assert view is not None
        assert project.images.load(view.image_sha256).pixels.shape == (24, 32)
        assert project.sources.find(f"{103:064x}") is not None
        assert audit_database(project.database.connection) == []
    assert merge(ours, theirs).changes_nothing


def test_one_changed_byte_is_found_and_refused(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate(theirs, "Ben", {"case-0": {"fracture": "yes"}})
    database = theirs / "project.db"
    content = bytearray(database.read_bytes())
    place = content.index(b"label.fracture") + len("label.fracture")
    content[place] ^= 1
    database.write_bytes(content)
    with pytest.raises(UserError) as caught:
        merge(ours, theirs)
    assert caught.value.kind == "merge-damaged"
    assert "not what was written" in caught.value.title
    with ProjectStore.open(ours) as project:
        assert project.events.head()[0] == project.database.value("SELECT count(*) FROM event")
        assert Annotations(project).labels("case-0", "Ben") == {}


def test_a_missing_key_of_the_other_project_is_no_hindrance(tmp_path: Path) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate(theirs, "Ben", {"case-0": {"fracture": "yes"}})
    shutil.rmtree(theirs / "private")  # it should not travel
    report = merge(ours, theirs)
    assert report.has_same_key
    assert report.brought


def _opinions(path: Path) -> dict[tuple[str, str], dict[str, object]]:
    """(case, reader) -> what the reader says, without what is one for everybody."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    with ProjectStore.open(path, is_read_only=True) as project:
        for each in Annotations(project).all():
            if each.reader and is_annotation(each.target, each.field):
                case = each.target.partition(":")[2].partition("@")[0]
                found.setdefault((case, each.reader), {})[each.field] = each.value
    return found
