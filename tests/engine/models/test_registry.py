"""Every network in the registry can be built, takes what it says and gives what it says."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.engine.models.registry import architectures  # noqa: E402

ALL = architectures()


@pytest.mark.parametrize("name", sorted(ALL))
def test_architecture_keeps_its_word(name: str) -> None:
    entry = ALL[name]
    torch.manual_seed(0)
    model = entry.build().eval()
    side = entry.input.size_px if entry.paper == "000" else 128  # convolutions take any size
    images = [torch.randn(1, entry.input.channels, side, side) for _ in entry.input.roles]
    with torch.inference_mode():
        maps = model.maps(*images)
        logits = model.classify(maps)
    assert len(maps) == len(entry.input.roles)
    assert logits.shape == (1, entry.logits)
    assert torch.isfinite(logits).all()


def test_the_papers_rows_are_there() -> None:
    assert {entry.paper for entry in ALL.values()} == {"000", "001", "002", "004"}
    assert {"cvdt", "cvdt-without-query-sharing", "cvdt-frontal", "cvdt-lateral", "cvdt-small"} <= set(ALL)
    assert {
        f"{net}-{way}" for net in ("vgg19", "inception-v3", "resnet50") for way in ("automated", "intervention")
    } <= set(ALL)
