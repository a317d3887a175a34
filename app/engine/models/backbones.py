"""Convolutional and transformer backbones from timm, cut after their last maps."""

from __future__ import annotations

from typing import Any

import timm
from torch import Tensor, nn


class Backbone(nn.Module):
    """A timm network without its classifier.

    Args:
        name: timm's name, for example `resnet50`.
        channels: input channels; weights for three channels are summed by timm when they are loaded into one.
        image_px: side of the input, for networks that must know it (Swin).
        drop_path: stochastic depth, for networks that have it.

    Attributes:
        dim: channels of the maps.
    """

    def __init__(self, name: str, *, channels: int = 3, image_px: int | None = None, drop_path: float = 0.0) -> None:
        super().__init__()
        more: dict[str, Any] = {}
        if name.startswith("swin"):
            more = {"img_size": image_px, "drop_path_rate": drop_path}
        net: Any = timm.create_model(name, pretrained=False, in_chans=channels, num_classes=0, global_pool="", **more)
        if hasattr(net, "pre_logits"):  # VGG: its fully connected layers would not leave a map
            net.pre_logits = nn.Identity()
            self.dim = int(net.feature_info[-1]["num_chs"])
        else:
            self.dim = int(net.num_features)
        self.net = net
        self.is_channels_last = name.startswith("swin")

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, dim, H', W')."""
        net: Any = self.net
        maps: Tensor = net.forward_features(image)
        return maps.permute(0, 3, 1, 2) if self.is_channels_last else maps
