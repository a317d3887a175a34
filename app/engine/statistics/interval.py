"""Confidence intervals of proportions, and of what is made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its confidence interval.

    Args:
        value: the figure.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


def clopper_pearson(hits: int, total: int, *, level: float = LEVEL) -> Estimate:
    """The exact interval of a proportion (Clopper and Pearson 1934); the one that paper 001 reports.

    Raises:
        ValueError: `total` is not positive, or `hits` does not lie in it.
    """
    _require(hits, total)
    alpha = 1 - level
    low = 0.0 if hits == 0 else float(stats.beta.ppf(alpha / 2, hits, total - hits + 1))
    high = 1.0 if hits == total else float(stats.beta.ppf(1 - alpha / 2, hits + 1, total - hits))
    return Estimate(hits / total, low, high)


def wilson(share: float, total: float, *, level: float = LEVEL) -> Estimate:
    """The score interval of a proportion (Wilson 1927).

    Args:
        share: the proportion, 0 … 1.
        total: number of trials it was found in.
        level: confidence.

    Raises:
        ValueError: `share` is not a proportion, or `total` not positive.
    """
    if not 0 <= share <= 1 or total <= 0:
        raise ValueError(f"no proportion: {share} of {total}")
    z = float(stats.norm.ppf((1 + level) / 2))
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Estimate(share, middle - half, middle + half)


def mean_interval(values: list[float], *, level: float = LEVEL) -> Estimate:
    """Mean of some readers or folds with Student's interval.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("one value has no spread")
    mean = math.fsum(values) / len(values)
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * sample_sd(values) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)


def sample_sd(values: list[float]) -> float:
    """Standard deviation with n − 1 below the line: the one that papers 000 and 004 print.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("one value has no spread")
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _require(hits: int, total: int) -> None:
    if total <= 0 or not 0 <= hits <= total:
        raise ValueError(f"no proportion: {hits} of {total}")
