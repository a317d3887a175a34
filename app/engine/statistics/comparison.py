"""Whether one classifier is better than another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

FEW = 25  # discordant cases below which the exact test is used


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """Two sets of decisions on the same cases.

    Args:
        only_first: cases that only the first decided rightly.
        only_second: cases that only the second decided rightly.
        p: two-sided.
        is_exact: binomial; else chi-square with continuity correction.
    """

    only_first: int
    only_second: int
    p: float
    is_exact: bool


def mcnemar(first_right: npt.ArrayLike, second_right: npt.ArrayLike) -> McNemar:
    """McNemar's test (1947), exact below 25 discordant cases.

    Args:
        first_right: (N,) whether the first decided rightly.
        second_right: (N,) whether the second did.
    """
    one, other = np.asarray(first_right, bool), np.asarray(second_right, bool)
    b, c = int((one & ~other).sum()), int((~one & other).sum())
    if b + c < FEW:
        p = 1.0 if b + c == 0 else float(stats.binomtest(b, b + c).pvalue)
        return McNemar(only_first=b, only_second=c, p=p, is_exact=True)
    p = float(stats.chi2.sf((abs(b - c) - 1) ** 2 / (b + c), 1))
    return McNemar(only_first=b, only_second=c, p=p, is_exact=False)


def corrected_t(differences: list[float], *, test_share: float) -> float:
    """Two-sided p of a mean difference over folds, corrected for overlapping training sets (Nadeau and Bengio 2003).

    Args:
        differences: one for each fold.
        test_share: test cases ÷ training cases of a fold.

    Raises:
        ValueError: fewer than two folds.
    """
    count = len(differences)
    if count < 2:
        raise ValueError("one fold has no spread")
    mean, variance = float(np.mean(differences)), float(np.var(differences, ddof=1))
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    t = mean / math.sqrt((1 / count + test_share) * variance)
    return float(2 * stats.t.sf(abs(t), count - 1))


def holm(p_values: list[float]) -> list[float]:
    """p values corrected for how many were looked at (Holm 1979), in their own order."""
    order = np.argsort(p_values, kind="stable")
    count, worst, corrected = len(p_values), 0.0, [0.0] * len(p_values)
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (count - rank) * p_values[place]))
        corrected[place] = worst
    return corrected
