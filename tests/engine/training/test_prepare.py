"""What is cut for training is what the window shows and the engine is fed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.annotation import ALIGNMENT, CROP_VERDICT, REGION, CropVerdict, document_of, reader_target
from app.core.case import Side, ViewRole
from app.core.counsel import LocatedHip, UsableModel
from app.core.errors import UserError
from app.core.geometry import Alignment
from app.core.grey_tables import display_table
from app.core.model_input import InputKind, ModelInput, standardise
from app.core.region import RegionBox, RegionMode
from app.core.split import Part
from app.core.training_plan import TrainingCase, TrainingPlan
from app.core.training_proposal import Unfit
from app.core.training_run import RunInfo
from app.core.training_task import tasks_of
from app.engine.training.batches import Batches
from app.engine.training.prepare import is_prepared, prepare
from app.store.annotations import Annotations
from app.store.consulting import Consultant
from app.store.crops import crop_key
from app.store.label_sets import default_label_set
from app.store.located import keep_hip
from app.store.project import ProjectStore
from app.store.run_folder import RunFolder
from app.store.training_cases import TrainingCases, freeze_hold_out, held_out_patients, training_cases
from tests.support.cards import make_card
from tests.support.projects import add_study

FRONTAL = (ViewRole.FRONTAL,)
TASK = tasks_of(default_label_set())[0]
KINDS = {
    "whole": ModelInput(kind=InputKind.WHOLE_VIEW, roles=FRONTAL, size_px=32),
    "aligned": ModelInput(kind=InputKind.ALIGNED_CROP, roles=FRONTAL, size_px=32),
    "region": ModelInput(
        kind=InputKind.REGION_CROP, roles=FRONTAL, size_px=32, region_mode=RegionMode.FIELD, field_mm=4.0,
        is_right_mirrored=True,
    ),
}  # fmt: skip
BOX = RegionBox(left=2, top=3, right=22, bottom=21)


@pytest.fixture
def project(tmp_path: Path) -> Any:
    with ProjectStore.create(tmp_path / "project") as made:
        for number in (1, 2, 3):
            add_study(made, number)
        yield made


def say(project: ProjectStore, field: str, value: object, *, reader: str = "Ann", case: str = "case-1") -> None:
    annotations = Annotations(project)
    change = annotations.change(reader_target(case, reader), field, None if value is None else document_of(value))
    annotations.record(case, [change], author=reader)


def freeze(tmp_path: Path, project: ProjectStore, wanted: ModelInput, found: TrainingCases) -> RunFolder:
    run = RunFolder(tmp_path / f"run-{wanted.kind}")
    ids = sorted(found.views)
    info = RunInfo(id="r", title="r", task="fracture", created="", images=str(project.folder.images))
    run.freeze_views(info, [found.views[case] for case in ids])
    plan = TrainingPlan(architecture="any", classes=("a", "b"), finding=1, input=wanted)
    run.freeze(plan, [TrainingCase(id=case, patient=case, part=Part.TRAINING, label=0) for case in ids])
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_training_sees_what_inference_sees(tmp_path: Path, project: ProjectStore, kind: str) -> None:
    wanted = KINDS[kind]
    say(project, f"{ALIGNMENT}view-1", Alignment(center_xy=(9.5, 8.0), axis_xy=(8.0, 20.0)))
    say(project, f"{REGION}view-1", BOX, reader="Ben")
    found = training_cases(project, TASK, wanted, reader="Ann")
    run = freeze(tmp_path, project, wanted, found)
    prepare(run)
    batch = Batches.of_run(run).batch(np.array([0]))
    consultant = Consultant(project.folder, project.images, project.derived, project.findings)
    model = UsableModel(folder="m", card=make_card("m", input=wanted))
    (answer,) = consultant.ask("case-1", [model], reader="Ann").consultations
    consultant.close()
    given = answer.views[0].given
    image = project.images.load(given.image_sha256)
    seen = standardise(image, display_table(given.grey, given.voi, offset=image.offset), given.cut, wanted)
    assert np.abs(batch.views[0][0] - seen).max() < 0.03  # cv2 rounds levels; a wrong cut differs by far more
    (a, b, c), (d, e, f) = given.cut.matrix
    click = (a * 9.5 + b * 8.0 + c, d * 9.5 + e * 8.0 + f)
    assert batch.clicks[0, 0] == pytest.approx(click, abs=1e-4)


def test_gaps_agree_with_those_of_inference(project: ProjectStore) -> None:
    def gaps(kind: str, **more: Any) -> dict[str, Unfit | None]:
        return {each.id: each.gap for each in training_cases(project, TASK, KINDS[kind], **more).candidates}

    assert set(gaps("whole").values()) == {None}
    assert set(gaps("aligned").values()) == {Unfit.NEEDS_CLICKS}
    assert set(gaps("region").values()) == {Unfit.NEEDS_REGION}
    assert set(gaps("region", has_localiser=True).values()) == {None}
    clicks = Alignment(center_xy=(9.5, 8.0), axis_xy=(8.0, 20.0))
    say(project, f"{ALIGNMENT}view-1", clicks)
    assert gaps("aligned")["case-1"] is None
    view = project.views.get("view-1")
    assert view is not None
    say(project, f"{CROP_VERDICT}view-1", CropVerdict(is_approved=False, key=crop_key(clicks, view)))
    assert gaps("aligned")["case-1"] is Unfit.CROP_REJECTED
    say(project, f"{ALIGNMENT}view-1", clicks, reader="Ben")  # another reader's count where this one has none
    assert gaps("aligned")["case-1"] is None


def test_labels_of_readers_and_of_the_import(project: ProjectStore) -> None:
    annotations = Annotations(project)

    def label(case: str = "case-1") -> tuple[str, bool]:
        found = training_cases(project, TASK, KINDS["whole"]).candidates
        return next((each.label, each.is_disputed) for each in found if each.id == case)

    with project.transaction():
        project.events.append(target="case:case-1", field="label.fracture", after="no", author="import")
    assert label() == ("no", False)
    annotations.set_label("case-1", "fracture", "yes", author="Ann")
    assert label() == ("yes", False)  # a person has looked
    annotations.set_label("case-1", "fracture", "no", author="Ben")
    assert label() == ("", True)
    assert label("case-2") == ("", False)


def test_the_hold_out_is_of_whole_patients_and_only_grows(project: ProjectStore) -> None:
    with project.transaction():
        project.events.append(target="case:case-2", field="label.hold-out", after="yes", author="import")
        freeze_hold_out(project, ["P000003"], author="Ann")
    assert held_out_patients(project) == {"P000002", "P000003"}
    with project.transaction():
        freeze_hold_out(project, ["P000001"], author="Ann")
    assert held_out_patients(project) == {"P000001", "P000002", "P000003"}
    before = project.events.head()
    with project.transaction():
        freeze_hold_out(project, ["P000001"], author="Ann")
    assert project.events.head() == before


def test_a_missing_region_is_located_once_and_folds_share_what_is_cut(tmp_path: Path, project: ProjectStore) -> None:
    wanted = KINDS["region"]
    found = training_cases(project, TASK, wanted, has_localiser=True)
    run = freeze(tmp_path, project, wanted, found)
    with pytest.raises(UserError) as caught:
        prepare(run)
    assert caught.value.kind == "needs-localiser"
    localiser = ModelInput(kind=InputKind.WHOLE_VIEW, roles=FRONTAL, size_px=32, channels=1)
    asked = []

    def score(image: Any) -> Any:
        asked.append(image.shape)
        logits = np.full((1, 8, 8), -9.0, np.float32)
        logits[0, 4, 4] = 5.0
        return logits

    prepare(run, localiser=lambda: (localiser, score))
    assert asked == [(1, 32, 32)] * 3
    assert is_prepared(run)
    fold = RunFolder(tmp_path / "fold")
    fold.freeze_views(run.info(), run.views())
    fold.freeze(run.plan(), run.cases())
    prepare(fold, siblings=[run])
    assert fold.levels_file.stat().st_ino == run.levels_file.stat().st_ino  # one file, not two
    # what the localiser says is what inference would be fed, too
    model = UsableModel(folder="m", card=make_card("m", input=wanted))
    helper = UsableModel(folder="l", card=make_card("l", input=localiser))
    consultant = Consultant(project.folder, project.images, project.derived, project.findings)
    (hip,) = consultant.ask("case-1", [model], localiser=helper).wanted
    cell = (18.0 / 32 * 32, (18.0 - 4) / 24 * 24)  # of the padded view, where the planted peak lies
    keep_hip(project.derived, hip.key, LocatedHip(center_xy=cell, confidence=1.0))
    (answer,) = consultant.ask("case-1", [model], localiser=helper).consultations
    consultant.close()
    image = project.images.load(answer.views[0].given.image_sha256)
    given = answer.views[0].given
    seen = standardise(image, display_table(given.grey, given.voi, offset=image.offset), given.cut, wanted)
    batch = Batches.of_run(run).batch(np.array([0]))
    assert np.abs(batch.views[0][0] - seen).max() < 0.05
    assert answer.card.input.is_right_mirrored
    case = project.cases.get("case-1")
    assert case is not None
    assert case.side is Side.LEFT
