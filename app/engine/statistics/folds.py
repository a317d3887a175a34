"""Figures over the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.statistics.interval import sample_sd

SLACK = 5e-5  # published figures are rounded to two decimals of a per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSummary:
    """One figure over folds, as papers 000 and 004 print it.

    Args:
        mean: mean over folds.
        sd: sample standard deviation (n − 1).
        folds: the figure in each fold.
    """

    mean: float
    sd: float
    folds: tuple[float, ...]


def summarise(values: Sequence[float]) -> FoldSummary:
    """Mean ± SD over folds.

    Raises:
        ValueError: fewer than two folds.
    """
    figures = [float(value) for value in values]
    return FoldSummary(mean=sum(figures) / len(figures), sd=sample_sd(figures), folds=tuple(figures))


def is_f1_possible(precision: float, recall: float, f1: float) -> bool:
    """Whether a mean F1 can belong to a mean precision and recall.

    F1 is a concave function of both, so its mean cannot exceed the harmonic mean of their means. Paper 000's row
    "Ours w/o q" (96.10, 93.96, 96.36) cannot be.

    Args:
        precision: mean over folds, 0 … 1.
        recall: mean over folds.
        f1: mean over folds.
    """
    if precision + recall == 0:
        return f1 <= SLACK
    return f1 <= 2 * precision * recall / (precision + recall) + SLACK
