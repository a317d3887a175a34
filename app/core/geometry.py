"""Two clicks align a femur; the crop that follows from them, and its coordinates.

Everything here is in image coordinates: x right, y down, px, origin at the top-left corner of the first pixel (whose
centre is at 0.5, 0.5). Only `crop` knows that cv2 counts from pixel centres. How an image is turned or flipped on the
screen does not matter: the clicks are mapped to image coordinates before they come here.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from enum import StrEnum
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from app.core.errors import UserError
from app.core.event import canonical_json
from app.core.record import record
from app.core.spacing import Spacing

XY: TypeAlias = tuple[float, float]
Matrix: TypeAlias = npt.NDArray[np.float64]  # (2, 3): [A | t], maps p to A p + t
PixelT = TypeVar("PixelT", np.uint8, np.uint16, np.float32)

MIN_CLICK_DISTANCE_PX = 5.0
DEFAULT_SIDE_MM = 120.0  # models.md, paper 004 [R]: the paper does not state a scale
DEFAULT_SIZE_PX = 256  # paper 004, intervention pathway
SMALLEST_SIDE_MM, LARGEST_SIDE_MM = 20.0, 600.0
SMALLEST_SIDE_PX, LARGEST_SIDE_PX = 32.0, 8192.0
LARGEST_SIZE_PX = 2048
SMOOTHING = 0.5  # Gaussian sigma in crop pixels: a one-pixel line keeps its light at every angle to 2 %
CROP_METHOD = "affine-1"  # part of every crop's key; raised when `crop` gives other pixels (ADR 0160)


class AlignmentSource(StrEnum):
    """Who placed an alignment."""

    CLICKS = "clicks"  # a person
    MODEL = "model"  # a localiser; a proposal until a person accepts it


@record(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where the fracture is and how the femur lies (paper 004: two clicks).

    Args:
        center_xy: fracture centre.
        axis_xy: a point on the axis of the femoral shaft, on either side of the fracture.
        side_mm: side of the crop, mm; used where the spacing can be trusted.
        side_px: side of the crop in columns of the image; used where it cannot.
        source: who placed it.
    """

    center_xy: XY
    axis_xy: XY
    side_mm: float = DEFAULT_SIDE_MM
    side_px: float = float(DEFAULT_SIZE_PX)
    source: AlignmentSource = AlignmentSource.CLICKS

    def __post_init__(self) -> None:
        numbers = (*self.center_xy, *self.axis_xy, self.side_mm, self.side_px)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("an alignment has finite coordinates")
        if math.dist(self.center_xy, self.axis_xy) < MIN_CLICK_DISTANCE_PX:
            raise ValueError("the two points of an alignment are too close to each other")
        if not SMALLEST_SIDE_MM <= self.side_mm <= LARGEST_SIDE_MM:
            raise ValueError(f"a crop has a side of {SMALLEST_SIDE_MM:g} to {LARGEST_SIDE_MM:g} mm")
        if not SMALLEST_SIDE_PX <= self.side_px <= LARGEST_SIDE_PX:
            raise ValueError(f"a crop has a side of {SMALLEST_SIDE_PX:g} to {LARGEST_SIDE_PX:g} px")

    def angle_deg(self, aspect: float = 1.0) -> float:
        """The rotation that makes the axis vertical, −90° ≤ angle < 90°; the same from either side of the fracture.

        Args:
            aspect: row distance ÷ column distance of the pixels.
        """
        return axis_angle_deg(self.center_xy, self.axis_xy, aspect=aspect)

    def side(self, spacing: Spacing) -> float:
        """Side of the crop in columns of the image, px."""
        size_mm = pixel_mm(spacing)
        return self.side_px if size_mm is None else self.side_mm / size_mm[0]

    def moved(self, dx: float, dy: float) -> Alignment:
        """Both points shifted by so many px."""
        (cx, cy), (ax, ay) = self.center_xy, self.axis_xy
        return replace(self, center_xy=(cx + dx, cy + dy), axis_xy=(ax + dx, ay + dy))

    def turned(self, degrees: float, *, aspect: float = 1.0) -> Alignment:
        """The axis turned about the centre; positive turns from the y axis towards the x axis."""
        (cx, cy), (ax, ay) = self.center_xy, self.axis_xy
        turn = math.radians(degrees)
        dx, dy = ax - cx, (ay - cy) * aspect
        x = dx * math.cos(turn) + dy * math.sin(turn)
        y = dy * math.cos(turn) - dx * math.sin(turn)
        return replace(self, axis_xy=(cx + x, cy + y / aspect))


