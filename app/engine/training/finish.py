"""From trained weights to a model that can be used: a folder with weights and a card.

Everything that is chosen (temperature, threshold, abstention, outlier limit, heatmap scale) is chosen on validation
cases; everything that is printed is measured on test cases, where there are any.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.torch import save_file
from torch import Tensor

from app.core.model_card import Abstention, Calibration, Figure, HeatmapAudit, ModelCard
from app.core.training_plan import TrainingPlan
from app.engine.outlier import OutlierModel
from app.engine.statistics.calibration import fit_temperature
from app.engine.statistics.interval import clopper_pearson
from app.engine.training import deciding, measuring
from app.engine.training.deciding import Floats, ThresholdRule
from app.engine.training.judging import Judged, stored_precision
from app.store.model_folder import WEIGHTS, weights_sha256, write_card

FEWEST_TO_CALIBRATE = 10
SPREAD_PARTS = 5  # that training cases are cut into where no others tell how far an own case may lie
HIT_RADIUS = 1 / 6  # of the input's side, where the caller says nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a card says that cannot be computed.

    Args:
        id: name of the model's folder.
        title: name for people.
        task: what it decides, in one sentence.
        trained_on: which cases, in words.
        chosen_on: the validation cases, in words.
        measured_on: the test cases, in words.
        initialised_from: `random`, or which weights it started from.
        seeds: random seeds, in words.
        command: the command that makes it again.
        limits: what it does not know.
        licence: of the weights.
        decides: id of the question in the label set that it answers.
        intended_use: what it is for.
        rule: how the threshold is chosen.
        has_chosen: whether there are validation cases; without, nothing is chosen: 50 %, no temperature, an answer to
            everything. The training cases are given in their place.
        hit_radius_px: of the fracture region around a click, in input px; 0 = a sixth of the input's side.
    """

    id: str
    title: str
    task: str
    trained_on: str
    chosen_on: str
    measured_on: str
    initialised_from: str
    seeds: str
    command: str
    limits: str
    licence: str
    decides: str = ""
    intended_use: str = "Research on synthetic radiographs. Not for diagnosis."
    rule: ThresholdRule = ThresholdRule.YOUDEN
    hit_radius_px: float = 0.0
    has_chosen: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is chosen on validation cases.

    Args:
        calibration: temperature, and the error with and without it.
        threshold: calibrated probability, 0 … 1.
        limit: see `Abstention.limit`.
        outlier: description of the training cases.
        farthest: see `ModelCard.outlier_limit`.
        scale: see `ModelCard.heatmap_scale`.
    """

    calibration: Calibration
    threshold: float
    limit: float
    outlier: OutlierModel
    farthest: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is measured on test cases.

    Args:
        figures: with their intervals.
        abstention: limit, and the risk–coverage curve.
        audit: of the heatmaps; None where nothing is known about them.
    """

    figures: tuple[Figure, ...]
    abstention: Abstention
    audit: HeatmapAudit | None


