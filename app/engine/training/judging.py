"""What a trained network says about cases: logits, features and where its heatmaps peak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats
from torch import Tensor, nn

from app.engine.device import Choice
from app.engine.explain import HeatmapMethod, heatmaps
from app.engine.models.hip_model import HipModel
from app.engine.outlier import features_of
from app.engine.training.batches import Batch

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Opinions of one network about some cases, in the order of the cases.

    Args:
        logits: (N, outputs), not calibrated.
        labels: (N,) int64, class numbers; for a single output 1 = the finding is there.
        patients: (N,) pseudonyms.
        features: (N, D), averaged last maps of all views.
        peaks_xy: (N, views, 2), where each view's heatmap of the finding is largest, in input coordinates, px; NaN
            where it is empty. No views when no heatmaps were made.
        heights: (N, views), how large, in units of the logit.
        clicks_xy: (N, views, 2), where the fracture is, in input coordinates; NaN where nobody has clicked.
        cell_px: side of one cell of the heatmaps, in input px.
    """

    logits: Floats
    labels: npt.NDArray[np.int64]
    patients: tuple[str, ...]
    features: Tensor
    peaks_xy: Floats
    heights: Floats
    clicks_xy: Floats
    cell_px: float = 0.0

    def __len__(self) -> int:
        return len(self.labels)


def look(
    model: HipModel,
    batches: Iterable[Batch],
    *,
    patients: Sequence[str],
    choice: Choice,
    size_px: int,
    finding: int | None = None,
    method: HeatmapMethod = HeatmapMethod.GRAD_CAM,
) -> Judged:
    """Let a network look at cases as they are.

    Args:
        model: with its weights, on the device of `choice`.
        batches: the cases; `Batch.numbers` are their places in `patients`.
        patients: whose each case is.
        choice: device and precision.
        size_px: side of the input.
        finding: number of the logit whose heatmaps are made; None makes none.
        method: how.
    """
    model.eval()
    logits, labels, numbers, features, clicks = [], [], [], [], []
    peaks, heights, cell = [], [], 0.0
    for batch in batches:
        images = [torch.from_numpy(view).to(choice.device) for view in batch.views]
        with torch.inference_mode(), autocast(choice):
            maps = tuple(part.float() for part in model.maps(*images))
        if finding is None:
            with torch.inference_mode():
                said = model.classify(maps)
            found: tuple[Tensor, ...] = ()
        else:
            said, found = heatmaps(model, maps, finding, method)
        logits.append(said.float().cpu().double().numpy())
        features.append(features_of(maps).cpu())
        labels.append(batch.labels)
        numbers.append(batch.numbers)
        clicks.append(batch.clicks.astype(np.float64))
        spots = [peaks_of(part.float().cpu().numpy(), size_px) for part in found]
        peaks.append(np.stack([at for at, _ in spots], 1) if spots else np.empty((len(said), 0, 2)))
        heights.append(np.stack([height for _, height in spots], 1) if spots else np.empty((len(said), 0)))
        cell = max([cell, *(size_px / part.shape[-1] for part in found)])
    if not logits:
        raise ValueError("no cases")
    places = np.concatenate(numbers)
    return Judged(
        logits=np.concatenate(logits),
        labels=np.concatenate(labels).astype(np.int64),
        patients=tuple(patients[int(place)] for place in places),
        features=torch.cat(features),
        peaks_xy=np.concatenate(peaks),
        heights=np.concatenate(heights),
        clicks_xy=np.concatenate(clicks),
        cell_px=cell,
    )


def peaks_of(maps: npt.NDArray[np.floating], size_px: int) -> tuple[Floats, Floats]:
    """Where heatmaps are largest.

    Args:
        maps: (N, h, w) ≥ 0.
        size_px: side of the input that they cover.

    Returns:
        (N, 2) centre of the largest cell in input coordinates, NaN for an empty map; (N,) its height.
    """
    count, rows, cols = maps.shape
    flat = maps.reshape(count, -1)
    best = flat.argmax(1)
    heights = flat[np.arange(count), best].astype(np.float64)
    at = np.stack([(best % cols + 0.5) / cols, (best // cols + 0.5) / rows], 1) * size_px
    at[heights <= 0] = np.nan
    return at, heights


def random_similarity(model: HipModel, batches: Iterable[Batch], *, choice: Choice, finding: int, seed: int) -> float:
    """How much heatmaps resemble those of the same network with random weights (Adebayo et al. 2018, section 3).

    Args:
        model: trained; is left as it was.
        batches: some cases; a few dozen are enough.
        choice: device and precision.
        finding: whose heatmaps.
        seed: of the random weights.

    Returns:
        Mean absolute rank correlation over cases and views; a map without any contrast counts as 0.
    """
    shown = list(batches)
    trained = [_maps(model, batch, choice, finding) for batch in shown]
    with random_weights(model, seed):
        rolled = [_maps(model, batch, choice, finding) for batch in shown]
    pairs = [
        (one[case].ravel(), other[case].ravel())
        for ones, others in zip(trained, rolled, strict=True)
        for one, other in zip(ones, others, strict=True)
        for case in range(len(one))
    ]
    return float(np.mean([_rank_correlation(one, other) for one, other in pairs]))


@contextmanager
def random_weights(model: nn.Module, seed: int) -> Iterator[None]:
    """The same network with random weights for a while; it is left as it was."""
    kept = {name: part.detach().clone() for name, part in model.state_dict().items()}
    try:
        _randomise(model, seed)
        yield
    finally:
        model.load_state_dict(kept)


def stored_precision(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are stored: matrices and kernels in half precision, vectors (norms, biases) as they are.

    A value that half precision cannot hold keeps its tensor in single precision.
    """
    stored = {}
    for name, part in weights.items():
        plain = part.detach().cpu().contiguous()
        half = plain.half() if plain.is_floating_point() and plain.ndim >= 2 else plain
        stored[name] = half if not half.is_floating_point() or bool(torch.isfinite(half).all()) else plain
    return stored


def autocast(choice: Choice) -> torch.autocast:
    """Computing in the precision of a choice."""
    return torch.autocast(choice.device.type, choice.precision, enabled=choice.precision is not torch.float32)


def _maps(model: HipModel, batch: Batch, choice: Choice, finding: int) -> list[npt.NDArray[np.float32]]:
    model.eval()
    images = [torch.from_numpy(view).to(choice.device) for view in batch.views]
    with torch.inference_mode(), autocast(choice):
        maps = tuple(part.float() for part in model.maps(*images))
    _, found = heatmaps(model, maps, finding, HeatmapMethod.GRAD_CAM)
    return [part.float().cpu().numpy() for part in found]


def _randomise(model: nn.Module, seed: int) -> None:
    """Every weight anew, from the same spread as it has: norms stay norms, and the maps stay of a usual size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in model.parameters():
            if part.ndim >= 2:
                spread = part.detach().float().std().cpu()
                part.copy_((torch.randn(part.shape, generator=generator) * spread).to(part.dtype))


def _rank_correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return abs(float(stats.spearmanr(one, other).statistic))
