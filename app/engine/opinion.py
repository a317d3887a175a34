"""What a model says about one case, and what every way to run a model can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.core.model_card import ModelCard
from app.engine.heatmap_method import HeatmapMethod

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a model says about one case.

    Args:
        probabilities: calibrated; of each class, or of the only one.
        distance: from the training cases; None where the model cannot tell.
        heatmaps: one for each view, (h, w) float32, units of the logit; empty when none was asked for.
        points: where deformable layers looked (`app.engine.tracing`); None where nobody asked or there are none.
        seconds: time of the pass, divided by the cases in it.
    """

    probabilities: tuple[float, ...]
    distance: float | None
    heatmaps: tuple[Array, ...]
    seconds: float
    points: Array | None = None


class MemoryShortageError(Exception):
    """The memory of the device does not suffice for this many cases."""


class RunningModel(Protocol):
    """A model in memory, however it is computed."""

    card: ModelCard

    @property
    def memory_bytes(self) -> int:
        """About how much memory it holds."""
        ...

    def look(
        self,
        cases: Sequence[tuple[Array, ...]],
        *,
        method: HeatmapMethod | None = None,
        class_number: int = 0,
        has_points: bool = False,
    ) -> list[Opinion]:
        """Look at some cases in one pass.

        Args:
            cases: for each case its views, each (channels, size, size) float32, as `standardise` makes them.
            method: how to make heatmaps; None makes none.
            class_number: whose heatmaps.
            has_points: whether to trace the deformable layers.

        Raises:
            UserError: the method is not defined for this network.
            MemoryShortageError: try fewer cases.
        """
        ...

    def score(self, image: Array) -> Array:
        """A localiser's logits for one view: (channels, size, size) to (1 or 2, h, w)."""
        ...


def calibrated(logits: npt.NDArray[np.floating], temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities (B, classes) of logits (B, classes): a sigmoid for one, a softmax for more."""
    scaled = logits.astype(np.float64) / temperature
    if scaled.shape[1] == 1:
        return 1 / (1 + np.exp(-np.clip(scaled, -700, 700)))
    grown = np.exp(scaled - scaled.max(1, keepdims=True))
    shares: npt.NDArray[np.float64] = grown / grown.sum(1, keepdims=True)
    return shares
