"""What was checked about a model, and what its card leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.model_card import Figure, ModelCard

LOCALISED = "hip"  # the class of a localiser: it gives places, so it has neither threshold nor heatmaps
NEEDED_FIGURES = ("AUC", "accuracy", "sensitivity", "specificity")


class CheckState(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    NOTED = "noted"  # nothing is wrong, and one should know
    SKIPPED = "skipped"  # it could not be made here
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """One check of a model.

    Args:
        name: what was checked.
        state: what came of it.
        words: the figures, or what is wrong.
    """

    name: str
    state: CheckState
    words: str = ""


def card_check(card: ModelCard) -> ModelCheck:
    """Whether a card says everything that a person must know before using the model."""
    gaps = [*_origin_gaps(card), *_figure_gaps(card.figures)]
    if card.classes != (LOCALISED,):
        gaps += _decision_gaps(card)
    name = "the card is complete"
    if gaps:
        return ModelCheck(name, CheckState.FAILED, "; ".join(gaps))
    on = list(dict.fromkeys(figure.measured_on for figure in card.figures))
    return ModelCheck(name, CheckState.PASSED, f"{len(card.figures)} figures, measured on {'; '.join(on)}")


def _origin_gaps(card: ModelCard) -> list[str]:
    said = {
        "what it was trained on": card.trained_on,
        "what it was initialised with": card.initialised_from,
        "the seeds": card.seeds,
        "the command that makes it again": card.command,
        "its limits": card.limits,
        "its licence": card.licence,
        "what it is for": card.intended_use,
    }
    return [f"it does not say {what}" for what, words in said.items() if not words.strip()]


def _figure_gaps(figures: tuple[Figure, ...]) -> list[str]:
    if not figures:
        return ["nothing was measured"]
    gaps = []
    for figure in figures:
        if not figure.measured_on.strip():
            gaps.append(f"{figure.name} does not say what it was measured on")
        if figure.cases < 1:
            gaps.append(f"{figure.name} was measured on no cases")
        if (figure.low is None) is not (figure.high is None):
            gaps.append(f"{figure.name} has half an interval")
        elif figure.low is not None and figure.high is not None and not figure.low <= figure.value <= figure.high:
            gaps.append(f"{figure.name} lies outside its interval")
    return gaps


def _decision_gaps(card: ModelCard) -> list[str]:
    """Of a model that decides something."""
    there = {figure.name: figure for figure in card.figures}
    gaps = [f"{name} is missing" for name in NEEDED_FIGURES if card.figures and name not in there]
    gaps += [f"{name} has no interval" for name in NEEDED_FIGURES if name in there and there[name].low is None]
    if not card.calibration.made_on.strip():
        gaps.append("it does not say what the probabilities were calibrated on")
    if not card.threshold_rule.strip():
        gaps.append("it does not say how the threshold was chosen")
    if card.outlier_limit is None:
        gaps.append("it cannot tell foreign cases from its own")
    return gaps
