"""Joseph's projector in torch, for a GPU: the same sum as `joseph.line_integrals`, one 2-D `grid_sample` a slice.

Slices lie at whole indices of the main axis, so trilinear sampling falls to bilinear and nothing is approximated.
Import this module only where torch is wanted: importing it imports torch.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from app.engine.phantom.volume import Part
from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import RayFrame

_SAMPLES_AT_ONCE = 1 << 24


def project_part(part: Part, geometry: Geometry, *, device: str = "cpu") -> NDArray[np.float32]:
    """Areal density of one part along every ray, at the true pixel centres.

    Args:
        part: one volume.
        geometry: source and detector.
        device: a torch device, for example `cuda`.

    Returns:
        (rows, cols) float32, g/cm².

    Raises:
        ValueError: the source lies inside the part or beside it.
    """
    frame = RayFrame.of(part, geometry)
    axis = frame.main_axis(geometry)
    fast, slow = (other for other in range(3) if other != axis)
    depth = np.arange(frame.shape[axis]) - frame.source[axis]
    if (depth * frame.rays[axis][2]).min() <= 0:
        raise ValueError("the source lies inside or beside the volume")
    place = torch.device(device)
    volume = torch.from_numpy(part.density).to(place).movedim(2 - axis, 0)
    col = torch.arange(geometry.cols, dtype=torch.float64, device=place)
    row = torch.arange(geometry.rows, dtype=torch.float64, device=place)[:, None]
    rays = [line[0] * col + line[1] * row + line[2] for line in frame.rays.tolist()]
    slope_x, slope_y = rays[fast] / rays[axis], rays[slow] / rays[axis]
    total = torch.zeros(geometry.rows, geometry.cols, device=place)
    batch = max(1, _SAMPLES_AT_ONCE // (geometry.rows * geometry.cols))
    for start in range(0, len(depth), batch):
        steps = torch.from_numpy(depth[start : start + batch]).to(place)[:, None, None]
        x = (frame.source[fast] + steps * slope_x) * (2 / max(frame.shape[fast] - 1, 1)) - 1
        y = (frame.source[slow] + steps * slope_y) * (2 / max(frame.shape[slow] - 1, 1)) - 1
        grid = torch.stack([x, y], dim=-1).to(torch.float32)
        slab = volume[start : start + batch, None]
        sampled = torch.nn.functional.grid_sample(slab, grid, mode="bilinear", align_corners=True)
        total += sampled.sum(dim=(0, 1))
    step = torch.from_numpy(frame.step_mm(geometry, axis)).to(place)
    result: NDArray[np.float32] = (total * step / 10).cpu().numpy()
    return result
