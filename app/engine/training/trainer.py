"""The loop, from the first epoch to the last: train, validate, keep the best, write a checkpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from app.core.errors import UserError
from app.core.split import Part
from app.core.training_plan import Schedule
from app.engine.device import Choice
from app.engine.models.pretrained import IMAGENET, in_our_names, start_with_imagenet
from app.engine.models.registry import architectures
from app.engine.outlier import features_of
from app.engine.statistics.roc import auc
from app.engine.training.batches import Batch, Batches
from app.engine.training.steps import Average, Localiser, class_loss, make_optimiser, rate_at, rate_on_plateau
from app.store.run_folder import Epoch, RunFolder, replace


@dataclass(slots=True)
class Scores:
    """What a model says about some cases.

    Args:
        numbers: (N,) places in the case table.
        logits: (N, outputs).
        labels: (N,).
        features: (N, D), averaged last maps.
    """

    numbers: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    features: Tensor = field(default_factory=lambda: torch.zeros(0, 0))


class Trainer:
    """One run.

    Args:
        folder: with a frozen plan, a case table and a filled cache.
        choice: device and precision.

    Raises:
        UserError: the run cannot be read, or its start weights do not fit.
    """

    def __init__(self, folder: RunFolder, choice: Choice) -> None:
        self.folder, self.choice = folder, choice
        self.plan = folder.plan()
        self.batches = Batches(self.plan, folder.cases(), *folder.cache())
        torch.manual_seed(self.plan.seed)
        self.model = architectures()[self.plan.architecture].build()
        if self.plan.start:
            begin_with(self.model, self.plan.start)
        # half as much work for convolutions in bfloat16; the transformers keep their channels last anyway
        self.model.to(choice.device, memory_format=torch.channels_last)
        self.localiser: Localiser | None = None
        if self.plan.localisation:
            self.localiser = Localiser(self._map_channels()).to(choice.device)
        self._positive = self.plan.finding if len(self.plan.classes) > 1 else 1
        # of two kinds of fracture, the other one is no absence: its cases are clicked too
        self._tells_absence = not any(any(case.clicks_xy) for case in folder.cases() if case.label != self._positive)
        modules: list[nn.Module] = [self.model, *([self.localiser] if self.localiser is not None else [])]
        self.optimiser = make_optimiser(self.plan, modules)
        self.average = Average(self.model, self.plan.average)
        self.epochs: list[Epoch] = []

    def run(self) -> list[Epoch]:
        """Train until the plan is done, nothing gets better, or somebody asks to stop. Resumes where it stopped.

        Returns:
            Every epoch, those before a resumption too.
        """
        if self.folder.checkpoint_file.is_file():
            self._restore()
        while not self._is_done():
            epoch = self._epoch(len(self.epochs) + 1)
            if epoch is None:  # stopped in the middle: the epoch is done again when the run is resumed
                break
            self.epochs.append(epoch)
            if epoch.is_best:
                weights = {name: part.detach().cpu().contiguous()
                           for name, part in self.average.weights(self.model).items()}  # fmt: skip
                draft = self.folder.best_file.with_suffix(".new")
                save_file(weights, draft)
                draft.replace(self.folder.best_file)
            self._checkpoint()
            self.folder.write_epochs(self.epochs)
        return self.epochs

    def judge(self, part: Part, *, features: bool = False) -> Scores:
        """What the kept weights say about the cases of one part."""
        weights = load_file(self.folder.best_file)
        return self._score(part, weights, features=features)

    def _epoch(self, number: int) -> Epoch | None:
        begun, total, seen = time.perf_counter(), 0.0, 0
        rate = self.plan.learning_rate
        steps = max(1, -(-len(self.batches.order(number)) // self.plan.batch))
        for step, batch in enumerate(self.batches.training(number)):
            if self.folder.stop_file.exists():
                return None
            rate = self._set_rate(number - 1 + step / steps)
            self.model.train()
            total += self._step(batch) * len(batch.labels)
            seen += len(batch.labels)
        trained = time.perf_counter() - begun
        scores = self._score(Part.VALIDATION, self.average.weights(self.model))
        loss, area, accuracy = figures(scores, self.plan.finding)
        # the loss tells apart epochs whose areas are equal, and small validation sets whose areas jump
        best = min((epoch.validation_loss for epoch in self.epochs), default=float("inf"))
        return Epoch(
            number=number,
            training_loss=total / max(seen, 1),
            validation_loss=loss,
            auc=area,
            accuracy=accuracy,
            learning_rate=rate,
            cases_per_s=seen / trained,
            seconds=time.perf_counter() - begun,
            is_best=loss < best or not len(scores.labels),
        )

    def _step(self, batch: Batch) -> float:
        """One change of the weights, from one or several passes. Returns the mean loss."""
        micro = self.plan.micro_batch or len(batch.labels)
        total = 0.0
        for start in range(0, len(batch.labels), micro):
            part = slice(start, start + micro)
            share = len(batch.labels[part]) / len(batch.labels)
            loss = self._loss(batch, part) * share
            if not torch.isfinite(loss):
                raise UserError(
                    "The training has lost its way.",
                    reason="The loss is not a number any more.",
                    remedy="Choose a smaller learning rate, or another preset.",
                    kind="diverged",
                )
            torch.autograd.backward(loss)
            total += float(loss.detach())
        if self.plan.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.average.update(self.model)
        return total

    def _loss(self, batch: Batch, part: slice) -> Tensor:
        labels = torch.from_numpy(batch.labels[part]).to(self.choice.device)
        with self._autocast():
            maps = self.model.maps(*self._images(batch, part))
            logits = self.model.classify(maps)
        loss = class_loss(logits.float(), labels)
        if self.localiser is not None:
            clicks = torch.from_numpy(batch.clicks[part]).to(self.choice.device)
            has_none = (labels != self._positive) & self._tells_absence
            loss = loss + self.plan.localisation * self.localiser(maps, clicks, has_none, self.plan.input.size_px)
        return loss

    def _score(self, part: Part, weights: dict[str, Tensor], *, features: bool = False) -> Scores:
        own = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(weights)
        self.model.eval()
        numbers = self.batches.of(part)
        logits, labels, found = [], [], []
        with torch.inference_mode():
            for batch in self.batches.plain(numbers, batch=self.plan.micro_batch or self.plan.batch):
                with self._autocast():
                    maps = self.model.maps(*self._images(batch, slice(None)))
                    logits.append(self.model.classify(maps).float().cpu().double().numpy())
                labels.append(batch.labels)
                if features:
                    found.append(features_of(maps).cpu())
        self.model.load_state_dict(own)
        outputs = architectures()[self.plan.architecture].logits
        return Scores(
            numbers=numbers,
            logits=np.concatenate([np.empty((0, outputs)), *logits]),
            labels=np.concatenate([np.empty(0, np.int64), *labels]),
            features=torch.cat(found) if found else torch.zeros(0, 0),
        )

    def _images(self, batch: Batch, part: slice) -> list[Tensor]:
        return [
            torch.from_numpy(view[part]).to(self.choice.device, memory_format=torch.channels_last)
            for view in batch.views
        ]

    def _autocast(self) -> torch.autocast:
        is_half = self.choice.precision is not torch.float32
        return torch.autocast(self.choice.device.type, self.choice.precision, enabled=is_half)

    def _set_rate(self, progress: float) -> float:
        if self.plan.schedule is Schedule.PLATEAU:
            rate = rate_on_plateau(self.plan, [epoch.validation_loss for epoch in self.epochs])
        else:
            rate = rate_at(self.plan, progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def _is_done(self) -> bool:
        if len(self.epochs) >= self.plan.epochs or self.folder.stop_file.exists():
            return True
        since = next((n for n, epoch in enumerate(reversed(self.epochs)) if epoch.is_best), 0)
        return bool(self.plan.patience) and since >= self.plan.patience

    def _map_channels(self) -> list[int]:
        side, wanted = self.plan.input.size_px, self.plan.input
        images = [torch.zeros(1, wanted.channels, side, side, device=self.choice.device) for _ in wanted.roles]
        self.model.eval()
        with torch.inference_mode():
            return [part.shape[1] for part in self.model.maps(*images)]

    def _checkpoint(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "localiser": self.localiser.state_dict() if self.localiser is not None else {},
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state(),
            "random": torch.get_rng_state(),
            "epochs": [msgspec.to_builtins(epoch) for epoch in self.epochs],
        }
        draft = self.folder.checkpoint_file.with_suffix(".new")
        torch.save(state, draft)
        draft.replace(self.folder.checkpoint_file)

    def _restore(self) -> None:
        try:
            # tensors and plain values only: a checkpoint that was swapped for a program is refused
            state: dict[str, Any] = torch.load(
                self.folder.checkpoint_file, map_location=self.choice.device, weights_only=True
            )
            self.model.load_state_dict(state["model"])
            if self.localiser is not None:
                self.localiser.load_state_dict(state["localiser"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.average.restore(state["average"])
            torch.set_rng_state(state["random"].cpu())
            self.epochs = [msgspec.convert(epoch, Epoch) for epoch in state["epochs"]]
        except Exception as error:
            raise UserError(
                "This run cannot be resumed.",
                reason=f"Its checkpoint cannot be read ({type(error).__name__}).",
                remedy=f"Remove {self.folder.checkpoint_file.name} to begin again; the best weights so far stay.",
                kind="bad-checkpoint",
            ) from error


def figures(scores: Scores, finding: int) -> tuple[float, float | None, float]:
    """Loss, area under the curve of the finding (None with one class only) and accuracy.

    Without validation cases all of them are 0 and None, and the trainer keeps the last epoch.
    """
    if not len(scores.labels):
        return 0.0, None, 0.0
    logits, labels = torch.from_numpy(scores.logits), torch.from_numpy(scores.labels)
    loss = float(class_loss(logits, labels))
    if scores.logits.shape[1] == 1:
        said, there, score = scores.logits[:, 0] > 0, scores.labels == 1, scores.logits[:, 0]
        accuracy = float((said == there).mean())
    else:
        there = scores.labels == finding
        score = logits.log_softmax(1)[:, finding].numpy()
        accuracy = float((scores.logits.argmax(1) == scores.labels).mean())
    area = auc(there, score).value if there.any() and not there.all() else None
    return loss, area, accuracy


def begin_with(model: nn.Module, start: str) -> str:
    """Begin as a plan says.

    Args:
        model: changed in place.
        start: `imagenet`, or a safetensors file.

    Returns:
        What it was initialised with, for the card.

    Raises:
        UserError: there are no such weights, or they do not fit.
    """
    if start == IMAGENET:
        return start_with_imagenet(model)
    load_start(model, Path(start))
    return Path(start).name


def load_start(model: nn.Module, path: Path) -> None:
    """Begin with other weights, layer by layer where names and shapes agree: a new head for new classes stays random.

    Raises:
        UserError: `no-start` or `other-start`: nothing fits.
    """
    try:
        weights = load_file(path)
    except Exception as error:
        raise UserError(
            "The weights to begin with cannot be read.",
            reason=f"{path.name} is not a safetensors file that can be opened.",
            remedy="Choose another file, or begin with random weights.",
            kind="no-start",
        ) from error
    own = model.state_dict()
    weights |= in_our_names(model, weights)  # a published file, with the names that timm gives
    fitting = {name: part for name, part in weights.items() if name in own and own[name].shape == part.shape}
    if len(fitting) < len(own) / 2:
        raise UserError(
            "The weights to begin with are of another network.",
            reason=f"{len(fitting)} of {len(own)} layers fit.",
            remedy="Choose another file, or begin with random weights.",
            kind="other-start",
        )
    model.load_state_dict(own | fitting)


def write_scores(folder: RunFolder, scores: dict[str, Scores]) -> None:
    """Keep what the best weights say, for figures that are made later."""
    content = {
        part: {"numbers": each.numbers.tolist(), "logits": each.logits.tolist(), "labels": each.labels.tolist()}
        for part, each in scores.items()
    }
    replace(folder.scores_file, msgspec.json.encode(content))
