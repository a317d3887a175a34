"""From a run folder to a model folder: the kept weights look at all three parts, then `finish` decides and measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.core.split import Part
from app.engine.device import Choice
from app.engine.models.hip_model import HipModel
from app.engine.models.registry import architectures
from app.engine.training.batches import Batches
from app.engine.training.finish import About, finish
from app.engine.training.judging import Judged, look, random_similarity, stored_precision
from app.store.run_folder import RunFolder

AUDITED = 32  # positives whose heatmaps are compared with those of random weights
PASS = 16  # cases in one pass


def finish_run(run: RunFolder, folder: Path, about: About, choice: Choice) -> ModelCard:
    """Make a model of a run's best weights.

    Args:
        run: with best weights and a filled cache.
        folder: of the model.
        about: what the card says.
        choice: device and precision to look with.

    Raises:
        UserError: `no-best`: there are no weights yet.
    """
    plan = run.plan()
    cases = run.cases()
    batches = Batches.of_run(run)
    model, weights = best_model(run, choice)
    patients = [case.patient for case in cases]
    size = plan.input.size_px
    logit = 0 if len(plan.classes) == 1 else plan.finding

    def judged(part: Part, *, with_heatmaps: bool) -> Judged | None:
        numbers = batches.of(part)
        if not len(numbers):
            return None
        return look(
            model,
            batches.plain(numbers, batch=PASS),
            patients=patients,
            choice=choice,
            size_px=size,
            finding=logit if with_heatmaps else None,
        )

    training = judged(Part.TRAINING, with_heatmaps=False)
    test = judged(Part.TEST, with_heatmaps=True)
    # without validation cases (paper 004) the reported fold chooses too, as the paper has it; the card says so
    validation = judged(Part.VALIDATION, with_heatmaps=True) or test or judged(Part.TRAINING, with_heatmaps=True)
    if training is None or validation is None:
        raise ValueError("a run without training cases")
    place = {case.id: number for number, case in enumerate(cases)}
    wanted = 1 if len(plan.classes) == 1 else plan.finding
    shown = [
        place[case.id] for case in cases
        if case.label == wanted and case.part is (Part.TEST if test is not None else Part.VALIDATION)
    ][:AUDITED]  # fmt: skip
    similarity = None
    if shown and not np.isnan(batches.clicks[shown]).all():
        numbers = np.array(shown, np.int64)
        similarity = random_similarity(
            model, batches.plain(numbers, batch=PASS), choice=choice, finding=logit, seed=plan.seed
        )
    return finish(
        folder, weights, plan, about, training_features=training.features, validation=validation, test=test,
        similarity=similarity,
    )  # fmt: skip


def best_model(run: RunFolder, choice: Choice) -> tuple[HipModel, dict[str, Tensor]]:
    """The network with a run's best weights as they will be stored, and those weights.

    Raises:
        UserError: `no-best`.
    """
    try:
        weights = stored_precision(load_file(run.best_file))
    except OSError as error:
        raise UserError(
            "This run has no weights yet.",
            reason="It was not trained to the end of its first epoch.",
            remedy="Let it go on, then try again.",
            kind="no-best",
        ) from error
    model = architectures()[run.plan().architecture].build()
    model.load_state_dict({name: part.float() if part.is_floating_point() else part for name, part in weights.items()})
    return model.to(choice.device).eval(), weights
