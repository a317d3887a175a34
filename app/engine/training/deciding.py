"""What is decided on validation cases: temperature, threshold, when to say nothing, what is foreign."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SENSITIVITY_TARGET = 0.95
LEAST_COVERAGE = 0.96  # with the outliers' share below, at most one own case in ten is left unanswered
OWN_OUTLIERS = 0.05  # share of own cases beyond the outlier limit
MANY = 100  # cases from which a quantile is read off rather than modelled
CURVE_POINTS = 41
SURE = 30.0  # logits beyond this are all the same


class ThresholdRule(StrEnum):
    """How a threshold is chosen on validation cases."""

    YOUDEN = "youden"  # largest sensitivity + specificity (Youden 1950)
    SENSITIVITY = "sensitivity"  # the largest one that finds 95 % of the positives
    EVEN = "even"  # 50 %

    @property
    def words(self) -> str:
        """For the card."""
        return {
            ThresholdRule.YOUDEN: "largest sum of sensitivity and specificity (Youden)",
            ThresholdRule.SENSITIVITY: f"sensitivity of at least {SENSITIVITY_TARGET:.0%}",
            ThresholdRule.EVEN: "50 %",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """How often a model errs among the cases it is surest of (El-Yaniv and Wiener 2010).

    Args:
        coverage: (N,), 1/N … 1, rising.
        risk: (N,), share of errors among that many of the surest cases.
        distance: (N,), the smallest distance from the threshold among them, falling.
    """

    coverage: Floats
    risk: Floats
    distance: Floats


def finding_logit(logits: Floats, finding: int, temperature: float) -> Floats:
    """Calibrated logit of the finding's probability, (N,): of one output itself, else against all other classes."""
    scaled = logits / temperature
    if scaled.shape[1] == 1:
        result = scaled[:, 0]
    else:
        others = np.delete(scaled, finding, axis=1)
        result = scaled[:, finding] - special.logsumexp(others, axis=1)
    return np.clip(result, -SURE, SURE)


def is_finding(labels: npt.NDArray[np.int64], finding: int, outputs: int) -> Bools:
    """Whether each case has the finding."""
    there: Bools = labels == (1 if outputs == 1 else finding)
    return there


def choose_threshold(truth: Bools, logit: Floats, rule: ThresholdRule) -> float:
    """The logit from which the finding counts as found.

    Only values midway between cases are tried, and of equally good ones the one nearest to even chances is taken: with
    few cases a threshold that touches one of them would be an accident.

    Args:
        truth: (N,) whether the finding is there; both must occur, else even chances are returned.
        logit: (N,) calibrated.
        rule: what to look for.
    """
    if rule is ThresholdRule.EVEN or truth.all() or not truth.any():
        return 0.0
    values = np.unique(logit)
    tried = (values[1:] + values[:-1]) / 2
    if values[0] < 0 < values[-1]:
        tried = np.append(tried, 0.0)
    if not len(tried):
        return 0.0
    sensitivity = np.array([(logit[truth] >= at).mean() for at in tried])
    specificity = np.array([(logit[~truth] < at).mean() for at in tried])
    if rule is ThresholdRule.YOUDEN:
        worth = sensitivity + specificity
    else:
        enough = sensitivity >= SENSITIVITY_TARGET
        worth = np.where(enough, specificity, sensitivity - 2)
    best = tried[worth >= worth.max() - 1e-12]
    return float(best[np.abs(best).argmin()])


def risk_coverage(truth: Bools, logit: Floats, threshold: float) -> RiskCoverage:
    """The curve of one model.

    Args:
        truth: (N,).
        logit: (N,) calibrated.
        threshold: as a logit.
    """
    distance = np.abs(logit - threshold)
    order = np.argsort(-distance, kind="stable")
    wrong = ((logit >= threshold) != truth)[order]
    count = np.arange(1, len(truth) + 1)
    return RiskCoverage(coverage=count / len(truth), risk=np.cumsum(wrong) / count, distance=distance[order])


def abstention_limit(curve: RiskCoverage, *, least: float = LEAST_COVERAGE) -> float:
    """The distance from the threshold below which a model had better say nothing.

    Of all limits that leave enough cases answered the one with the lowest risk is taken, and of equals the smallest.

    Args:
        curve: on validation cases.
        least: share of cases that must be answered.
    """
    allowed = np.flatnonzero(curve.coverage >= least - 1e-12)
    lowest = curve.risk[allowed].min()
    kept = int(allowed[curve.risk[allowed] <= lowest + 1e-12].max())
    if kept == len(curve.risk) - 1:
        return 0.0
    return float((curve.distance[kept] + curve.distance[kept + 1]) / 2)


def thinned(curve: RiskCoverage) -> tuple[tuple[float, float], ...]:
    """A few points of the curve for a card, the last one always."""
    places = np.unique(np.linspace(0, len(curve.risk) - 1, CURVE_POINTS).round().astype(int))
    return tuple((round(float(curve.coverage[place]), 4), round(float(curve.risk[place]), 4)) for place in places)


def outlier_limit(distances: Floats, *, share: float = OWN_OUTLIERS) -> float:
    """The distance beyond which a case is foreign: so far only this share of own cases lies.

    Args:
        distances: (N,) of cases that the description was not made from.
        share: of own cases that may lie beyond.
    """
    if len(distances) >= MANY:
        return float(np.quantile(distances, 1 - share, method="higher"))
    # few cases: the end of a log-normal prediction interval, wider the fewer they are
    logs, count = np.log(np.maximum(distances, 1e-9)), len(distances)
    if count < 2:
        return float(distances.max(initial=0.0))
    width = float(stats.t.ppf(1 - share, count - 1)) * math.sqrt(1 + 1 / count)
    return math.exp(float(logs.mean()) + width * float(logs.std(ddof=1)))


def heatmap_scale(heights: Floats, is_found: Bools) -> float:
    """Logit units of full colour: half of the positives that were found reach it.

    Args:
        heights: (N, views), largest value of each heatmap, of validation positives.
        is_found: (N,), which of them were found.
    """
    if not heights.size:
        return 1.0
    chosen = heights[is_found] if is_found.any() else heights
    scale = float(np.median(chosen.max(1)))
    return scale if scale > 0 else 1.0


def decided(logit: Floats, threshold: float) -> Bools:
    """Whether each case counts as having the finding."""
    return logit >= threshold
