"""The device that models are computed on, and how each is brought there.

On CPUs a model runs as a graph in OpenVINO, and torch is not even loaded; it is the path for GPUs and for models
without a graph.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from app.core.engine_messages import ENGINE_PROTOCOL, Hello, Ready
from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.engine.graph_file import has_graph
from app.engine.graph_model import GraphModel, Tracer, cpu_facts
from app.engine.hardware import cache_folder, has_torch, may_have_gpu
from app.engine.meant_model import exchanged_model
from app.engine.opinion import Array, RunningModel
from app.engine.quick_precision import CLOSE, PrecisionMemory, difference
from app.store.model_folder import RESTORE

if TYPE_CHECKING:
    from app.engine.device import Choice

PRECISIONS = ("auto", "float32", "bfloat16")
KEPT_DAYS = 60  # compiled graphs that were not used for so long are removed
SHARE = 0.25  # of the memory that models may take when nothing else is said


class Runtime:
    """Brings models to one device.

    Args:
        hello: device, precision and threads that the window wishes.

    Raises:
        UserError: `no-device` or `no-precision`.
    """

    def __init__(self, hello: Hello) -> None:
        if hello.precision not in PRECISIONS:
            raise UserError(
                "There is no such precision.",
                reason=f"{hello.precision!r} is not {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}.",
                kind="no-precision",
            )
        self._hello = hello
        self._torch: Choice | None = _choice(hello) if may_have_gpu(hello.device) else None
        self._cache = _usable(cache_folder() / "graphs")
        self._memory = PrecisionMemory(self._cache)
        self.ready = self._facts()

    @property
    def is_gpu(self) -> bool:
        """Whether larger batches are worthwhile."""
        return self._torch is not None and self._torch.device.type != "cpu"

    @property
    def budget_bytes(self) -> int:
        """Most memory that loaded models may take."""
        return self._hello.memory_bytes or int(SHARE * self.ready.memory_bytes)

    def load(self, folder: Path) -> RunningModel:
        """Bring a model to the device.

        Raises:
            UserError: it cannot be used; `no-torch`: it needs PyTorch, which is not installed.
        """
        if not self.is_gpu and has_graph(folder):
            try:
                return self._graph(folder)
            except UserError as error:
                if error.kind not in ("bad-graph", "other-graph"):
                    raise
                if not has_torch():
                    raise UserError(error.title, reason=error.reason, remedy=RESTORE, kind=error.kind) from error
                print(f"{folder.name}: {error.title} {error.reason} (PyTorch computes it)", file=sys.stderr)
        return self._network(folder)

    def give_back(self) -> None:
        """Give memory back that torch keeps for itself."""
        if self._torch is not None and self._torch.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    def _facts(self) -> Ready:
        if self._torch is not None:
            return Ready(
                protocol=ENGINE_PROTOCOL,
                device=str(self._torch.device),
                device_name=self._torch.name,
                precision=str(self._torch.precision).removeprefix("torch."),
                memory_bytes=self._torch.memory_bytes,
            )
        name, is_native = cpu_facts()
        is_quick = self._hello.precision == "bfloat16" or (self._hello.precision == "auto" and is_native)
        return Ready(
            protocol=ENGINE_PROTOCOL,
            device="cpu",
            device_name=name,
            precision="bfloat16" if is_quick else "float32",
            memory_bytes=psutil.virtual_memory().total,
        )

    def _graph(self, folder: Path) -> GraphModel:
        if self.ready.precision == "float32":
            return self._compiled(folder, "float32")
        quick = self._compiled(folder, "bfloat16")
        if self._hello.precision == "bfloat16":
            return quick
        if not quick.facts.has_gradient:  # a localiser: small, and it gives places, not probabilities
            return self._compiled(folder, "float32")
        key = f"{quick.card.weights_sha256} {quick.facts.made_with} {self.ready.device_name}"
        is_good = self._memory.known(key)
        if is_good is None:
            exact = self._compiled(folder, "float32")
            apart = difference(quick, exact)
            self._memory.remember(key, apart)
            return quick if apart <= CLOSE else exact
        return quick if is_good else self._compiled(folder, "float32")

    def _compiled(self, folder: Path, precision: str) -> GraphModel:
        return GraphModel(
            folder,
            precision=precision,
            threads=self._hello.threads,
            cache=self._cache,
            tracer=self._tracer(folder) if has_torch() else None,
        )

    def _tracer(self, folder: Path) -> Tracer:
        """Sampling points of a network of two views, with torch, which is loaded when somebody first asks."""
        network: list[RunningModel] = []

        def trace(views: tuple[Array, ...], card: ModelCard) -> Array | None:
            if len(views) < 2:
                return None
            if not network:
                found = self._network(folder)
                if found.card.answer_key != card.answer_key:  # since the graph was loaded
                    raise exchanged_model(folder, found.card)
                network.append(found)
            return network[0].look([views], has_points=True)[0].points

        return trace

    def _network(self, folder: Path) -> RunningModel:
        """With torch, in single precision on CPUs, unless another is wished."""
        try:
            from app.engine.loaded_model import LoadedModel
        except ImportError as error:
            raise UserError(
                "This model needs PyTorch, which is not installed.",
                reason="It has no graph for OpenVINO.",
                remedy="Run the set-up with the engine, or ask for the model with its graph.",
                kind="no-torch",
            ) from error
        choice = self._torch
        if choice is None:
            choice = _choice(Hello(device="cpu", precision="bfloat16" if self._is_half else "float32",
                                   threads=self._hello.threads))  # fmt: skip
        return LoadedModel(
            folder, device=choice.device, precision=choice.precision, is_compiled=self._hello.is_compiled
        )

    @property
    def _is_half(self) -> bool:
        return self._hello.precision == "bfloat16"


def _choice(hello: Hello) -> Choice:
    """The device, by torch.

    Raises:
        UserError: `no-device`.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "0")  # waiting threads must not burn a core (performance.md §0.3)
    try:
        import torch

        from app.engine.device import choose_device
    except ImportError as error:
        raise UserError(
            f"There is no device {hello.device}.",
            reason="It needs PyTorch, which is not installed.",
            remedy="Run the set-up with the engine, or choose the CPU.",
            kind="no-device",
        ) from error
    if hello.threads:
        torch.set_num_threads(hello.threads)
    return choose_device(hello.device, hello.precision)


def _usable(folder: Path) -> Path | None:
    """The folder for compiled graphs without those that nobody has used for long; None where nothing can be written."""
    import time

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for blob in folder.glob("*.blob"):
            facts = blob.stat()
            if time.time() - max(facts.st_atime, facts.st_mtime) > KEPT_DAYS * 86400:
                blob.unlink(missing_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
