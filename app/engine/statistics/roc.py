"""The area under the ROC curve and what is said about two of them (DeLong, DeLong and Clarke-Pearson 1988)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from app.engine.statistics.interval import LEVEL, Estimate

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two areas on the same cases.

    Args:
        first: area of the first.
        second: area of the second.
        estimate: first − second, with its interval.
        p: two-sided; 1 where the two never differ.
    """

    first: float
    second: float
    estimate: Estimate
    p: float


def auc(truth: npt.ArrayLike, score: npt.ArrayLike, *, level: float = LEVEL) -> Estimate:
    """Area under the ROC curve with DeLong's variance.

    The interval is made on the logit scale, so that it stays within 0 … 1; where the area is 0 or 1 there is no such
    scale and no spread, and the interval is that of the share of pairs by rule of three for the smaller group.

    Args:
        truth: (N,) whether the finding is there; both must occur.
        score: (N,) larger for the finding.
        level: confidence.

    Raises:
        ValueError: only one class, or a score that is not a number.
    """
    areas, covariance = _structural(truth, [score])
    value, variance = float(areas[0]), float(covariance[0, 0])
    if value in (0.0, 1.0):
        there = np.asarray(truth, bool)
        return without_spread(value, min(int(there.sum()), int((~there).sum())), level=level)
    z = float(stats.norm.ppf((1 + level) / 2))
    logit, half = math.log(value / (1 - value)), z * math.sqrt(variance) / (value * (1 - value))
    return Estimate(value, 1 / (1 + math.exp(half - logit)), 1 / (1 + math.exp(-half - logit)))


def without_spread(value: float, count: int, *, level: float = LEVEL) -> Estimate:
    """An area of 0 or 1 with the interval of a share by the rule of three: no draw of such cases differs, and yet they
    are few.

    Args:
        value: 0 or 1.
        count: of cases in the smaller group, or of patients where patients have several.
        level: confidence.
    """
    slack = 1 - (1 - level) ** (1 / count)
    return Estimate(value, 1 - slack if value else 0.0, 1.0 if value else slack)


def compare(truth: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = LEVEL) -> Difference:
    """Paired comparison of two areas on the same cases."""
    areas, covariance = _structural(truth, [first, second])
    gap = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    spread = math.sqrt(max(variance, 0.0))
    z = float(stats.norm.ppf((1 + level) / 2))
    p = 1.0 if spread == 0 else float(2 * stats.norm.sf(abs(gap) / spread))
    return Difference(
        first=float(areas[0]),
        second=float(areas[1]),
        estimate=Estimate(gap, gap - z * spread, gap + z * spread),
        p=p if spread or not gap else 0.0,
    )


def delong_variance(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """DeLong's variance of one area."""
    return float(_structural(truth, [score])[1][0, 0])


def _structural(truth: npt.ArrayLike, scores: Sequence[npt.ArrayLike]) -> tuple[Floats, Floats]:
    """Areas and their covariance, from mid-ranks (Sun and Xu 2014): O(n log n) instead of all pairs."""
    there = np.asarray(truth, bool)
    positives, negatives = int(there.sum()), int((~there).sum())
    if not positives or not negatives:
        raise ValueError("the area needs cases with and without the finding")
    areas, of_positives, of_negatives = [], [], []
    for score in scores:
        values = np.asarray(score, np.float64)
        if values.shape != there.shape or not np.isfinite(values).all():
            raise ValueError("one finite score for each case")
        ranks = stats.rankdata(values)
        within_positives, within_negatives = stats.rankdata(values[there]), stats.rankdata(values[~there])
        of_positives.append((ranks[there] - within_positives) / negatives)
        of_negatives.append(1 - (ranks[~there] - within_negatives) / positives)
        areas.append(of_positives[-1].mean())
    covariance = _covariance(of_positives) / positives + _covariance(of_negatives) / negatives
    return np.array(areas), covariance


def _covariance(rows: list[Floats]) -> Floats:
    stacked = np.stack(rows)
    if stacked.shape[1] < 2:
        return np.zeros((len(rows), len(rows)))
    return np.atleast_2d(np.cov(stacked, ddof=1))
