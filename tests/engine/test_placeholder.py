"""The placeholder radiographs: valid stored values, repeatable, mirrored by side, different by seed."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.case import Projection, Side
from app.engine.placeholder import BITS_STORED, PlaceholderHip, frontal, lateral, pelvis


@pytest.fixture(scope="module")
def left() -> np.ndarray:
    return frontal(PlaceholderHip(seed=1, side=Side.LEFT))


def test_stored_values_use_twelve_bits_and_most_of_their_range(left: np.ndarray) -> None:
    assert left.dtype == np.uint16
    assert left.shape == (1400, 1200)
    assert int(left.max()) < 2**BITS_STORED
    assert int(np.percentile(left, 99.5)) - int(np.percentile(left, 0.5)) > 2000


def test_the_same_hip_is_the_same_image(left: np.ndarray) -> None:
    np.testing.assert_array_equal(left, frontal(PlaceholderHip(seed=1, side=Side.LEFT)))
    assert not np.array_equal(left, frontal(PlaceholderHip(seed=2, side=Side.LEFT)))


def test_the_patient_s_left_hip_lies_to_the_viewer_s_right_of_the_midline(left: np.ndarray) -> None:
    """Thigh and air lie lateral: the outer quarter is darker on the viewer's right for a left hip, and mirrored."""
    right = frontal(PlaceholderHip(seed=1, side=Side.RIGHT))
    rows = slice(300, 700)
    assert left[rows, 1040:1130].mean() < 0.7 * left[rows, 70:160].mean()
    assert right[rows, 70:160].mean() < 0.7 * right[rows, 1040:1130].mean()


def test_a_neck_line_is_darker_than_the_neck_without_it() -> None:
    whole = frontal(PlaceholderHip(seed=5, side=Side.LEFT)).astype(float)
    broken = frontal(PlaceholderHip(seed=5, side=Side.LEFT, neck_gap_mm=1.5)).astype(float)
    difference = whole - broken
    # the neck is the region about 27 mm from the head's centre along the neck's axis, at (124, 112) mm from the corner
    neck = difference[560:760, 620:820]
    elsewhere = difference[1100:1300, 300:500]
    assert np.percentile(neck, 99.5) > 2.5 * np.percentile(elsewhere, 99.5)


@pytest.mark.parametrize("kind", [Projection.FROG_LEG, Projection.CROSS_TABLE])
def test_second_views_and_the_pelvis_are_whole_images(kind: Projection) -> None:
    image = lateral(PlaceholderHip(seed=3, side=Side.RIGHT, lateral=kind))
    assert image.shape == (1200, 1400)
    assert 800 < image[300:900, 300:1100].mean() < 3600


def test_a_pelvis_is_nearly_symmetric() -> None:
    image = pelvis(PlaceholderHip(seed=4, side=Side.LEFT)).astype(float)
    assert image.shape == (1450, 2100)
    inner = image[150:1300, 200:-200]
    assert np.corrcoef(inner.ravel(), inner[:, ::-1].ravel())[0, 1] > 0.8
