"""Where the hip is in a whole view: our own small network, after the idea of paper 002's localiser.

Paper 002 states only that an "initial network" finds the joint. Its authors' other work regresses the corners of a box;
we predict a map instead, since a pelvis shows two hips and a map can say both (ADR 0172).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from app.engine.models.hip_model import HipModel, Maps

IMAGE_PX, MAP_PX = 128, 32
WIDTHS = (16, 32, 64, 96, 128)


class _Block(nn.Module):
    """Two 3 × 3 convolutions with a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)
        self.conv2, self.norm2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside)
        self.short = nn.Conv2d(inside, outside, 1, stride, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        change = self.norm2(self.conv2(self.norm1(self.conv1(maps)).relu()))
        result: Tensor = (change + self.short(maps)).relu()
        return result


class HipLocaliser(HipModel):
    """(B, 1, 128, 128) to a map (B, 1, 32, 32) of logits: is the middle of a femoral neck in this place?"""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTHS
        self.stem = _Block(1, w[0], 2)
        self.down1, self.down2 = _Block(w[0], w[1], 2), _Block(w[1], w[2], 2)
        self.down3, self.down4 = _Block(w[2], w[3], 2), _Block(w[3], w[4], 2)
        self.up3, self.up2, self.up1 = _Block(w[4] + w[3], w[3]), _Block(w[3] + w[2], w[2]), _Block(w[2] + w[1], w[1])
        self.head = nn.Conv2d(w[1], 1, 1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, -5.0)  # a place is rarely the hip

    def maps(self, *images: Tensor) -> Maps:
        """The map of logits."""
        (image,) = images
        first = self.down1(self.stem(image))
        second = self.down2(first)
        third = self.down3(second)
        fourth = self.down4(third)
        up = self.up3(torch.cat([_doubled(fourth), third], 1))
        up = self.up2(torch.cat([_doubled(up), second], 1))
        up = self.up1(torch.cat([_doubled(up), first], 1))
        return (self.head(up),)

    def classify(self, maps: Maps) -> Tensor:
        """(B, 1): the logit of the likeliest place."""
        return maps[0].amax((-2, -1))


def _doubled(maps: Tensor) -> Tensor:
    return nn.functional.interpolate(maps, scale_factor=2.0, mode="nearest")
