"""Heatmaps from the forward pass that gave the probability.

A class activation map needs the last maps and, for Grad-CAM, the gradient of one logit with respect to them. Every
`HipModel` is cut there, so the gradient passes through the classifier only: a heatmap costs a few per cent of a forward
pass, where running the network again with hooks costs two or three.

Maps stay in units of the logit. They are not stretched image by image: a negative would be painted as red as a
positive. What is shown is divided by one scale for the whole model, measured on validation cases and stated
on its card.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from app.engine.heatmap_method import EPSILON, no_activation_map
from app.engine.heatmap_method import HeatmapMethod as HeatmapMethod
from app.engine.models.hip_model import HipModel, Maps


def heatmaps(model: HipModel, maps: Maps, class_number: int, method: HeatmapMethod) -> tuple[Tensor, Maps]:
    """The heatmap of one class for every view.

    Args:
        model: in evaluation mode.
        maps: what `model.maps` returned, with or without a graph; (B, C, H, W) for each view.
        class_number: which logit, 0 … classes - 1.
        method: how.

    Returns:
        The logits (B, classes), and for each view a map (B, H, W), float32, ≥ 0, in units of the logit: what speaks for
        the class.

    Raises:
        UserError: `no-method`: `CAM` was asked of a model whose classifier is not a global average and one linear
            layer.
    """
    if method is HeatmapMethod.CAM:
        return _activation(model, maps, class_number)
    with torch.inference_mode(False), torch.enable_grad():
        # clones, since tensors made in inference mode cannot be differentiated; single precision for the gradient
        leaves = tuple(part.detach().clone().float().requires_grad_() for part in maps)
        logits = model.classify(leaves)
        gradients = torch.autograd.grad(logits[:, class_number].sum(), leaves)
    weigh = _mean_gradient if method is HeatmapMethod.GRAD_CAM else _plus_plus
    found = tuple(
        (weigh(leaf.detach(), gradient)[:, :, None, None] * leaf.detach()).sum(1).relu()
        for leaf, gradient in zip(leaves, gradients, strict=True)
    )
    return logits.detach(), found


def _mean_gradient(maps: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM's weights (B, C): the gradient, averaged over places."""
    return gradient.mean((-2, -1))


def _plus_plus(maps: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++'s weights (B, C): positive gradients, weighted by place (equation 19)."""
    square, cube = gradient**2, gradient**3
    share = square / (2 * square + maps.sum((-2, -1), keepdim=True) * cube + EPSILON)
    share = torch.where(gradient != 0, share, torch.zeros_like(share))
    return (gradient.clamp(min=0) * share).sum((-2, -1))


def _activation(model: HipModel, maps: Maps, class_number: int) -> tuple[Tensor, Maps]:
    head = getattr(model, "head", None)
    if len(maps) != 1 or not isinstance(head, nn.Linear):
        raise no_activation_map()
    with torch.no_grad():
        logits = model.classify(maps)
        found = torch.einsum("bchw,c->bhw", maps[0].float(), head.weight[class_number].float()).relu()
    return logits, (found,)
