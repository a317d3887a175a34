"""A model that OpenVINO computes on the CPU, without torch: from inputs to probabilities, distance and heatmaps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.engine.graph_file import Graph, read_graph
from app.engine.heatmap_method import EPSILON, HeatmapMethod, no_activation_map
from app.engine.opinion import Array, MemoryShortageError, Opinion, calibrated
from app.engine.outlier_distance import PREFIX, TrainingSpread
from app.engine.quiet_openvino import openvino
from app.engine.weights_file import tensors_of
from app.store.model_folder import read_card

Tracer = Callable[[tuple[Array, ...], ModelCard], Array | None]


class GraphModel:
    """A graph with its weights, compiled for this CPU.

    Args:
        folder: of the model; card, weights and graph are verified.
        precision: `float32` or `bfloat16`.
        threads: CPU threads; 0 = as many as there are cores.
        cache: folder for what was compiled, so that the next start is quick; None keeps nothing.
        tracer: says where deformable layers looked, which a graph does not tell; None leaves that out.

    Raises:
        UserError: the model or its graph cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        precision: str,
        threads: int = 0,
        cache: Path | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self.card: ModelCard = read_card(folder)
        graph = read_graph(folder, self.card)
        self._graph = graph  # the compiled graph goes on reading its bytes
        self.facts, self.precision = graph.facts, precision
        self.spread = TrainingSpread.from_tensors(tensors_of(graph.content, PREFIX))
        self.memory_bytes = 3 * len(graph.content)  # half precision grows to single, and a pass needs room
        try:
            self._request = compiled(graph, precision, threads, cache).create_infer_request()
        except (RuntimeError, MemoryError) as error:
            raise UserError(
                "The graph of this model cannot be computed here.",
                reason=f"OpenVINO refused it ({type(error).__name__}).",
                remedy="Export the graph again with this version of Coxa.",
                kind="bad-graph",
            ) from error

    def look(
        self,
        cases: Sequence[tuple[Array, ...]],
        *,
        method: HeatmapMethod | None = None,
        class_number: int = 0,
        has_points: bool = False,
    ) -> list[Opinion]:
        """Look at some cases, one after the other: a CPU gains nothing from batches.

        Args:
            cases: for each case its views, each (channels, size, size) float32, as `standardise` makes them.
            method: how to make heatmaps; None makes none.
            class_number: whose heatmaps.
            has_points: whether to ask the tracer too.

        Raises:
            UserError: `no-method`: the method is not defined for this network.
            MemoryShortageError: there is no memory for one case.
        """
        if method is HeatmapMethod.CAM and not self.facts.has_activation_map:
            raise no_activation_map()
        opinions = [self._look(views, method, class_number) for views in cases]
        if has_points and self._tracer is not None:
            tracer = self._tracer
            opinions = [
                replace(one, points=tracer(views, self.card)) for one, views in zip(opinions, cases, strict=True)
            ]
        return opinions

    def score(self, image: Array) -> Array:
        """A localiser's logits for one view: (channels, size, size) to (1 or 2, h, w)."""
        return np.array(self._outputs((image,))[0][0], np.float32)

    def _look(self, views: tuple[Array, ...], method: HeatmapMethod | None, class_number: int) -> Opinion:
        begun = time.perf_counter()
        logits, *rest = self._outputs(views)
        maps, gradients = rest[: self.facts.views], rest[self.facts.views :]
        found: tuple[Array, ...] = ()
        if method is not None:
            found = tuple(
                heatmap(part[0], gradient[class_number], method) for part, gradient in zip(maps, gradients, strict=True)
            )
        distance: float | None = None
        if self.spread is not None:
            features = np.concatenate([part[0].mean((-2, -1)) for part in maps])
            distance = float(self.spread.distance(features[None])[0])
        shares = calibrated(logits, self.card.calibration.temperature)[0]
        return Opinion(
            probabilities=tuple(float(share) for share in shares),
            distance=distance,
            heatmaps=found,
            seconds=time.perf_counter() - begun,
        )

    def _outputs(self, views: tuple[Array, ...]) -> list[Array]:
        try:
            found = self._request.infer([view[None] for view in views], share_inputs=True, share_outputs=True)
        except MemoryError as error:
            raise MemoryShortageError from error
        return [np.asarray(found[number], np.float32) for number in range(len(found))]


def heatmap(maps: Array, gradient: Array, method: HeatmapMethod) -> Array:
    """The heatmap of one class in one view, as `app.engine.explain` makes it, without a graph of gradients.

    Args:
        maps: (C, h, w), the last maps.
        gradient: (C,), of the logit with respect to the averaged maps; each place has its share of it.
        method: how.

    Returns:
        (h, w) float32, ≥ 0, in units of the logit.
    """
    places = maps.shape[1] * maps.shape[2]
    share = gradient / np.float32(places)
    match method:
        case HeatmapMethod.GRAD_CAM:
            weights = share
        case HeatmapMethod.CAM:
            weights = gradient
        case HeatmapMethod.GRAD_CAM_PP:
            square, cube = share**2, share**3
            below = 2 * square + maps.sum((1, 2)) * cube + np.float32(EPSILON)
            weights = np.where(share != 0, np.maximum(share, 0) * square / below, 0) * places
    found: Array = np.maximum(np.tensordot(weights.astype(np.float32), maps, 1), 0)
    return found


def cpu_facts() -> tuple[str, bool]:
    """Name of this CPU, and whether it multiplies bfloat16 natively."""
    ov = openvino()

    core = ov.Core()
    name = str(core.get_property("CPU", "FULL_DEVICE_NAME"))
    return name, "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def compiled(graph: Graph, precision: str, threads: int, cache: Path | None) -> Any:
    """Compile a graph for this CPU.

    Args:
        graph: with its weights.
        precision: `float32` or `bfloat16`.
        threads: 0 = as many as there are cores.
        cache: folder to keep it in.
    """
    ov = openvino()

    core = ov.Core()
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "ENABLE_CPU_PINNING": False,  # a pinned thread waits for whatever else runs on its core
    }
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    if cache is not None:
        settings["CACHE_DIR"] = str(cache)
    content = ov.Tensor(graph.content, shared_memory=True)
    return core.compile_model(core.read_model(graph.network, content), "CPU", settings)
