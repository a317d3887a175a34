"""Importing: what becomes of every file, and what a project keeps of it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.case import Certainty, Projection, Side, ViewFlag
from app.core.event import target_of
from app.core.messages import ReadFailed, ReadReply, ReadRequest
from app.core.spacing import SpacingSource
from app.store.import_report import ImportProgress, Outcome, Phase
from app.store.originals import original_path
from app.store.project import ProjectStore
from app.store.reading.pool import ReaderPool
from app.store.resolve import resolve_view
from tests.support.dicom_files import picture, write_dicom
from tests.support.imports import hung, import_paths, outcomes, state

pytestmark = pytest.mark.usefixtures("lent_readers")

PAIR = ({"ViewPosition": "AP"}, {"ViewPosition": "LL", "AcquisitionTime": "102000"})


def write_pair(folder: Path, **tags: Any) -> None:
    """A frontal and a lateral view of a left hip."""
    first = int(tags.pop("first", 1))
    for number, view in enumerate(PAIR):
        write_dicom(folder / f"{first + number}.dcm", instance=first + number, ImageLaterality="L", **(view | tags))


def test_a_pair_becomes_a_case(project: ProjectStore, tmp_path: Path) -> None:
    write_pair(tmp_path / "in")
    report = import_paths(project, tmp_path / "in")
    assert outcomes(report) == {"1.dcm": "imported", "2.dcm": "imported"}
    [entry] = report.cases
    assert entry.case.side is Side.LEFT
    assert [view.id for view in entry.views] == [entry.case.frontal_id, entry.case.lateral_id]
    assert entry.case.questions == ()
    frontal = entry.views[0]
    assert (frontal.projection.value, frontal.projection.certainty) == (Projection.FRONTAL, Certainty.EVIDENT)
    assert [piece.source for piece in frontal.side.evidence] == ["Image Laterality"]
    assert (frontal.spacing.row_mm, frontal.spacing.source) == (0.15, SpacingSource.PIXEL_SPACING)
    np.testing.assert_array_equal(project.images.load(frontal.image_sha256).pixels, picture(1))


def test_the_same_import_again_changes_nothing(project: ProjectStore, tmp_path: Path) -> None:
    write_pair(tmp_path / "in")
    import_paths(project, tmp_path / "in")
    before, events = state(project), project.events.head()
    report = import_paths(project, tmp_path / "in")
    assert set(outcomes(report).values()) == {"same-file"}
    assert len(report.cases) == 1
    assert state(project) == before
    assert project.events.head() == events


def test_one_bad_file_does_not_stop_the_others(project: ProjectStore, tmp_path: Path) -> None:
    write_pair(tmp_path / "in")
    (tmp_path / "in" / "0.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"garbage" * 50)
    (tmp_path / "in" / "letter.txt").write_text("Dear colleague")
    report = import_paths(project, tmp_path / "in")
    assert [report.count(outcome) for outcome in Outcome] == [2, 0, 2]
    for item in report.items:
        if item.outcome is Outcome.REFUSED:
            assert item.reason
            assert item.kind


def test_the_same_file_twice_in_one_import(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a.dcm")
    shutil.copy(tmp_path / "in" / "a.dcm", tmp_path / "in" / "b.dcm")
    report = import_paths(project, tmp_path / "in")
    assert outcomes(report) == {"a.dcm": "imported", "b.dcm": "same-file"}
    assert report.items[1].reason == "Byte for byte the same file as a.dcm."


# copies


def copies(folder: Path) -> None:
    """Four encodings of one image; the first in the folder is lossy; the fourth only has the same pixels."""
    pixels = picture(5)
    write_dicom(folder / "1_near.dcm", pixels, instance=11, copy_of=10, near=3)
    write_dicom(folder / "2_raw.dcm", pixels, instance=12, copy_of=10)
    write_dicom(folder / "3_jpegls.dcm", pixels, instance=13, copy_of=10, jpegls=True)
    write_dicom(folder / "4_other_study.dcm", pixels, instance=14, study=2)


def test_encodings_of_one_image_are_one_view_and_lossless_goes_first(project: ProjectStore, tmp_path: Path) -> None:
    copies(tmp_path / "in")
    report = import_paths(project, tmp_path / "in")
    assert outcomes(report) == {
        "1_near.dcm": "lossy-copy",
        "2_raw.dcm": "imported",
        "3_jpegls.dcm": "bit-identical",
        "4_other_study.dcm": "bit-identical",
    }
    [view] = project.views.all()
    assert {item.view_id for item in report.items} == {view.id}
    assert ViewFlag.LOSSY not in view.flags
    assert "differs by at most 3 grey levels" in report.items[0].reason
    np.testing.assert_array_equal(project.images.load(view.image_sha256).pixels, picture(5))


def test_the_predecessor_itself_is_one_of_the_copies(project: ProjectStore, tmp_path: Path) -> None:
    pixels = picture(5)
    write_dicom(tmp_path / "a" / "near.dcm", pixels, instance=11, copy_of=10, near=3)
    write_dicom(tmp_path / "a" / "original.dcm", pixels, instance=10)
    assert outcomes(import_paths(project, tmp_path / "a")) == {"near.dcm": "lossy-copy", "original.dcm": "imported"}


def test_a_lossy_copy_that_is_held_already_stays_and_that_is_said(project: ProjectStore, tmp_path: Path) -> None:
    pixels = picture(5)
    write_dicom(tmp_path / "a" / "near.dcm", pixels, instance=11, copy_of=10, near=3)
    write_dicom(tmp_path / "b" / "raw.dcm", pixels, instance=12, copy_of=10)
    import_paths(project, tmp_path / "a")
    report = import_paths(project, tmp_path / "b")
    assert outcomes(report) == {"raw.dcm": "lossless-of-held-lossy"}
    [view] = project.views.all()
    assert ViewFlag.LOSSY in view.flags
    assert report.items[0].reason == (
        f"The project holds a lossy copy of this image ({view.id}); this one is lossless and it differs by at most 3 "
        "grey levels."
    )
    assert "new project" in report.items[0].remedy


def test_another_image_under_the_same_identifier_is_refused(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "a" / "a.dcm", picture(1), instance=1)
    write_dicom(tmp_path / "b" / "b.dcm", picture(2), instance=1)
    import_paths(project, tmp_path / "a")
    report = import_paths(project, tmp_path / "b")
    assert outcomes(report) == {"b.dcm": "conflicting-object"}
    assert len(project.views.all()) == 1


def test_a_lost_image_is_mended_by_importing_again(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a.dcm")
    import_paths(project, tmp_path / "in")
    [address] = project.images.addresses()
    project.images.path(address).unlink()
    report = import_paths(project, tmp_path / "in")
    assert outcomes(report) == {"a.dcm": "bit-identical"}
    np.testing.assert_array_equal(project.images.load(address).pixels, picture(1))


# patients


def test_a_pelvis_serves_two_hips(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "p.dcm", ViewPosition="AP", BodyPartExamined="PELVIS")
    write_dicom(tmp_path / "in" / "l.dcm", instance=2, ImageLaterality="R", ViewPosition="LL")
    import_paths(project, tmp_path / "in")
    assert hung(project.cases.all()) == {("left", True, False, False), ("right", True, True, False)}


def test_two_patients_are_never_one_case(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a.dcm", instance=1, study=1, patient="A", ImageLaterality="L", ViewPosition="AP")
    write_dicom(tmp_path / "in" / "b.dcm", instance=2, study=2, patient="B", ImageLaterality="L", ViewPosition="LL")
    import_paths(project, tmp_path / "in")
    assert hung(project.cases.all()) == {("left", True, False, False), ("left", False, True, False)}
    assert len(project.patients.all()) == 2


def test_the_worklist_has_the_order_of_the_files(project: ProjectStore, tmp_path: Path) -> None:
    """Not that of the studies' identifiers, which are pseudonyms and tell nobody anything."""
    for number in range(1, 9):
        name = tmp_path / "in" / f"{number}.dcm"
        write_dicom(
            name, instance=number, study=9 - number, patient=f"P{number}", ImageLaterality="L", ViewPosition="AP"
        )
    import_paths(project, tmp_path / "in")
    for number, case in enumerate(project.cases.all(), start=1):
        view = project.views.get(case.frontal_id or "")
        assert view is not None
        np.testing.assert_array_equal(project.images.load(view.image_sha256).pixels, picture(number))


