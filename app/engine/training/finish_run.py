"""From a run folder to a model folder: the kept weights look at all three parts, then `finish` decides and measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from app.core.errors import UserError
from app.core.evaluation import Evaluation
from app.core.model_card import ModelCard
from app.core.split import Part
from app.core.training_plan import TrainingCase, TrainingPlan
from app.engine.device import Choice
from app.engine.models.hip_model import HipModel
from app.engine.models.registry import architectures
from app.engine.outlier import OutlierModel
from app.engine.training.batches import Batches
from app.engine.training.evaluating import evaluate, evaluated_cases
from app.engine.training.finish import HIT_RADIUS, About, finish
from app.engine.training.judging import Judged, look, random_similarity, stored_precision
from app.store.run_folder import RunFolder
from app.store.run_folder import replace as write

AUDITED = 32  # positives whose heatmaps are compared with those of random weights
PASS = 16  # cases in one pass


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """What a run's best weights say about its cases.

    Args:
        plan: of the run.
        cases: its table.
        weights: as they are stored.
        parts: opinions about each part that has cases, in the order of the table.
        similarity: see `random_similarity`; None where nobody has clicked on a fracture.
    """

    plan: TrainingPlan
    cases: list[TrainingCase]
    weights: dict[str, Tensor]
    parts: dict[Part, Judged]
    similarity: float | None

    def ids(self, part: Part) -> list[str]:
        """The cases of one part, in the order of its opinions."""
        return [case.id for case in self.cases if case.part is part]


def finish_run(run: RunFolder, folder: Path, about: About, choice: Choice) -> ModelCard:
    """Make a model of a run's best weights, and write the run's evaluation.

    Args:
        run: with best weights and a filled cache.
        folder: of the model.
        about: what the card says.
        choice: device and precision to look with.

    Raises:
        UserError: `no-best`: there are no weights yet.
    """
    judged = judge_run(run, choice)
    training, test = judged.parts.get(Part.TRAINING), judged.parts.get(Part.TEST)
    if training is None:
        raise ValueError("a run without training cases")
    validation = judged.parts.get(Part.VALIDATION)
    if validation is None:  # paper 004: the fold that is reported must not choose anything either
        about = replace(about, has_chosen=False, chosen_on="no validation cases")
    card = finish(
        folder, judged.weights, judged.plan, about, training_features=training.features,
        validation=validation or training, test=test, similarity=judged.similarity,
    )  # fmt: skip
    part = Part.TEST if test is not None else Part.VALIDATION if validation is not None else Part.TRAINING
    words = card.figures[0].measured_on if card.figures else about.measured_on
    vendors = {case.id: case.vendor for case in run.views()} if run.views_file.is_file() else {}
    evaluation = evaluation_of(judged, part, card, training.features, about, vendors, words)
    write(run.evaluation_file, msgspec.json.encode(evaluation))
    return card


def evaluation_of(
    judged: JudgedRun,
    part: Part,
    card: ModelCard,
    training_features: Tensor,
    about: About,
    vendors: dict[str, str],
    words: str,
) -> Evaluation:
    """The evaluation of one part of a run."""
    opinions = judged.parts[part]
    distances = OutlierModel.fit(training_features).distance(opinions.features).numpy()
    radius = about.hit_radius_px or judged.plan.input.size_px * HIT_RADIUS
    cases = evaluated_cases(opinions, judged.ids(part), card, distances, hit_radius_px=radius, vendors=vendors)
    return evaluate(cases, card, measured_on=words)


def judge_run(run: RunFolder, choice: Choice) -> JudgedRun:
    """Let a run's best weights look at all of its cases.

    Raises:
        UserError: `no-best`.
    """
    plan, cases = run.plan(), run.cases()
    batches = Batches.of_run(run)
    model, weights = best_model(run, choice)
    patients = [case.patient for case in cases]
    logit = 0 if len(plan.classes) == 1 else plan.finding
    parts: dict[Part, Judged] = {}
    for part in Part:
        numbers = batches.of(part)
        if len(numbers):
            parts[part] = look(
                model,
                batches.plain(numbers, batch=PASS),
                patients=patients,
                choice=choice,
                size_px=plan.input.size_px,
                finding=logit,
            )
    shown = _audited(cases, batches, plan, Part.TEST if Part.TEST in parts else Part.VALIDATION)
    similarity = None
    if len(shown):
        similarity = random_similarity(
            model, batches.plain(shown, batch=PASS), choice=choice, finding=logit, seed=plan.seed
        )
    return JudgedRun(plan=plan, cases=cases, weights=weights, parts=parts, similarity=similarity)


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


def _audited(
    cases: Iterable[TrainingCase], batches: Batches, plan: TrainingPlan, part: Part
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Positives of a part; none where nobody has clicked on any of them."""
    wanted = 1 if len(plan.classes) == 1 else plan.finding
    shown = [number for number, case in enumerate(cases) if case.part is part and case.label == wanted][:AUDITED]
    has_clicks = bool(shown) and not np.isnan(batches.clicks[shown]).all()
    return np.array(shown if has_clicks else [], np.int64)
