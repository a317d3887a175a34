"""Losses, optimisers and learning rates, as the plan says."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn, optim
from torch.nn import functional as fn

from app.core.training_plan import Optimiser, Schedule, TrainingPlan
from app.engine.models.hip_model import HipModel, Maps

COSINE_END = 0.01  # of the largest learning rate
HEATMAP_SHARE = 0.15  # of the loss on the heatmap, beside that on the places
PLATEAU_FACTOR, PLATEAU_PATIENCE = 0.1, 10  # Keras' ReduceLROnPlateau


def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy: binary for one output, else of a softmax.

    Args:
        logits: (B, outputs).
        labels: (B,) int64.
    """
    if logits.shape[1] == 1:
        return fn.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
    return fn.cross_entropy(logits, labels)


class Localiser(nn.Module):
    """A 1×1 convolution on each view's last maps that says where the fracture is; thrown away after training.

    With clicks a network learns far faster from few cases than from image labels alone: it is told where to look, and,
    on a case without the finding, that there is nothing anywhere.

    Args:
        channels: of each view's maps.
    """

    def __init__(self, channels: Iterable[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Conv2d(count, 1, 1) for count in channels])

    def forward(self, maps: Maps, clicks: Tensor, has_none: Tensor, size_px: int) -> Tensor:
        """Binary cross-entropy of every place, for the views with a click and the cases without the finding; else 0.

        Places whose centre is nearer to the click than three quarters of a place are the fracture; they count as much
        as all others together would if an eighth of them were.

        Args:
            maps: (B, C, h, w) for each view.
            clicks: (B, views, 2) input coordinates, NaN where there is none.
            has_none: (B,) bool: cases in which there is nothing to find.
            size_px: side of the input.
        """
        losses = []
        for view, (part, head) in enumerate(zip(maps, self.heads, strict=True)):
            at = clicks[:, view]
            is_known = ~at.isnan().any(1) | has_none
            if is_known.any():
                height, width = part.shape[-2:]
                target = _places(at[is_known], has_none[is_known], height, width, size_px)
                scores = head(part[is_known].float())[:, 0]
                weight = scores.new_tensor(height * width / 8)
                losses.append(
                    fn.binary_cross_entropy_with_logits(scores, target, pos_weight=weight) * len(target) / len(at)
                )
        return torch.stack(losses).sum() if losses else clicks.new_zeros(())


def heatmap_loss(logits: Tensor, maps: Maps, clicks: Tensor, is_finding: Tensor, number: int, size_px: int) -> Tensor:
    """Cross-entropy of the heatmap over its places: what speaks for the finding shall lie where the fracture is.

    Without it a network may be right for reasons that lie elsewhere, since attention carries what was seen to any
    place (Ross et al. 2017, "Right for the right reasons", with the heatmap of Grad-CAM instead of input gradients).
    The heatmap's channel weights count as constants. [R]: no paper of ours does this; every paper's preset leaves it
    out with the clicks.

    Args:
        logits: (B, outputs), computed from `maps`.
        maps: (B, C, h, w) for each view.
        clicks: (B, views, 2) input coordinates, NaN where there is none.
        is_finding: (B,) bool: cases with the finding.
        number: of the finding's logit.
        size_px: side of the input.
    """
    gradients = torch.autograd.grad(logits[:, number].sum(), maps, retain_graph=True)
    losses = []
    for view, (part, gradient) in enumerate(zip(maps, gradients, strict=True)):
        is_known = ~clicks[:, view].isnan().any(1) & is_finding
        if is_known.any():
            height, width = part.shape[-2:]
            weights = gradient[is_known].float().sum((-2, -1))  # so that the places add up to about the logit
            heat = torch.einsum("bc,bchw->bhw", weights.detach(), part[is_known].float())
            cell = (clicks[is_known, view] * torch.tensor([width, height], device=clicks.device) / size_px).long()
            losses.append(
                fn.cross_entropy(heat.flatten(1), cell[:, 1] * width + cell[:, 0], reduction="sum") / len(clicks)
            )
    return torch.stack(losses).sum() if losses else clicks.new_zeros(())


