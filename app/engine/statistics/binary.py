"""Two classes: a table of four counts and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from app.engine.statistics.interval import LEVEL, Estimate, clopper_pearson, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Decisions against the truth.

    Args:
        true_positive: the finding is there and was found.
        false_negative: it is there and was missed.
        true_negative: it is not there and was not found.
        false_positive: it is not there and was found.
    """

    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int

    @property
    def positives(self) -> int:
        """Cases with the finding."""
        return self.true_positive + self.false_negative

    @property
    def negatives(self) -> int:
        """Cases without it."""
        return self.true_negative + self.false_positive

    @property
    def total(self) -> int:
        """All cases."""
        return self.positives + self.negatives

    def accuracy(self) -> Estimate:
        """Right decisions, Clopper–Pearson."""
        return clopper_pearson(self.true_positive + self.true_negative, self.total)

    def sensitivity(self) -> Estimate:
        """Found among those that have it (recall), Clopper–Pearson."""
        return clopper_pearson(self.true_positive, self.positives)

    def specificity(self) -> Estimate:
        """Not found among those that do not have it, Clopper–Pearson."""
        return clopper_pearson(self.true_negative, self.negatives)

    def false_negative_rate(self) -> Estimate:
        """Missed among those that have it, Clopper–Pearson.

        Paper 001 prints 2 % (0.3–17): that is the interval of the negative likelihood ratio.
        """
        return clopper_pearson(self.false_negative, self.positives)

    def positive_predictive_value(self) -> Estimate:
        """Right among those that were found (precision), Clopper–Pearson."""
        return clopper_pearson(self.true_positive, self.true_positive + self.false_positive)

    def negative_predictive_value(self) -> Estimate:
        """Right among those that were not found, Clopper–Pearson."""
        return clopper_pearson(self.true_negative, self.true_negative + self.false_negative)

    def f1(self) -> Estimate:
        """F1 with the interval that belongs to it.

        F1 = 2F / (1 + F) with F = TP / (TP + FP + FN), a proportion, whose Wilson interval is carried over.
        """
        total = self.true_positive + self.false_positive + self.false_negative
        if not total:
            raise ValueError("no positives and none found: F1 is not defined")
        inner = wilson(self.true_positive / total, total)
        return Estimate(_f1(inner.value), _f1(inner.low), _f1(inner.high))

    def f1_as_published(self) -> Estimate:
        """F1 with the interval of paper 001: Wilson's with all cases as trials. Not valid; F1 is no such proportion."""
        value = self.f1().value
        return wilson(value, self.total)

    def negative_likelihood_ratio(self, *, level: float = LEVEL) -> Estimate:
        """(1 − sensitivity) / specificity, log method (Simel 1991).

        Raises:
            ValueError: one of the counts it needs is 0.
        """
        missed, kept = self.false_negative / self.positives, self.true_negative / self.negatives
        return _ratio(missed, kept, self.false_negative, self.positives, self.true_negative, self.negatives, level)

    def positive_likelihood_ratio(self, *, level: float = LEVEL) -> Estimate:
        """Sensitivity / (1 − specificity), log method.

        Raises:
            ValueError: one of the counts it needs is 0.
        """
        found, wrong = self.true_positive / self.positives, self.false_positive / self.negatives
        return _ratio(found, wrong, self.true_positive, self.positives, self.false_positive, self.negatives, level)

    def matthews(self) -> float:
        """Matthews' correlation, −1 … 1; 0 where a margin is empty."""
        tp, fn = self.true_positive, self.false_negative
        tn, fp = self.true_negative, self.false_positive
        below = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / math.sqrt(below) if below else 0.0


def confusion(truth: npt.ArrayLike, found: npt.ArrayLike) -> Confusion:
    """Count decisions.

    Args:
        truth: (N,) whether the finding is there.
        found: (N,) whether it was found.
    """
    there, said = np.asarray(truth, bool), np.asarray(found, bool)
    if there.shape != said.shape or there.ndim != 1:
        raise ValueError("one decision for each case")
    return Confusion(
        true_positive=int((there & said).sum()),
        false_negative=int((there & ~said).sum()),
        true_negative=int((~there & ~said).sum()),
        false_positive=int((~there & said).sum()),
    )


def _f1(share: float) -> float:
    return 2 * share / (1 + share)


def _ratio(above: float, below: float, k1: int, n1: int, k2: int, n2: int, level: float) -> Estimate:
    if not k1 or not k2:
        raise ValueError("a likelihood ratio of empty counts has no interval")
    z = float(stats.norm.ppf((1 + level) / 2))
    spread = math.sqrt(1 / k1 - 1 / n1 + 1 / k2 - 1 / n2)
    value = above / below
    return Estimate(value, value * math.exp(-z * spread), value * math.exp(z * spread))
