"""One view-specific branch of paper 000 (Fig. 2): four stages of window, shifted-window and deformable layers.

Our small variant has convolutions in its first stages (ADR 0171); nothing of that is in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from timm.layers.drop import DropPath
from torch import Tensor, nn

from app.engine.models.deformable_attention import DeformableAttention, References
from app.engine.models.window_attention import WindowAttention

LAYERS = frozenset("LSDC")
PATCH, SHIFT, MLP_RATIO = 4, 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPlan:
    """What a branch is made of. The defaults are the recommended reading of paper 000, equal in size to DAT-T.

    Args:
        dims: channels of the four stages (not stated; DAT-T).
        heads: heads of the four stages (stated: 3, 6, 12, 24).
        stages: the layers of each stage: `L` window, `S` shifted window, `D` deformable. The text's block numbers
            1, 1, 3, 1 are read as pairs; `("S", "S", "DDD", "D")` is the literal reading. `C`: two convolutions, ours.
        has_convolutional_stem: whether two overlapping convolutions make the first map, instead of one of 4 × 4 px
            patches; ours.
        groups: groups of points of each stage; only read where there is a `D`.
        kernels: offset kernels of each stage; only read where there is a `D`.
        image_px: side of the input; a multiple of 224 for windows of 7.
        channels: input channels.
        drop_path: stochastic depth of the last layer, rising from 0.
        factor: see `DeformableAttention`.
        references: see `DeformableAttention`.
        has_position_bias: see `DeformableAttention`.
    """

    dims: tuple[int, int, int, int] = (96, 192, 384, 768)
    heads: tuple[int, int, int, int] = (3, 6, 12, 24)
    stages: tuple[str, str, str, str] = ("LS", "LS", "LDLDLD", "LD")
    groups: tuple[int, int, int, int] = (1, 1, 3, 6)
    kernels: tuple[int, int, int, int] = (9, 7, 5, 3)
    image_px: int = 224
    channels: int = 3
    has_convolutional_stem: bool = False
    drop_path: float = 0.2
    factor: float = 4.0
    references: References = "grid"
    has_position_bias: bool = True

    def __post_init__(self) -> None:
        if self.image_px % 224:
            raise ValueError(f"the input must be a multiple of 224 px, not {self.image_px}")
        if unknown := set("".join(self.stages)) - LAYERS:
            raise ValueError(f"no such layers: {sorted(unknown)}")


class Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, MLP_RATIO * dim)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(MLP_RATIO * dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(…, dim) to (…, dim)."""
        result: Tensor = self.fc2(self.act(self.fc1(tokens)))
        return result


class Layer(nn.Module):
    """Norm, attention, norm, MLP; each with a residual connection.

    Args:
        dim: channels.
        attention: what happens between places.
        drop_path: stochastic depth.
    """

    def __init__(self, dim: int, attention: WindowAttention | DeformableAttention, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = attention
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim)
        self.drop = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, tokens: Tensor, query: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """One layer.

        Args:
            tokens: (B, H, W, dim).
            query: another view's queries for a deformable layer.

        Returns:
            (B, H, W, dim), and the layer's own queries if it is deformable.
        """
        own: Tensor | None = None
        if isinstance(self.attn, DeformableAttention):
            seen, own = self.attn(self.norm1(tokens), query)
        else:
            seen = self.attn(self.norm1(tokens))
        tokens = tokens + self.drop(seen)
        return tokens + self.drop(self.mlp(self.norm2(tokens))), own


class ConvolutionLayer(nn.Module):
    """Two 3 × 3 convolutions with a shortcut (He et al. 2016), where maps are too large for attention on a CPU.

    Args:
        dim: channels.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(dim, dim, 3, padding=1, bias=False), nn.BatchNorm2d(dim)
        self.conv2, self.norm2 = nn.Conv2d(dim, dim, 3, padding=1, bias=False), nn.BatchNorm2d(dim)

    def forward(self, tokens: Tensor, query: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """(B, H, W, dim) to the same; no query is read or given."""
        maps = tokens.permute(0, 3, 1, 2)
        change = self.norm2(self.conv2(self.norm1(self.conv1(maps)).relu()))
        return (maps + change).relu().permute(0, 2, 3, 1), None


class Stage(nn.Module):
    """The layers of one stage."""

    def __init__(self, layers: list[Layer | ConvolutionLayer]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(layers)

    def __iter__(self) -> Iterator[Layer | ConvolutionLayer]:
        for layer in self.blocks:
            assert isinstance(layer, Layer | ConvolutionLayer)
            yield layer


class Reduce(nn.Module):
    """A strided convolution, then norm: from pixels to the first map, and from stage to stage."""

    def __init__(self, channels: int, dim: int, stride: int, *, has_bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, dim, stride, stride, bias=has_bias)
        self.norm = nn.LayerNorm(dim)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to (B, H / stride, W / stride, dim)."""
        result: Tensor = self.norm(self.conv(maps).permute(0, 2, 3, 1))
        return result


