"""From cached images to batches: what a case looks like this time.

Every image is one affine warp of the cached display levels, followed by the same standardisation as at inference. The
random numbers of a case depend on the seed, the epoch and the case only, so that a resumed run sees what an
uninterrupted one would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from app.core.model_input import blank_input, levels_to_input
from app.core.split import Part
from app.core.training_plan import Augmentation, TrainingCase, TrainingPlan
from app.store.run_folder import RunFolder

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some cases as a network is fed them.

    Args:
        numbers: (B,) places in the case table.
        views: for each view (B, channels, size, size) float32.
        labels: (B,) int64.
        clicks: (B, views, 2) float32, x and y in input coordinates; NaN where nobody clicked or it is outside.
    """

    numbers: npt.NDArray[np.int64]
    views: tuple[Floats, ...]
    labels: npt.NDArray[np.int64]
    clicks: Floats


class Batches:
    """The images of a run.

    Args:
        plan: of the run.
        cases: its table.
        levels: (cases, views, side, side) uint8.
        inside: the same shape, bool.
        clicks: (cases, views, 2), fracture centres in input coordinates, NaN = none; None: those of the table.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        cases: Sequence[TrainingCase],
        levels: npt.NDArray[np.uint8],
        inside: npt.NDArray[np.bool_],
        clicks: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self._plan, self._cases, self._levels, self._inside = plan, cases, levels, inside
        self.clicks = _table_clicks(cases, len(plan.input.roles)) if clicks is None else clicks

    @classmethod
    def of_run(cls, folder: RunFolder) -> Self:
        """Those of a run whose cache is filled."""
        return cls(folder.plan(), folder.cases(), *folder.cache(), folder.clicks())

    def of(self, part: Part) -> npt.NDArray[np.int64]:
        """Places of the cases of one part."""
        return np.array([number for number, case in enumerate(self._cases) if case.part is part], np.int64)

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """The training cases of one epoch, shuffled; balanced: every class equally often, drawn with repetition."""
        rng = np.random.default_rng([self._plan.seed, epoch])
        numbers = self.of(Part.TRAINING)
        if not self._plan.is_balanced:
            return rng.permutation(numbers)
        labels = np.array([self._cases[number].label for number in numbers])
        kinds = np.unique(labels)
        share = math.ceil(len(numbers) / len(kinds))
        drawn = [_drawn(rng, numbers[labels == kind], share) for kind in kinds]
        return rng.permutation(np.concatenate(drawn))[: len(numbers)]

    def steps(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        """The cases of every step of one epoch. A last one of a single case is left out: norms need two."""
        order = self.order(epoch)
        parts = [order[start : start + self._plan.batch] for start in range(0, len(order), self._plan.batch)]
        return [part for part in parts if len(part) > 1 or len(order) == 1]

    def training(self, epoch: int) -> Iterator[Batch]:
        """Batches of one epoch, varied."""
        for part in self.steps(epoch):
            yield self.batch(part, epoch=epoch)

    def plain(self, numbers: npt.NDArray[np.int64], *, batch: int) -> Iterator[Batch]:
        """Batches of some cases as they are."""
        for start in range(0, len(numbers), batch):
            yield self.batch(numbers[start : start + batch])

    def batch(self, numbers: npt.NDArray[np.int64], *, epoch: int | None = None) -> Batch:
        """These cases; varied as in an epoch, or as they are."""
        views = len(self._plan.input.roles)
        size = self._plan.input.size_px
        arrays = [np.empty((len(numbers), self._plan.input.channels, size, size), np.float32) for _ in range(views)]
        clicks = np.full((len(numbers), views, 2), np.nan, np.float32)
        for place, number in enumerate(numbers):
            rng = None if epoch is None else np.random.default_rng([self._plan.seed, epoch, int(number)])
            for view in range(views):
                warp = self._warp(rng)
                arrays[view][place] = self._image(int(number), view, warp, rng)
                clicks[place, view] = self._click(int(number), view, warp)
            unseen = None if epoch is None else self._unseen(int(number), epoch)
            if unseen is not None:
                arrays[unseen][place] = blank_input(arrays[unseen][place], self._plan.input)
                clicks[place, unseen] = np.nan
        labels = np.array([self._cases[number].label for number in numbers], np.int64)
        return Batch(numbers, tuple(arrays), labels, clicks)

    def _unseen(self, number: int, epoch: int) -> int | None:
        """The view that a case is shown without in an epoch, if any; a chance of its own, which varies nothing else."""
        views, chance = len(self._plan.input.roles), self._plan.augmentation.blank
        if views < 2 or not chance:
            return None
        rng = np.random.default_rng([self._plan.seed, epoch, number, 1])
        return int(rng.integers(views)) if rng.random() < chance else None

    def _warp(self, rng: np.random.Generator | None) -> npt.NDArray[np.float64]:
        """(2, 3): from cached to input coordinates."""
        size, side = self._plan.input.size_px, self._levels.shape[-1]
        if rng is None:
            return np.array([[1.0, 0.0, (size - side) / 2], [0.0, 1.0, (size - side) / 2]])
        return drawn_warp(self._plan.augmentation, rng, size=size, side=side)

    def _image(self, number: int, view: int, warp: npt.NDArray[np.float64], rng: np.random.Generator | None) -> Floats:
        size = self._plan.input.size_px
        centred = warp.copy()  # cv2 counts from pixel centres
        centred[:, 2] += warp[:, :2] @ (0.5, 0.5) - 0.5
        levels = cv2.warpAffine(self._levels[number, view], centred, (size, size), flags=cv2.INTER_LINEAR)
        mask = self._inside[number, view].astype(np.uint8)
        inside = cv2.warpAffine(mask, centred, (size, size), flags=cv2.INTER_NEAREST).astype(np.bool_)
        light: Floats = levels.astype(np.float32) / np.float32(255)
        if rng is not None:
            light = varied(light, self._plan.augmentation, rng)
        return levels_to_input(light, inside, self._plan.input)

    def _click(self, number: int, view: int, warp: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        click: npt.NDArray[np.float64] = self.clicks[number, view].astype(np.float64)
        if np.isnan(click).any():
            return click
        margin = (self._levels.shape[-1] - self._plan.input.size_px) / 2
        at: npt.NDArray[np.float64] = warp[:, :2] @ (click + margin) + warp[:, 2]
        is_inside = bool(((at >= 0) & (at < self._plan.input.size_px)).all())
        return at if is_inside else np.array([np.nan, np.nan])


def drawn_warp(
    augmentation: Augmentation, rng: np.random.Generator, *, size: int, side: int
) -> npt.NDArray[np.float64]:
    """A random affine from cached to input coordinates.

    Args:
        augmentation: the largest amounts.
        rng: where chance comes from.
        size: side of the input, px.
        side: side of the cached image, px.
    """
    angle = math.radians(rng.uniform(-1, 1) * augmentation.rotation_deg)
    zoom = 1 + rng.uniform(-1, 1) * augmentation.zoom
    right, down = (rng.uniform(-1, 1, 2) * augmentation.shift * size).tolist()
    across = -1.0 if rng.random() < augmentation.flip_horizontal else 1.0
    upright = -1.0 if rng.random() < augmentation.flip_vertical else 1.0
    cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
    linear = np.array([[across * cos, -across * sin], [upright * sin, upright * cos]])
    shift = np.array([size / 2 + right, size / 2 + down]) - linear @ (side / 2, side / 2)
    return np.hstack([linear, shift[:, None]])


def varied(light: Floats, augmentation: Augmentation, rng: np.random.Generator) -> Floats:
    """Contrast, brightness, noise and negative.

    Args:
        light: (H, W) float32, 0 … 1.
        augmentation: the largest amounts.
        rng: where chance comes from.

    Returns:
        (H, W) float32, 0 … 1.
    """
    gain = 1 + rng.uniform(-1, 1) * augmentation.contrast
    shift = rng.uniform(-0.5, 0.5) * augmentation.contrast
    result = (light - 0.5) * np.float32(gain) + np.float32(0.5 + shift)
    if augmentation.noise:
        amount = np.float32(rng.uniform(0, augmentation.noise))
        result += amount * rng.standard_normal(light.shape, np.float32)
    if rng.random() < augmentation.inversion:
        result = 1 - result
    return np.clip(result, 0, 1, out=result)


def _table_clicks(cases: Sequence[TrainingCase], views: int) -> npt.NDArray[np.float32]:
    clicks = np.full((len(cases), views, 2), np.nan, np.float32)
    for number, case in enumerate(cases):
        for view, click in enumerate(case.clicks_xy[:views]):
            if click is not None:
                clicks[number, view] = click
    return clicks


def _drawn(rng: np.random.Generator, numbers: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """So many of these, each about equally often."""
    rounds = [rng.permutation(numbers) for _ in range(math.ceil(count / len(numbers)))]
    return np.concatenate(rounds)[:count]
