"""The distance of a case from the training cases, in numpy; `app.engine.outlier` says what it means and fits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

PREFIX = "outlier."


@dataclass(frozen=True, slots=True)
class TrainingSpread:
    """The training cases, described; double precision throughout.

    Args:
        mean: (D,).
        axes: (K, D), orthonormal.
        spreads: (K,), standard deviation along each axis.
        rest: standard deviation along every other direction.
    """

    mean: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]
    spreads: npt.NDArray[np.float64]
    rest: float

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, npt.NDArray[Any]]) -> Self | None:
        """From a weights file; None if it holds no such description."""
        if f"{PREFIX}mean" not in tensors:
            return None
        mean, axes, spreads, rest = (
            tensors[f"{PREFIX}{name}"].astype(np.float64) for name in ("mean", "axes", "spreads", "rest")
        )
        return cls(mean, axes, spreads, float(rest[0]))

    def distance(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """(B, D) to (B,) ≥ 0; about 1 for a case like the training cases."""
        apart = features.astype(np.float64) - self.mean
        along = apart @ self.axes.T
        beyond = np.maximum((apart**2).sum(1) - (along**2).sum(1), 0)
        square = ((along / self.spreads) ** 2).sum(1) + beyond / self.rest**2
        found: npt.NDArray[np.float64] = np.sqrt(square / features.shape[1])
        return found
