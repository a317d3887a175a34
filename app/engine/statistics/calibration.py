"""Whether probabilities mean what they say, and one temperature that makes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Floats = npt.NDArray[np.float64]
BINS = 15  # of equal mass
COLDEST, HOTTEST = 0.05, 20.0


def expected_calibration_error(truth: npt.ArrayLike, probability: npt.ArrayLike, *, bins: int = BINS) -> float:
    """Mean distance between stated and observed frequency, in bins of equally many cases, 0 … 1.

    Args:
        truth: (N,) whether the finding is there.
        probability: (N,) of the finding.
        bins: number of bins; fewer where there are fewer cases.
    """
    there, said = np.asarray(truth, np.float64), np.asarray(probability, np.float64)
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    return float(sum(abs(there[part].mean() - said[part].mean()) * len(part) for part in parts) / len(order))


def brier(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Mean square distance between probability and truth (Brier 1950)."""
    return float(np.mean((np.asarray(probability, np.float64) - np.asarray(truth, np.float64)) ** 2))


def fit_temperature(logits: npt.NDArray[np.floating], truth: npt.ArrayLike) -> float:
    """The temperature that makes the truth most likely (Guo et al. 2017, section 4.2); on validation cases only.

    Args:
        logits: (N, classes); one column means a sigmoid.
        truth: (N,) class numbers; for one column, whether the finding is there.

    Returns:
        0.05 … 20.
    """
    values, right = np.asarray(logits, np.float64), np.asarray(truth).astype(np.int64)
    result = optimize.minimize_scalar(
        lambda log_t: cross_entropy(values / np.exp(log_t), right),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
    )
    return float(np.exp(result.x))


def cross_entropy(logits: Floats, truth: npt.NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of the truth; arguments as of `fit_temperature`."""
    if logits.shape[1] == 1:
        signs = 2 * truth - 1
        return float(np.mean(np.logaddexp(0, -signs * logits[:, 0])))
    return float(np.mean(special.logsumexp(logits, axis=1) - logits[np.arange(len(truth)), truth]))
