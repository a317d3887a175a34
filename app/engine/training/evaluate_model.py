"""Measure a model folder on the cases of a run-like folder: a hold-out, or the part of a run."""

from __future__ import annotations

from pathlib import Path

from app.core.evaluation import Evaluation
from app.core.split import Part
from app.engine.device import Choice
from app.engine.loaded_model import LoadedModel
from app.engine.training.batches import Batches
from app.engine.training.evaluating import evaluate, evaluated_cases
from app.engine.training.finish import HIT_RADIUS
from app.engine.training.finish_run import PASS
from app.engine.training.judging import look
from app.engine.training.prepare import prepare
from app.engine.training.train_run import localiser_of
from app.store.run_folder import RunFolder


def evaluate_model(model: Path, cases: RunFolder, choice: Choice, *, part: Part = Part.TEST) -> Evaluation:
    """Measure one model.

    Args:
        model: its folder.
        cases: what it is measured on; cut first where that has not happened.
        choice: device and precision.
        part: which of the cases.

    Raises:
        UserError: the model cannot be used, or an image is missing.
    """
    prepare(cases, localiser=localiser_of(cases.info()))
    loaded = LoadedModel(model, device=choice.device, precision=choice.precision)
    card = loaded.card
    table = cases.cases()
    batches = Batches.of_run(cases)
    numbers = batches.of(part)
    judged = look(
        loaded.network,
        batches.plain(numbers, batch=PASS),
        patients=[case.patient for case in table],
        choice=choice,
        size_px=card.input.size_px,
        finding=0 if len(card.classes) == 1 else card.finding,
    )
    distances = (
        loaded.outlier.distance(judged.features).numpy()
        if loaded.outlier is not None
        else judged.logits[:, 0] * 0.0  # an old model that cannot tell
    )
    info = cases.info()
    vendors = {case.id: case.vendor for case in cases.views()} if cases.views_file.is_file() else {}
    evaluated = evaluated_cases(
        judged,
        [table[int(number)].id for number in numbers],
        card,
        distances,
        hit_radius_px=card.input.size_px * HIT_RADIUS,
        vendors=vendors,
    )
    patients = len({case.patient for case in evaluated})
    where = f" of project “{info.project}”" if info.project else ""
    return evaluate(evaluated, card, measured_on=f"{len(evaluated)} held-out cases of {patients} patients{where}")