def test_without_patient_id_studies_are_not_joined(project: ProjectStore, tmp_path: Path) -> None:
    for number in (1, 2):
        write_dicom(tmp_path / "in" / f"{number}.dcm", instance=number, study=number, PatientID=None, PatientName="Doe")
    import_paths(project, tmp_path / "in")
    assert len(project.patients.all()) == 2


MISMATCHES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("patient id", {"PatientID": "A"}, {"PatientID": "B"}, "different Patient IDs"),
    ("issuer", {"IssuerOfPatientID": "H1"}, {"IssuerOfPatientID": "H2"}, "different issuers of the Patient ID"),
    ("issuer missing", {"IssuerOfPatientID": "H1"}, {}, "different issuers of the Patient ID"),
    ("patient id missing", {}, {"PatientID": ""}, "a Patient ID on some images and none on others"),
    ("name", {"PatientName": "Doe^Ann"}, {"PatientName": "Roe^Ann"}, "differ in the patient's name"),
    ("given name", {"PatientName": "Doe^Ann"}, {"PatientName": "Doe^Bea"}, "differ in the patient's name"),
    ("birth date", {"PatientBirthDate": "19500101"}, {"PatientBirthDate": "19500102"}, "birth date"),
    ("sex", {"PatientSex": "F"}, {"PatientSex": "M"}, "differ in the patient's sex"),
    ("sex other", {"PatientSex": "F"}, {"PatientSex": "O"}, "differ in the patient's sex"),
    ("name and sex", {"PatientName": "A", "PatientSex": "F"}, {"PatientName": "B", "PatientSex": "M"}, "name and sex"),
    ("everything but the id", {"PatientName": "A", "PatientSex": "F", "PatientBirthDate": "19500101"},
     {"PatientName": "B", "PatientSex": "M", "PatientBirthDate": "19600101"}, "name, birth date and sex"),
    ("id and name", {"PatientID": "A", "PatientName": "A"}, {"PatientID": "B", "PatientName": "B"},
     "different Patient IDs"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "reason"), [row[1:] for row in MISMATCHES],
                         ids=[row[0] for row in MISMATCHES])  # fmt: skip
