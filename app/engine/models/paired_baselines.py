"""Paper 000, Table 1: the simplest rows that CVDT is compared with.

Stated: ResNet-18, DenseNet-121 and Swin-T for each view, the two logit vectors concatenated ("-dual"); a single Swin-T
for each view alone. Our reading: a linear layer maps the concatenated logits to the classes.

The remaining rows (MVC-NET, DualNet, Auloss) belong in modules of their own beside this one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from app.engine.models.backbones import Backbone
from app.engine.models.hip_model import HipModel, Maps, pooled


class Single(HipModel):
    """One backbone, global average, one linear layer.

    The GAP + linear head also serves papers 001 and 004: a class activation map needs no more (paper 004, section 2.5).

    Args:
        backbone: the network.
        classes: number of logits.
        dropout: before the linear layer.
    """

    def __init__(self, backbone: Backbone, *, classes: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = backbone
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.dim, classes)

    def maps(self, *images: Tensor) -> Maps:
        """The backbone's last maps."""
        (image,) = images
        return (self.backbone(image),)

    def classify(self, maps: Maps) -> Tensor:
        """Average, then linear."""
        result: Tensor = self.head(self.drop(pooled(maps[0])))
        return result


class Dual(HipModel):
    """Two single networks whose logits are concatenated and mapped to the classes.

    Args:
        frontal: network of the frontal view.
        lateral: network of the lateral view.
        classes: number of logits.
    """

    def __init__(self, frontal: Single, lateral: Single, *, classes: int = 2) -> None:
        super().__init__()
        self.frontal, self.lateral = frontal, lateral
        self.head = nn.Linear(2 * classes, classes)

    def maps(self, *images: Tensor) -> Maps:
        """The last maps of either network."""
        frontal, lateral = images
        return (*self.frontal.maps(frontal), *self.lateral.maps(lateral))

    def classify(self, maps: Maps) -> Tensor:
        """Each view's logits, concatenated, then linear."""
        frontal, lateral = maps
        both = torch.cat([self.frontal.classify((frontal,)), self.lateral.classify((lateral,))], 1)
        result: Tensor = self.head(both)
        return result
