"""Joseph against ITK-RTK, where it installs (package itk-rtk)."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import project_part
from tests.engine.projection.shapes import make_part

if importlib.util.find_spec("itk") is None:
    pytest.skip("the itk-rtk package is not installed", allow_module_level=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("angle_deg", [0.0, 33.0, 90.0, 121.0])
def test_equals_the_reconstruction_toolkit(angle_deg: float) -> None:
    import itk
    from itk import RTK as rtk  # noqa: N811

    if not hasattr(rtk, "JosephForwardProjectionImageFilter"):
        pytest.skip("this itk has no RTK")
    rng = np.random.default_rng(0)
    density = np.zeros((20, 26, 24), np.float32)
    density[2:-2, 2:-2, 2:-2] = rng.random((16, 22, 20))
    part = make_part(density, spacing_mm=(2.0, 1.5, 1.8))
    size, pixel, sid, sdd = 40, 3.0, 600.0, 1000.0
    image = itk.image_from_array(density)
    image.SetSpacing(part.spacing_mm[::-1])
    image.SetOrigin(part.origin_mm)
    empty = itk.image_from_array(np.zeros((1, size, size), np.float32))
    first = -(size - 1) / 2 * pixel
    empty.SetSpacing([pixel, pixel, 1.0])
    empty.SetOrigin([first, first, 0.0])
    geometry = rtk.ThreeDCircularProjectionGeometry.New()
    geometry.AddProjection(sid, sdd, angle_deg)
    kind = itk.Image[itk.F, 3]
    projector = rtk.JosephForwardProjectionImageFilter[kind, kind].New()
    projector.SetGeometry(geometry)
    projector.SetInput(0, empty)
    projector.SetInput(1, image)
    projector.Update()
    expected = itk.array_from_image(projector.GetOutput())[0]
    # RTK: source at (sin, 0, cos) × SID, rows along +y, columns along (cos, 0, −sin)
    angle = np.deg2rad(angle_deg)
    out, across = np.array([np.sin(angle), 0, np.cos(angle)]), np.array([np.cos(angle), 0, -np.sin(angle)])
    corner = out * (sid - sdd) + (across + np.array([0.0, 1, 0])) * (first - pixel / 2)
    ours = Geometry(
        source=out * sid, corner=corner, u=across, v=np.array([0.0, 1, 0]), pixel_mm=pixel, rows=size, cols=size
    )
    result = project_part(part, ours, is_per_pixel=True) * 10
    assert np.abs(result - expected).max() < 2e-5 * expected.max()