def test_twelve_kinds_of_mixed_up_patients_block(
    project: ProjectStore, tmp_path: Path, first: dict[str, Any], second: dict[str, Any], reason: str
) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, ImageLaterality="L", ViewPosition="AP", **first)
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, ImageLaterality="L", ViewPosition="LL", **second)
    import_paths(project, tmp_path / "in")
    cases = project.cases.all()
    assert cases
    for case in cases:
        assert reason in case.blocked_reason
        assert case.frontal_id is None
        assert case.lateral_id is None
    assert all(study.blocked_reason for study in project.studies.all())
    text = repr(state(project))
    assert "Doe" not in text
    assert "19500101" not in text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"PatientName": "Doe^Ann"}, {"PatientName": "DOE^ANN"}),
        ({"PatientName": "Doe^Ann"}, {"PatientName": "Doe^Ann^Maria^Dr"}),
        ({"PatientName": "Doe^Ann"}, {"PatientName": None}),
        ({"PatientBirthDate": "19500101"}, {"PatientBirthDate": ""}),
        ({"PatientSex": "F"}, {"PatientSex": None}),
        ({"PatientID": "PID-1"}, {"PatientID": "PID-1 "}),
    ],
)
def test_what_is_missing_or_spelled_otherwise_is_no_mismatch(
    project: ProjectStore, tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, ImageLaterality="L", ViewPosition="AP", **first)
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, ImageLaterality="L", ViewPosition="LL", **second)
    import_paths(project, tmp_path / "in")
    assert hung(project.cases.all()) == {("left", True, True, False)}


def test_a_mismatch_with_an_earlier_import_blocks_too(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "a" / "1.dcm", instance=1, ImageLaterality="L", ViewPosition="AP")
    write_dicom(
        tmp_path / "b" / "2.dcm", instance=2, ImageLaterality="L", ViewPosition="LL", PatientBirthDate="19610203"
    )
    import_paths(project, tmp_path / "a")
    import_paths(project, tmp_path / "b")
    [case] = project.cases.all()
    assert case.blocked_reason == "Images of one study differ in the patient's birth date."


