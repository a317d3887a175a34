"""Paper 004: atypical or normal femoral fracture, on the padded radiograph or on the two-click crop.

Stated: VGG19, InceptionV3 and ResNet50 with ImageNet weights; grey repeated to three channels; 256 × 256 px; heatmaps
by CAM. Our reading: the classifier is a global average and one linear layer, since CAM (Zhou et al. 2016) is defined
for that only; VGG19 keeps its convolutions and loses its fully connected layers. EfficientNet-Lite0 is our own row:
small enough for CPUs, and its ImageNet weights install with pip, so that it can be fine-tuned without a network.
"""

from __future__ import annotations

from typing import Literal

from app.engine.models.backbones import Backbone
from app.engine.models.paired_baselines import Single

AffBackbone = Literal["vgg19", "inception_v3", "resnet50", "tf_efficientnet_lite0"]
IMAGE_PX = 256
CLASSES = ("nff", "aff")


def aff_network(name: AffBackbone) -> Single:
    """One of the three networks of Table 3, or EfficientNet-Lite0: two logits, NFF and AFF."""
    return Single(Backbone(name), classes=len(CLASSES))