@record(frozen=True, slots=True, kw_only=True)
class Crop:
    """Exactly what is cut out of an image.

    Args:
        matrix: (2, 3), image coordinates to crop coordinates (origin at the corner of the crop's first pixel).
        size_px: side of the crop, px.
        mm_per_px: what a crop pixel measures; None without a trusted spacing.
    """

    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    size_px: int = DEFAULT_SIZE_PX
    mm_per_px: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size_px <= LARGEST_SIZE_PX:
            raise ValueError(f"a crop has a side of 1 to {LARGEST_SIZE_PX} px")

    @property
    def to_crop(self) -> Matrix:
        """Image to crop coordinates, (2, 3) float64."""
        return np.array(self.matrix, np.float64)

    @property
    def to_image(self) -> Matrix:
        """Crop to image coordinates, (2, 3) float64."""
        return inverted(self.to_crop)

    @property
    def corners_xy(self) -> tuple[XY, XY, XY, XY]:
        """The crop's corners in image coordinates: top left, top right, bottom right, bottom left."""
        size = float(self.size_px)
        back = self.to_image
        one, two, three, four = (mapped(back, xy) for xy in ((0.0, 0.0), (size, 0.0), (size, size), (0.0, size)))
        return one, two, three, four

    def key(self, image_sha256: str) -> str:
        """Names the pixels that `crop` cuts out of one image; another spacing, click or size gives another key."""
        parts = [CROP_METHOD, image_sha256, self.size_px, [list(row) for row in self.matrix]]
        return hashlib.sha256(canonical_json(parts).encode("utf-8")).hexdigest()


def alignment_from_clicks(center_xy: XY, axis_xy: XY, *, rows: int, cols: int) -> Alignment:
    """The alignment that two clicks mean.

    Raises:
        UserError: `clicks-too-close`, or `outside-image`: the fracture centre is not on the image.
    """
    x, y = center_xy
    if not (0 <= x <= cols and 0 <= y <= rows):
        raise UserError(
            "The fracture centre lies outside the image.",
            remedy="Click on the fracture.",
            kind="outside-image",
        )
    if math.dist(center_xy, axis_xy) < MIN_CLICK_DISTANCE_PX:
        raise UserError(
            "The two clicks are too close to each other.",
            reason=f"The axis of the shaft needs a second point at least {MIN_CLICK_DISTANCE_PX:g} px away.",
            remedy="Click further along the shaft.",
            kind="clicks-too-close",
        )
    return Alignment(center_xy=center_xy, axis_xy=axis_xy)


def axis_angle_deg(first_xy: XY, second_xy: XY, *, aspect: float = 1.0) -> float:
    """Angle of the line through two points from the vertical, −90° ≤ angle < 90°, the same for both orders.

    Args:
        first_xy: one point.
        second_xy: another.
        aspect: row distance ÷ column distance of the pixels.
    """
    dx, dy = second_xy[0] - first_xy[0], (second_xy[1] - first_xy[1]) * aspect
    angle = (math.degrees(math.atan2(dx, dy)) + 90.0) % 180.0 - 90.0
    return -90.0 if angle >= 90.0 else angle  # a sum that rounds up to 180


def pixel_mm(spacing: Spacing) -> tuple[float, float] | None:
    """Width and height of a pixel, mm; None where the spacing cannot be trusted, so that crops are sized in px."""
    if not spacing.is_trusted or spacing.col_mm is None or spacing.row_mm is None:
        return None
    return spacing.col_mm, spacing.row_mm


def aligned_crop(alignment: Alignment, spacing: Spacing, *, size_px: int = DEFAULT_SIZE_PX) -> Crop:
    """The crop of an alignment: fracture in the centre, shaft vertical, square pixels (paper 004, models.md §1).

    T(size/2, size/2) · S · R(angle) · T(−centre), as one matrix from original pixels.

    Args:
        alignment: the two clicks.
        spacing: of the image; pixels that are not square are made so.
        size_px: side of the crop, px.
    """
    angle = math.radians(alignment.angle_deg(spacing.aspect))
    scale = size_px / alignment.side(spacing)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    linear = ((cos, -sin * spacing.aspect), (sin, cos * spacing.aspect))
    (x, y), half = alignment.center_xy, size_px / 2
    rows = tuple((a, b, half - (a * x + b * y)) for a, b in linear)
    mm_per_px = None if pixel_mm(spacing) is None else alignment.side_mm / size_px
    return Crop(matrix=(rows[0], rows[1]), size_px=size_px, mm_per_px=mm_per_px)


