"""Annotations in a project: one gesture, one commit; undo and redo without end; two readers side by side."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    STATUS,
    CropVerdict,
    alignment_of,
    document_of,
    reader_target,
)
from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.core.geometry import Alignment
from app.core.measurement import CalibrationKind, ScaleCalibration
from app.core.replay import replay
from app.core.spacing import SpacingSource
from app.store.annotations import Annotations
from app.store.audit import audit_database
from app.store.events import EventLog
from app.store.label_sets import (
    adopt_label_set,
    current_label_set,
    flagged_labels,
    preview_label_set,
    read_label_set,
    shipped_label_sets,
)
from app.store.project import ProjectStore
from app.store.resources import resource_path
from tests.support.annotate import random_gesture
from tests.support.projects import make_project

ANN, BEN = "Ann", "Ben Ödman"
CASE_ID, VIEW_ID = "case-0", "view-0"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_project(tmp_path / "project", studies=3, decisions=0)
    return tmp_path / "project"


@pytest.fixture
def project(path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.open(path) as store:
        yield store


@pytest.fixture
def annotations(project: ProjectStore) -> Annotations:
    return Annotations(project)


def test_an_answer_with_its_consequences_is_one_gesture(annotations: Annotations) -> None:
    events = annotations.set_label(CASE_ID, "garden", "3", author=ANN)
    assert annotations.labels(CASE_ID, ANN) == {
        "fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "3",
    }  # fmt: skip
    assert len({event.at for event in events}) == 1
    assert annotations.undo(CASE_ID, author=ANN) is not None
    assert annotations.labels(CASE_ID, ANN) == {}
    assert annotations.undo(CASE_ID, author=ANN) is None
    assert annotations.redo(CASE_ID, author=ANN) is not None
    assert annotations.labels(CASE_ID, ANN)["garden"] == "3"
    assert annotations.redo(CASE_ID, author=ANN) is None


def test_the_same_answer_again_records_nothing(annotations: Annotations) -> None:
    annotations.set_label(CASE_ID, "fracture", "yes", author=ANN)
    assert annotations.set_label(CASE_ID, "fracture", "yes", author=ANN) == []


def test_two_readers_values_live_side_by_side(annotations: Annotations) -> None:
    annotations.set_label(CASE_ID, "fracture", "yes", author=ANN)
    annotations.set_label(CASE_ID, "fracture", "no", author=BEN)
    assert [(opinion.reader, opinion.labels) for opinion in annotations.opinions(CASE_ID)] == [
        (ANN, {"fracture": "yes"}),
        (BEN, {"fracture": "no"}),
    ]
    annotations.undo(CASE_ID, author=BEN)
    assert annotations.labels(CASE_ID, ANN) == {"fracture": "yes"}
    change = annotations.change(reader_target(CASE_ID, ANN), "label.fracture", "no")
    with pytest.raises(UserError, match="another reader") as caught:
        annotations.record(CASE_ID, [change], author=BEN)
    assert caught.value.kind == "annotation"


def test_labels_of_an_archive_are_a_reading_of_their_own(project: ProjectStore, annotations: Annotations) -> None:
    project.events.append(target=f"case:{CASE_ID}", field="label.garden", after="III", author="import")
    annotations.set_label(CASE_ID, "garden", "2", author=ANN)
    first, second = annotations.opinions(CASE_ID)
    assert (first.reader, first.values) == ("", {"label.garden": "III"})
    assert second.labels["garden"] == "2"
    assert annotations.undo_state(CASE_ID, "import").undoable == ()


def test_undo_and_redo_survive_a_restart(path: Path) -> None:
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        for value in ("yes", "no", "uncertain"):
            annotations.set_label(CASE_ID, "fracture", value, author=ANN)
        annotations.undo(CASE_ID, author=ANN)
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        state = annotations.undo_state(CASE_ID, ANN)
        assert (len(state.undoable), len(state.redoable)) == (2, 1)
        annotations.redo(CASE_ID, author=ANN)
        assert annotations.labels(CASE_ID, ANN) == {"fracture": "uncertain"}
        for _ in range(3):
            annotations.undo(CASE_ID, author=ANN)
        assert annotations.labels(CASE_ID, ANN) == {}


def test_a_new_answer_ends_what_could_be_redone(annotations: Annotations) -> None:
    annotations.set_label(CASE_ID, "fracture", "yes", author=ANN)
    annotations.undo(CASE_ID, author=ANN)
    annotations.set_label(CASE_ID, "fracture", "no", author=ANN)
    assert annotations.redo(CASE_ID, author=ANN) is None
    assert annotations.labels(CASE_ID, ANN) == {"fracture": "no"}


def test_undo_leaves_alone_what_somebody_else_has_changed_since(annotations: Annotations) -> None:
    target = f"case:{CASE_ID}"
    annotations.set_label(CASE_ID, "fracture", "yes", author=ANN)
    for author, status in ((ANN, "annotated"), (BEN, "reviewed")):
        annotations.record(CASE_ID, [annotations.change(target, STATUS, status)], author=author)
    annotations.undo(CASE_ID, author=ANN)
    assert annotations.values(CASE_ID)[STATUS] == "reviewed"
    assert annotations.labels(CASE_ID, ANN) == {}


def test_a_change_of_an_outdated_value_is_refused(annotations: Annotations) -> None:
    change = annotations.change(f"case:{CASE_ID}", STATUS, "annotated")
    annotations.record(CASE_ID, [annotations.change(f"case:{CASE_ID}", STATUS, "excluded")], author=BEN)
    with pytest.raises(UserError) as caught:
        annotations.record(CASE_ID, [change], author=ANN)
    assert caught.value.kind == "changed-meanwhile"


def test_a_status_moves_the_case_and_back(project: ProjectStore, annotations: Annotations) -> None:
    annotations.record(CASE_ID, [annotations.change(f"case:{CASE_ID}", STATUS, "excluded")], author=ANN)
    case = project.cases.get(CASE_ID)
    assert case is not None
    assert case.status is ReviewStatus.EXCLUDED
    annotations.undo(CASE_ID, author=ANN)
    assert project.cases.with_status(ReviewStatus.EXCLUDED) == []
    annotations.redo(CASE_ID, author=ANN)
    assert len(project.cases.with_status(ReviewStatus.EXCLUDED)) == 1
    assert audit_database(project.database.connection) == []


def test_a_calibration_is_the_spacing_of_its_view(project: ProjectStore, annotations: Annotations) -> None:
    calibration = ScaleCalibration(
        kind=CalibrationKind.BALL, first_xy=(0.0, 0.0), second_xy=(100.0, 0.0), known_mm=25.0
    )  # fmt: skip
    change = annotations.change(f"view:{VIEW_ID}", CALIBRATION, document_of(calibration))
    annotations.record(CASE_ID, [change], author=ANN)
    view = project.views.get(VIEW_ID)
    assert view is not None
    assert (view.spacing.col_mm, view.spacing.source) == (0.25, SpacingSource.MANUAL)
    annotations.undo(CASE_ID, author=ANN)
    view = project.views.get(VIEW_ID)
    assert view is not None
    assert view.spacing.source is SpacingSource.DETECTOR
    wrong = document_of(calibration) | {"known_mm": 0.1}
    with pytest.raises(UserError, match="calibrated"):
        annotations.record(CASE_ID, [annotations.change(f"view:{VIEW_ID}", CALIBRATION, wrong)], author=ANN)


@pytest.mark.parametrize(
    ("target", "field", "value", "kind"),
    [
        ("case:case-0@Ann", "label.fracture", "maybe", "label"),
        ("case:case-0@Ann", "label.colour", "red", "label"),
        ("case:case-0@Ann", "alignment.view-0", {"center_xy": [1, 2]}, "annotation"),
        ("case:case-0@Ann", "alignment.view-0", {"center_xy": [1, 2], "axis_xy": [1, 3]}, "annotation"),
        ("case:case-0@Ann", "heatmap.view-0", 1, "annotation"),
        ("case:case-0", "composition", {}, "annotation"),
        ("case:case-0", "status", "finished", "annotation"),
        ("case:case-0", "comment.1", "  ", "annotation"),
        ("case:case-1@Ann", "label.fracture", "yes", "annotation"),
        ("view:view-1", "calibration", None, "annotation"),
        ("project", "label-set", {}, "annotation"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_recorded(
    project: ProjectStore, annotations: Annotations, target: str, field: str, value: object, kind: str
) -> None:
    before = project.events.head()
    fine = annotations.change(reader_target(CASE_ID, ANN), "label.fracture", "yes")
    with pytest.raises(UserError) as caught:
        annotations.record(CASE_ID, [fine, annotations.change(target, field, value)], author=ANN)
    assert caught.value.kind == kind
    assert project.events.head() == before


def test_who_annotates_must_be_known(annotations: Annotations) -> None:
    with pytest.raises(UserError, match="not known who"):
        annotations.set_label(CASE_ID, "fracture", "yes", author="  ")
    annotations.set_label(CASE_ID, "fracture", "yes", author="  Ann   B. ")
    assert annotations.labels(CASE_ID, "Ann B.") == {"fracture": "yes"}


def test_a_case_that_is_gone_or_blocked_is_not_annotated(project: ProjectStore, annotations: Annotations) -> None:
    with pytest.raises(UserError) as caught:
        annotations.set_label("case-99", "fracture", "yes", author=ANN)
    assert caught.value.kind == "no-case"
    case = project.cases.get(CASE_ID)
    assert case is not None
    project.cases.replace_for_study(case.study_id, [_blocked(case)], author="test")
    with pytest.raises(UserError) as caught:
        annotations.set_label(CASE_ID, "fracture", "yes", author=ANN)
    assert caught.value.kind == "blocked"


def _blocked(case: object) -> object:
    from dataclasses import replace

    return replace(case, blocked_reason="Two patients.")  # type: ignore[type-var]


def test_going_back_to_any_state_is_a_gesture_of_its_own(annotations: Annotations) -> None:
    marks = []
    for value in ("yes", "no"):
        annotations.set_label(CASE_ID, "fracture", value, author=ANN)
        marks.append(annotations.history(CASE_ID)[-1].id)
    annotations.set_label(CASE_ID, "garden", "4", author=ANN)
    annotations.set_label(CASE_ID, "fracture", "no", author=BEN)
    before = len(annotations.history(CASE_ID))
    assert annotations.go_to(CASE_ID, marks[0], author=ANN)
    assert annotations.labels(CASE_ID, ANN) == {"fracture": "yes"}
    assert annotations.labels(CASE_ID, BEN) == {"fracture": "no"}
    assert len(annotations.history(CASE_ID)) > before
    annotations.undo(CASE_ID, author=ANN)
    assert annotations.labels(CASE_ID, ANN)["garden"] == "4"
    assert annotations.go_to(CASE_ID, 0, author=ANN)
    assert annotations.labels(CASE_ID, ANN) == {}
    assert annotations.go_to(CASE_ID, 0, author=ANN) == []


def test_an_alignment_comes_back_to_the_last_bit(path: Path) -> None:
    alignment = Alignment(center_xy=(0.1 + 0.2, 1 / 3), axis_xy=(1e-9 + 20, 2.0**0.5 * 70), side_mm=111.1)
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        change = annotations.change(reader_target(CASE_ID, ANN), f"{ALIGNMENT}{VIEW_ID}", document_of(alignment))
        annotations.record(CASE_ID, [change], author=ANN)
    with ProjectStore.open(path, is_read_only=True) as project:
        assert alignment_of(Annotations(project).values(CASE_ID, ANN)[f"{ALIGNMENT}{VIEW_ID}"]) == alignment


def test_a_read_only_project_is_not_annotated(path: Path) -> None:
    with ProjectStore.open(path, is_read_only=True) as project, pytest.raises(UserError) as caught:
        Annotations(project).set_label(CASE_ID, "fracture", "yes", author=ANN)
    assert caught.value.kind == "read-only"


def test_gestures_at_one_instant_are_told_apart(project: ProjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands still must not make two gestures one."""
    still = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(project, "events", EventLog(project.database, clock=lambda: still))
    annotations = Annotations(project)
    annotations.set_label(CASE_ID, "garden", "3", author=ANN)
    annotations.set_label(CASE_ID, "quality", "good", author=ANN)
    assert len(annotations.undo_state(CASE_ID, ANN).undoable) == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_random_edits_undone_redone_restarted_and_rebuilt(path: Path, seed: int) -> None:
    """M7: undo all, redo all, restart, rebuild `current` from the events: the same state, by its hash."""
    choose = random.Random(seed)
    with ProjectStore.open(path) as project, _without_syncs(project):
        annotations = Annotations(project)
        empty = annotations.state_hash()
        hashes, gestures = [], 0
        while gestures < 500:
            author = choose.choice([ANN, BEN])
            if gestures and choose.random() < 0.1:
                back = annotations.undo if choose.random() < 0.6 else annotations.redo
                gestures += back(CASE_ID, author=author) is not None
            elif random_gesture(annotations, choose, case_id=CASE_ID, view_id=VIEW_ID, author=author):
                gestures += 1
        for author in (ANN, BEN):  # shared values may have been changed by the other: take those out of the way
            annotations.go_to(CASE_ID, 0, author=author)
        assert annotations.state_hash() == empty
        done = 0
        while done < 500:
            done += bool(random_gesture(annotations, choose, case_id=CASE_ID, view_id=VIEW_ID, author=ANN))
        full = annotations.state_hash()
        count = len(annotations.undo_state(CASE_ID, ANN).undoable)
        assert count >= 500
        while annotations.undo(CASE_ID, author=ANN) is not None and len(hashes) < 500:
            hashes.append(annotations.state_hash() if len(hashes) % 50 == 0 else "")
            if len(hashes) == 500:
                break
        assert annotations.state_hash() == empty
        for _ in range(500):
            assert annotations.redo(CASE_ID, author=ANN) is not None
        assert annotations.state_hash() == full
        assert annotations.redo(CASE_ID, author=ANN) is None
    with ProjectStore.open(path) as project:
        assert Annotations(project).state_hash() == full
        rebuilt = replay(project.events.since()).current
        held = {(a.target, a.field): (a.value, a.event_id) for a in Annotations(project).all()}
        assert held.items() <= rebuilt.items()
        assert audit_database(project.database.connection) == []


