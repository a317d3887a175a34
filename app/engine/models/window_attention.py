"""Attention inside windows, plain and shifted: the `L` and `S` layers of paper 000 (section 2.2).

Tokens are laid out (batch, rows, columns, channels) throughout.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

BLOCKED = -100.0  # added to the scores of pairs that a cyclic shift has brought together


class WindowAttention(nn.Module):
    """Multi-head attention inside windows that do not overlap, with a learnt bias for each relative position.

    The window is 7 and the shift 4 (half a window, rounded up), as in the code of DAT version 1, from which paper 000
    takes its layers; the text states neither.

    Args:
        dim: channels.
        heads: attention heads; divides `dim`.
        size: rows and columns of the map; a multiple of `window`.
        window: rows and columns of a window.
        shift: cyclic shift before the windows are cut, 0 = none.

    Raises:
        ValueError: the map cannot be cut into windows, or the channels into heads.
    """

    def __init__(self, dim: int, heads: int, size: int, *, window: int = 7, shift: int = 0) -> None:
        super().__init__()
        if size % window or dim % heads:
            raise ValueError(f"{size} rows in windows of {window}, {dim} channels in {heads} heads")
        self.heads, self.size, self.window, self.shift = heads, size, window, shift
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.position_bias_table, std=0.02)
        self.relative: Tensor
        self.blocked: Tensor
        self.register_buffer("relative", relative_positions(window), persistent=False)
        self.register_buffer("blocked", blocked_pairs(size, window, shift), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Attend.

        Args:
            tokens: (B, size, size, dim).

        Returns:
            (B, size, size, dim).
        """
        batch, size, _, dim = tokens.shape
        across, area = size // self.window, self.window**2
        if self.shift:
            tokens = tokens.roll((-self.shift, -self.shift), (1, 2))
        cut = tokens.view(batch, across, self.window, across, self.window, dim).transpose(2, 3)
        qkv: Tensor = self.qkv(cut.reshape(-1, area, dim))
        query, key, value = qkv.view(-1, area, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        bias = self.position_bias_table[self.relative].view(area, area, self.heads).permute(2, 0, 1)[None]
        if self.shift:
            bias = (bias + self.blocked[:, None]).repeat(batch, 1, 1, 1)
        seen = fn.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        mixed: Tensor = self.out(seen.transpose(1, 2).reshape(-1, area, dim))
        joined = mixed.view(batch, across, across, self.window, self.window, dim).transpose(2, 3)
        joined = joined.reshape(batch, size, size, dim)
        return joined.roll((self.shift, self.shift), (1, 2)) if self.shift else joined


def relative_positions(window: int) -> Tensor:
    """Row of the bias table for every pair of places in a window.

    Returns:
        (window⁴,) int64, query-major.
    """
    place = torch.arange(window**2)
    row, col = place // window, place % window
    down, right = row[:, None] - row[None] + window - 1, col[:, None] - col[None] + window - 1
    return (down * (2 * window - 1) + right).flatten()


def blocked_pairs(size: int, window: int, shift: int) -> Tensor:
    """What is added to the scores, so that places which only a cyclic shift has made neighbours do not see each other.

    Returns:
        (windows, window², window²) float32 of 0 and `BLOCKED`; empty for no shift.
    """
    if not shift:
        return torch.zeros(0)
    bands = torch.zeros(size, dtype=torch.long)
    bands[-window:-shift] = 1
    bands[-shift:] = 2
    region = 3 * bands[:, None] + bands[None]
    across = size // window
    cut = region.view(across, window, across, window).transpose(1, 2).reshape(-1, window**2)
    return torch.where(cut[:, None] == cut[:, :, None], 0.0, BLOCKED)
