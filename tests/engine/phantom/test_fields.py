"""Signed distances against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.engine.phantom.fields import (
    capsule,
    ellipsoid,
    polygon,
    rigid_about,
    rotation,
    rounded,
    smooth_max,
    smooth_min,
    transform,
    unit,
)

_values = arrays.arrays(np.float32, 16, elements=st.floats(-50, 50, width=32))


@given(_values, _values, st.floats(0.5, 20))
def test_smooth_union_never_exceeds_the_sharp_one(a, b, radius):
    union = smooth_min(a, b, radius)
    assert (union <= np.minimum(a, b) + 1e-4).all()
    assert (union >= np.minimum(a, b) - radius / 4 - 1e-3).all()


@given(_values, _values, st.floats(0.5, 20))
def test_smooth_intersection_mirrors_the_union(a, b, radius):
    np.testing.assert_allclose(smooth_max(a, b, radius), -smooth_min(-a, -b, radius), atol=1e-4)


def test_an_ellipsoid_is_zero_on_its_surface_and_signed_around_it():
    turn = rotation([1, 2, 3], 40)
    radii = np.array([12.0, 20.0, 7.0])
    rng = np.random.default_rng(0)
    directions = np.array([unit(v) for v in rng.normal(size=(200, 3))])
    on = (directions * radii) @ turn.T + (3, -4, 5)
    for scale, sign in ((1.0, 0), (0.9, -1), (1.1, 1)):
        points = ((on - (3, -4, 5)) * scale + (3, -4, 5)).astype(np.float32)
        values = ellipsoid(points[:, 0], points[:, 1], points[:, 2], (3, -4, 5), tuple(radii), turn)
        if sign == 0:
            assert np.abs(values).max() < 1e-3
        else:
            assert (np.sign(values) == sign).all()


def test_a_capsule_is_the_exact_distance_to_its_axis():
    x = np.linspace(-30, 30, 61, dtype=np.float32)
    zero = np.zeros_like(x)
    values = capsule(x, zero, zero, (-10, 0, 0), (10, 0, 0), 4.0)
    np.testing.assert_allclose(values, np.maximum(np.abs(x) - 10, 0) - 4, atol=1e-5)


def test_a_polygon_knows_inside_from_outside():
    square = [(-10, -10), (10, -10), (10, 10), (-10, 10)]
    a = np.array([0, 9, 12, 0], dtype=np.float32)
    b = np.array([0, 0, 0, -15], dtype=np.float32)
    np.testing.assert_allclose(polygon(a, b, square), [-10, -1, 2, 5], atol=1e-5)
    assert len(rounded(square, 2)) == 16
    assert np.abs(rounded(square, 2)).max() <= 10


def test_a_motion_about_a_point_keeps_that_point():
    motion = rigid_about(rotation([0, 1, 1], 33), (5, 6, 7))
    np.testing.assert_allclose(transform(motion, (5, 6, 7)), (5, 6, 7), atol=1e-12)
    turn = motion[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_the_zero_vector_has_no_direction():
    with pytest.raises(ValueError, match="direction"):
        unit([0, 0, 0])