def finish(
    folder: Path,
    weights: dict[str, Tensor],
    plan: TrainingPlan,
    about: About,
    *,
    training_features: Tensor,
    validation: Judged,
    test: Judged | None = None,
    similarity: float | None = None,
) -> ModelCard:
    """Make the folder of a model, whole or not at all; one that is there already is replaced.

    The opinions must come from the weights as they are stored (`stored_precision`), so that the figures are about
    them.

    Args:
        folder: of the model; its name is `about.id`.
        weights: the best ones, in any precision.
        plan: of the run; architecture, classes, finding and input are read.
        about: the rest of the card.
        training_features: (cases, D), which own cases are described by; at least two.
        validation: opinions about the validation cases.
        test: opinions about the test cases; None or empty: validation cases are measured instead, and the card says
            so.
        similarity: of heatmaps to those of random weights (`random_similarity`); None: no audit.

    Returns:
        The card that was written.
    """
    chosen = choose(plan, validation, training_features, about)
    has_test = test is not None and len(test) > 0
    words = about.measured_on if has_test else f"{about.chosen_on}, which also chose the model: too good"
    measured = measure(plan, test if test is not None and has_test else validation, chosen, about, similarity, words)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        save_file(stored_precision(weights) | chosen.outlier.tensors(), draft / WEIGHTS)
        card = ModelCard(
            id=about.id,
            title=about.title,
            architecture=plan.architecture,
            task=about.task,
            classes=plan.classes,
            finding=plan.finding,
            input=plan.input,
            weights_sha256=weights_sha256(draft / WEIGHTS),
            initialised_from=about.initialised_from,
            trained_on=about.trained_on,
            seeds=about.seeds,
            command=about.command,
            threshold=chosen.threshold,
            threshold_rule=f"{about.rule.words}, on {about.chosen_on}" if about.has_chosen else "50 %, not chosen",
            abstention=measured.abstention,
            calibration=chosen.calibration,
            heatmap_scale=chosen.scale,
            outlier_limit=chosen.farthest,
            figures=measured.figures,
            heatmap_audit=measured.audit,
            intended_use=about.intended_use,
            limits=about.limits,
            licence=about.licence,
            decides=about.decides,
        )
        write_card(draft, card)
        _swap(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return card


def choose(plan: TrainingPlan, validation: Judged, training_features: Tensor, about: About) -> Chosen:
    """Choose temperature, threshold, abstention, outlier limit and heatmap scale; arguments as of `finish`."""
    outputs = validation.logits.shape[1]
    truth = deciding.is_finding(validation.labels, plan.finding, outputs)
    calibration = _calibrated(plan, validation, about.chosen_on) if about.has_chosen else Calibration()
    logit = deciding.finding_logit(validation.logits, plan.finding, calibration.temperature)
    rule = about.rule if about.has_chosen else ThresholdRule.EVEN
    threshold = _within(_chance(deciding.choose_threshold(truth, logit, rule)))
    at = _logit(threshold)
    limit = deciding.abstention_limit(deciding.risk_coverage(truth, logit, at)) if about.has_chosen else 0.0
    outlier = OutlierModel.fit(training_features)
    distances = outlier.distance(validation.features).numpy() if about.has_chosen else _unseen_distances(validation)
    is_found = deciding.decided(logit, at)[truth]
    return Chosen(
        calibration=calibration,
        threshold=threshold,
        limit=round(limit, 6),
        outlier=outlier,
        farthest=round(deciding.outlier_limit(distances), 6),
        scale=round(deciding.heatmap_scale(validation.heights[truth], is_found), 6),
    )


def measure(
    plan: TrainingPlan, judged: Judged, chosen: Chosen, about: About, similarity: float | None, words: str
) -> Measured:
    """Measure what was chosen.

    Args:
        plan: of the run.
        judged: opinions about the test cases.
        chosen: on other cases.
        about: radius of the fracture region, and which cases chose.
        similarity: see `finish`.
        words: which cases are measured.
    """
    truth = deciding.is_finding(judged.labels, plan.finding, judged.logits.shape[1])
    logit = deciding.finding_logit(judged.logits, plan.finding, chosen.calibration.temperature)
    at = _logit(chosen.threshold)
    curve = deciding.risk_coverage(truth, logit, at)
    answered = curve.distance >= chosen.limit
    rows = list(measuring.figures_of(truth, logit, threshold=at, patients=judged.patients, measured_on=words))
    rows += measuring.withheld(
        logit, chosen.outlier.distance(judged.features).numpy(), threshold=at, limit=chosen.limit,
        farthest=chosen.farthest, truth=truth, measured_on=words,
    )  # fmt: skip
    audit = None
    if similarity is not None:
        radius = about.hit_radius_px or plan.input.size_px * HIT_RADIUS
        found = truth & deciding.decided(logit, at)
        audit = measuring.audit_heatmaps(
            judged, found, radius_px=radius, similarity=round(similarity, 4), measured_on=words
        )
        if audit is not None:
            share = clopper_pearson(audit.hits, audit.positives)
            name = f"heatmap peak within {radius:.0f} px of the fracture"
            rows.append(measuring.figure(name, share, cases=audit.positives, measured_on=words, method=measuring.EXACT))
    return Measured(
        figures=tuple(rows),
        abstention=Abstention(
            limit=chosen.limit,
            made_on=about.chosen_on,
            coverage=round(float(answered.mean()), 6),
            risk=round(float(curve.risk[answered][-1]), 6) if answered.any() else 0.0,
            risk_of_all=round(float(curve.risk[-1]), 6),
            curve=deciding.thinned(curve),
            measured_on=words,
        ),
        audit=audit,
    )


def _calibrated(plan: TrainingPlan, validation: Judged, words: str) -> Calibration:
    """One temperature; none for so few cases that it would be chance."""
    outputs = validation.logits.shape[1]
    truth = deciding.is_finding(validation.labels, plan.finding, outputs)
    if len(truth) < FEWEST_TO_CALIBRATE or truth.all() or not truth.any():
        return Calibration(made_on=f"nothing: {words} are too few")
    temperature = round(fit_temperature(validation.logits, validation.labels), 6)
    before, after = (
        measuring.calibration_error(truth, _chance(deciding.finding_logit(validation.logits, plan.finding, each)))
        for each in (1.0, temperature)
    )
    return Calibration(
        temperature=temperature, made_on=words, error_before=round(before, 6), error_after=round(after, 6)
    )


def _unseen_distances(training: Judged) -> Floats:
    """Distances of training cases from descriptions that were made without their patients: from the one that was made
    with them every case of its own is near, and every new case would count as foreign."""
    patients = sorted(set(training.patients))
    part = np.array([patients.index(patient) % SPREAD_PARTS for patient in training.patients])
    distances = np.zeros(len(part))
    for number in set(part.tolist()):
        others, own = np.flatnonzero(part != number), np.flatnonzero(part == number)
        if len(others) < 2:  # of one patient only
            others = own
        described = OutlierModel.fit(training.features[others])
        distances[own] = described.distance(training.features[own]).numpy()
    return distances


def _chance(logit: Floats | float) -> Floats:
    result: Floats = 1 / (1 + np.exp(-np.asarray(logit, np.float64)))
    return result


def _logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def _within(chance: Floats) -> float:
    """A threshold that a card may state."""
    return min(max(round(float(chance), 6), 1e-6), 1 - 1e-6)


def _swap(draft: Path, folder: Path) -> None:
    if not folder.exists():
        draft.replace(folder)
        return
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    folder.replace(old)
    draft.replace(folder)
    shutil.rmtree(old)
