"""The gradient of every logit with respect to the averaged maps, written out, so that a graph without autograd has it.

Every classifier here begins with the average of its maps, so this one vector for each class and view holds all that
Grad-CAM needs: the gradient at each place is its share of it.
"""

from __future__ import annotations

import torch
from torch import nn

from app.core.errors import UserError
from app.engine.models.cvdt import Cvdt, DeformableSingle
from app.engine.models.hip_model import HipModel, Maps, pooled
from app.engine.models.paired_baselines import Dual, Single


def head_gradient(model: HipModel, maps: Maps) -> Maps:
    """How each logit changes with the average of each map.

    Args:
        model: in evaluation mode.
        maps: (1, C, h, w) for each view.

    Returns:
        (classes, C) for each view.

    Raises:
        UserError: `no-gradient`: this classifier is not known here.
    """
    match model:
        case Single() | DeformableSingle():
            return (model.head.weight,)
        case Dual():
            classes = model.frontal.head.out_features
            first, second = model.head.weight[:, :classes], model.head.weight[:, classes:]
            return first @ model.frontal.head.weight, second @ model.lateral.head.weight
        case Cvdt():
            head = model.head
            joined = torch.cat([pooled(part) for part in maps], 1)
            is_passed = (head.fc1(joined)[0] > 0).to(joined.dtype)
            rows = (head.fc2.weight * is_passed) @ head.fc1.weight
            dim = maps[0].shape[1]
            return rows[:, :dim], rows[:, dim:]
        case _:
            raise UserError(
                "This network cannot be exported.",
                reason=f"The gradient of {type(model).__name__} is not written out.",
                remedy="It runs with PyTorch.",
                kind="no-gradient",
            )


def has_activation_map(model: HipModel) -> bool:
    """Whether class activation maps (Zhou et al. 2016) are defined: one view, an average, one linear layer."""
    return isinstance(model, Single | DeformableSingle) and isinstance(model.head, nn.Linear)
