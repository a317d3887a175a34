"""Networks that can be trained from the window, as far as one must know them without building one.

The registry of the engine builds them; a test compares the two. Larger or older networks of the papers are trained from
the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.case import ViewRole
from app.core.model_input import GreyScaling, InputKind, ModelInput
from app.core.region import RegionMode

BOTH = (ViewRole.FRONTAL, ViewRole.LATERAL)
FRONTAL = (ViewRole.FRONTAL,)
LATERAL = (ViewRole.LATERAL,)
FIELD_MM = 96.0  # square around the hip that region networks see


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network.

    Args:
        id: name in the registry.
        title: what people read.
        paper: `000`, `001` or `004`.
        input: what it is fed when it is trained in a project.
        outputs: 1 = a sigmoid; 2 = a softmax.
        parameters: of the network, million.
        has_imagenet: whether ImageNet weights exist for its backbone.
        fits_cpu: whether a run on a CPU ends the same day.
    """

    id: str
    title: str
    paper: str
    input: ModelInput
    outputs: int = 2
    parameters: float
    has_imagenet: bool = False
    fits_cpu: bool = False

    @property
    def views(self) -> str:
        """Which views it sees: `pair`, `frontal` or `lateral`; with the question that it answers, its place in a
        project (`ModelCard.task_id`)."""
        return "pair" if len(self.input.roles) == 2 else str(self.input.roles[0])


def _region(roles: tuple[ViewRole, ...]) -> ModelInput:
    return ModelInput(
        kind=InputKind.REGION_CROP, roles=roles, size_px=224, region_mode=RegionMode.FIELD, field_mm=FIELD_MM,
        is_right_mirrored=True,
    )  # fmt: skip


def _aligned() -> ModelInput:
    return ModelInput(kind=InputKind.ALIGNED_CROP, roles=FRONTAL, size_px=256)


def networks() -> tuple[Network, ...]:
    """All of them, those for CPUs first."""
    whole = ModelInput(
        kind=InputKind.WHOLE_VIEW, roles=FRONTAL, size_px=512, channels=1, scaling=GreyScaling.UNIT
    )  # fmt: skip
    automated = replace(_aligned(), kind=InputKind.WHOLE_VIEW)
    return (
        Network(id="cvdt-small", title="CVDT, small", paper="000", input=_region(BOTH), parameters=3.2, fits_cpu=True),
        Network(id="cvdt-small-frontal", title="CVDT, small, frontal only", paper="000", input=_region(FRONTAL),
                parameters=1.5, fits_cpu=True),
        Network(id="cvdt-small-lateral", title="CVDT, small, lateral only", paper="000", input=_region(LATERAL),
                parameters=1.5, fits_cpu=True),
        Network(id="resnet18-dual", title="ResNet-18, both views", paper="000", input=_region(BOTH), parameters=22.4,
                has_imagenet=True, fits_cpu=True),
        Network(id="resnet18-frontal", title="ResNet-18, frontal only", paper="000", input=_region(FRONTAL),
                parameters=11.2, has_imagenet=True, fits_cpu=True),
        Network(id="efficientnet-lite0-intervention", title="EfficientNet-Lite0, two-click crop", paper="004",
                input=_aligned(), parameters=3.4, has_imagenet=True, fits_cpu=True),
        Network(id="densenet121-whole-view", title="DenseNet-121, whole view", paper="001", input=whole, outputs=1,
                parameters=6.9, has_imagenet=True),
        Network(id="cvdt", title="CVDT", paper="000", input=_region(BOTH), parameters=56.3),
        Network(id="resnet50-intervention", title="ResNet-50, two-click crop", paper="004", input=_aligned(),
                parameters=23.5, has_imagenet=True),
        Network(id="resnet50-automated", title="ResNet-50, whole view", paper="004", input=automated, parameters=23.5,
                has_imagenet=True),
    )  # fmt: skip


def network_named(name: str) -> Network | None:
    """One of them, or None."""
    return next((network for network in networks() if network.id == name), None)
