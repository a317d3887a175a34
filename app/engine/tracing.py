"""Where the deformable layers of a network looked: a table of points on its input (paper 000; ADR 0191)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from app.core.heatmap import POINT_COLUMNS
from app.engine.models.cvdt import Cvdt
from app.engine.models.deformable_attention import Points
from app.engine.models.hip_model import HipModel

Table = npt.NDArray[np.float32]


def sampling_points(network: HipModel, images: tuple[torch.Tensor, ...]) -> list[Table] | None:
    """The sampled points of every deformable layer, with the attention that they received.

    Args:
        network: in evaluation mode.
        images: for each view (B, channels, size, size).

    Returns:
        For each case (K, 5) float32 with the columns `POINT_COLUMNS`; None for a network without such layers.
    """
    if not isinstance(network, Cvdt):
        return None
    with torch.inference_mode():
        layers = network.points(*images)
    cases, size_px = images[0].shape[0], images[0].shape[-1]
    tables = [
        np.concatenate(
            [_rows(view, layer, points, case, size_px)
             for layer, pair in enumerate(layers) for view, points in enumerate(pair)]
        )
        for case in range(cases)
    ]  # fmt: skip
    return tables


def _rows(view: int, layer: int, points: Points, case: int, size_px: int) -> Table:
    xy = points.xy[case].float().cpu().numpy()  # (groups, N, 2)
    groups, count, _ = xy.shape
    side = round(count**0.5)
    places = ((xy + 1) / 2 * (side - 1) + 0.5) * (size_px / side)
    received = points.received[case].float().cpu().numpy()  # (heads, N), each row sums to 1
    weight = received.reshape(groups, -1, count).mean(1) * count
    table = np.empty((groups * count, len(POINT_COLUMNS)), np.float32)
    table[:, 0], table[:, 1] = view, layer
    table[:, 2:4], table[:, 4] = places.reshape(-1, 2), weight.reshape(-1)
    return table
