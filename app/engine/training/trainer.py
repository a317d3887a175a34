"""The loop, from the first epoch to the last: train, validate, keep the best, write a checkpoint.

Lightning Fabric brings the device, the precision and, under `torchrun`, several processes that share the work; what
happens in which order is all here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from app.core.errors import UserError
from app.core.split import Part
from app.core.training_plan import Schedule, TrainingPlan
from app.engine.device import Choice
from app.engine.models.hip_model import HipModel
from app.engine.models.registry import architectures
from app.engine.outlier import features_of
from app.engine.training.ahead import Ahead
from app.engine.training.batches import Batch, Batches
from app.engine.training.beginning import begin_with
from app.engine.training.checkpoint import Position, read_checkpoint, write_checkpoint
from app.engine.training.processes import as_in_the_first, ask_for_smaller_passes, make_fabric, seed_epoch
from app.engine.training.scoring import Scores, figures, worst_cases
from app.engine.training.steps import (
    HEATMAP_SHARE,
    Average,
    Localiser,
    class_loss,
    heatmap_loss,
    make_optimiser,
    rate_at,
    rate_on_plateau,
)
from app.store.run_folder import Epoch, RunFolder, replace

Step = Callable[[int, int, int, float, float], None]  # epoch, step done, steps, mean loss so far, seconds so far
GPU_THREADS = 4  # that make images ready for a GPU


class Trainer:
    """One run.

    Args:
        folder: with a frozen plan, a case table and a filled cache.
        choice: device and precision.
        micro_batch: cases in one pass; 0 = what the plan says.
        on_step: is told after every step.
        on_epoch: is told after every epoch, once it is written.

    Raises:
        UserError: the run cannot be read, or its start weights do not fit.
    """

    def __init__(
        self,
        folder: RunFolder,
        choice: Choice,
        *,
        micro_batch: int = 0,
        on_step: Step | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> None:
        self.folder, self.choice, self._on_step, self._on_epoch = folder, choice, on_step, on_epoch
        self.plan = folder.plan()
        self.fabric = make_fabric(choice)
        self.device = self.fabric.device
        self.cases = folder.cases()
        self.batches = Batches.of_run(folder)
        torch.manual_seed(self.plan.seed)
        self.model = architectures()[self.plan.architecture].build()
        if self.plan.start:
            begin_with(self.model, self.plan.start, folder=folder.path)
        # half as much work for convolutions in bfloat16; the transformers keep their channels last anyway
        self.model.to(self.device).to(memory_format=torch.channels_last)
        self.localiser: Localiser | None = None
        if self.plan.localisation:
            self.localiser = Localiser(self._map_channels()).to(self.device)
        self._wrapped = self.fabric.setup_module(Objective(self.model, self.localiser, self.plan, self._tells_absence))
        modules: list[nn.Module] = [self.model, *([self.localiser] if self.localiser is not None else [])]
        self.optimiser = make_optimiser(self.plan, modules)
        self.average = Average(self.model, self.plan.average)
        self.epochs: list[Epoch] = []
        self.notes: list[str] = []
        self.micro_batch = micro_batch or self.plan.micro_batch or self.plan.batch

    @property
    def is_chief(self) -> bool:
        """Whether this process writes: the first of several."""
        return self.fabric.global_rank == 0

    @property
    def is_finished(self) -> bool:
        """Whether the plan is done, or nothing has become better for long."""
        return self.plan.is_done([epoch.is_best for epoch in self.epochs])

    def run(self) -> list[Epoch]:
        """Train until the plan is done, nothing gets better, or somebody asks to stop. Resumes where it stopped.

        Returns:
            Every epoch, those before a resumption too.
        """
        if self.folder.checkpoint_file.is_file():
            self._restore()
        while not self.is_finished and not self._is_asked_to_stop():
            scored = self._epoch(len(self.epochs) + 1)
            if scored is None:  # stopped in the middle: the epoch is done again when the run is resumed
                break
            epoch, scores = scored
            self.epochs.append(epoch)
            if self.is_chief:
                self._keep(epoch, scores)
                if self._on_epoch is not None:
                    self._on_epoch(epoch)
            self.fabric.barrier()
        return self.epochs

    def judge(self, part: Part, *, features: bool = False) -> Scores:
        """What the kept weights say about the cases of one part."""
        weights = load_file(self.folder.best_file)
        return self._score(part, weights, features=features)

    def _epoch(self, number: int) -> tuple[Epoch, Scores] | None:
        begun, total, seen = time.perf_counter(), 0.0, 0
        rate = self.plan.learning_rate
        seed_epoch(self.fabric, self.plan.seed, number)
        steps = [part for part in self.batches.steps(number) if len(part) >= self.fabric.world_size]
        images = Ahead(
            lambda part: self.batches.batch(self._share(part), epoch=number), steps,
            threads=1 if self.device.type == "cpu" else GPU_THREADS,
        )  # fmt: skip
        for step, batch in enumerate(images):
            if self._is_asked_to_stop():
                return None
            rate = self._set_rate(number - 1 + step / len(steps))
            self.model.train()
            total += self._step(batch, len(steps[step])) * len(steps[step])
            seen += len(steps[step])
            if self._on_step is not None:
                self._on_step(number, step + 1, len(steps), total / seen, time.perf_counter() - begun)
        trained = time.perf_counter() - begun
        scores = self._score(Part.VALIDATION, self.average.weights(self.model))
        loss, area, accuracy = figures(scores, self.plan.finding)
        # the loss tells apart epochs whose areas are equal, and small validation sets whose areas jump
        known = [epoch.validation_loss for epoch in self.epochs if epoch.validation_loss is not None]
        epoch = Epoch(
            number=number,
            training_loss=self._mean(total / max(seen, 1)),
            validation_loss=loss,
            auc=area,
            accuracy=accuracy,
            learning_rate=rate,
            cases_per_s=seen / trained,
            seconds=time.perf_counter() - begun,
            is_best=loss is None or loss < min(known, default=float("inf")),
            waiting=images.waited_s / trained,
        )
        return epoch, scores

    def _step(self, batch: Batch, count: int) -> float:
        """One change of the weights, from one or several passes. Returns the mean loss.

        Args:
            batch: the cases of this process.
            count: cases of all processes.
        """
        while True:
            random = torch.get_rng_state()
            try:
                total = self._gradients(batch, count)
                break
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.fabric.world_size > 1:
                    raise ask_for_smaller_passes(self.folder, min(self.micro_batch, len(batch.labels))) from error
                self._halve(len(batch.labels))
                torch.set_rng_state(random)
        if self.plan.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.average.update(self.model)
        return total

    def _gradients(self, batch: Batch, count: int) -> float:
        """Add up the gradients of a step, piece by piece; processes share theirs with the last piece."""
        pieces = np.array_split(np.arange(len(batch.labels)), math.ceil(len(batch.labels) / self.micro_batch))
        total = 0.0
        for number, piece in enumerate(pieces):
            part = slice(int(piece[0]), int(piece[-1]) + 1)
            share = len(piece) * self.fabric.world_size / count  # processes average their gradients
            with self.fabric.no_backward_sync(self._wrapped, enabled=number < len(pieces) - 1):
                loss = self._loss(batch, part) * share
                if not torch.isfinite(loss):
                    raise _diverged()
                self.fabric.backward(loss)
            total += float(loss.detach())
        return total

    def _loss(self, batch: Batch, part: slice) -> Tensor:
        labels = torch.from_numpy(batch.labels[part]).to(self.device)
        clicks = torch.from_numpy(batch.clicks[part]).to(self.device)
        loss: Tensor = self._wrapped(labels, clicks, *self._images(batch, part))
        return loss

    def _halve(self, cases: int) -> None:
        """Less at a time; the same step is done again."""
        self.optimiser.zero_grad(set_to_none=True)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if min(self.micro_batch, cases) <= 1:
            raise UserError(
                "The memory does not suffice for this network.",
                reason="Not even one case at a time fits.",
                remedy="Close other programs, choose a smaller network, or train on the CPU.",
                kind="memory",
            )
        self.micro_batch = min(self.micro_batch, cases) // 2
        self.notes.append(
            f"The memory did not suffice: {self.micro_batch} cases in one pass from epoch {len(self.epochs) + 1} on; "
            "a step is still made of the whole batch."
        )

    def _score(self, part: Part, weights: dict[str, Tensor], *, features: bool = False) -> Scores:
        weights = as_in_the_first(self.fabric, weights)
        own = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(weights)
        self.model.eval()
        numbers = self._share(self.batches.of(part))
        logits, labels, found = [], [], []
        with torch.inference_mode():
            images = Ahead(self.batches.batch, list(_chunks(numbers, self.micro_batch)))
            for batch in images:
                with self.fabric.autocast():
                    maps = self.model.maps(*self._images(batch, slice(None)))
                    logits.append(self.model.classify(maps).float().cpu().double().numpy())
                labels.append(batch.labels)
                if features:
                    found.append(features_of(maps).cpu())
        self.model.load_state_dict(own)
        outputs = architectures()[self.plan.architecture].logits
        scores = Scores(
            numbers=numbers,
            logits=np.concatenate([np.empty((0, outputs)), *logits]),
            labels=np.concatenate([np.empty(0, np.int64), *labels]),
            features=torch.cat(found) if found else torch.zeros(0, 0),
        )
        return self._gathered(scores)

    def _images(self, batch: Batch, part: slice) -> list[Tensor]:
        return [torch.from_numpy(view[part]).to(self.device, memory_format=torch.channels_last) for view in batch.views]

    def _share(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What this process does of some cases."""
        return numbers[self.fabric.global_rank :: self.fabric.world_size]

    def _gathered(self, scores: Scores) -> Scores:
        """The scores of all processes, in the order of one."""
        if self.fabric.world_size == 1:
            return scores
        parts: list[Any] = [None] * self.fabric.world_size
        torch.distributed.all_gather_object(parts, scores)
        order = np.argsort(np.concatenate([part.numbers for part in parts]), kind="stable")
        return Scores(
            numbers=np.concatenate([part.numbers for part in parts])[order],
            logits=np.concatenate([part.logits for part in parts])[order],
            labels=np.concatenate([part.labels for part in parts])[order],
            features=torch.cat([part.features for part in parts])[torch.from_numpy(order)]
            if scores.features.numel()
            else scores.features,
        )

    def _mean(self, value: float) -> float:
        """Over all processes."""
        if self.fabric.world_size == 1:
            return value
        mean: Any = self.fabric.all_reduce(torch.tensor(value, device=self.device), reduce_op="mean")
        return float(mean)

    def _set_rate(self, progress: float) -> float:
        if self.plan.schedule is Schedule.PLATEAU:
            losses = [  # without validation cases, the training loss is watched
                epoch.training_loss if epoch.validation_loss is None else epoch.validation_loss for epoch in self.epochs
            ]
            rate = rate_on_plateau(self.plan, losses)
        else:
            rate = rate_at(self.plan, progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def _is_asked_to_stop(self) -> bool:
        """Whether somebody wishes it to end; every process hears the same."""
        if self.fabric.world_size == 1:
            return self.folder.stop_file.exists()
        return bool(self.fabric.broadcast(self.folder.stop_file.exists()))

    def _map_channels(self) -> list[int]:
        side, wanted = self.plan.input.size_px, self.plan.input
        images = [torch.zeros(1, wanted.channels, side, side, device=self.device) for _ in wanted.roles]
        self.model.eval()
        with torch.inference_mode():
            return [part.shape[1] for part in self.model.maps(*images)]

    @property
    def _tells_absence(self) -> bool:
        """Whether a case without the finding shows nothing: of two kinds of fracture, the other one is no absence, and
        its cases are clicked too."""
        positive = self.plan.finding if len(self.plan.classes) > 1 else 1
        others = [number for number, case in enumerate(self.cases) if case.label != positive]
        return bool(np.isnan(self.batches.clicks[others]).all())

    def _keep(self, epoch: Epoch, scores: Scores) -> None:
        """Write what came of an epoch: the weights first, so that no line of progress tells of what is not there."""
        if epoch.is_best:
            weights = {name: part.detach().cpu().contiguous()
                       for name, part in self.average.weights(self.model).items()}  # fmt: skip
            draft = self.folder.best_file.with_suffix(".new")
            save_file(weights, draft)
            draft.replace(self.folder.best_file)
        write_checkpoint(self.folder.checkpoint_file, self._position())
        self.folder.write_epochs(self.epochs)
        worst = worst_cases(scores, self.plan.finding, [case.id for case in self.cases])
        replace(self.folder.worst_file, msgspec.json.encode(worst))

    def _restore(self) -> None:
        position = self._position()
        read_checkpoint(self.folder.checkpoint_file, position, self.device)
        self.epochs, self.notes = position.epochs, position.notes
        self.micro_batch = min(self.micro_batch, position.micro_batch)
        if self.is_chief:
            self.folder.write_epochs(self.epochs)  # a process may have ended between the two files

    def _position(self) -> Position:
        return Position(
            self.model, self.localiser, self.optimiser, self.average, self.epochs, self.micro_batch, self.notes
        )


class Objective(nn.Module):
    """From images to the loss: what Fabric wraps, so that precision and shared gradients are its business.

    Args:
        model: the network.
        localiser: see `Localiser`; None = image labels only.
        plan: of the run.
        tells_absence: whether a case without the finding has nothing to point at.
    """

    def __init__(self, model: HipModel, localiser: Localiser | None, plan: TrainingPlan, tells_absence: bool) -> None:
        super().__init__()
        self.model, self.localiser, self._plan = model, localiser, plan
        self._positive = plan.finding if len(plan.classes) > 1 else 1
        self._tells_absence = tells_absence

    def forward(self, labels: Tensor, clicks: Tensor, *images: Tensor) -> Tensor:
        """The mean loss of some cases; labels (B,), clicks (B, views, 2), images (B, C, H, W) for each view."""
        maps = self.model.maps(*images)
        logits = self.model.classify(maps)
        with torch.autocast(labels.device.type, enabled=False):  # a sum of small numbers
            loss = class_loss(logits.float(), labels)
            if self.localiser is not None:
                has_none = (labels != self._positive) & self._tells_absence
                whole = tuple(part.float() for part in maps)
                size = self._plan.input.size_px
                where = self.localiser(whole, clicks, has_none, size)
                number = self._plan.finding if logits.shape[1] > 1 else 0
                why = heatmap_loss(logits, maps, clicks, labels == self._positive, number, size)
                loss = loss + self._plan.localisation * (where + HEATMAP_SHARE * why)
        return loss


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine had no memory left."""
    words = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in words


def _chunks(numbers: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def _diverged() -> UserError:
    return UserError(
        "The training has lost its way.",
        reason="The loss is not a number any more.",
        remedy="Choose a smaller learning rate, or another preset.",
        kind="diverged",
    )
