"""The figures of a card, each with the interval that belongs to it (models.md §5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from app.core.model_card import Figure, HeatmapAudit
from app.engine.statistics.binary import Confusion, confusion
from app.engine.statistics.bootstrap import Indices, patient_bootstrap
from app.engine.statistics.calibration import BINS, brier, expected_calibration_error
from app.engine.statistics.interval import Estimate, clopper_pearson
from app.engine.statistics.roc import auc, without_spread
from app.engine.training.deciding import Bools, Floats, decided
from app.engine.training.judging import Judged

EXACT, DELONG, BOOTSTRAP = "Clopper–Pearson", "DeLong", "bootstrap by patient"
FEWEST_IN_A_BIN = 5
LEAST_HITS = 0.9  # M11, N9: share of found positives whose heatmap peak must lie in the fracture region
MOST_SIMILAR = 0.5  # rank correlation with random weights from which heatmaps say nothing about the weights


def figures_of(
    truth: Bools, logit: Floats, *, threshold: float, patients: Sequence[str], measured_on: str
) -> tuple[Figure, ...]:
    """What is printed about a model; arguments as of `figures_of_decisions`, the threshold as a logit."""
    chance = 1 / (1 + np.exp(-logit))
    return figures_of_decisions(
        truth, decided(logit, threshold), chance, patients=patients, measured_on=measured_on, ranks=logit
    )


def figures_of_decisions(
    truth: Bools,
    said: Bools,
    chance: Floats,
    *,
    patients: Sequence[str],
    measured_on: str,
    ranks: Floats | None = None,
    is_short: bool = False,
) -> tuple[Figure, ...]:
    """What is printed about a set of decisions; a figure that is not defined for these cases is left out.

    Args:
        truth: (N,) whether the finding is there.
        said: (N,) whether it was found.
        chance: (N,) calibrated probability of the finding.
        patients: (N,) whose each case is.
        measured_on: which cases, in words.
        ranks: (N,) what the area is measured on; the probabilities when left out.
        is_short: leave out what needs many draws.
    """
    table = confusion(truth, said)
    order = chance if ranks is None else ranks
    has_repeats = len(set(patients)) < len(patients)
    rows: list[tuple[str, int, str, Callable[[], Estimate]]] = [
        ("AUC", len(truth), DELONG, lambda: auc(truth, order)),
        ("accuracy", table.total, EXACT, table.accuracy),
        ("sensitivity", table.positives, EXACT, table.sensitivity),
        ("specificity", table.negatives, EXACT, table.specificity),
        ("PPV", table.true_positive + table.false_positive, EXACT, table.positive_predictive_value),
        ("NPV", table.true_negative + table.false_negative, EXACT, table.negative_predictive_value),
        ("F1", table.total, "Wilson of TP ÷ (TP + FP + FN), carried over", table.f1),
    ]
    if has_repeats and not is_short:
        rows[0] = ("AUC", len(truth), BOOTSTRAP, lambda: area_by_patient(truth, order, patients))
    if not is_short:
        rows += [
            ("Brier score", len(truth), BOOTSTRAP,
             lambda: patient_bootstrap(patients, lambda at: brier(truth[at], chance[at]))),
            ("calibration error", len(truth), BOOTSTRAP,
             lambda: patient_bootstrap(patients, lambda at: calibration_error(truth[at], chance[at]))),
        ]  # fmt: skip
    made = []
    for name, cases, method, make in rows:
        try:
            made.append(figure(name, make(), cases=cases, measured_on=measured_on, method=method))
        except ValueError:  # not defined: no case of a kind, nothing found
            continue
    return tuple(made)


def calibration_error(truth: Bools, chance: Floats) -> float:
    """Expected calibration error in bins of at least five cases: a bin of one case is always wrong."""
    bins = max(1, min(BINS, len(truth) // FEWEST_IN_A_BIN))
    return expected_calibration_error(truth, chance, bins=bins)


def table_of(truth: Bools, said: Bools) -> Confusion:
    """The table of four counts."""
    return confusion(truth, said)


def withheld(
    logit: Floats, distances: Floats | None, *, threshold: float, limit: float, farthest: float | None,
    truth: Bools, measured_on: str,
) -> tuple[Figure, ...]:  # fmt: skip
    """How often the model says nothing, and how often it is right when it answers.

    Args:
        logit: (N,) calibrated.
        distances: (N,) from the training cases; None = not known.
        threshold: as a logit.
        limit: see `Abstention.limit`.
        farthest: see `ModelCard.outlier_limit`.
        truth: (N,).
        measured_on: which cases, in words.
    """
    silent: Bools = np.abs(logit - threshold) < limit
    if distances is not None and farthest is not None:
        silent = silent | (distances > farthest)
    count = len(logit)
    rows = [figure("left unanswered", clopper_pearson(int(silent.sum()), count), cases=count,
                   measured_on=measured_on, method=EXACT)]  # fmt: skip
    if not silent.all():
        right = (decided(logit, threshold) == truth)[~silent]
        rows.append(figure("accuracy when it answers", clopper_pearson(int(right.sum()), len(right)), cases=len(right),
                           measured_on=measured_on, method=EXACT))  # fmt: skip
    return tuple(rows)


def audit_heatmaps(
    judged: Judged, found: Bools, *, radius_px: float, similarity: float, measured_on: str
) -> HeatmapAudit | None:
    """Whether the heatmaps may be believed; None when no positive with a click was found.

    The peak of the view whose heatmap is strongest counts: that is where a person looks.

    Args:
        judged: cases with heatmaps and clicks.
        found: (N,) positives that were found.
        radius_px: of the fracture region around the click, in input px.
        similarity: see `random_similarity`.
        measured_on: which cases, in words.
    """
    hits = peak_hits(judged, radius_px)
    known: Bools = found & ~np.isnan(hits)
    positives = int(known.sum())
    if not positives:
        return None
    inside = int(hits[known].sum())
    return HeatmapAudit(
        hits=inside,
        positives=positives,
        measured_on=measured_on,
        random_similarity=similarity,
        is_passed=inside >= LEAST_HITS * positives and similarity < MOST_SIMILAR,
    )


def peak_hits(judged: Judged, radius_px: float) -> Floats:
    """(N,): 1 where the strongest peak lies within the radius of the click of its view, 0 where it does not, NaN where
    nobody has clicked in that view. An empty heatmap is a miss."""
    count, views = judged.heights.shape
    if not views:
        return np.full(count, np.nan)
    rows = np.arange(count)
    clicked: Bools = np.asarray(~np.isnan(judged.clicks_xy).any(2))
    heights = np.where(clicked, judged.heights, -1.0) if views > 1 else judged.heights
    best = heights.argmax(1)
    apart = np.linalg.norm(judged.peaks_xy[rows, best] - judged.clicks_xy[rows, best], axis=1)
    result = np.where(apart <= radius_px, 1.0, 0.0)  # an empty map has no peak: NaN compares as a miss
    result[~clicked[rows, best]] = np.nan
    return result


def figure(name: str, estimate: Estimate, *, cases: int, measured_on: str, method: str) -> Figure:
    """A figure of a card, rounded to what may be printed."""
    return Figure(
        name=name,
        value=_rounded(estimate.value),
        low=_rounded(estimate.low),
        high=_rounded(estimate.high),
        cases=cases,
        measured_on=measured_on,
        method=method,
    )


def _rounded(value: float) -> float:
    return round(value, 6) if math.isfinite(value) else value


def area_by_patient(truth: Bools, ranks: Floats, patients: Sequence[str]) -> Estimate:
    """Area under the ROC curve where patients have several cases, by drawing patients; where it is 0 or 1 every draw
    says the same, and the interval is by the rule of three for the patients of the smaller group.

    Raises:
        ValueError: only one class.
    """
    estimate = patient_bootstrap(patients, _area(truth, ranks))
    if estimate.value not in (0.0, 1.0):
        return estimate
    groups = (
        {who for who, there in zip(patients, truth, strict=True) if bool(there) is kind} for kind in (True, False)
    )
    return without_spread(estimate.value, min(len(group) for group in groups))


def _area(truth: npt.NDArray[np.bool_], logit: Floats) -> Callable[[Indices], float | None]:
    def area(at: Indices) -> float | None:
        there = truth[at]
        return None if there.all() or not there.any() else auc(there, logit[at]).value

    return area
