"""Synthetic radiographs behind collimators of known shape. Textures only: no anatomy is meant."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from app.core.grey import GreyScale, Photometric, StoredImage

MAX_VALUE = 4095


class Border(StrEnum):
    """What lies beyond the blades."""

    WHITE = "white"  # unexposed: bright, with the scatter that leaks under the blade
    BLACK = "black"  # an electronic shutter: one constant


def tissue(shape: tuple[int, int], seed: int, *, has_air: bool = False) -> npt.NDArray[np.float32]:
    """Structures of several sizes, edges and quantum noise, 0.15 … 0.85; (H, W).

    Args:
        shape: height and width, px.
        seed: for numpy.
        has_air: whether part of the field shows direct exposure (dark, beyond a curved skin line).
    """
    rng = np.random.default_rng(seed)
    height, width = shape
    picture = np.zeros(shape, np.float32)
    for cells, weight in ((3, 0.5), (8, 0.3), (24, 0.25), (64, 0.15)):
        coarse = rng.random((cells, cells), np.float32)
        picture += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):  # cortices: curved lines with sharp edges
        center = rng.integers(0, max(shape), 2).tolist()
        axes = rng.integers(max(shape) // 12, max(shape) // 3, 2).tolist()
        angle = float(rng.uniform(0, 360))
        cv2.ellipse(picture, center, axes, angle, 0, 200, float(picture.mean() + 0.3), max(2, max(shape) // 80))
    low, high = np.percentile(picture, [1, 99])
    picture = 0.15 + 0.7 * np.clip((picture - low) / (high - low), 0, 1)
    if has_air:
        center = (-width // 3, height // 2)
        skin = np.hypot(*(np.mgrid[:height, :width] - np.array(center[::-1])[:, None, None]))
        picture = np.where(skin > width * 0.95, np.float32(0.02), picture)
    return (picture + rng.normal(0, 0.012, shape)).astype(np.float32)


def collimated(
    shape: tuple[int, int],
    polygon_xy: npt.NDArray[np.float64] | None,
    border: Border,
    seed: int,
    *,
    has_air: bool = False,
) -> npt.NDArray[np.float32]:
    """Tissue inside a polygon, a border outside it, a slightly blurred edge between them; 0 … 1."""
    picture = tissue(shape, seed, has_air=has_air)
    if polygon_xy is None:
        return np.clip(picture, 0, 1)
    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [np.rint((polygon_xy - 0.5) * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    share = cv2.GaussianBlur(inside.astype(np.float32) / 255, (0, 0), max(shape) / 900)
    if border is Border.BLACK:
        return np.where(share > 0.5, np.maximum(picture, 0.01), 0).astype(np.float32)
    rng = np.random.default_rng(seed + 1)
    leak = cv2.GaussianBlur(share, (0, 0), max(shape) / 40)
    outside = 0.99 - 0.08 * leak + rng.normal(0, 0.003, shape)
    return np.clip(picture * share + outside * (1 - share), 0, 1).astype(np.float32)


def rectangle(shape: tuple[int, int], share: tuple[float, float], angle_deg: float) -> npt.NDArray[np.float64]:
    """Corners of a rectangle about the middle of the image, (4, 2) image coordinates."""
    height, width = shape
    box = ((width / 2, height / 2), (width * share[0], height * share[1]), angle_deg)
    return cv2.boxPoints(box).astype(np.float64)


def circle(shape: tuple[int, int], radius_share: float) -> npt.NDArray[np.float64]:
    """A circle about the middle of the image as a polygon of 180 corners."""
    turns = np.deg2rad(np.arange(0, 360, 2))
    middle = np.array([shape[1], shape[0]]) / 2
    return middle + radius_share * max(shape) * np.column_stack([np.cos(turns), np.sin(turns)])


def as_stored(picture: npt.NDArray[np.float32], photometric: Photometric) -> tuple[StoredImage, GreyScale]:
    """The picture as an object would hold it, 12 bits."""
    values = np.rint(picture * MAX_VALUE)
    if photometric is Photometric.MONOCHROME1:
        values = MAX_VALUE - values
    return StoredImage(pixels=values.astype(np.uint16)), GreyScale(photometric=photometric, bits_stored=12)
