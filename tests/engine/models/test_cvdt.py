"""CVDT against its equations, and what query sharing may and may not change."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.engine.models.cvdt import SMALL, Cvdt, CvdtPlan, DeformableSingle  # noqa: E402
from app.engine.models.deformable_attention import DeformableAttention, attend  # noqa: E402
from app.engine.models.deformable_branch import BranchPlan  # noqa: E402

TINY = BranchPlan(dims=(6, 12, 24, 48), drop_path=0.0)


def count(model) -> int:  # type: ignore[no-untyped-def]
    return sum(part.numel() for part in model.parameters())


def at(maps, y: float, x: float):  # type: ignore[no-untyped-def]
    """Bilinear sample of (C, H, W) at pixel centres, zero outside, written out."""
    channels, rows, cols = maps.shape
    row, col = math.floor(y), math.floor(x)
    total = torch.zeros(channels, dtype=maps.dtype)
    for i, down in ((row, 1 - (y - row)), (row + 1, y - row)):
        for j, right in ((col, 1 - (x - col)), (col + 1, x - col)):
            if 0 <= i < rows and 0 <= j < cols:
                total += maps[:, i, j] * down * right
    return total


def by_the_equations(module: DeformableAttention, tokens, query=None):  # type: ignore[no-untyped-def]
    """Equations 1–6 of paper 000 in loops and double precision."""
    batch, size, _, dim = tokens.shape
    groups, heads = module.groups, module.heads
    wide, per_head = dim // groups, dim // heads
    output = torch.zeros_like(tokens)
    for b in range(batch):
        own = module.q(tokens[b])
        asking = own if query is None else query[b]
        context = torch.zeros(heads, size * size, per_head, dtype=tokens.dtype)
        for g in range(groups):
            part = slice(g * wide, (g + 1) * wide)
            local = module.offset.depthwise(own[..., part].permute(2, 0, 1)[None])[0].permute(1, 2, 0)
            moved = module.offset.pointwise(torch.nn.functional.gelu(module.offset.norm(local)))
            places, found = [], []
            for i in range(size):
                for j in range(size):
                    y = 2 * i / (size - 1) - 1 + module.factor * math.tanh(float(moved[i, j, 0])) / size
                    x = 2 * j / (size - 1) - 1 + module.factor * math.tanh(float(moved[i, j, 1])) / size
                    places.append((y, x))
                    grid = tokens[b, ..., part].permute(2, 0, 1)
                    found.append(at(grid, (y + 1) * (size - 1) / 2, (x + 1) * (size - 1) / 2))
            sampled = torch.zeros(size * size, dim, dtype=tokens.dtype)
            sampled[:, part] = torch.stack(found)
            # only this group's channels are known here; the projections mix all groups, so collect first
            if g == 0:
                features = torch.zeros(size * size, dim, dtype=tokens.dtype)
                all_places = []
            features[:, part] = sampled[:, part]
            all_places.append(places)
        keys, values = module.k(features), module.v(features)
        for h in range(heads):
            part = slice(h * per_head, (h + 1) * per_head)
            places = all_places[h // (heads // groups)]
            for n in range(size * size):
                i, j = divmod(n, size)
                scores = torch.zeros(size * size, dtype=tokens.dtype)
                for m in range(size * size):
                    scores[m] = asking[i, j, part] @ keys[m, part] / math.sqrt(per_head)
                    y = (2 * i / (size - 1) - 1 - places[m][0]) / 2
                    x = (2 * j / (size - 1) - 1 - places[m][1]) / 2
                    table = module.position_bias_table[h][None]
                    scores[m] += at(table, (y + 1) * (size - 1), (x + 1) * (size - 1))[0]
                context[h, n] = scores.softmax(0) @ values[:, part]
        output[b] = module.out(context.permute(1, 0, 2).reshape(size, size, dim))
    return output


@pytest.mark.parametrize("is_shared", [False, True])
def test_deformable_attention_is_its_equations(is_shared: bool) -> None:
    torch.manual_seed(3)
    module = DeformableAttention(12, 6, 3, 5, kernel=3).double()
    with torch.no_grad():
        module.offset.pointwise.weight.mul_(4)  # far enough for points outside the map
        module.position_bias_table.normal_()
    tokens = torch.randn(2, 5, 5, 12, dtype=torch.float64)
    other = torch.randn(2, 5, 5, 12, dtype=torch.float64) if is_shared else None
    with torch.no_grad():
        ours, _ = module(tokens, other)
        theirs = by_the_equations(module, tokens, other)
    assert (ours - theirs).abs().max() < 1e-5  # coordinates are kept in single precision on purpose


def test_points_that_do_not_move_give_plain_attention() -> None:
    """With `grid` references, no offsets and no bias it is ordinary multi-head attention."""
    torch.manual_seed(4)
    module = DeformableAttention(24, 6, 3, 7, kernel=3, has_position_bias=False)
    with torch.no_grad():
        module.offset.pointwise.weight.zero_()
    tokens = torch.randn(2, 7, 7, 24)
    flat = tokens.view(2, 49, 24).transpose(0, 1)
    with torch.no_grad():
        ours, _ = module(tokens)
        weight = torch.cat([module.q.weight, module.k.weight, module.v.weight])
        bias = torch.cat([module.q.bias, module.k.bias, module.v.bias])
        theirs, _ = torch.nn.functional.multi_head_attention_forward(
            flat, flat, flat, 24, 6, weight, bias, None, None, False, 0.0, module.out.weight, module.out.bias
        )
    assert (ours.view(2, 49, 24) - theirs.transpose(0, 1)).abs().max() < 1e-5


@pytest.mark.parametrize("points", [4, 49])
def test_attention_case_by_case_is_the_fused_one(points: int) -> None:
    torch.manual_seed(8)
    asking, key, value = torch.randn(3, 2, 3, points, 8)
    bias = torch.randn(2, 3, points, points)
    with torch.no_grad():
        ours = attend(asking, key, value, bias)
        theirs = torch.nn.functional.scaled_dot_product_attention(asking, key, value, attn_mask=bias)
    assert (ours - theirs).abs().max() < 1e-6
    learning = bias.clone().requires_grad_()
    attend(asking, key, value, learning).sum().backward()
    assert learning.grad is not None


def pair(plan: CvdtPlan, seed: int = 0):  # type: ignore[no-untyped-def]
    torch.manual_seed(seed)
    return Cvdt(plan).eval(), torch.randn(2, 3, 224, 224), torch.randn(2, 3, 224, 224)


def test_without_sharing_the_branches_are_independent() -> None:
    model, frontal, lateral = pair(CvdtPlan(branch=TINY, shares_query=False))
    with torch.inference_mode():
        maps = model.maps(frontal, lateral)
        assert torch.equal(maps[0], model.frontal(frontal))
        assert torch.equal(maps[1], model.lateral(lateral))


def test_sharing_changes_the_lateral_view_only() -> None:
    model, frontal, lateral = pair(CvdtPlan(branch=TINY))
    alone, _, _ = pair(CvdtPlan(branch=TINY, shares_query=False))
    alone.load_state_dict(model.state_dict())
    with torch.inference_mode():
        shared, apart = model.maps(frontal, lateral), alone.maps(frontal, lateral)
        other = model.maps(frontal.flip(-1), lateral)
    assert torch.equal(shared[0], apart[0])
    assert not torch.allclose(shared[1], apart[1])
    assert not torch.allclose(shared[1], other[1])  # the frontal view decides what the lateral one attends to
    assert count(model) == count(alone)


def test_lateral_points_move_by_lateral_queries() -> None:
    """Section 2.3: the offsets of a view come from its own queries; only the attention is shared."""
    model, frontal, lateral = pair(CvdtPlan(branch=TINY))
    with torch.inference_mode():
        first, second = model.points(frontal, lateral), model.points(frontal.flip(-1), lateral)
    assert len(first) == 4
    assert torch.equal(first[0][1].xy, second[0][1].xy)
    assert not torch.allclose(first[0][1].received, second[0][1].received)
    for one, other in first:
        for view in (one, other):
            assert torch.allclose(view.received.sum(-1), torch.ones(()), atol=1e-5)


def test_every_parameter_learns() -> None:
    """Query sharing leaves the lateral query projection alive through the offsets (ADR 0170)."""
    model, frontal, lateral = pair(CvdtPlan(branch=TINY))
    model(frontal, lateral).square().sum().backward()
    still = [name for name, part in model.named_parameters() if part.grad is None or not part.grad.any()]
    assert still == []


def test_sizes_are_those_of_the_paper() -> None:
    """27.5 M a branch; the single branch with two classes is DAT-T with two classes, to the parameter."""
    with torch.device("meta"):
        assert count(DeformableSingle()) == 27_551_676
        full = count(Cvdt())
        literal = count(Cvdt(CvdtPlan(branch=BranchPlan(stages=("S", "S", "DDD", "D")))))
        small = count(Cvdt(CvdtPlan(branch=SMALL, hidden=192)))
    assert 56.0e6 < full < 56.5e6
    assert 30.0e6 < literal < 30.6e6
    assert small < 3.8e6


def test_offsets_stay_in_single_precision_under_autocast() -> None:
    module = DeformableAttention(12, 6, 3, 7, kernel=3)
    tokens = torch.randn(1, 7, 7, 12)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        _, query = module(tokens)
        assert query.dtype == torch.bfloat16
        assert module.positions(query).dtype == torch.float32


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="224"):
        BranchPlan(image_px=256)
    with pytest.raises(ValueError, match="no such layers"):
        BranchPlan(stages=("LX", "LS", "LD", "LD"))
