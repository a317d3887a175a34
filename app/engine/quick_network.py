"""The quickest way to compute a network's maps on a device that is as exact as the plain way.

On a GPU the plain way (eager, a kernel at a time) waits for Python most of the time at small batches. The quick ways
compute in bfloat16, at a few fixed batch sizes, recorded once as CUDA graphs and replayed; and, where it is wished,
compiled first, which takes a minute or two. Every way is compared with eager single precision on the same images before
it answers anybody; one that fails, or says something else, is left for the next plainer one, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from app.core.model_input import ModelInput
from app.engine.models.hip_model import HipModel, Maps
from app.engine.quick_precision import CLOSE, check_views

BATCHES = (1, 8, 32)  # cases in one pass of a recorded network
WARM_UPS = 3  # passes before recording, so that libraries have chosen their kernels
SAME = 1e-3  # probabilities in single precision, computed another way (TF32 products included)

Compute = Callable[..., Maps]
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How maps are computed.

    Args:
        precision: what the network computes in.
        is_compiled: by torch's compiler.
        is_recorded: as a CUDA graph for each batch size.
    """

    precision: torch.dtype
    is_compiled: bool = False
    is_recorded: bool = False

    @property
    def is_static(self) -> bool:
        """Whether batches have fixed sizes."""
        return self.is_compiled or self.is_recorded

    @property
    def words(self) -> str:
        """For notes."""
        parts = [str(self.precision).removeprefix("torch.")]
        parts += ["compiled"] if self.is_compiled else []
        parts += ["CUDA graph"] if self.is_recorded else []
        return ", ".join(parts if self.is_static else [*parts, "eager"])


class Recorder(Protocol):
    """Records a computation, so that it can be replayed on other numbers in the same places."""

    def __call__(self, compute: Compute, images: tuple[Tensor, ...]) -> Callable[[], Maps]:
        """Record one pass on these images; what is returned computes anew from whatever they hold then."""
        ...


def ways(device: torch.device, precision: torch.dtype, *, is_compiled: bool = False) -> tuple[Way, ...]:
    """The ways to try on a device, the quickest first; the last one is the plain way and always good.

    Args:
        device: where it computes.
        precision: what is wished.
        is_compiled: whether compiling is worth its minutes.
    """
    found = []
    is_recorded = device.type == "cuda"
    if is_compiled:
        found.append(Way(precision=precision, is_compiled=True, is_recorded=is_recorded))
    if is_recorded:
        found.append(Way(precision=precision, is_recorded=True))
    found.append(Way(precision=precision))
    if device.type != "cpu" and precision is not torch.float32:
        found.append(Way(precision=torch.float32))
    return tuple(found)


