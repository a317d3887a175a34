"""Intervals by drawing patients again and again, for figures without a formula (models.md §5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from app.engine.statistics.interval import LEVEL, Estimate

ROUNDS = 1000
Indices = npt.NDArray[np.int64]


def patient_bootstrap(
    patients: Sequence[str],
    figure: Callable[[Indices], float | None],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
    level: float = LEVEL,
) -> Estimate:
    """Percentile interval of a figure, whole patients drawn with repetition.

    Args:
        patients: (N,) whose each case is.
        figure: of the cases at these places; None where it is not defined, such a draw is left out.
        rounds: number of draws.
        seed: the same one gives the same interval.
        level: confidence.

    Raises:
        ValueError: the figure is not defined for all cases, or for too few draws.
    """
    value = figure(np.arange(len(patients)))
    if value is None:
        raise ValueError("the figure is not defined")
    places: dict[str, list[int]] = defaultdict(list)
    for place, patient in enumerate(patients):
        places[patient].append(place)
    groups = [np.array(group, np.int64) for group in places.values()]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(rounds):
        picked = rng.integers(len(groups), size=len(groups))
        found = figure(np.concatenate([groups[number] for number in picked]))
        if found is not None:
            drawn.append(found)
    if len(drawn) < rounds / 2:
        raise ValueError("the figure is hardly ever defined")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))
