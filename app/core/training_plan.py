"""What a training run is to do, frozen before it begins: a run can be repeated, resumed and judged from this alone."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from app.core.model_input import ModelInput
from app.core.split import Part


class Optimiser(StrEnum):
    """How weights are changed."""

    ADAMW = "adamw"
    ADAM = "adam"
    NADAM = "nadam"
    SGD = "sgd"  # with momentum 0.9
    RMSPROP = "rmsprop"


class Schedule(StrEnum):
    """How the learning rate changes over the epochs."""

    CONSTANT = "constant"
    COSINE = "cosine"  # to a hundredth, after a linear warm-up
    PLATEAU = "plateau"  # a tenth after ten epochs without a lower validation loss (Keras' default, paper 001)


class Augmentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How training images are varied; every amount is the largest, drawn evenly to both sides.

    Args:
        rotation_deg: turned about the centre.
        zoom: larger or smaller by this share.
        shift: moved by this share of the side.
        flip_horizontal: chance of a mirror image.
        flip_vertical: chance of an image upside down (paper 001 does it; no radiograph hangs so).
        contrast: share by which contrast and brightness change.
        noise: standard deviation of Gaussian noise, in display range 0 … 1.
        inversion: chance of the negative.
        blank: chance that one of several views is not seen: its own mean everywhere, as in a view ablation (ADR 0191).
    """

    rotation_deg: float = 10.0
    zoom: float = 0.1
    shift: float = 0.1
    flip_horizontal: float = 0.0
    flip_vertical: float = 0.0
    contrast: float = 0.2
    noise: float = 0.02
    inversion: float = 0.0
    blank: float = 0.0


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides what comes out of a run.

    Args:
        architecture: name in the registry of networks.
        classes: meaning of its outputs; one name: a sigmoid, more: a softmax.
        finding: index of the class that is the finding.
        input: what it is fed.
        seed: of weights, order and augmentation.
        epochs: most epochs.
        batch: cases in one step.
        micro_batch: cases in one pass; gradients of a step are added up; 0 = the whole batch.
        optimiser: how weights are changed.
        learning_rate: at its largest.
        weight_decay: not applied to norms and biases.
        clip: largest norm of the gradient; 0 = not limited.
        schedule: how the learning rate changes.
        warm_up_epochs: epochs of linear growth; cosine only.
        average: decay of the running average of the weights that is validated and kept; 0 = none.
        patience: epochs without a better validation score before the run ends; 0 = never.
        is_balanced: whether every class is drawn equally often.
        localisation: weight of the loss on where the fracture was clicked; 0 in every paper's preset.
        augmentation: how images are varied.
        start: weights to begin with: empty = random; `imagenet` = published ones for its backbones; else a safetensors
            file.
        preset: name of the preset that the plan was made from.
    """

    architecture: str
    classes: tuple[str, ...]
    finding: int
    input: ModelInput
    seed: int = 0
    epochs: int = 30
    batch: int = 32
    micro_batch: int = 0
    optimiser: Optimiser = Optimiser.ADAMW
    learning_rate: float = 3e-4
    weight_decay: float = 0.05
    clip: float = 5.0
    schedule: Schedule = Schedule.COSINE
    warm_up_epochs: float = 1.0
    average: float = 0.0
    patience: int = 0
    is_balanced: bool = False
    localisation: float = 0.0
    augmentation: Augmentation = Augmentation()
    start: str = ""
    preset: str = "default"

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or self.learning_rate <= 0:
            raise ValueError("a run has at least one epoch, one case a step, and a positive learning rate")
        if not 0 <= self.average < 1 or not 0 <= self.finding < len(self.classes):
            raise ValueError("the average decays by less than 1, and the finding is one of the classes")

    def is_done(self, are_best: Sequence[bool]) -> bool:
        """Whether there is nothing more to train: every epoch was, or nothing has become better for long.

        Args:
            are_best: of every epoch so far, in order, whether it was the best one until then.
        """
        since = next((n for n, is_best in enumerate(reversed(are_best)) if is_best), 0)
        return len(are_best) >= self.epochs or (bool(self.patience) and since >= self.patience)


class TrainingCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a run's case table.

    Args:
        id: the case; a pseudonym.
        patient: a pseudonym; for the check that no patient is in two parts.
        part: what the case is for.
        label: class number; for a single sigmoid 1 = the finding is there.
        clicks_xy: for each view the fracture centre in coordinates of the model input, or None.
    """

    id: str
    patient: str
    part: Part
    label: int
    clicks_xy: tuple[tuple[float, float] | None, ...] = ()
