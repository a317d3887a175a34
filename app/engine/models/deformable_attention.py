"""Deformable attention: the `D` layer of paper 000 (section 2.3, equations 1–6).

Every query sees the same few sampled points, which the layer moves to where they matter. What the text leaves open is
read as `docs/adr/0170-reading-of-cvdt.md` says; the older readings stay as options, for parity with DAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

References = Literal["grid", "v1", "v2"]


@dataclass(frozen=True, slots=True)
class Points:
    """Where a layer looked.

    Args:
        xy: (B, groups, N, 2) sampled positions as (x, y), -1 … 1 over the map, corner pixel centre to corner pixel
            centre.
        received: (B, heads, N) mean attention that each point received over all queries; sums to 1 over the points.
    """

    xy: Tensor
    received: Tensor


class OffsetNetwork(nn.Module):
    """From the query of a place to how far its point moves: depthwise convolution, norm, GELU, 1×1 (equation 2).

    Args:
        dim: channels of one group.
        kernel: side of the depthwise convolution, odd.
    """

    def __init__(self, dim: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.pointwise = nn.Linear(dim, 2, bias=False)

    def forward(self, query: Tensor) -> Tensor:
        """Offsets before `tanh`.

        Args:
            query: (B·groups, dim, H, W).

        Returns:
            (B·groups, H, W, 2) as (y, x), float32: eight bits are not enough for coordinates.
        """
        local: Tensor = self.depthwise(query)
        offsets: Tensor = self.pointwise(fn.gelu(self.norm(local.permute(0, 2, 3, 1))))
        return offsets.float()


class DeformableAttention(nn.Module):
    """Attention of every place to points that the layer itself has moved.

    Args:
        dim: channels.
        heads: attention heads; a multiple of `groups`.
        groups: sets of points; each serves `heads / groups` heads.
        size: rows and columns of the map.
        kernel: side of the offset network's depthwise convolution.
        factor: largest offset in units of 1 / size of the -1 … 1 coordinates (4: paper 000; DAT-T has 2).
        references: where points start. `grid`: corners at ±1, as the text says; `v1`, `v2`: the two versions of DAT.
        has_position_bias: whether a learnt bias depends on where a point lies relative to the query.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        groups: int,
        size: int,
        *,
        kernel: int,
        factor: float = 4.0,
        references: References = "grid",
        has_position_bias: bool = True,
    ) -> None:
        super().__init__()
        if dim % heads or heads % groups:
            raise ValueError(f"{dim} channels, {heads} heads, {groups} groups")
        self.heads, self.groups, self.size, self.factor = heads, groups, size, factor
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)
        self.offset = OffsetNetwork(dim // groups, kernel)
        self.position_bias_table: nn.Parameter | None = None
        if has_position_bias:
            self.position_bias_table = nn.Parameter(torch.zeros(heads, 2 * size - 1, 2 * size - 1))
            nn.init.trunc_normal_(self.position_bias_table, std=0.01)
        self.points: Tensor
        self.half_places: Tensor
        self.register_buffer("points", mesh(size, references), persistent=False)
        places = mesh(size, "v1" if references == "v1" else "grid").view(1, -1, 1, 2).flip(-1) * 0.5
        self.register_buffer("half_places", places.expand(1, -1, size**2, 2).reshape(1, size**2, -1), persistent=False)
        self.reach = factor / (size - 1 if references == "v2" else size)

    def forward(self, tokens: Tensor, query: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Attend.

        Args:
            tokens: (B, size, size, dim).
            query: queries of the other view's layer, which then decide what is looked at (paper 000, section 2.4);
                the points still move by this layer's own queries.

        Returns:
            (B, size, size, dim), and this layer's own queries, to be shared.
        """
        own, key, value, bias, _ = self._look(tokens)
        asking = self._split(own if query is None else query)
        seen = attend(asking, key, value, bias)
        mixed: Tensor = self.out(seen.transpose(1, 2).reshape(tokens.shape))
        return mixed, own

    def trace(self, tokens: Tensor, query: Tensor | None = None) -> Points:
        """Where the layer looks, and how much each point counts; arguments as of `forward`."""
        own, key, _, bias, positions = self._look(tokens)
        asking = self._split(own if query is None else query)
        scores = asking @ key.transpose(-1, -2) * asking.shape[-1] ** -0.5
        if bias is not None:
            scores = scores + bias
        batch, groups, count = tokens.shape[0], self.groups, self.size**2
        return Points(xy=positions.view(batch, groups, count, 2).flip(-1), received=scores.softmax(-1).mean(-2))

    def positions(self, query: Tensor) -> Tensor:
        """Where the points of each group end up (equations 1–3).

        Args:
            query: (B, size, size, dim), this layer's own.

        Returns:
            (B·groups, size, size, 2) as (y, x) in about -1 … 1, float32.
        """
        offsets: Tensor = self.offset(self._by_group(query))
        if self.factor < 0:  # unlimited, as an option of DAT
            return (self.points + offsets).clamp(-1, 1)
        return self.points + offsets.tanh() * self.reach

    def _look(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor]:
        batch, count = tokens.shape[0], self.size**2
        own: Tensor = self.q(tokens)
        positions = self.positions(own)
        found = sample(self._by_group(tokens), positions).view(batch, -1, count).transpose(1, 2)
        # one product for both, of numbers that lie side by side
        weight = torch.cat([self.k.weight, self.v.weight])
        both = fn.linear(found.contiguous(), weight, torch.cat([self.k.bias, self.v.bias]))
        key, value = both.view(batch, count, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return own, key, value, self._position_bias(positions, batch, key.dtype), positions

    def _position_bias(self, positions: Tensor, batch: int, dtype: torch.dtype) -> Tensor | None:
        if self.position_bias_table is None:
            return None
        count = self.size**2
        # halved before they are subtracted, and laid out so that the difference runs over whole rows
        points = (positions.flip(-1) * 0.5).reshape(-1, 1, 2 * count)
        apart = (self.half_places - points).view(-1, count, count, 2)
        per_group = self.heads // self.groups
        side = 2 * self.size - 1
        table = self.position_bias_table.view(1, self.groups, per_group, side, side)
        table = table.expand(batch, -1, -1, -1, -1).reshape(-1, per_group, side, side)
        bias = fn.grid_sample(table, apart.to(table.dtype), mode="bilinear", align_corners=True)
        return bias.view(batch, self.heads, count, count).to(dtype)

    def _by_group(self, tokens: Tensor) -> Tensor:
        batch, rows, cols, dim = tokens.shape
        parts = tokens.view(batch, rows, cols, self.groups, dim // self.groups)
        return parts.permute(0, 3, 4, 1, 2).reshape(batch * self.groups, dim // self.groups, rows, cols)

    def _split(self, tokens: Tensor) -> Tensor:
        parts = tokens.reshape(tokens.shape[0], self.size**2, self.heads, -1)
        return parts.transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Attention (equation 6): softmax of scaled scores and bias, times the values.

    On CPUs torch's fused attention takes two to five times as long as plain products of this few points, if those go
    case by case, so that the scores stay in the processor's cache. Everything else takes the fused one.

    Args:
        query: (B, heads, M, channels of a head).
        key: (B, heads, N, …).
        value: (B, heads, N, …).
        bias: (B, heads, M, N), or None.

    Returns:
        (B, heads, M, …).
    """
    is_plain = query.device.type == "cpu" and query.dtype is torch.float32 and not torch.is_autocast_enabled("cpu")
    is_traced = torch.compiler.is_compiling() or bool(torch.jit.is_tracing())  # type: ignore[attr-defined,no-untyped-call]
    is_recorded = is_traced or torch.is_grad_enabled()
    if bias is None or is_recorded or not is_plain:
        return fn.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    scale = query.shape[-1] ** -0.5
    return torch.stack(
        [
            torch.baddbmm(one_bias, one, other.transpose(1, 2), alpha=scale).softmax(-1) @ found
            for one, other, found, one_bias in zip(query, key, value, bias, strict=True)
        ]
    )


def mesh(size: int, references: References) -> Tensor:
    """Coordinates of every place of a map.

    Args:
        size: rows and columns.
        references: `grid`: corner centres at ±1, so that an offset of zero samples the place itself; `v1`: pixel
            centres in -1 … 1 with the edges at ±1; `v2`: those, stretched by size / (size - 1).

    Returns:
        (size, size, 2) as (y, x), float32.
    """
    step = torch.arange(size, dtype=torch.float32)
    line = {
        "grid": 2 * step / (size - 1) - 1,
        "v1": 2 * (step + 0.5) / size - 1,
        "v2": 2 * (step + 0.5) / (size - 1) - 1,
    }[references]
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)


def sample(maps: Tensor, positions: Tensor) -> Tensor:
    """Bilinear samples (equation 5); zero outside.

    Args:
        maps: (B, C, H, W).
        positions: (B, …, …, 2) as (y, x), -1 … 1 from corner centre to corner centre.

    Returns:
        (B, C, …, …).
    """
    return fn.grid_sample(maps, positions.flip(-1).to(maps.dtype), mode="bilinear", align_corners=True)
