"""One deformable layer against formulations that write the whole attention out.

    python bench/engine_attention.py [--rounds N] [--batch N] [--threads N]

`DAT's einsum` is the layer as the authors of DAT formulate it: 1×1 convolutions on channel-first maps, scores, bias and
softmax as tensors of their own, einsum. `einsum, rest ours` differs from ours in the attention alone and shares the
rest: sampled points, projections and position bias. All compute the same numbers from the same weights, with the
library for matrix products that the engine chooses (`use_quick_products`).
"""

from __future__ import annotations

import argparse
from functools import partial

from engine_models import conditions, in_turn, show  # first: it sets the environment

import torch  # isort: skip
from torch import Tensor, nn  # isort: skip
from torch.nn import functional as fn  # isort: skip

from app.engine.device import use_quick_products  # isort: skip
from app.engine.models.deformable_attention import DeformableAttention, mesh  # isort: skip


def shared(layer: DeformableAttention, tokens: Tensor) -> Tensor:
    """The same numbers, with scores and softmax as tensors of their own."""
    query, key, value, bias, _ = layer._look(tokens)
    asking = layer._split(query)
    scores = torch.einsum("bhmc,bhnc->bhmn", asking, key) * asking.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias
    seen = torch.einsum("bhmn,bhnc->bhmc", scores.softmax(3), value)
    result: Tensor = layer.out(seen.transpose(1, 2).reshape(tokens.shape))
    return result


def channel_first(layer: DeformableAttention, maps: Tensor) -> Tensor:
    """The layer as DAT formulates it: (B, C, H, W) to (B, C, H, W)."""
    batch, dim, size, _ = maps.shape
    heads, groups, count = layer.heads, layer.groups, size**2
    assert layer.position_bias_table is not None

    def projected(linear: nn.Linear, part: Tensor) -> Tensor:
        return fn.conv2d(part, linear.weight[:, :, None, None], linear.bias)

    query = projected(layer.q, maps)
    net = layer.offset
    local = net.depthwise(query.reshape(batch * groups, dim // groups, size, size))
    local = net.norm(local.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    moved = fn.conv2d(fn.gelu(local), net.pointwise.weight[:, :, None, None]).tanh() * layer.reach
    points = moved.permute(0, 2, 3, 1) + layer.points
    grouped = maps.reshape(batch * groups, dim // groups, size, size)
    found = fn.grid_sample(grouped, points[..., (1, 0)], align_corners=True).reshape(batch, dim, 1, count)
    asking = query.reshape(batch * heads, dim // heads, count)
    key = projected(layer.k, found).reshape(batch * heads, dim // heads, count)
    value = projected(layer.v, found).reshape(batch * heads, dim // heads, count)
    scores = torch.einsum("bcm,bcn->bmn", asking, key) * (dim // heads) ** -0.5
    table = layer.position_bias_table[None].expand(batch, -1, -1, -1)
    table = table.reshape(batch * groups, heads // groups, 2 * size - 1, 2 * size - 1)
    places = mesh(size, "grid").reshape(1, count, 1, 2)
    apart = (places - points.reshape(batch * groups, 1, count, 2)) * 0.5
    bias = fn.grid_sample(table, apart[..., (1, 0)], align_corners=True).reshape(batch * heads, count, count)
    seen = torch.einsum("bmn,bcn->bcm", (scores + bias).softmax(2), value)
    return projected(layer.out, seen.reshape(batch, dim, size, size))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    use_quick_products()
    print(f"{conditions()}; {args.threads} threads")
    for size, dim, heads, groups, kernel in ((14, 384, 12, 3, 5), (7, 768, 24, 6, 3)):
        torch.manual_seed(0)
        layer = DeformableAttention(dim, heads, groups, size, kernel=kernel).eval()
        tokens = torch.randn(args.batch, size, size, dim)
        maps = tokens.permute(0, 3, 1, 2).contiguous()
        with torch.inference_mode():
            ours = layer(tokens)[0]
            apart = max(
                float((ours - shared(layer, tokens)).abs().max()),
                float((ours - channel_first(layer, maps).permute(0, 2, 3, 1)).abs().max()),
            )
            print(f"{size} x {size}, {dim} channels, batch {args.batch}; largest difference {apart:.1e}")
            designs = {
                "DAT's einsum": partial(channel_first, layer, maps),
                "einsum, rest ours": partial(shared, layer, tokens),
                "ours": partial(layer, tokens),
            }
            show(in_turn(designs, args.rounds), "DAT's einsum")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
