"""The frozen hold-out of a project as a folder that any model of one kind of input can be measured on.

It looks like a run all of whose cases are tested, lies in the project's cache, and is named by everything that it
depends on: labels, clicks, boxes, images. Two models that are fed the same are measured on the same pixels.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.core.model_input import InputKind
from app.core.split import Part
from app.core.training_plan import TrainingCase, TrainingPlan
from app.core.training_run import RunInfo
from app.core.training_task import TrainingTask, tasks_of
from app.store.label_sets import current_label_set
from app.store.models import Models
from app.store.project import ProjectStore
from app.store.run_folder import RunFolder
from app.store.training_cases import training_cases
from app.store.training_setup import HIP

FOLDER = "hold-out"


def task_of(project: ProjectStore, card: ModelCard) -> TrainingTask:
    """The question that a model answers, in the words of a project's label set.

    Raises:
        UserError: `no-task`: the label set does not ask it.
    """
    field = card.task_id.partition(".")[0]
    found = next((task for task in tasks_of(current_label_set(project)) if task.field == field), None)
    if found is None or len(card.classes) > 2:
        raise UserError(
            "This model cannot be measured in this project.",
            reason=f"It answers “{field}”, which the label set does not ask with two answers.",
            remedy="Choose another model.",
            kind="no-task",
        )
    return found


def hold_out(project: ProjectStore, card: ModelCard, *, reader: str = "", bundled: Path | None = None) -> RunFolder:
    """The labelled held-out cases that a model can be fed, ready to be cut.

    Args:
        project: read-only is enough.
        card: of the model.
        reader: whose clicks and boxes come first.
        bundled: folder of the bundled models; Coxa's own when left out.

    Raises:
        UserError: `no-task`, or `no-hold-out`: nobody is held out, or nothing of it is labelled.
    """
    task = task_of(project, card)
    localiser = Models(project, bundled=bundled).active(HIP) if card.input.kind is InputKind.REGION_CROP else None
    found = training_cases(project, task, card.input, reader=reader, has_localiser=localiser is not None)
    rows = [
        (each, number)
        for each in found.candidates
        if each.is_held_out and each.gap is None and not each.is_disputed
        if (number := task.class_of(each.label)) is not None
    ]
    if not rows:
        raise UserError(
            "There are no held-out cases to measure on.",
            reason="Patients are held out with the first training, and only labelled cases count.",
            remedy="Begin a training with the protocol “hold-out”, or annotate held-out cases.",
            kind="no-hold-out",
        )
    rows.sort(key=lambda row: row[0].id)
    is_single = len(card.classes) == 1
    cases = [
        TrainingCase(
            id=each.id,
            patient=each.patient,
            part=Part.TEST,
            label=number if is_single else card.finding if number == task.finding else 1 - card.finding,
        )
        for each, number in rows
    ]
    views = [found.views[case.id] for case in cases]
    plan = TrainingPlan(
        architecture=card.architecture, classes=card.classes, finding=card.finding, input=card.input, preset="hold-out"
    )
    key = hashlib.sha256(msgspec.json.encode([plan.input, plan.classes, cases, views])).hexdigest()[:32]
    folder = RunFolder(project.folder.cache / FOLDER / key)
    if not folder.plan_file.is_file():
        info = RunInfo(
            id=key,
            title="Hold-out",
            task=task.field,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            project=project.name,
            images=str(project.folder.images),
            localiser=str(localiser.folder) if localiser is not None else "",
        )
        draft = RunFolder(folder.path.with_name(f".{key}.{os.getpid()}"))
        shutil.rmtree(draft.path, ignore_errors=True)
        draft.freeze_views(info, views)
        draft.freeze(plan, cases)
        shutil.rmtree(folder.path, ignore_errors=True)
        draft.path.replace(folder.path)
    return folder
