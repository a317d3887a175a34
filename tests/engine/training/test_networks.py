"""What the window knows about networks is what the registry builds."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.networks import networks
from app.engine.models.registry import architectures


@pytest.mark.parametrize("network", networks(), ids=lambda network: network.id)
def test_the_registry_builds_it(network: object) -> None:
    from app.core.networks import Network

    assert isinstance(network, Network)
    built = architectures()[network.id]
    assert (built.logits, built.paper) == (network.outputs, network.paper)
    for fact in ("kind", "roles", "size_px", "channels", "scaling"):
        assert getattr(built.input, fact) == getattr(network.input, fact), fact
    if network.parameters < 12:
        count = sum(part.numel() for part in built.build().parameters()) / 1e6
        assert count == pytest.approx(network.parameters, abs=0.15)
