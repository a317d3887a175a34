"""The card of a model: what it is, what it was trained and measured on, and what it must not be used for."""

from __future__ import annotations

import hashlib
import math

import msgspec

from app.core.event import canonical_json
from app.core.model_input import ModelInput


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measured figure.

    Args:
        name: for example `AUC`, `accuracy at the threshold`.
        value: the figure.
        low: lower end of its 95 % confidence interval; None where none was made.
        high: upper end.
        cases: number of cases it was measured on.
        measured_on: which cases, in words.
        method: how the interval was made.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    cases: int
    measured_on: str
    method: str = ""


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How probabilities were calibrated: logits are divided by one temperature.

    Args:
        temperature: > 0; 1 = not calibrated.
        made_on: which cases, in words; never those of the figures.
        error_before: expected calibration error without it, 0 … 1.
        error_after: with it.
    """

    temperature: float = 1.0
    made_on: str = ""
    error_before: float | None = None
    error_after: float | None = None


class Abstention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on a model had better say nothing: too near its threshold (El-Yaniv and Wiener 2010).

    Args:
        limit: smallest distance between the calibrated logit of a case and that of the threshold at which the model
            answers, ≥ 0; 0 = it always answers.
        made_on: which cases chose the limit, in words.
        coverage: share of the measured cases that it answers, 0 … 1.
        risk: share of wrong decisions among those.
        risk_of_all: share of wrong decisions if it answered every case.
        curve: (coverage, risk) from the surest case to all of them.
        measured_on: on which cases coverage, risk and curve were measured, in words.
    """

    limit: float
    made_on: str
    coverage: float
    risk: float
    risk_of_all: float
    curve: tuple[tuple[float, float], ...] = ()
    measured_on: str = ""

    def __post_init__(self) -> None:
        if not self.limit >= 0 or not 0 <= self.coverage <= 1:
            raise ValueError("a limit is not negative, and a coverage is a share")


class HeatmapAudit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether heatmaps of this model may be believed.

    Args:
        hits: positives found whose heatmap peak lies in the fracture region.
        positives: positives found in all.
        measured_on: which cases, in words.
        random_similarity: mean rank correlation between its heatmaps and those of the same network with random
            weights (Adebayo et al. 2018); near 0 = the weights matter.
        is_passed: hits ≥ 90 % and similarity below the limit.
    """

    hits: int
    positives: int
    measured_on: str
    random_similarity: float
    is_passed: bool


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a person must know before using a model, and everything the engine needs to run it.

    Args:
        id: name of its folder.
        title: name for people.
        architecture: name in the registry of networks.
        task: what it decides, in one sentence.
        decides: id of the question in the label set that it answers; empty on older cards: told from the classes.
        classes: meaning of its outputs; one name: a sigmoid, more: a softmax.
        finding: index of the class that is the finding.
        input: what it is fed.
        weights_sha256: of the weights file; part of every result's key.
        graph_sha256: of the graph that CPUs compute it by; None = it has none, or the card is older than this entry.
        initialised_from: `random`, or which weights it started from.
        trained_on: which cases, in words.
        seeds: random seeds, in words.
        command: the command that makes it again.
        threshold: calibrated probability of the finding from which it counts as found.
        threshold_rule: how the threshold was chosen, and on which cases, in words.
        abstention: from where on it had better say nothing; None = it always answers.
        calibration: how probabilities were calibrated.
        heatmap_scale: logit units that are shown as full colour; one number for the model, never one for an image.
        outlier_limit: distance from the training cases beyond which a case is out of distribution; None = not known.
        figures: what was measured.
        heatmap_audit: whether heatmaps may be believed; None = nobody has looked.
        intended_use: what it is for.
        limits: what it does not know.
        licence: of the weights.
    """

    id: str
    title: str
    architecture: str
    task: str
    classes: tuple[str, ...]
    finding: int
    input: ModelInput
    weights_sha256: str
    initialised_from: str
    trained_on: str
    seeds: str
    command: str
    threshold: float = 0.5
    threshold_rule: str = ""
    abstention: Abstention | None = None
    calibration: Calibration = Calibration()
    heatmap_scale: float = 1.0
    outlier_limit: float | None = None
    figures: tuple[Figure, ...] = ()
    heatmap_audit: HeatmapAudit | None = None
    graph_sha256: str | None = None
    intended_use: str = "Research on synthetic radiographs. Not for diagnosis."
    limits: str
    licence: str
    decides: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.finding < len(self.classes):
            raise ValueError("the finding is one of the classes")
        if not 0 < self.threshold < 1:
            raise ValueError("a threshold lies between 0 and 1")
        if self.calibration.temperature <= 0 or self.heatmap_scale <= 0:
            raise ValueError("temperature and heatmap scale are positive")
        if len(self.weights_sha256) != 64:
            raise ValueError("weights are named by their SHA-256")

    @property
    def answer_key(self) -> str:
        """Names everything on the card that makes its answers, 64 hexadecimal digits; figures and texts do not.

        The window sends it along with every question, so that no answer of other files is taken for this model's.
        """
        parts = [self.weights_sha256, self.architecture, list(self.classes), self.calibration.temperature]
        return hashlib.sha256(canonical_json([*parts, msgspec.to_builtins(self.input)]).encode("utf-8")).hexdigest()

    @property
    def is_heatmap_validated(self) -> bool:
        """Whether heatmaps of this model may be shown without the mark *not validated*."""
        return self.heatmap_audit is not None and self.heatmap_audit.is_passed

    @property
    def task_id(self) -> str:
        """Its place in a project: which question it answers from which views, for example `fracture.pair`.

        One model of each place is active; another one that is promoted to it takes its place.
        """
        views = "pair" if len(self.input.roles) == 2 else str(self.input.roles[0])
        guess = next((field for word, field in _FIELDS.items() if any(word == name for name in self.classes)), "other")
        return f"{self.decides or guess}.{views}"

    @property
    def unsure_band(self) -> tuple[float, float] | None:
        """Calibrated probabilities of the finding strictly between which it does not answer; None = it always does."""
        if self.abstention is None or self.abstention.limit == 0:
            return None
        middle = math.log(self.threshold / (1 - self.threshold))
        low, high = (1 / (1 + math.exp(-middle - step * self.abstention.limit)) for step in (-1, 1))
        return low, high

    def is_unsure(self, probability: float) -> bool:
        """Whether a calibrated probability of the finding lies too near the threshold for an answer."""
        band = self.unsure_band
        return band is not None and band[0] < probability < band[1]

    def is_outlier(self, distance: float | None) -> bool:
        """Whether a case lies outside what the model knows."""
        return distance is not None and self.outlier_limit is not None and distance > self.outlier_limit


_FIELDS = {"fracture": "fracture", "aff": "atypical", "hip": "hip"}  # class of a card without `decides` -> question
