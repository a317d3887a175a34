"""Every network by name: which row of which paper it is, what it is fed, and how it is built.

Rows that are not here yet (paper 000: MVC-NET, DualNet, Auloss; papers 002 and 003) get a module beside the others and
an entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.case import ViewRole
from app.core.model_input import GreyScaling, InputKind, ModelInput
from app.engine.models import aff, localiser, whole_view
from app.engine.models.backbones import Backbone
from app.engine.models.cvdt import SMALL, Cvdt, CvdtPlan, DeformableSingle
from app.engine.models.hip_model import HipModel
from app.engine.models.paired_baselines import Dual, Single

BOTH = (ViewRole.FRONTAL, ViewRole.LATERAL)
FRONTAL = (ViewRole.FRONTAL,)
LATERAL = (ViewRole.LATERAL,)
FRACTURE = ("no fracture", "fracture")
REGION = 224  # px, paper 000
SWIN_T = "swin_tiny_patch4_window7_224"


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A network that can be built, without weights.

    Args:
        id: stable name, used on cards and on the command line.
        title: the row of the paper's table.
        paper: `000` … `004`.
        input: what it is fed.
        classes: meaning of its outputs. One name: a sigmoid, the probability of that class; more: a softmax.
        build: makes it with random weights.
    """

    id: str
    title: str
    paper: str
    input: ModelInput
    classes: tuple[str, ...]
    build: Callable[[], HipModel]

    @property
    def logits(self) -> int:
        """Number of outputs of the network."""
        return len(self.classes)


def _region(roles: tuple[ViewRole, ...]) -> ModelInput:
    return ModelInput(kind=InputKind.REGION_CROP, roles=roles, size_px=REGION)


def _single(name: str) -> Callable[[], HipModel]:
    return lambda: Single(Backbone(name, image_px=REGION))


def _dual(name: str) -> Callable[[], HipModel]:
    return lambda: Dual(Single(Backbone(name, image_px=REGION)), Single(Backbone(name, image_px=REGION)))


def _paper_000() -> list[Architecture]:
    rows: list[tuple[str, str, tuple[ViewRole, ...], Callable[[], HipModel]]] = [
        ("cvdt", "Ours (CVDT)", BOTH, Cvdt),
        ("cvdt-without-query-sharing", "Ours w/o q", BOTH, lambda: Cvdt(CvdtPlan(shares_query=False))),
        ("cvdt-frontal", "Frontal", FRONTAL, DeformableSingle),
        ("cvdt-lateral", "Lateral", LATERAL, DeformableSingle),
        ("cvdt-small", "CVDT, a quarter of the channels", BOTH, lambda: Cvdt(CvdtPlan(branch=SMALL, hidden=192))),
        ("cvdt-small-frontal", "Frontal, a quarter of the channels", FRONTAL, lambda: DeformableSingle(SMALL)),
        ("cvdt-small-lateral", "Lateral, a quarter of the channels", LATERAL, lambda: DeformableSingle(SMALL)),
    ]
    for short, title, name in (
        ("resnet18", "ResNet18", "resnet18"),
        ("densenet121", "Densenet", "densenet121"),
        ("swin-t", "Swin", SWIN_T),
    ):
        rows += [
            (f"{short}-dual", f"{title}-dual", BOTH, _dual(name)),
            (f"{short}-frontal", f"Frontal {title}", FRONTAL, _single(name)),
            (f"{short}-lateral", f"Lateral {title}", LATERAL, _single(name)),
        ]
    return [
        Architecture(id=key, title=title, paper="000", input=_region(roles), classes=FRACTURE, build=build)
        for key, title, roles, build in rows
    ]


def _paper_001() -> list[Architecture]:
    view = ModelInput(
        kind=InputKind.WHOLE_VIEW, roles=FRONTAL, size_px=whole_view.IMAGE_PX, channels=1, scaling=GreyScaling.UNIT
    )
    return [
        Architecture(
            id="densenet121-whole-view",
            title="DenseNet-121, whole pelvis",
            paper="001",
            input=view,
            classes=("fracture",),
            build=whole_view.fracture_network,
        ),
        Architecture(
            id="densenet121-body-part",
            title="DenseNet-121, limb pre-training",
            paper="001",
            input=view,
            classes=whole_view.BODY_PARTS,
            build=whole_view.body_part_network,
        ),
    ]


def _paper_004() -> list[Architecture]:
    names: tuple[tuple[str, str, aff.AffBackbone], ...] = (
        ("vgg19", "VGG19", "vgg19"),
        ("inception-v3", "InceptionV3", "inception_v3"),
        ("resnet50", "ResNet50", "resnet50"),
        ("efficientnet-lite0", "EfficientNet-Lite0 (ours)", "tf_efficientnet_lite0"),
    )
    kinds = ((InputKind.WHOLE_VIEW, "automated"), (InputKind.ALIGNED_CROP, "intervention"))
    return [
        Architecture(
            id=f"{short}-{word}",
            title=f"{title}, {word}",
            paper="004",
            input=ModelInput(kind=kind, roles=FRONTAL, size_px=aff.IMAGE_PX),
            classes=aff.CLASSES,
            build=_aff(name),
        )
        for short, title, name in names
        for kind, word in kinds
    ]


def _aff(name: aff.AffBackbone) -> Callable[[], HipModel]:
    return lambda: aff.aff_network(name)


def _own() -> list[Architecture]:
    return [
        Architecture(
            id="hip-localiser",
            title="Hip localiser",
            paper="002",
            input=ModelInput(
                kind=InputKind.WHOLE_VIEW, roles=FRONTAL, size_px=localiser.IMAGE_PX, channels=1,
                scaling=GreyScaling.STANDARD,
            ),
            classes=("hip",),
            build=localiser.HipLocaliser,
        )
    ]  # fmt: skip


def architectures() -> dict[str, Architecture]:
    """All networks, by id."""
    return {entry.id: entry for entry in (*_paper_000(), *_paper_001(), *_paper_004(), *_own())}
