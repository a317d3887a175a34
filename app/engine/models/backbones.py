"""Convolutional and transformer backbones from timm, cut after their last maps."""

from __future__ import annotations

from typing import Any

import timm
from torch import Tensor, nn


class Backbone(nn.Module):
    """A timm network without its classifier.

    Args:
        name: timm's name, for example `resnet50`.
        channels: input channels; weights for three channels are summed when they are loaded into one.
        image_px: side of the input, for networks that must know it (Swin).
        drop_path: stochastic depth, for networks that have it.

    Attributes:
        name: timm's name.
        dim: channels of the maps.
    """

    def __init__(self, name: str, *, channels: int = 3, image_px: int | None = None, drop_path: float = 0.0) -> None:
        super().__init__()
        self.name = name
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

    def fitting(self, tensors: dict[str, Tensor]) -> dict[str, Tensor] | None:
        """Published weights for this network; None if they are another network's.

        Args:
            tensors: with timm's names; a classifier in them is left out, and filters for three colours are summed for
                one channel of grey, so that a grey image gives what it gave as three equal channels.
        """
        net: Any = self.net
        found: dict[str, Tensor] = {}
        for name, own in net.state_dict().items():
            part = tensors.get(name)
            if part is not None and part.ndim == 4 and part.shape[1] == 3 and own.shape[1] == 1:
                part = part.sum(1, keepdim=True)
            if part is None or part.shape != own.shape:
                return None
            found[name] = part.to(own.dtype)
        return found

    def load_imagenet(self, tensors: dict[str, Tensor]) -> None:
        """Begin with published weights.

        Raises:
            ValueError: they are another network's.
        """
        state = self.fitting(tensors)
        if state is None:
            raise ValueError(f"these are not weights of {self.name}")
        self.net.load_state_dict(state)