@contextlib.contextmanager
def _without_syncs(project: ProjectStore) -> Iterator[None]:
    """This test asks what is recorded, not whether it survives a power cut: a thousand syncs would take a minute."""
    project.database.connection.execute("PRAGMA synchronous = OFF")
    yield
    project.database.connection.execute("PRAGMA synchronous = FULL")


def test_a_project_keeps_its_own_copy_of_the_label_set(project: ProjectStore, annotations: Annotations) -> None:
    assert project.events.current("project", "label-set") is None
    annotations.set_label(CASE_ID, "fracture", "yes", author=ANN)
    assert project.events.current("project", "label-set")["version"] == 1
    assert (
        current_label_set(project) == shipped_label_sets()[[s.id for s in shipped_label_sets()].index("hip-fracture")]
    )


def test_a_new_label_set_carries_labels_over_or_flags_them(
    project: ProjectStore, annotations: Annotations, tmp_path: Path
) -> None:
    annotations.set_label(CASE_ID, "garden", "3", author=ANN)
    annotations.set_label("case-1", "quality", "limited", author=BEN)
    text = resource_path("label_sets", "hip-fracture.toml").read_text(encoding="utf-8")
    text = text.replace("version = 1", "version = 2").replace('id = "garden"', 'id = "garden-type"\nwas = ["garden"]')
    text = text.replace('{ id = "limited"', '{ id = "poor"')
    (tmp_path / "new.toml").write_text(text, encoding="utf-8")
    newer = read_label_set(tmp_path / "new.toml")
    preview = preview_label_set(project, newer)
    adopted = adopt_label_set(project, newer, author=BEN)
    assert adopted == preview
    assert adopted.changed == 1
    assert annotations.labels(CASE_ID, ANN)["garden-type"] == "3"
    assert annotations.labels("case-1", BEN) == {"quality": "limited"}
    assert list(flagged_labels(project)) == [f"case:case-1@{BEN}"]
    assert adopt_label_set(project, newer, author=BEN).changed == 0
    with pytest.raises(UserError, match="Raise its version"):
        adopt_label_set(project, shipped_label_sets()[0], author=BEN)


def test_a_verdict_names_the_crop_that_was_looked_at(annotations: Annotations) -> None:
    verdict = CropVerdict(is_approved=True, key="ab")
    change = annotations.change(reader_target(CASE_ID, ANN), f"crop.{VIEW_ID}", document_of(verdict))
    annotations.record(CASE_ID, [change], author=ANN)
    assert annotations.values(CASE_ID, ANN)[f"crop.{VIEW_ID}"] == {"is_approved": True, "key": "ab"}
