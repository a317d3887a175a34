"""A model in memory: from inputs to probabilities, distance and heatmaps, in one pass."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.engine.explain import heatmaps
from app.engine.heatmap_method import HeatmapMethod
from app.engine.models.hip_model import HipModel
from app.engine.models.registry import Architecture, architectures
from app.engine.opinion import Array, MemoryShortageError, Opinion, calibrated
from app.engine.outlier import OutlierModel, features_of
from app.engine.outlier_distance import PREFIX
from app.engine.quick_network import QuickNetwork, ways
from app.engine.tracing import sampling_points
from app.store.model_folder import read_card, read_weights


class LoadedModel:
    """A network with its weights on a device.

    Args:
        folder: of the model; card and weights are verified.
        device: where it computes.
        precision: what the network computes in; everything after its last maps is single precision.
        is_compiled: whether it may be compiled first, which takes a minute or two.

    Raises:
        UserError: the model cannot be used; `no-architecture`: this version does not know its network.
    """

    def __init__(
        self, folder: Path, *, device: torch.device, precision: torch.dtype, is_compiled: bool = False
    ) -> None:
        self.card: ModelCard = read_card(folder)
        self.device, self.precision = device, precision
        architecture = _architecture(self.card)
        tensors = load(read_weights(folder, self.card).tobytes())  # no map of a file that somebody may write to
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
        self.quick = QuickNetwork(
            self.network,
            self.card.input,
            device,
            ways(device, precision, is_compiled=is_compiled),
            chances=lambda logits: calibrated(logits.float().cpu().numpy(), self.card.calibration.temperature),
            note=lambda words: print(f"{self.card.id}: {words}", file=sys.stderr),
        )

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
            UserError: the method is not defined for this network.
            MemoryShortageError: the device is full; try fewer cases.
        """
        try:
            return self._look(cases, method, class_number, has_points=has_points)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise MemoryShortageError from error

    def _look(
        self, cases: Sequence[tuple[Array, ...]], method: HeatmapMethod | None, class_number: int, *, has_points: bool
    ) -> list[Opinion]:
        begun = time.perf_counter()
        images = [torch.from_numpy(np.stack(views)).to(self.device) for views in zip(*cases, strict=True)]
        maps = self.quick.maps(tuple(images))
        found: tuple[torch.Tensor, ...] = ()
        if method is None:
            with torch.inference_mode():
                logits = self.network.classify(maps)
        else:
            logits, found = heatmaps(self.network, maps, class_number, method)
        probabilities = calibrated(logits.float().cpu().numpy(), self.card.calibration.temperature)
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
        """A localiser's logits for one view: (channels, size, size) to (1 or 2, h, w)."""
        with torch.inference_mode():
            (maps,) = self.network.maps(torch.from_numpy(image[None]).to(self.device))
        found: Array = maps[0].float().cpu().numpy()
        return found

    @property
    def memory_bytes(self) -> int:
        """About how much memory it holds: its weights, as much again for what a pass needs, and recorded passes."""
        weights = sum(part.numel() * part.element_size() for part in self.network.parameters())
        return 2 * weights + self.quick.memory_bytes


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
