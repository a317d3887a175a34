"""What leaves, what does not and why; parts without leaks."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from app.core.errors import UserError
from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, SplitRequest
from app.core.export_plan import LeftOut, part_counts
from app.core.split import Part
from app.core.training_plan import TrainingCase
from app.core.worklist import Filter, Query
from app.store.exchange.plan import plan_export, preview_export
from app.store.exchange.write import refuse_leaks
from app.store.project import ProjectStore
from tests.support.data_sets import ANN, BEN

CROPS = frozenset({Content.ALIGNED_CROPS, Content.LABELS})
SEED = SplitRequest(kind=SplitKind.SEED, seed=3, shares=(0.6, 0.2, 0.2))


def test_every_case_but_the_excluded_one_leaves(project: ProjectStore) -> None:
    plan = plan_export(project, ExportRequest())
    assert len(plan.cases) == 11
    assert plan.is_whole
    assert plan.left_out[LeftOut.EXCLUDED] == ("C-00004-RIGHT",)
    assert len(plan_export(project, ExportRequest(has_excluded=True)).cases) == 12


def test_pixels_that_nobody_has_looked_at_stay_but_their_labels_leave(project: ProjectStore) -> None:
    plan = plan_export(project, ExportRequest())
    assert plan.left_out[LeftOut.WAITING] == ("V-00001-LF",)
    assert "V-00001-LF" in {view.id for view in plan.views}
    assert "V-00001-LF" not in {view.id for view in plan.pictures}
    assert any("burnt-in" in note for note in plan.notes)


def test_readers_agree_or_the_case_has_no_class(project: ProjectStore) -> None:
    plan = plan_export(project, ExportRequest(contents=CROPS, formats=frozenset({ExportFormat.IMAGE_FOLDER})))
    label = {case.case.id: case.label for case in plan.cases}
    assert label["C-00000-LEFT"] == ""
    assert label["C-00000-RIGHT"] == "yes"
    assert plan.left_out[LeftOut.DISPUTED] == ("C-00000-LEFT",)
    assert plan.left_out[LeftOut.NO_LABEL] == ("C-00005-LEFT", "C-00005-RIGHT")
    assert plan.classes == ("yes", "no")
    one = plan_export(project, ExportRequest(contents=CROPS, readers=(ANN,)))
    assert one.readers == (ANN,)
    assert {case.case.id: case.label for case in one.cases}["C-00000-LEFT"] == "no"


def test_only_approved_crops_leave_unless_all_are_wanted(project: ProjectStore) -> None:
    plan = plan_export(project, ExportRequest(contents=CROPS))
    crops = [crop for case in plan.cases for crop in case.crops]
    assert {crop.reader for crop in crops} == {ANN}
    assert len(plan.left_out[LeftOut.CROP_UNAPPROVED]) == len(crops)
    every = plan_export(project, ExportRequest(contents=CROPS, has_unapproved_crops=True))
    assert {crop.reader for case in every.cases for crop in case.crops} == {ANN, BEN}
    names = [crop.name for case in every.cases for crop in case.crops]
    assert len(set(names)) == len(names) == 2 * len(crops)
    assert not any("V-00001-LF" in name for name in names)


def test_cases_are_chosen_by_filter_by_name_and_by_hand(project: ProjectStore) -> None:
    left = plan_export(project, ExportRequest(query=Query(filters=(Filter("side", ("left",)),))))
    assert {case.case.side for case in left.cases} == {"left"}
    assert not left.is_whole
    named = plan_export(project, ExportRequest(case_ids=("C-00002-LEFT",)))
    assert [case.case.id for case in named.cases] == ["C-00002-LEFT"]
    without = plan_export(project, ExportRequest(left_out=frozenset({"C-00002-LEFT"})))
    assert "C-00002-LEFT" not in {case.case.id for case in without.cases}
    assert without.left_out[LeftOut.BY_HAND] == ("C-00002-LEFT",)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (ExportRequest(case_ids=("C-none",)), "no-case"),
        (ExportRequest(query=Query(search="nothing-like-this")), "nothing-to-do"),
        (ExportRequest(query=Query(filters=(Filter("no-such", ("x",)),))), "usage"),
        (ExportRequest(label="no-such"), "usage"),
        (ExportRequest(split=SplitRequest(kind=SplitKind.RUN, run="../../etc")), "no-run"),
        (ExportRequest(split=SplitRequest(kind=SplitKind.RUN, run="run-9")), "no-run"),
        (ExportRequest(case_ids=("C-00002-LEFT",), split=SEED), "too-few-patients"),
    ],
)
def test_what_cannot_be_exported_is_said(project: ProjectStore, request_: ExportRequest, kind: str) -> None:
    with pytest.raises(UserError) as caught:
        plan_export(project, request_)
    assert caught.value.kind == kind


def test_parts_hold_whole_patients(project: ProjectStore) -> None:
    plan = plan_export(project, ExportRequest(split=SEED))
    part_of = {}
    for case in plan.cases:
        assert part_of.setdefault(case.patient.id, case.part) is case.part
    assert set(part_of.values()) == set(Part)
    assert plan.leaks == ()
    assert plan == plan_export(project, ExportRequest(split=SEED))
    assert sum(sum(counts.values()) for counts in part_counts(plan).values()) == len(plan.cases)


def test_one_class_can_be_split_too(project: ProjectStore) -> None:
    plan = plan_export(project, ExportRequest(split=SEED, label="garden"))
    assert {case.label for case in plan.cases} == {""}
    assert {case.part for case in plan.cases} == set(Part)


def test_the_parts_of_a_run_are_checked_for_leaks(labelled_path: Path, tmp_path: Path) -> None:
    path = shutil.copytree(labelled_path, tmp_path / "project")
    run = path / "runs" / "run-1"
    run.mkdir()
    cases = [
        TrainingCase(id="C-00000-LEFT", patient="P-00000", part=Part.TRAINING, label=0),
        TrainingCase(id="C-00000-RIGHT", patient="P-00000", part=Part.TEST, label=1),
        TrainingCase(id="C-00001-LEFT", patient="P-00001", part=Part.TEST, label=1),
    ]
    (run / "cases.jsonl").write_bytes(b"".join(msgspec.json.encode(case) + b"\n" for case in cases))
    split = SplitRequest(kind=SplitKind.RUN, run="run-1")
    with ProjectStore.open(path, is_read_only=True) as project:
        plan = plan_export(project, ExportRequest(split=split))
        assert {case.case.id: case.part for case in plan.cases}["C-00001-LEFT"] is Part.TEST
        assert len(plan.left_out[LeftOut.NO_PART]) == 8
        assert [(leak.what, leak.name) for leak in plan.leaks] == [("patient", "P-00000")]
        with pytest.raises(UserError, match="two parts"):
            refuse_leaks(plan)
        refuse_leaks(plan_export(project, ExportRequest(split=split, is_leak_accepted=True)))


def test_readers_can_be_numbers_and_words_stay_at_home(project: ProjectStore) -> None:
    request = ExportRequest(contents=CROPS, has_reader_names=False, has_free_text=False, has_unapproved_crops=True)
    plan = plan_export(project, request)
    assert plan.readers == ("reader-1", "reader-2")
    said = [each for case in plan.cases for each in case.annotations]
    assert {each.reader for each in said} == {"", "reader-1", "reader-2"}
    words = " ".join(f"{each.target} {each.author} {each.value}" for each in said)
    assert not any(word in words for word in (ANN, BEN, "HYPERLINK"))
    assert any(each.author == ANN for case in plan_export(project, ExportRequest()).cases for each in case.annotations)


def test_a_preview_says_in_numbers_what_a_plan_comes_to(project: ProjectStore) -> None:
    request = ExportRequest(contents=frozenset(Content) - {Content.FINDINGS, Content.HEATMAPS}, split=SEED)
    preview = preview_export(project, plan_export(project, request))
    assert (preview.patients, preview.studies, preview.cases) == (6, 6, 11)
    assert (preview.views, preview.pictures) == (22, 21)
    assert preview.readers == 2
    assert preview.files[ExportFormat.PNG] == 21 + preview.crops
    assert sum(sum(counts.values()) for counts in preview.parts.values()) == 11


def test_tables_alone_promise_no_pixels(project: ProjectStore) -> None:
    def size(*formats: ExportFormat) -> int:
        request = ExportRequest(contents=frozenset({Content.IMAGES}), formats=frozenset(formats))
        return preview_export(project, plan_export(project, request)).pixel_bytes

    assert size(ExportFormat.TABLES) == 0
    assert size(ExportFormat.TABLES, ExportFormat.PNG) == size(ExportFormat.PNG) > 0


def test_folders_of_classes_without_a_picture_say_so(project: ProjectStore) -> None:
    def notes(label: str) -> str:
        contents = frozenset({Content.IMAGES, Content.LABELS})
        request = ExportRequest(contents=contents, formats=frozenset({ExportFormat.IMAGE_FOLDER}), label=label)
        return " ".join(preview_export(project, plan_export(project, request)).notes)

    assert "there is no picture in it" in notes("atypical")
    assert "there is no picture in it" not in notes("fracture")
