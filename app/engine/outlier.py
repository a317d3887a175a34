"""How far a case lies from the cases that a model was trained on.

The averaged last maps of training cases are described by their mean, their main axes with the spread along each, and
one spread for all other directions (probabilistic PCA, Tipping and Bishop 1999). The distance is Mahalanobis' in that
description, divided by the root of the number of dimensions, so that 1 is ordinary. Lee et al. 2018 found this kind of
distance to tell foreign inputs from the model's own far better than its probabilities do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from app.engine.models.hip_model import Maps, pooled
from app.engine.outlier_distance import PREFIX, TrainingSpread

AXES = 32
SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class OutlierModel:
    """The training cases, described; double precision throughout.

    Args:
        mean: (D,).
        axes: (K, D), orthonormal.
        spreads: (K,), standard deviation along each axis.
        rest: standard deviation along every other direction.
    """

    mean: Tensor
    axes: Tensor
    spreads: Tensor
    rest: float

    @classmethod
    def fit(cls, features: Tensor, *, axes: int = AXES) -> Self:
        """Describe training cases.

        Args:
            features: (cases, D), at least two cases.
            axes: most main axes to keep.

        Raises:
            ValueError: fewer than two cases.
        """
        cases, dim = features.shape
        if cases < 2:
            raise ValueError("one case has no spread")
        features = features.double()
        mean = features.mean(0)
        _, singular, right = torch.linalg.svd(features - mean, full_matrices=False)
        variances = singular**2 / (cases - 1)
        kept = min(axes, cases - 1, dim)
        left_over = float(variances[kept:].sum()) / max(dim - kept, 1)
        spreads = variances[:kept].sqrt().clamp(min=SMALLEST_SPREAD)
        rest = max(left_over**0.5, SMALLEST_SPREAD) if kept < dim else float("inf")  # no direction is left
        return cls(mean=mean, axes=right[:kept].contiguous(), spreads=spreads, rest=rest)

    def distance(self, features: Tensor) -> Tensor:
        """(B, D) to (B,) ≥ 0; about 1 for a case like the training cases."""
        spread = TrainingSpread(self.mean.numpy(), self.axes.numpy(), self.spreads.numpy(), self.rest)
        return torch.from_numpy(spread.distance(features.double().numpy()))

    def tensors(self) -> dict[str, Tensor]:
        """For the weights file."""
        return {
            f"{PREFIX}mean": self.mean,
            f"{PREFIX}axes": self.axes,
            f"{PREFIX}spreads": self.spreads,
            f"{PREFIX}rest": torch.tensor([self.rest], dtype=torch.float64),
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> Self | None:
        """From a weights file; None if it holds no such description."""
        if f"{PREFIX}mean" not in tensors:
            return None
        mean, axes, spreads, rest = (tensors[f"{PREFIX}{name}"] for name in ("mean", "axes", "spreads", "rest"))
        return cls(mean=mean, axes=axes, spreads=spreads, rest=float(rest[0]))


def features_of(maps: Maps) -> Tensor:
    """What cases are compared by: the averaged last maps of all views, (B, D) float32."""
    return torch.cat([pooled(part.float()) for part in maps], 1)
