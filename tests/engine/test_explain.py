"""Heatmaps against pytorch-grad-cam, and what they mean."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.errors import UserError  # noqa: E402
from app.engine.explain import HeatmapMethod, heatmaps  # noqa: E402
from app.engine.models.backbones import Backbone  # noqa: E402
from app.engine.models.cvdt import Cvdt, CvdtPlan, DeformableSingle  # noqa: E402
from app.engine.models.deformable_branch import BranchPlan  # noqa: E402
from app.engine.models.paired_baselines import Single  # noqa: E402

TINY = BranchPlan(dims=(6, 12, 24, 48), drop_path=0.0)


def stretched(found) -> np.ndarray:  # type: ignore[no-untyped-def]
    """As pytorch-grad-cam returns its maps: each from 0 to 1."""
    low, high = found.amin((-2, -1), keepdim=True), found.amax((-2, -1), keepdim=True)
    return ((found - low) / (1e-7 + high - low)).numpy()  # type: ignore[no-any-return]


@pytest.mark.parametrize("method", [HeatmapMethod.GRAD_CAM, HeatmapMethod.GRAD_CAM_PP])
@pytest.mark.parametrize(
    ("make", "layer", "side"),
    [
        (lambda: Single(Backbone("resnet18")), lambda model: model.backbone.net.layer4, 256),
        (lambda: DeformableSingle(TINY), lambda model: model.branch.norm, 224),
    ],
    ids=["resnet18", "branch"],
)
def test_equals_pytorch_grad_cam(
    method: HeatmapMethod, make: Callable[[], object], layer: Callable[[object], object], side: int
) -> None:
    """Within 1e-4 of the reference, on the maps themselves (its own enlargement is by OpenCV, and not compared)."""
    reference = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    torch.manual_seed(1)
    model = make().eval()  # type: ignore[attr-defined]
    images = torch.randn(2, 3, side, side)
    with torch.inference_mode():
        maps = model.maps(images)
    _, (ours,) = heatmaps(model, maps, 1, method)
    kind = reference.GradCAM if method is HeatmapMethod.GRAD_CAM else reference.GradCAMPlusPlus
    is_tokens = isinstance(model, DeformableSingle)
    reshape = (lambda found: found.permute(0, 3, 1, 2)) if is_tokens else None
    with kind(model=model, target_layers=[layer(model)], reshape_transform=reshape) as cam:
        cam.get_target_width_height = lambda _: None  # leave the maps at their own size
        theirs = cam(input_tensor=images, targets=[ClassifierOutputTarget(1)] * 2)
    assert stretched(ours).shape == theirs.shape
    assert np.abs(stretched(ours) - theirs).max() < 1e-4


def test_the_logits_are_those_of_the_forward_pass() -> None:
    torch.manual_seed(2)
    model = Cvdt(CvdtPlan(branch=TINY)).eval()
    frontal, lateral = torch.randn(2, 3, 224, 224), torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        maps, logits = model.maps(frontal, lateral), model(frontal, lateral)
    for method in (HeatmapMethod.GRAD_CAM, HeatmapMethod.GRAD_CAM_PP):
        again, found = heatmaps(model, maps, 0, method)
        assert torch.allclose(again, logits, atol=1e-6)
        assert [part.shape for part in found] == [(2, 7, 7), (2, 7, 7)]
        assert all((part >= 0).all() for part in found)


def test_cam_is_grad_cam_of_a_linear_head_up_to_the_area() -> None:
    """Zhou's map is Grad-CAM's times the number of places: the gradient of an average is 1 / area."""
    torch.manual_seed(3)
    model = Single(Backbone("resnet18")).eval()
    with torch.inference_mode():
        maps = model.maps(torch.randn(2, 3, 128, 128))
    _, (cam,) = heatmaps(model, maps, 1, HeatmapMethod.CAM)
    _, (grad_cam,) = heatmaps(model, maps, 1, HeatmapMethod.GRAD_CAM)
    assert torch.allclose(cam, grad_cam * 16, rtol=1e-4, atol=1e-5)


def test_cam_is_refused_where_it_is_not_defined() -> None:
    model = Cvdt(CvdtPlan(branch=TINY)).eval()
    with torch.inference_mode():
        maps = model.maps(torch.randn(1, 3, 224, 224), torch.randn(1, 3, 224, 224))
    with pytest.raises(UserError) as caught:
        heatmaps(model, maps, 0, HeatmapMethod.CAM)
    assert caught.value.kind == "no-method"


def test_frozen_weights_do_not_matter() -> None:
    """The reference implementation fails on a model whose parameters are frozen."""
    torch.manual_seed(4)
    model = Single(Backbone("resnet18")).eval()
    with torch.inference_mode():
        maps = model.maps(torch.randn(1, 3, 64, 64))
    _, (before,) = heatmaps(model, maps, 1, HeatmapMethod.GRAD_CAM)
    model.requires_grad_(False)
    _, (after,) = heatmaps(model, maps, 1, HeatmapMethod.GRAD_CAM)
    assert torch.equal(before, after)
