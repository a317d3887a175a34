"""A model in memory: from inputs to probabilities, distance and heatmaps, in one pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.engine.explain import HeatmapMethod, heatmaps
from app.engine.models.hip_model import HipModel
from app.engine.models.registry import Architecture, architectures
from app.engine.outlier import PREFIX, OutlierModel, features_of
from app.engine.tracing import sampling_points
from app.store.model_folder import read_card, verified_weights

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


class LoadedModel:
    """A network with its weights on a device.

    Args:
        folder: of the model; card and weights are verified.
        device: where it computes.
        precision: what the network computes in; everything after its last maps is single precision.

    Raises:
        UserError: the model cannot be used; `no-architecture`: this version does not know its network.
    """

    def __init__(self, folder: Path, *, device: torch.device, precision: torch.dtype) -> None:
        self.card: ModelCard = read_card(folder)
        self.device, self.precision = device, precision
        architecture = _architecture(self.card)
        tensors = load_file(verified_weights(folder, self.card))
        weights = {name: part for name, part in tensors.items() if not name.startswith(PREFIX)}
        self.network: HipModel = architecture.build()
        try:
            self.network.load_state_dict({name: part.float() if part.is_floating_point() else part
                                          for name, part in weights.items()})  # fmt: skip
        except RuntimeError as error:
            raise UserError(
                "The weights of this model do not fit its network.",
                reason=f"{self.card.architecture} has other layers in this version of Coxa.",
                remedy="Use the version of Coxa that made the model.",
                kind="other-network",
            ) from error
        self.network.eval().requires_grad_(False).to(device)
        self.outlier = OutlierModel.from_tensors(tensors)

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
            has_points: whether to trace the deformable layers, which costs a second pass.

        Raises:
            ValueError: the method is not defined for this network.
            torch.OutOfMemoryError: the device is full; try fewer cases.
        """
        begun = time.perf_counter()
        images = [torch.from_numpy(np.stack(views)).to(self.device) for views in zip(*cases, strict=True)]
        is_single = self.precision is torch.float32
        with torch.inference_mode(), torch.autocast(self.device.type, self.precision, enabled=not is_single):
            maps = tuple(part.float() for part in self.network.maps(*images))
        found: tuple[torch.Tensor, ...] = ()
        if method is None:
            with torch.inference_mode():
                logits = self.network.classify(maps)
        else:
            logits, found = heatmaps(self.network, maps, class_number, method)
        probabilities = calibrated(logits.float(), self.card.calibration.temperature).cpu().numpy()
        distances = self.outlier.distance(features_of(maps).cpu()) if self.outlier is not None else None
        maps_by_view = [part.float().cpu().numpy() for part in found]
        tables = sampling_points(self.network, tuple(images)) if has_points else None
        seconds = (time.perf_counter() - begun) / len(cases)
        return [
            Opinion(
                probabilities=tuple(float(value) for value in probabilities[number]),
                distance=None if distances is None else float(distances[number]),
                heatmaps=tuple(part[number] for part in maps_by_view),
                seconds=seconds,
                points=None if tables is None else tables[number],
            )
            for number in range(len(cases))
        ]

    def score(self, image: Array) -> Array:
        """A localiser's scores for one view: (channels, size, size) to (1 or 2, h, w)."""
        with torch.inference_mode():
            found: Array = self.network(torch.from_numpy(image[None]).to(self.device))[0].float().cpu().numpy()
        return found


def calibrated(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Probabilities (B, classes) of logits (B, classes): a sigmoid for one, a softmax for more."""
    scaled = logits / temperature
    return scaled.sigmoid() if logits.shape[1] == 1 else scaled.softmax(1)


def _architecture(card: ModelCard) -> Architecture:
    found = architectures().get(card.architecture)
    if found is None:
        raise UserError(
            "This version of Coxa does not know the network of this model.",
            reason=f"Its card names {card.architecture!r}.",
            remedy="Use a newer version of Coxa.",
            kind="no-architecture",
        )
    if len(card.classes) != found.logits or len(card.input.roles) != len(found.input.roles):
        raise UserError(
            "The card of this model contradicts its network.",
            reason="Number of classes or of views differ.",
            remedy="Ask for the model again.",
            kind="bad-card",
        )
    return found
