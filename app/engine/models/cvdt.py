"""Paper 000: the cross-view deformable transformer (CVDT) for non-displaced fractures on paired radiographs.

Stated in the paper: two view-specific branches (section 2.2), whose deformable layers move their points by their own
queries, while the lateral layer attends with the queries of the frontal one (section 2.4, "query sharing"); both
results are joined and pass two fully connected layers (section 2.5). Our reading where it is silent or contradicts
itself: `docs/adr/0170-reading-of-cvdt.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from app.engine.models.deformable_attention import DeformableAttention, Points
from app.engine.models.deformable_branch import BranchPlan, DeformableBranch
from app.engine.models.hip_model import HipModel, Maps, pooled

# for CPUs (ADR 0171): convolutions where the maps are large, the paper's layers on 14² and 7²
SMALL = BranchPlan(
    dims=(24, 48, 96, 192),
    heads=(3, 3, 6, 12),
    stages=("C", "CC", "LDLD", "LD"),
    has_convolutional_stem=True,
    drop_path=0.1,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CvdtPlan:
    """The whole network.

    Args:
        branch: what each branch is made of.
        shares_query: whether lateral deformable layers ask with the frontal queries; False is the paper's ablation
            "without query sharing", with the same number of parameters.
        hidden: width of the first fully connected layer (not stated).
        dropout: between the two (not stated).
        classes: number of logits.
    """

    branch: BranchPlan = field(default_factory=BranchPlan)
    shares_query: bool = True
    hidden: int = 768
    dropout: float = 0.1
    classes: int = 2


class FusionHead(nn.Module):
    """Two fully connected layers on the joined vectors of both views."""

    def __init__(self, dim: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2 * dim, hidden)
        self.drop = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, joined: Tensor) -> Tensor:
        """(B, 2·dim) to (B, classes)."""
        result: Tensor = self.fc2(self.drop(self.fc1(joined).relu()))
        return result


class Cvdt(HipModel):
    """The paired network. Images: frontal, lateral, each (B, 3, 224, 224).

    Args:
        plan: options; the defaults are the recommended reading, 56 M parameters.
    """

    def __init__(self, plan: CvdtPlan | None = None) -> None:
        super().__init__()
        self.plan = plan or CvdtPlan()
        self.frontal = DeformableBranch(self.plan.branch)
        self.lateral = DeformableBranch(self.plan.branch)
        self.head = FusionHead(self.plan.branch.dims[-1], self.plan.hidden, self.plan.classes, self.plan.dropout)

    def maps(self, *images: Tensor) -> Maps:
        """Both branches in step, the frontal one first: its queries are there when the lateral layer asks."""
        frontal, lateral = self._begin(images)
        for number in range(4):
            for ahead, behind in zip(self.frontal.stage(number), self.lateral.stage(number), strict=True):
                frontal, query = ahead(frontal)
                lateral, _ = behind(lateral, query if self.plan.shares_query else None)
            frontal, lateral = self.frontal.go_down(number, frontal), self.lateral.go_down(number, lateral)
        return self.frontal.as_map(frontal), self.lateral.as_map(lateral)

    def classify(self, maps: Maps) -> Tensor:
        """Average each view, join, two fully connected layers."""
        result: Tensor = self.head(torch.cat([pooled(part) for part in maps], 1))
        return result

    def points(self, *images: Tensor) -> list[tuple[Points, Points]]:
        """Where each deformable layer looks in the frontal and in the lateral view, first layer first."""
        frontal, lateral = self._begin(images)
        found: list[tuple[Points, Points]] = []
        for number in range(4):
            for ahead, behind in zip(self.frontal.stage(number), self.lateral.stage(number), strict=True):
                before, other = frontal, lateral
                frontal, query = ahead(frontal)
                shared = query if self.plan.shares_query else None
                lateral, _ = behind(lateral, shared)
                one, two = getattr(ahead, "attn", None), getattr(behind, "attn", None)
                if isinstance(one, DeformableAttention) and isinstance(two, DeformableAttention):
                    found.append((one.trace(ahead.norm1(before)), two.trace(behind.norm1(other), shared)))
            frontal, lateral = self.frontal.go_down(number, frontal), self.lateral.go_down(number, lateral)
        return found

    def _begin(self, images: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        frontal, lateral = images
        return self.frontal.stem(frontal), self.lateral.stem(lateral)


class DeformableSingle(HipModel):
    """One branch alone: the paper's rows "Frontal" and "Lateral".

    Args:
        plan: what the branch is made of.
        classes: number of logits.
    """

    def __init__(self, plan: BranchPlan | None = None, *, classes: int = 2) -> None:
        super().__init__()
        self.branch = DeformableBranch(plan or BranchPlan())
        self.head = nn.Linear(self.branch.plan.dims[-1], classes)

    def maps(self, *images: Tensor) -> Maps:
        """The branch."""
        (image,) = images
        return (self.branch(image),)

    def classify(self, maps: Maps) -> Tensor:
        """Average, one fully connected layer."""
        result: Tensor = self.head(pooled(maps[0]))
        return result
