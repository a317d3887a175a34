from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from app.engine.projection.joseph import project_part
from tests.engine.projection.shapes import make_part, view

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed (the engine extra)", allow_module_level=True)

from app.engine.projection import joseph_torch


@pytest.mark.parametrize(
    ("beam", "right"),
    [((0.1, 1.0, 0.2), (1.0, 0, 0)), ((1.0, 0.15, -0.1), (0, 1.0, 0)), ((0.1, 0.2, -1.0), (1.0, 0, 0))],
)
def test_equals_the_cpu_projector(beam: tuple[float, ...], right: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    part = make_part(rng.random((24, 31, 28)).astype(np.float32), spacing_mm=(1.7, 1.1, 1.4))
    geometry = view(beam, right, size=90, field_mm=80)
    expected = project_part(part, geometry, is_per_pixel=True)
    assert np.abs(joseph_torch.project_part(part, geometry) - expected).max() < 1e-4 * expected.max()


def test_a_source_inside_is_refused() -> None:
    part = make_part(np.ones((60, 60, 60), np.float32), spacing_mm=(50, 50, 50))
    with pytest.raises(ValueError, match="source"):
        joseph_torch.project_part(part, view(size=16))