def test_a_later_study_under_another_birth_date_is_blocked_the_earlier_is_not(
    project: ProjectStore, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, study=1, ImageLaterality="L")
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, study=2, ImageLaterality="L", PatientBirthDate="19610203")
    import_paths(project, tmp_path / "in")
    reasons = sorted(study.blocked_reason for study in project.studies.all())
    assert reasons == ["", "Studies with the same Patient ID differ in the patient's birth date."]


def test_another_name_in_a_later_study_is_noted(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, study=1)
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, study=2, PatientName="Married^Ann")
    report = import_paths(project, tmp_path / "in")
    assert "An earlier study of this patient carries another name." in report.items[1].notices
    assert not any(study.blocked_reason for study in project.studies.all())


def test_the_same_picture_under_two_patients_blocks_both(project: ProjectStore, tmp_path: Path) -> None:
    for number, patient in ((1, "A"), (2, "B")):
        write_dicom(tmp_path / "in" / f"{number}.dcm", picture(9), instance=number, study=number, patient=patient)
    report = import_paths(project, tmp_path / "in")
    assert report.count(Outcome.IMPORTED) == 2
    reasons = [study.blocked_reason for study in project.studies.all()]
    assert all(reason.startswith("The same picture is held under another patient") for reason in reasons)


def test_a_copy_that_names_another_patient_blocks(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", picture(1), instance=1, patient="A", ImageLaterality="L")
    write_dicom(tmp_path / "in" / "2.dcm", picture(1), instance=1, patient="B", ImageLaterality="L")
    report = import_paths(project, tmp_path / "in")
    assert outcomes(report) == {"1.dcm": "imported", "2.dcm": "bit-identical"}
    assert "names another patient" in report.items[1].reason
    [case] = project.cases.all()
    assert case.blocked_reason.endswith("names another patient.")
    assert case.frontal_id is None


# what else is known of an image


def test_frames_of_a_run_are_views_of_their_own(project: ProjectStore, tmp_path: Path) -> None:
    run = np.stack([picture(seed) for seed in (1, 2, 3)])
    write_dicom(tmp_path / "run.dcm", run.reshape(-1, run.shape[2]), Rows=run.shape[1], NumberOfFrames=3,
                SOPClassUID="1.2.840.10008.5.1.4.1.1.12.2", Modality="RF")  # fmt: skip
    refusal = import_paths(project, tmp_path / "run.dcm").items[0]
    assert refusal.outcome is Outcome.REFUSED
    for frame in (0, 2, 2):
        report = import_paths(project, tmp_path / "run.dcm", frame=frame)
    assert outcomes(report) == {"run.dcm": "same-file"}
    assert len(project.views.all()) == 2
    stored = {project.images.load(view.image_sha256).pixels.tobytes() for view in project.views.all()}
    assert stored == {picture(1).tobytes(), picture(3).tobytes()}


def test_twins_for_processing_and_presentation(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, ImageLaterality="L", ViewPosition="AP",
                PresentationIntentType="FOR PROCESSING")  # fmt: skip
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, ImageLaterality="L", ViewPosition="AP",
                PresentationIntentType="FOR PRESENTATION")  # fmt: skip
    report = import_paths(project, tmp_path / "in")
    [case] = project.cases.all()
    assert case.frontal_id == report.items[1].view_id
    assert case.questions == ()


def test_of_repeats_the_latest_that_was_not_rejected_is_proposed_and_asked(
    project: ProjectStore, tmp_path: Path
) -> None:
    for number, (clock, image_type) in enumerate(
        (("101500", "PRIMARY"), ("101600", "PRIMARY"), ("101700", "REJECTED")), start=1
    ):
        write_dicom(tmp_path / "in" / f"{number}.dcm", instance=number, ImageLaterality="L", ViewPosition="AP",
                    AcquisitionTime=clock, ImageType=["DERIVED", image_type])  # fmt: skip
    report = import_paths(project, tmp_path / "in")
    [case] = project.cases.all()
    assert case.frontal_id == report.items[1].view_id
    assert len(case.questions) == 1


