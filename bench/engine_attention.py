"""One deformable layer against the formulation that writes the whole attention out (einsum, as DAT does).

python bench/engine_attention.py [--rounds N] [--batch N]
"""

from __future__ import annotations

import argparse
from functools import partial

from engine_models import conditions, in_turn, show  # first: it sets the environment

import torch  # isort: skip
from torch import Tensor  # isort: skip

from app.engine.models.deformable_attention import DeformableAttention  # isort: skip


def materialised(layer: DeformableAttention, tokens: Tensor) -> Tensor:
    """The same numbers, with scores and softmax as tensors of their own."""
    query, key, value, bias, _ = layer._look(tokens)
    asking = layer._split(query)
    scores = torch.einsum("bhmc,bhnc->bhmn", asking, key) * asking.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias
    seen = torch.einsum("bhmn,bhnc->bhmc", scores.softmax(3), value)
    result: Tensor = layer.out(seen.transpose(1, 2).reshape(tokens.shape))
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    args = parser.parse_args()
    print(conditions())
    for size, dim, heads, groups, kernel in ((14, 384, 12, 3, 5), (7, 768, 24, 6, 3)):
        torch.manual_seed(0)
        layer = DeformableAttention(dim, heads, groups, size, kernel=kernel).eval()
        tokens = torch.randn(args.batch, size, size, dim)
        with torch.inference_mode():
            apart = float((layer(tokens)[0] - materialised(layer, tokens)).abs().max())
            print(f"{size} x {size}, {dim} channels, batch {args.batch}; largest difference {apart:.1e}")
            designs = {"einsum": partial(materialised, layer, tokens), "ours": partial(layer, tokens)}
            show(in_turn(designs, args.rounds), "einsum")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