class ConvolutionalStem(nn.Module):
    """Two overlapping 3 × 3 convolutions of stride 2: the first map of the small variant.

    Args:
        channels: of the image.
        dim: of the map.
    """

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        half = dim // 2
        self.conv1 = nn.Conv2d(channels, half, 3, 2, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, dim, 3, 2, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(dim)

    def forward(self, image: Tensor) -> Tensor:
        """(B, C, H, W) to (B, H / 4, W / 4, dim)."""
        maps: Tensor = self.norm2(self.conv2(self.norm1(self.conv1(image)).relu())).relu()
        return maps.permute(0, 2, 3, 1)


class DeformableBranch(nn.Module):
    """The stages of one view. Driven layer by layer from outside, so that two branches can walk in step.

    Args:
        plan: what it is made of.
    """

    def __init__(self, plan: BranchPlan) -> None:
        super().__init__()
        self.plan = plan
        self.stem: nn.Module = (
            ConvolutionalStem(plan.channels, plan.dims[0])
            if plan.has_convolutional_stem
            else Reduce(plan.channels, plan.dims[0], PATCH, has_bias=True)
        )
        depth = sum(map(len, plan.stages))
        rates = iter([plan.drop_path * number / max(depth - 1, 1) for number in range(depth)])
        size = plan.image_px // PATCH
        stages, down = [], []
        for number, kinds in enumerate(plan.stages):
            stages.append(Stage([_layer(plan, number, kind, size, next(rates)) for kind in kinds]))
            if number < 3:
                down.append(Reduce(plan.dims[number], plan.dims[number + 1], 2, has_bias=False))
                size //= 2
        self.stages = nn.ModuleList(stages)
        self.down = nn.ModuleList(down)
        self.norm = nn.LayerNorm(plan.dims[-1])

    def stage(self, number: int) -> Stage:
        """A stage, 0 … 3."""
        stage = self.stages[number]
        assert isinstance(stage, Stage)
        return stage

    def go_down(self, number: int, tokens: Tensor) -> Tensor:
        """From a stage to the next: half as many rows and columns; the last stage has none below it."""
        if number == len(self.down):
            return tokens
        result: Tensor = self.down[number](tokens.permute(0, 3, 1, 2))
        return result

    def as_map(self, tokens: Tensor) -> Tensor:
        """What the last stage found, after the last norm: (B, dim, H / 32, W / 32)."""
        result: Tensor = self.norm(tokens).permute(0, 3, 1, 2)
        return result

    def forward(self, image: Tensor) -> Tensor:
        """A branch on its own.

        Args:
            image: (B, channels, image_px, image_px), standardised.

        Returns:
            (B, dims[3], image_px / 32, image_px / 32).
        """
        tokens: Tensor = self.stem(image)
        for number in range(4):
            for layer in self.stage(number):
                tokens, _ = layer(tokens)
            tokens = self.go_down(number, tokens)
        return self.as_map(tokens)


def _layer(plan: BranchPlan, number: int, kind: str, size: int, drop_path: float) -> Layer | ConvolutionLayer:
    if kind == "C":
        return ConvolutionLayer(plan.dims[number])
    dim, heads = plan.dims[number], plan.heads[number]
    attention: WindowAttention | DeformableAttention
    if kind == "D":
        attention = DeformableAttention(
            dim,
            heads,
            plan.groups[number],
            size,
            kernel=plan.kernels[number],
            factor=plan.factor,
            references=plan.references,
            has_position_bias=plan.has_position_bias,
        )
    else:
        attention = WindowAttention(dim, heads, size, shift=SHIFT if kind == "S" else 0)
    return Layer(dim, attention, drop_path)
