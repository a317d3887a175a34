"""What weights say about the cases of one part, while a run goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from scipy import special
from torch import Tensor

from app.core.training_run import WorstCase
from app.engine.statistics.roc import auc
from app.engine.training.steps import class_loss
from app.store.run_folder import RunFolder, replace

SHOWN = 12  # worst cases that are kept


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


def figures(scores: Scores, finding: int) -> tuple[float | None, float | None, float | None]:
    """Loss, area under the curve of the finding (None with one class only) and accuracy.

    Without validation cases all of them are None, and the trainer keeps the last epoch.
    """
    if not len(scores.labels):
        return None, None, None
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


def worst_cases(scores: Scores, finding: int, names: list[str]) -> list[WorstCase]:
    """The cases that are most wrong, the worst first.

    Args:
        scores: of the validation cases.
        finding: number of the class that is the finding.
        names: case of each place in the case table.
    """
    if not len(scores.labels):
        return []
    if scores.logits.shape[1] == 1:
        chance = special.expit(scores.logits[:, 0])
        right = np.where(scores.labels == 1, chance, 1 - chance)
    else:
        shares = special.softmax(scores.logits, axis=1)
        chance, right = shares[:, finding], shares[np.arange(len(shares)), scores.labels]
    losses = -np.log(np.maximum(right, 1e-12))
    return [
        WorstCase(
            id=names[int(scores.numbers[place])],
            label=int(scores.labels[place]),
            probability=round(float(chance[place]), 4),
            loss=round(float(losses[place]), 4),
        )
        for place in np.argsort(-losses, kind="stable")[:SHOWN]
    ]


def write_scores(folder: RunFolder, scores: dict[str, Scores]) -> None:
    """Keep what the best weights say, for figures that are made later."""
    content = {
        part: {"numbers": each.numbers.tolist(), "logits": each.logits.tolist(), "labels": each.labels.tolist()}
        for part, each in scores.items()
    }
    replace(folder.scores_file, msgspec.json.encode(content))
