"""The papers' other networks: their sizes, their maps, and what is carried over."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.engine.models.aff import aff_network  # noqa: E402
from app.engine.models.backbones import Backbone  # noqa: E402
from app.engine.models.paired_baselines import Dual, Single  # noqa: E402
from app.engine.models.whole_view import body_part_network, fracture_network  # noqa: E402


def millions(model) -> float:  # type: ignore[no-untyped-def]
    return sum(part.numel() for part in model.parameters()) / 1e6


@pytest.mark.parametrize(
    ("name", "size", "side", "maps"),
    [
        ("resnet18", 11.2, 224, (512, 7, 7)),
        ("densenet121", 7.0, 224, (1024, 7, 7)),
        ("swin_tiny_patch4_window7_224", 27.5, 224, (768, 7, 7)),
        ("resnet50", 23.5, 256, (2048, 8, 8)),
        ("inception_v3", 21.8, 256, (2048, 6, 6)),
        ("vgg19", 20.0, 256, (512, 8, 8)),
    ],
)
def test_backbones_have_the_published_size(name: str, size: float, side: int, maps: tuple[int, int, int]) -> None:
    backbone = Backbone(name, image_px=side).eval()
    assert millions(backbone) == pytest.approx(size, abs=0.1)
    with torch.inference_mode():
        assert backbone(torch.randn(1, 3, side, side)).shape == (1, *maps)
    assert backbone.dim == maps[0]


def test_whole_view_network_carries_every_convolution_over() -> None:
    first = body_part_network()
    second = fracture_network(start=first)
    assert millions(second) == pytest.approx(6.95, abs=0.01)
    for one, other in zip(first.backbone.parameters(), second.backbone.parameters(), strict=True):
        assert torch.equal(one, other)
        assert other.requires_grad
    with torch.inference_mode():
        assert first.eval()(torch.randn(1, 1, 128, 128)).shape == (1, 5)
        assert second.eval()(torch.randn(1, 1, 128, 128)).shape == (1, 1)


def test_a_class_activation_map_averages_to_the_logit() -> None:
    """Paper 004: with a global average and a linear layer, the mean of the map is the logit without its bias."""
    torch.manual_seed(0)
    model = aff_network("resnet50").eval()
    with torch.inference_mode():
        (maps,) = model.maps(torch.randn(2, 3, 128, 128))
        logits = model.classify((maps,))
        activation = torch.einsum("bchw,kc->bkhw", maps, model.head.weight)
    assert torch.allclose(activation.mean((-2, -1)) + model.head.bias, logits, atol=1e-4)


def test_dual_is_two_networks_and_a_linear_layer() -> None:
    torch.manual_seed(0)
    model = Dual(Single(Backbone("resnet18")), Single(Backbone("resnet18"))).eval()
    frontal, lateral = torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        both = torch.cat([model.frontal(frontal), model.lateral(lateral)], 1)
        assert torch.allclose(model(frontal, lateral), model.head(both), atol=1e-6)
        assert not torch.allclose(model(frontal, lateral), model(lateral, frontal))