class QuickNetwork:
    """Computes maps by the quickest way that holds.

    Args:
        network: in evaluation mode, on its device.
        wanted: what it is fed.
        device: where it is.
        tried: the ways, the quickest first; the last one is taken unseen.
        chances: from logits to calibrated probabilities.
        note: is told of every way that was left.
        compiler: makes a compiled function of one.
        recorder: records a pass.
        batches: the fixed batch sizes, rising.

    Attributes:
        memory_bytes: what recorded passes hold.
    """

    def __init__(
        self,
        network: HipModel,
        wanted: ModelInput,
        device: torch.device,
        tried: Sequence[Way],
        *,
        chances: Callable[[Tensor], np.ndarray],
        note: Note,
        compiler: Callable[..., Compute] = torch.compile,
        recorder: Recorder | None = None,
        batches: Sequence[int] = BATCHES,
    ) -> None:
        self._network, self._wanted, self._device = network, wanted, device
        self._ways, self._batches = list(tried), list(batches)
        self._chances, self._note, self._compiler = chances, note, compiler
        self._recorder = recorder or CudaRecorder()
        self._passes: dict[int, _Pass] = {}
        self._compiled: Compute | None = None
        self._reference: tuple[tuple[Tensor, ...], np.ndarray] | None = None
        self._is_checked = len(self._ways) == 1
        self.memory_bytes = 0

    @property
    def way(self) -> Way:
        """The way in use."""
        return self._ways[0]

    def maps(self, images: tuple[Tensor, ...]) -> Maps:
        """The network's maps of some cases, float32.

        Args:
            images: for each view (B, channels, size, size), on the device.

        Raises:
            torch.OutOfMemoryError: not even the smallest batch fits, or eager mode needs fewer cases at a time.
        """
        if not self._is_checked:
            self._check_plain_ways()
        found: list[Maps] = []
        start, count = 0, images[0].shape[0]
        while start < count:
            if not self.way.is_static:
                found.append(self._eager(tuple(view[start:] for view in images)))
                break
            batch = self._batch(count - start)
            part = tuple(view[start : start + batch] for view in images)
            try:
                done = self._pass(batch)
                if done is None:
                    continue  # this way does not hold: go on by the next one
                found.append(done.run(part))
            except torch.OutOfMemoryError:
                if batch == self._batches[0]:
                    raise
                self._batches = [size for size in self._batches if size < batch]
                self._passes = {size: kept for size, kept in self._passes.items() if size < batch}
                continue
            start += len(part[0])
        return tuple(torch.cat(parts) if len(parts) > 1 else parts[0] for parts in zip(*found, strict=True))

    def _batch(self, count: int) -> int:
        """The smallest batch that holds so many, or the largest there is."""
        return next((size for size in self._batches if size >= count), self._batches[-1])

    def _pass(self, batch: int) -> _Pass | None:
        """A checked pass of this batch size; None after the way was left."""
        if batch in self._passes:
            return self._passes[batch]
        way, before = self.way, self._reserved_bytes()
        try:
            made = self._made(way, batch)
            apart = self._apart(made.run, batch)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # compilers and drivers fail in many ways; none of them may cost an answer
            self._leave(f"{way.words}, batch {batch}: it failed ({type(error).__name__})")
            return None
        if apart > _limit(way):
            self._leave(f"{way.words}, batch {batch}: probabilities differ by {apart:.1e}")
            return None
        self._passes[batch] = made
        self.memory_bytes += max(0, self._reserved_bytes() - before)
        return made

    def _reserved_bytes(self) -> int:
        return torch.cuda.memory_reserved(self._device) if self._device.type == "cuda" else 0

    def _check_plain_ways(self) -> None:
        """Leave eager ways that say something else; a static way is checked at every batch size instead."""
        while len(self._ways) > 1 and not self.way.is_static:
            apart = self._apart(self._eager, 1)
            if apart <= _limit(self.way):
                break
            self._leave(f"{self.way.words}: probabilities differ by {apart:.1e}")
        self._is_checked = True

    def _leave(self, why: str) -> None:
        self._ways.pop(0)
        self._passes.clear()
        self._compiled, self.memory_bytes = None, 0
        self._note(f"{why}; computing goes on with {self.way.words}")
        if not self.way.is_static:
            self._is_checked = len(self._ways) == 1
            if not self._is_checked:
                self._check_plain_ways()

    def _made(self, way: Way, batch: int) -> _Pass:
        size = self._wanted.size_px
        shape = (batch, self._wanted.channels, size, size)
        images = tuple(torch.zeros(shape, device=self._device) for _ in self._wanted.roles)
        compute = self._compute(way)
        if way.is_recorded:
            return _Pass(images, self._recorder(compute, images))
        return _Pass(images, lambda: compute(*images))

    def _compute(self, way: Way) -> Compute:
        """One pass of the network in a precision, compiled where the way says so."""
        inner: Compute = self._network.maps
        if way.is_compiled:
            if self._compiled is None:
                self._compiled = self._compiler(self._network.maps, fullgraph=True, dynamic=False)
            inner = self._compiled

        def compute(*images: Tensor) -> Maps:
            # without the cache of casts: a recorded graph must cast from the weights, not from memory that is gone
            is_half = way.precision is not torch.float32
            with (
                torch.inference_mode(),
                torch.autocast(self._device.type, way.precision, enabled=is_half, cache_enabled=False),
            ):
                return tuple(part.float() for part in inner(*images))

        return compute

    def _eager(self, images: tuple[Tensor, ...]) -> Maps:
        return self._compute(Way(precision=self.way.precision))(*images)

    def _check(self) -> tuple[tuple[Tensor, ...], np.ndarray]:
        """Images to compare ways on, and what eager single precision says of them."""
        if self._reference is None:
            cases = check_views(self._wanted)
            images = tuple(torch.from_numpy(np.stack(views)).to(self._device) for views in zip(*cases, strict=True))
            plain = self._compute(Way(precision=torch.float32))
            one_by_one = [self._said(plain(*(view[at : at + 1] for view in images))) for at in range(len(cases))]
            self._reference = images, np.concatenate(one_by_one)
        return self._reference

    def _apart(self, run: Callable[[tuple[Tensor, ...]], Maps], batch: int) -> float:
        """The largest difference of probabilities from the plain way, in full batches of the images to compare on."""
        images, meant = self._check()
        worst = 0.0
        for start in range(0, len(meant), batch):
            at = [(start + number) % len(meant) for number in range(batch)]
            said = self._said(run(tuple(view[at] for view in images)))
            worst = max(worst, float(np.abs(said - meant[at]).max()))
        return worst

    def _said(self, maps: Maps) -> np.ndarray:
        with torch.inference_mode():
            return self._chances(self._network.classify(maps))


class _Pass:
    """A computation at one batch size: images go to fixed places, and a smaller part of a batch is filled up."""

    def __init__(self, images: tuple[Tensor, ...], replay: Callable[[], Maps]) -> None:
        self._images, self._replay = images, replay

    def run(self, images: tuple[Tensor, ...]) -> Maps:
        count = images[0].shape[0]
        for place, view in zip(self._images, images, strict=True):
            place[:count].copy_(view)
            if count < place.shape[0]:
                place[count:].copy_(view[-1:].expand(place.shape[0] - count, *view.shape[1:]))
        return tuple(part[:count].clone() for part in self._replay())


class CudaRecorder:
    """Records passes as CUDA graphs that share their memory."""

    def __init__(self) -> None:
        self._pool: Any = None  # torch gives a handle without a public type

    def __call__(self, compute: Compute, images: tuple[Tensor, ...]) -> Callable[[], Maps]:
        """See `Recorder`."""
        stream: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                compute(*images)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            maps = compute(*images)
        self._pool = graph.pool()

        def replay() -> Maps:
            graph.replay()
            return maps

        return replay


def _limit(way: Way) -> float:
    return SAME if way.precision is torch.float32 else CLOSE