def test_intervals_between_studies_of_a_patient_stay(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, study=1, StudyDate="20200310")
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, study=2, StudyDate="20200320")
    import_paths(project, tmp_path / "in")
    from datetime import date

    first, second = sorted(date.fromisoformat(study.date) for study in project.studies.all())
    assert (second - first).days == 10
    assert first != date(2020, 3, 10)


def test_an_original_is_kept_only_when_asked(project: ProjectStore, tmp_path: Path) -> None:
    source = write_dicom(tmp_path / "in" / "1.dcm", instance=1)
    import_paths(project, source)
    assert not original_path(project.folder, "x").parent.exists()
    other = write_dicom(tmp_path / "in" / "2.dcm", instance=2)
    import_paths(project, other, is_keeping_originals=True)
    [kept] = original_path(project.folder, "x").parent.iterdir()
    assert kept.read_bytes() == other.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


# progress and cancelling


def test_a_file_is_acknowledged_after_its_commit_only(project: ProjectStore, tmp_path: Path) -> None:
    for number in range(1, 6):
        write_dicom(tmp_path / "in" / f"{number}.dcm", instance=number)
    seen: list[ImportProgress] = []

    def note(progress: ImportProgress) -> None:
        seen.append(progress)
        assert not project.database.connection.in_transaction
        for item in progress.items:
            assert item.view_id is not None
            assert project.views.get(item.view_id) is not None

    import_paths(project, tmp_path / "in", on_progress=note)
    images = [progress for progress in seen if progress.phase is Phase.IMAGES]
    assert sum(len(progress.items) for progress in images) == 5
    assert images[-1].done == images[-1].total == 5


def test_cancelling_keeps_what_is_done_and_the_rest_follows(project: ProjectStore, tmp_path: Path) -> None:
    for number in range(1, 41):
        write_dicom(tmp_path / "in" / f"{number:02d}.dcm", instance=number, study=number)
    acknowledged: list[str] = []

    def note(progress: ImportProgress) -> None:
        acknowledged.extend(item.view_id or "" for item in progress.items)

    report = import_paths(project, tmp_path / "in", on_progress=note, is_cancelled=lambda: bool(acknowledged))
    assert report.is_cancelled
    assert 0 < len(acknowledged) < 40
    assert {view.id for view in project.views.all()} == set(acknowledged)
    report = import_paths(project, tmp_path / "in")
    assert not report.is_cancelled
    assert len(project.views.all()) == 40


def test_cancelling_does_not_wait_for_a_slow_file(
    project: ProjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that would take for ever is ended; nothing of it is imported and nothing is called refused."""

    class StuckPool(ReaderPool):
        def _run(self, request: ReadRequest) -> ReadReply:
            if not request.is_header_only:
                assert is_stuck.wait(60)
                return ReadFailed(job=request.job, title="The reader was ended.")
            return super()._run(request)

        def close(self) -> None:
            is_stuck.set()
            super().close()

    is_stuck = threading.Event()
    monkeypatch.setattr("app.store.importer.ReaderPool", StuckPool)
    write_dicom(tmp_path / "1.dcm")
    headers: list[ImportProgress] = []
    report = import_paths(project, tmp_path / "1.dcm", on_progress=headers.append, is_cancelled=lambda: bool(headers))
    assert report.is_cancelled
    assert report.items == ()
    assert project.views.all() == []


# decisions


def test_resolving_recomposes_and_records_who_and_from_what(project: ProjectStore, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "1.dcm", instance=1, ViewPosition="AP", ImageLaterality="L", Laterality="R")
    write_dicom(tmp_path / "in" / "2.dcm", instance=2, ViewPosition="LL", ImageLaterality="L")
    report = import_paths(project, tmp_path / "in")
    contradictory = report.items[0].view_id or ""
    assert hung(project.cases.all()) == {(None, True, False, False), ("left", False, True, False)}
    cases = resolve_view(project, contradictory, side=Side.LEFT, author="reader")
    assert hung(cases) == {("left", True, True, False)}
    [event] = [e for e in project.events.of(target_of("view", contradictory)) if e.field == "side"]
    assert event.author == "reader"
    assert [piece["source"] for piece in event.after["evidence"]] == ["Image Laterality", "Laterality"]
    again = resolve_view(project, contradictory, side=Side.RIGHT, author="reader")
    assert hung(again) == {("right", True, False, False), ("left", False, True, False)}
