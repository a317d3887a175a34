"""Answers jobs: keeps models loaded, makes inputs, computes in batches that fit the memory, writes heatmaps."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.core.engine_messages import (
    EngineReply,
    Failed,
    Hello,
    Locate,
    Located,
    Predict,
    Ready,
    Result,
    Started,
    ViewInput,
)
from app.core.errors import UserError
from app.core.grey_tables import display_table
from app.core.model_input import ModelInput, blank_input, input_key, standardise
from app.engine.heatmap_method import heatmap_method
from app.engine.locate import localiser_cut, locate
from app.engine.meant_model import lost_model, require_meant
from app.engine.opinion import Array, MemoryShortageError, Opinion, RunningModel
from app.engine.queue import Job
from app.engine.replies import fault, refusal
from app.engine.runtime import Runtime
from app.engine.shelf import Shelf
from app.store.images import ImageStore

Send = Callable[[EngineReply], None]


class Predictor:
    """Computes what is asked for, on one device.

    Args:
        hello: device, precision, batch, threads and memory that the window wishes.
        send: takes the replies.

    Raises:
        UserError: there is no such device.
    """

    def __init__(self, hello: Hello, send: Send) -> None:
        self._runtime = Runtime(hello)
        self._shelf = Shelf(self._runtime.load, self._runtime.budget_bytes)
        self._send = send
        self._wished = max(1, hello.batch) if self._runtime.is_gpu else 1  # a CPU gains nothing
        self._largest = self._wished
        self.ready: Ready = self._runtime.ready

    @property
    def batch(self) -> int:
        """Most jobs that are computed in one pass; smaller after the memory did not suffice."""
        return self._largest

    def unload(self) -> None:
        """Give all memory back."""
        self._shelf.clear()
        self._runtime.give_back()
        self._largest = self._wished

    def answer(self, jobs: Sequence[Job]) -> None:
        """Compute jobs of one kind (`JobQueue.take`) and send what comes of each; never raises."""
        for job in jobs:
            self._send(Started(job=job.job))
        try:
            model = self._shelf.get(jobs[0].model)
        except UserError as error:
            for job in jobs:
                self._send(refusal(job.job, lost_model(Path(job.model), error) if job.model_key else error))
            return
        except (MemoryError, MemoryShortageError):
            for job in jobs:
                self._send(_no_memory(job.job))
            return
        except Exception as error:  # a fault in one job must not end the engine
            for job in jobs:
                self._send(fault(job.job, error))
            return
        fed: list[tuple[Predict, str, tuple[Array, ...]]] = []
        for job in jobs:
            try:
                require_meant(job, model.card)
                if isinstance(job, Locate):
                    self._send(_located(job, model))
                    continue
                fed.append((job, *_inputs(job, model.card.input)))
            except UserError as error:
                self._send(refusal(job.job, error))
            except (MemoryError, MemoryShortageError):
                self._send(_no_memory(job.job))
            except Exception as error:
                self._send(fault(job.job, error))
        self._answer(model, fed)

    def _answer(self, model: RunningModel, fed: list[tuple[Predict, str, tuple[Array, ...]]]) -> None:
        """Compute in one pass; in halves when the memory does not suffice."""
        if not fed:
            return
        first = fed[0][0]
        try:
            method = heatmap_method(first.heatmap_method)
            opinions = model.look(
                [views for _, _, views in fed],
                method=method,
                class_number=first.heatmap_class,
                has_points=first.has_points,
            )
        except MemoryShortageError:
            self._runtime.give_back()
            if len(fed) == 1:
                self._send(_no_memory(first.job))
                return
            half = len(fed) // 2
            self._largest = min(self._largest, half)
            self._answer(model, fed[:half])
            self._answer(model, fed[half:])
            return
        except UserError as error:
            for job, _, _ in fed:
                self._send(refusal(job.job, error))
            return
        except Exception as error:
            for job, _, _ in fed:
                self._send(fault(job.job, error))
            return
        for (job, key, _), opinion in zip(fed, opinions, strict=True):
            try:
                files = _written(job, key, model.card.weights_sha256, opinion)
                points = _points_file(job, key, model.card.weights_sha256, opinion)
            except OSError as error:
                self._send(_unwritable(job.job, error))
                continue
            self._send(
                Result(
                    job=job.job,
                    weights_sha256=model.card.weights_sha256,
                    input_key=key,
                    probabilities=opinion.probabilities,
                    distance=opinion.distance,
                    heatmaps=files,
                    points=points,
                    seconds=opinion.seconds,
                )
            )


def _located(job: Locate, model: RunningModel) -> Located:
    """Where the hip is in the one view of a job."""
    begun = time.perf_counter()
    view, wanted = job.view, model.card.input
    image = ImageStore(Path(job.images)).load(view.image_sha256)
    table = display_table(view.grey, view.voi, offset=image.offset)
    found = locate(image, table, view, wanted, model.score)
    return Located(
        job=job.job,
        weights_sha256=model.card.weights_sha256,
        input_key=input_key(wanted, ((view.pixels_key, localiser_cut(view, wanted)),)),
        center_xy=found.center_xy,
        confidence=found.confidence,
        head_xy=found.head_xy,
        seconds=time.perf_counter() - begun,
    )


def _inputs(job: Predict, wanted: ModelInput) -> tuple[str, tuple[Array, ...]]:
    """The key and the numbers of one job's input."""
    if len(job.views) != len(wanted.roles):
        raise UserError(
            "The model needs other views than it was given.",
            reason=f"It looks at {len(wanted.roles)}, and {len(job.views)} came.",
            kind="other-views",
        )
    store = ImageStore(Path(job.images))
    arrays = tuple(_one(store, view, wanted) for view in job.views)
    return input_key(wanted, tuple((view.pixels_key, view.cut) for view in job.views)), arrays


def _one(store: ImageStore, view: ViewInput, wanted: ModelInput) -> Array:
    image = store.load(view.image_sha256)
    table = display_table(view.grey, view.voi, offset=image.offset)
    seen = standardise(image, table, view.cut, wanted)
    return blank_input(seen, wanted) if view.is_blank else seen


def _written(job: Predict, key: str, weights: str, opinion: Opinion) -> tuple[str, ...]:
    """Write the heatmaps of one case, each whole or not at all."""
    names = [
        f"{weights[:16]}-{key[:32]}-{job.heatmap_method}-{job.heatmap_class}-{number}.npy"
        for number in range(len(opinion.heatmaps))
    ]
    return tuple(_kept(job, name, part) for name, part in zip(names, opinion.heatmaps, strict=True))


def _points_file(job: Predict, key: str, weights: str, opinion: Opinion) -> str:
    """Write the sampling points of one case; empty when there are none."""
    return "" if opinion.points is None else _kept(job, f"{weights[:16]}-{key[:32]}-points.npy", opinion.points)


def _kept(job: Predict, name: str, array: Array) -> str:
    """Write one array, whole or not at all; returns its path."""
    folder = Path(job.heatmaps)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}"
    with draft.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    draft.replace(folder / name)
    return str(folder / name)


def _no_memory(job: int) -> Failed:
    return Failed(
        job=job,
        kind="memory",
        title="The memory does not suffice for this model.",
        reason="Not even one case fits.",
        remedy="Close other programs, choose a smaller model, or compute on the CPU.",
    )


def _unwritable(job: int, error: OSError) -> Failed:
    return Failed(
        job=job,
        kind="unwritable",
        title="The heatmap could not be stored.",
        reason=f"{error.strerror}.",
        remedy="Make room on the disk.",
    )