def _places(clicks: Tensor, has_none: Tensor, height: int, width: int, size_px: int) -> Tensor:
    """(B, h, w): 1 where a place is the fracture."""
    ys = (torch.arange(height, device=clicks.device) + 0.5)[None, :, None]
    xs = (torch.arange(width, device=clicks.device) + 0.5)[None, None, :]
    x, y = clicks[:, 0, None, None] * width / size_px, clicks[:, 1, None, None] * height / size_px
    near = (xs - x).square() + (ys - y).square() <= 0.75**2
    return (near & ~has_none[:, None, None]).float()


def make_optimiser(plan: TrainingPlan, modules: Iterable[nn.Module]) -> optim.Optimizer:
    """The optimiser; norms, biases and tables of position bias do not decay."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for module in modules:
        for name, part in module.named_parameters():
            is_free = part.ndim < 2 or name.endswith("position_bias_table")
            (free if is_free else decayed).append(part)
    groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": free, "weight_decay": 0.0}]
    rate = plan.learning_rate
    match plan.optimiser:
        case Optimiser.ADAMW:
            return optim.AdamW(groups, lr=rate)
        case Optimiser.ADAM:
            return optim.Adam(groups, lr=rate)
        case Optimiser.NADAM:
            return optim.NAdam(groups, lr=rate)
        case Optimiser.SGD:
            return optim.SGD(groups, lr=rate, momentum=0.9)
        case Optimiser.RMSPROP:
            return optim.RMSprop(groups, lr=rate)


def rate_at(plan: TrainingPlan, progress: float) -> float:
    """Learning rate by the number of epochs done, fractions included; `plateau` is `rate_on_plateau`.

    Args:
        plan: of the run.
        progress: 0 … epochs.
    """
    if plan.schedule is not Schedule.COSINE:
        return plan.learning_rate
    if progress < plan.warm_up_epochs:
        return plan.learning_rate * max(progress / plan.warm_up_epochs, COSINE_END)
    share = (progress - plan.warm_up_epochs) / max(plan.epochs - plan.warm_up_epochs, 1e-9)
    lowest = COSINE_END * plan.learning_rate
    return lowest + (plan.learning_rate - lowest) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


def rate_on_plateau(plan: TrainingPlan, losses: list[float]) -> float:
    """Learning rate after these epochs: a tenth each time the loss (of the validation cases, where there are any) has
    not fallen for ten epochs."""
    rate, best, waited = plan.learning_rate, math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited >= PLATEAU_PATIENCE:
            rate, waited = rate * PLATEAU_FACTOR, 0
    return rate


class Average:
    """Running average of a model's weights (paper 002 keeps one with decay 0.999).

    The decay starts smaller, so that the first steps are forgotten sooner: min(decay, (1 + n) / (10 + n)).

    Args:
        model: whose weights.
        decay: 0 = no average: the model's own weights are used.
    """

    def __init__(self, model: HipModel, decay: float) -> None:
        self._decay, self._steps = decay, 0
        self._weights = {name: part.detach().clone() for name, part in model.state_dict().items()} if decay else {}

    def update(self, model: HipModel) -> None:
        """After a step."""
        if not self._decay:
            return
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        for name, part in model.state_dict().items():
            kept = self._weights[name]
            if kept.is_floating_point():
                kept.lerp_(part.detach(), 1 - decay)
            else:
                kept.copy_(part)

    def weights(self, model: HipModel) -> dict[str, Tensor]:
        """The weights to validate and to keep."""
        return dict(self._weights) if self._decay else model.state_dict()

    def state(self) -> dict[str, object]:
        """For a checkpoint."""
        return {"steps": self._steps, "weights": self._weights}

    def restore(self, state: dict[str, object]) -> None:
        """From a checkpoint."""
        steps, weights = state["steps"], state["weights"]
        assert isinstance(steps, int)
        assert isinstance(weights, dict)
        self._steps, self._weights = steps, weights