def mapped(matrix: Matrix, xy: XY) -> XY:
    """One point through a (2, 3) matrix."""
    x, y = xy
    return (
        float(matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]),
        float(matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]),
    )


def inverted(matrix: Matrix) -> Matrix:
    """The inverse of a (2, 3) matrix."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -(linear @ matrix[:, 2:])])


def crop(image: npt.NDArray[PixelT], cut: Crop, *, fill: int = 0) -> npt.NDArray[PixelT]:
    """Cut a crop out of an image: the one function for the eye and for a network.

    One affine warp from the original pixels, interpolating linearly. Where the crop is coarser than the image, the
    original is smoothed before by what a crop pixel covers, so that no fine line is missed or broken (ADR 0160).

    Args:
        image: (H, W) uint8, uint16 or float32; stored values, so that window and standardisation come afterwards.
        cut: what to cut out.
        fill: value of crop pixels whose centre is outside the image.

    Returns:
        (size, size), the dtype of `image`; integers are rounded half to even.
    """
    rows, cols = image.shape
    size, back = cut.size_px, cut.to_image
    sigma_x, sigma_y = (SMOOTHING * math.sqrt(max(coarse * coarse - 1.0, 0.0)) for coarse in _coarseness(back))
    left, top, right, bottom = _covered(back, size, rows, cols, margin=2 + math.ceil(4 * max(sigma_x, sigma_y)))
    result = np.full((size, size), fill, image.dtype)
    if right <= left or bottom <= top:
        return result
    part = image[top:bottom, left:right].astype(np.float32)
    if sigma_x or sigma_y:
        part = cv2.sepFilter2D(
            part, cv2.CV_32F, _gaussian(sigma_x), _gaussian(sigma_y), borderType=cv2.BORDER_REPLICATE
        ).astype(np.float32, copy=False)
    # cv2 counts from pixel centres: crop pixel (0, 0) is sampled at its ½, ½, and image pixel (0, 0) lies there too.
    matrix = back.copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - (left + 0.5, top + 0.5)
    warped = cv2.warpAffine(
        part, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    if image.dtype.kind == "u":
        warped = np.rint(warped)  # a mean of values of the type is within the type
    inside = crop_mask(cut, rows=rows, cols=cols)
    result[inside] = warped[inside].astype(image.dtype)
    return result


def crop_mask(cut: Crop, *, rows: int, cols: int) -> npt.NDArray[np.bool_]:
    """Which crop pixels have their centre on the image: (size, size) bool."""
    back = cut.to_image
    centres = np.arange(cut.size_px) + 0.5
    x = back[0, 0] * centres[None, :] + back[0, 1] * centres[:, None] + back[0, 2]
    y = back[1, 0] * centres[None, :] + back[1, 1] * centres[:, None] + back[1, 2]
    inside: npt.NDArray[np.bool_] = (x >= 0) & (x < cols) & (y >= 0) & (y < rows)
    return inside


def _gaussian(sigma_px: float) -> npt.NDArray[np.float64]:
    """The kernel of a Gaussian, cut off at four sigma; of nothing, the kernel that changes nothing."""
    return np.asarray(cv2.getGaussianKernel(2 * math.ceil(4 * sigma_px) + 1, max(sigma_px, 1e-6)), np.float64)


def _coarseness(back: Matrix) -> tuple[float, float]:
    """How many columns and how many rows of the image a crop pixel covers."""
    across, down = np.linalg.norm(back[:, :2], axis=1)
    return round(float(across), 9), round(float(down), 9)  # a 1 : 1 crop is 1, not a little more


def _covered(back: Matrix, size: int, rows: int, cols: int, *, margin: int) -> tuple[int, int, int, int]:
    """The part of the image that a crop needs, with a margin: left, top, right, bottom."""
    corners = [mapped(back, xy) for xy in ((0, 0), (size, 0), (size, size), (0, size))]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return (
        max(0, math.floor(min(xs)) - margin),
        max(0, math.floor(min(ys)) - margin),
        min(cols, math.ceil(max(xs)) + margin),
        min(rows, math.ceil(max(ys)) + margin),
    )
