"""What was measured of a model on some cases: enough to draw every curve and to open every mistake."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

from app.core.model_card import Figure


class EvaluatedCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case that a model was measured on.

    Args:
        id: the case.
        patient: a pseudonym.
        is_finding: the truth.
        probability: of the finding, calibrated.
        is_found: what the model decides.
        distance: from its training cases.
        is_unsure: whether it lies too near the threshold for an answer.
        vendor: maker of the detector; empty = not known.
        is_hit: whether the heatmap's peak lies in the fracture region; None = nobody has clicked there.
        threshold: calibrated probability from which it was found; None = that of the whole evaluation. Each fold of a
            cross-validation has one of its own.
    """

    id: str
    patient: str
    is_finding: bool
    probability: float
    is_found: bool
    distance: float
    is_unsure: bool = False
    vendor: str = ""
    is_hit: bool | None = None
    threshold: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether the decision is right."""
        return self.is_found == self.is_finding


class RocPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of an ROC curve.

    Args:
        false_positive_rate: 0 … 1.
        sensitivity: 0 … 1.
        threshold: calibrated probability from which a case counts as found there; above 1 = none does.
    """

    false_positive_rate: float
    sensitivity: float
    threshold: float


class PrPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a precision–recall curve.

    Args:
        recall: 0 … 1.
        precision: 0 … 1.
        threshold: calibrated probability; above 1 at the curve's end.
    """

    recall: float
    precision: float
    threshold: float


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Some cases with about the same stated probability.

    Args:
        stated: mean probability.
        observed: share with the finding.
        low: lower end of its 95 % interval.
        high: upper end.
        cases: how many.
    """

    stated: float
    observed: float
    low: float
    high: float
    cases: int


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of some of the cases.

    Args:
        name: of the class or the vendor.
        cases: how many.
        figures: those that are defined.
    """

    name: str
    cases: int
    figures: tuple[Figure, ...]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one set of cases.

    Args:
        model_id: the model.
        weights_sha256: its weights.
        title: of the model.
        classes: without and with the finding.
        measured_on: which cases, in words.
        threshold: calibrated probability.
        cases: every case, in the order of their ids.
        counts: true positive, false negative, true negative, false positive.
        figures: with their intervals.
        roc: empty with one class only.
        pr: the same.
        average_precision: area under the precision–recall curve; None with one class only.
        calibration: in bins of equally many cases.
        by_class: of each class its share of right decisions.
        by_vendor: of each maker of detectors.
        at: UTC, ISO 8601.
    """

    model_id: str
    weights_sha256: str
    title: str
    classes: tuple[str, str]
    measured_on: str
    threshold: float
    cases: tuple[EvaluatedCase, ...]
    counts: tuple[int, int, int, int]
    figures: tuple[Figure, ...]
    roc: tuple[RocPoint, ...] = ()
    pr: tuple[PrPoint, ...] = ()
    average_precision: float | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    by_class: tuple[GroupFigures, ...] = ()
    by_vendor: tuple[GroupFigures, ...] = ()
    at: str = ""

    def figure(self, name: str) -> Figure | None:
        """One of its figures; None where it is not defined for these cases."""
        return next((figure for figure in self.figures if figure.name == name), None)

    @property
    def mistakes(self) -> list[EvaluatedCase]:
        """Cases that are decided wrongly, the surest mistake first."""
        wrong = [case for case in self.cases if not case.is_right]
        return sorted(wrong, key=lambda case: -abs(case.probability - decided_at(case, self.threshold)))


def decided_at(case: EvaluatedCase, threshold: float) -> float:
    """The probability from which this case counts as found; `threshold` where it has none of its own."""
    return threshold if case.threshold is None else case.threshold


def risk_coverage(cases: Sequence[EvaluatedCase], threshold: float) -> list[tuple[float, float]]:
    """How often a model errs among the cases it is surest of (El-Yaniv and Wiener 2010).

    Args:
        cases: that it was measured on.
        threshold: calibrated probability.

    Returns:
        For 1, 2 … of the surest cases: their share of all cases, and the share of errors among them.
    """
    apart = sorted(
        cases, key=lambda case: (-abs(_logit(case.probability) - _logit(decided_at(case, threshold))), case.id)
    )
    wrong = 0
    points = []
    for count, case in enumerate(apart, 1):
        wrong += not case.is_right
        points.append((count / len(apart), wrong / count))
    return points


def answered(cases: Sequence[EvaluatedCase]) -> tuple[float, float] | None:
    """Share of cases that a model answers by its limits, and share of errors among them; None: it answers nothing."""
    kept = [case for case in cases if not case.is_unsure]
    return (len(kept) / len(cases), sum(not case.is_right for case in kept) / len(kept)) if kept else None


def _logit(chance: float) -> float:
    inside = min(max(chance, 1e-12), 1 - 1e-12)
    return math.log(inside / (1 - inside))


class FoldFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the folds of a cross-validation, as papers 000 and 004 print it.

    Args:
        name: of the figure.
        mean: over folds.
        sd: sample standard deviation (n − 1); None with one fold.
        folds: the figure of each fold; None where it is not defined.
    """

    name: str
    mean: float
    sd: float | None
    folds: tuple[float | None, ...]

    @property
    def counted(self) -> int:
        """Folds in which it is defined."""
        return sum(value is not None for value in self.folds)


def over_folds(folds: Sequence[Evaluation | None]) -> tuple[FoldFigure, ...]:
    """Mean and sample standard deviation (n − 1) of every figure; of folds in which it is defined.

    Args:
        folds: evaluation of each fold; None = not finished.
    """
    names: list[str] = []  # in the order of the fold that defines most
    for fold in sorted((fold for fold in folds if fold is not None), key=lambda fold: -len(fold.figures)):
        names += [figure.name for figure in fold.figures if figure.name not in names]
    rows = []
    for name in names:
        values = tuple(None if fold is None or (found := fold.figure(name)) is None else found.value for fold in folds)
        known = [value for value in values if value is not None]
        spread = statistics.stdev(known) if len(known) > 1 else None
        rows.append(FoldFigure(name=name, mean=statistics.fmean(known), sd=spread, folds=values))
    return tuple(rows)


class CrossEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The folds of a cross-validation together.

    Args:
        queue: id that its runs share.
        done: folds that are finished.
        folds: folds in all.
        per_fold: mean ± SD.
        pooled: every case once, judged by the fold that has not seen it.
        notes: what whoever reads it must know.
    """

    queue: str
    done: int
    folds: int
    per_fold: tuple[FoldFigure, ...]
    pooled: Evaluation
    notes: tuple[str, ...] = ()
