"""Paper 001: DenseNet-121 on the whole frontal pelvic radiograph, pre-trained on telling body parts apart.

Stated: 512 × 512 px, 8-bit grey, stage 1 with five body parts (ankle, elbow, foot, wrist, knee), stage 2 fracture or
not. Our reading: one input channel; a softmax over five classes in stage 1, one logit with a sigmoid in stage 2; all
convolutional weights are carried over and none is frozen.
"""

from __future__ import annotations

from app.engine.models.backbones import Backbone
from app.engine.models.paired_baselines import Single

BODY_PARTS = ("ankle", "elbow", "foot", "wrist", "knee")
IMAGE_PX = 512


def body_part_network() -> Single:
    """Stage 1: five logits."""
    return Single(Backbone("densenet121", channels=1), classes=len(BODY_PARTS))


def fracture_network(*, start: Single | None = None) -> Single:
    """Stage 2: one logit.

    Args:
        start: a stage 1 network, whose convolutional weights are taken over.
    """
    network = Single(Backbone("densenet121", channels=1), classes=1)
    if start is not None:
        network.backbone.load_state_dict(start.backbone.state_dict())
    return network
