from __future__ import annotations

import numpy as np
import pytest

from app.engine.projection.geometry import Geometry
from tests.engine.projection.shapes import view


def test_the_aim_falls_on_the_middle_of_the_detector() -> None:
    geometry = view(size=96)
    np.testing.assert_allclose(geometry.project_points([0, 0, 0]), [geometry.cols / 2, geometry.rows / 2], atol=1e-9)


def test_pixel_centres_lie_half_a_pixel_inside_the_corner() -> None:
    geometry = view(size=16)
    image = geometry.project_points(geometry.pixel_centres())
    np.testing.assert_allclose(image[0, 0], [0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(image[3, 7], [7.5, 3.5], atol=1e-9)


def test_magnification_is_the_ratio_of_distances() -> None:
    geometry = view(beam=(0, 1, 0))
    assert geometry.magnification([0, 0, 0]) == pytest.approx(1100 / 950)
    assert geometry.source_to_detector_mm == pytest.approx(1100)


def test_right_points_right_and_the_image_is_not_mirrored() -> None:
    geometry = view(beam=(0, 1, 0), right=(1, 0, 0))
    middle = geometry.project_points([0, 0, 0])
    assert geometry.project_points([10, 0, 0])[0] > middle[0]
    assert geometry.project_points([0, 0, 10])[1] < middle[1]  # up in the body is up in the image


def test_a_point_behind_the_source_is_refused() -> None:
    geometry = view(beam=(0, 1, 0))
    with pytest.raises(ValueError, match="behind the source"):
        geometry.project_points([0, -2000, 0])


def test_a_skewed_detector_is_refused() -> None:
    with pytest.raises(ValueError, match="perpendicular"):
        Geometry(source=[0, 0, 0], corner=[0, 1, 0], u=[1, 0, 0], v=[0.1, 0, -1], pixel_mm=1, rows=2, cols=2)  # type: ignore[arg-type]


def test_a_coarser_detector_covers_the_fine_one() -> None:
    fine = view(size=95)
    coarse = fine.coarser(4)
    assert (coarse.rows, coarse.cols) == (24, 25)
    point = [12.0, 3.0, -20.0]
    np.testing.assert_allclose(coarse.project_points(point) * 4, fine.project_points(point), atol=1e-9)


def test_the_mirrored_geometry_sees_the_mirrored_point_in_the_flipped_image() -> None:
    geometry = view(size=80)
    point = np.array([12.0, 3.0, -20.0])
    x, y = geometry.project_points(point)
    np.testing.assert_allclose(
        geometry.mirrored().project_points(point * [-1, 1, 1]), [geometry.cols - x, y], atol=1e-9
    )
