"""Mirror symmetry as a hint that an image shows both hips."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from app.core.case import Projection, Side
from app.core.symmetry import SYMMETRY_THRESHOLD, bilateral_symmetry, symmetry_evidence


def draw(*, is_pelvis: bool, rows: int = 300, cols: int = 360, tilt_deg: float = 0.0) -> npt.NDArray[np.uint16]:
    """Rings, wings and shafts on a noisy ground: both sides of a pelvis, or the left side only."""
    canvas = np.full((rows, cols), 60, np.float32)
    middle = cols // 2
    for sign in (-1, 1) if is_pelvis else (1,):
        x = lambda offset, sign=sign: int(middle + sign * offset)  # noqa: E731
        cv2.ellipse(canvas, (x(0.22 * cols), int(0.30 * rows)), (40, 55), 20 * sign, 0, 360, 150, -1)
        cv2.circle(canvas, (x(0.12 * cols), int(0.68 * rows)), 26, 130, 9)
        cv2.circle(canvas, (x(0.30 * cols), int(0.58 * rows)), 20, 190, -1)
        cv2.line(canvas, (x(0.33 * cols), int(0.62 * rows)), (x(0.36 * cols), rows), 170, 22)
    if tilt_deg:
        matrix = cv2.getRotationMatrix2D((cols / 2, rows / 2), tilt_deg, 1.0)
        canvas = cv2.warpAffine(canvas, matrix, (cols, rows), borderMode=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(1).normal(0, 4, canvas.shape)
    return np.clip(canvas + noise, 0, 255).astype(np.uint16) * 16


@pytest.mark.parametrize("tilt_deg", [0.0, 3.0, -4.0])
def test_a_pelvis_is_symmetric(tilt_deg: float) -> None:
    symmetry = bilateral_symmetry(draw(is_pelvis=True, tilt_deg=tilt_deg))
    assert symmetry.is_symmetric
    assert abs(symmetry.axis_px - 180) < 12


def test_one_hip_is_not() -> None:
    assert not bilateral_symmetry(draw(is_pelvis=False)).is_symmetric


def test_collimator_edges_do_not_make_a_symmetric_image() -> None:
    image = draw(is_pelvis=False)
    image[:, :50] = 4000
    image[:, -50:] = 4000
    assert not bilateral_symmetry(image).is_symmetric


def test_inverting_and_scaling_the_grey_values_changes_nothing() -> None:
    image = draw(is_pelvis=True)
    inverted = (65535 - image.astype(np.int64) * 3).astype(np.uint16)
    assert bilateral_symmetry(inverted).score == pytest.approx(bilateral_symmetry(image).score, abs=0.02)


@pytest.mark.parametrize("image", [np.zeros((64, 64), np.uint16), np.ones((8, 500), np.uint16)])
def test_an_empty_or_tiny_image_says_nothing(image: npt.NDArray[np.uint16]) -> None:
    assert symmetry_evidence(bilateral_symmetry(image)) == (None, None)


def test_a_tall_narrow_image_does_not_hold_two_hips() -> None:
    image = np.ascontiguousarray(np.vstack([draw(is_pelvis=True), draw(is_pelvis=True)]))
    symmetry = bilateral_symmetry(image)
    assert symmetry.score >= SYMMETRY_THRESHOLD
    assert not symmetry.is_symmetric


def test_its_evidence_is_advisory() -> None:
    frontal, both = symmetry_evidence(bilateral_symmetry(draw(is_pelvis=True)))
    assert frontal is not None
    assert both is not None
    assert (frontal.says, both.says) == (Projection.FRONTAL, Side.BOTH)
    assert frontal.is_advisory
    assert both.is_advisory
