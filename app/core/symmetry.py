"""How alike the left and the right half of a radiograph are: advisory evidence of a whole pelvis.

A frontal radiograph of a pelvis is nearly its own mirror image about a vertical axis; a radiograph of one hip is
not. The measure says nothing about *what* is symmetric (a chest is too), so it never decides alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.core.case import Evidence, Projection, Side

_WORK_PX = 128  # long side of the working image
_MAX_SHIFT = 0.08  # how far the axis may lie from the middle, fraction of the width
_ROTATIONS_DEG = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
_MIN_OVERLAP = 0.70  # of the width must have a mirror partner
SYMMETRY_THRESHOLD = 0.45
MIN_ASPECT = 0.75  # both hips do not fit into an image much taller than wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """Result of the measurement.

    Args:
        score: correlation of the image's structure with its mirror image, −1 … 1.
        axis_px: column of the best vertical axis, image coordinates of the full image, px.
        tilt_deg: rotation of the axis from the vertical, degrees.
        aspect: width / height of the image.
    """

    score: float
    axis_px: float
    tilt_deg: float
    aspect: float

    @property
    def is_symmetric(self) -> bool:
        """Whether the score speaks for both hips in one image."""
        return self.score >= SYMMETRY_THRESHOLD and self.aspect >= MIN_ASPECT


def bilateral_symmetry(pixels: npt.NDArray[np.uint16]) -> Symmetry:
    """Compare an image with its mirror image about nearly vertical axes near its middle.

    Overall brightness is taken out (a light centre on a dark ground is symmetric and means nothing), so that edges of
    bones count. Insensitive to MONOCHROME1/2 and to any linear change of grey values.

    Args:
        pixels: (H, W) uint16, stored values. Images below 128 px are too coarse to tell and score 0.
    """
    rows, cols = pixels.shape
    if min(rows, cols) < _WORK_PX or not bool(np.any(pixels != pixels[0, 0])):
        return Symmetry(score=0.0, axis_px=cols / 2, tilt_deg=0.0, aspect=cols / rows)
    structure, scale = _structure(pixels)
    best = Symmetry(score=-1.0, axis_px=cols / 2, tilt_deg=0.0, aspect=cols / rows)
    height, width = structure.shape
    valid = np.ones_like(structure)
    for tilt_deg in _ROTATIONS_DEG:
        matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), tilt_deg, 1.0)
        turned = _floats(cv2.warpAffine(structure, matrix, (width, height), flags=cv2.INTER_LINEAR))
        mask = _floats(cv2.warpAffine(valid, matrix, (width, height), flags=cv2.INTER_NEAREST))
        score, axis = _best_axis(turned, mask)
        if score > best.score:
            best = Symmetry(score=score, axis_px=axis / scale, tilt_deg=tilt_deg, aspect=cols / rows)
    return best


def symmetry_evidence(symmetry: Symmetry) -> tuple[Evidence | None, Evidence | None]:
    """Advisory evidence (projection, side) from a symmetric image; (None, None) from any other."""
    if not symmetry.is_symmetric:
        return None, None
    found = f"mirror symmetry {symmetry.score:.2f}"

    def piece(says: str) -> Evidence:
        return Evidence(source="Image content", found=found, says=says, rank=9, is_advisory=True)

    return piece(Projection.FRONTAL.value), piece(Side.BOTH.value)


def _structure(pixels: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.float32], float]:
    """Band-passed, robustly scaled small image, and its scale to the full image."""
    rows, cols = pixels.shape
    scale = min(1.0, _WORK_PX / max(rows, cols))
    size = (max(16, round(cols * scale)), max(16, round(rows * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    low, high = (float(value) for value in np.percentile(small, (1.0, 99.0)))
    small = np.clip(small, low, max(high, low + 1.0))
    sigma = 0.06 * max(size)
    detail = cv2.GaussianBlur(small, (0, 0), 1.2) - cv2.GaussianBlur(small, (0, 0), sigma)
    # What runs from top to bottom (collimator edges, the outline of a leg) is symmetric in many images of one side.
    detail -= detail.mean(axis=0, keepdims=True)
    spread = np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), 2.0 * sigma))
    floor = 0.25 * float(spread.max())
    detail = np.clip(detail / np.maximum(spread, max(floor, 1e-6)), -2.5, 2.5)  # one bright marker must not decide
    border = max(2, round(0.03 * max(size)))  # collimator and film edges are symmetric in every image
    detail[:border] = 0
    detail[-border:] = 0
    detail[:, :border] = 0
    detail[:, -border:] = 0
    return _floats(detail), size[0] / cols


def _floats(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(array, dtype=np.float32)


def _best_axis(image: npt.NDArray[np.float32], mask: npt.NDArray[np.float32]) -> tuple[float, float]:
    width = image.shape[1]
    mirrored = image[:, ::-1]
    mirrored_mask = mask[:, ::-1]
    best_score, best_axis = -1.0, width / 2
    reach = round(2 * _MAX_SHIFT * width)
    for shift in range(-reach, reach + 1):
        # mirroring about the axis (width + shift) / 2 pairs column c with column width + shift − 1 − c
        start, stop = max(0, shift), min(width, width + shift)
        if stop - start < _MIN_OVERLAP * width:
            continue
        one = image[:, start:stop]
        other = mirrored[:, start - shift : stop - shift]
        both = mask[:, start:stop] * mirrored_mask[:, start - shift : stop - shift]
        count = float(both.sum())
        if count < 1:
            continue
        first = (one - float((one * both).sum()) / count) * both
        second = (other - float((other * both).sum()) / count) * both
        norm = float(np.sqrt(float((first**2).sum()) * float((second**2).sum())))
        score = float((first * second).sum()) / norm if norm > 0 else 0.0
        if score > best_score:
            best_score, best_axis = score, (width + shift) / 2
    return best_score, best_axis
