"""What a network is fed: which part of which views, how large, and on which scale of grey.

Every input is a `Crop`, cut by the one function that also draws the preview, so that the eye and the network see the
same pixels, and so that a heatmap finds its way back onto the radiograph by the inverse of one matrix.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from app.core.case import Side, ViewRole
from app.core.event import canonical_json
from app.core.geometry import Alignment, Crop, aligned_crop, crop, crop_mask, pixel_mm
from app.core.grey import DisplayTable, StoredImage
from app.core.region import RegionBox, RegionMode, region_crop
from app.core.spacing import Spacing

STANDARDISATION = "display-8-bit-1"  # part of every input's key; raised when `standardise` gives other numbers
FLAT = 1e-6  # a standard deviation below this is an empty image


class InputKind(StrEnum):
    """Which part of a view."""

    WHOLE_VIEW = "whole-view"  # padded to a square: papers 001, and 004's automated pathway
    ALIGNED_CROP = "aligned-crop"  # two clicks: 004's intervention pathway
    REGION_CROP = "region-crop"  # a box around the hip: papers 000, 002


class GreyScaling(StrEnum):
    """On which scale grey values reach the network."""

    UNIT = "unit"  # 0 black … 1 white (paper 001: 8-bit grey)
    STANDARD = "standard"  # mean 0, standard deviation 1 in each image (paper 004)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """What one model wants to see.

    Args:
        kind: which part of each view.
        roles: which views, in the order of the network's arguments.
        size_px: side of the square input, px.
        channels: 1, or 3 equal ones.
        scaling: scale of the grey values.
        region_mode: how a region becomes a square; only read for region crops.
        field_mm: side of the square in the patient; for the region mode `FIELD` only.
        is_right_mirrored: whether right hips are mirrored, so that the network knows left ones only ([R]: no paper
            says so).
    """

    kind: InputKind
    roles: tuple[ViewRole, ...]
    size_px: int
    channels: int = 3
    scaling: GreyScaling = GreyScaling.STANDARD
    region_mode: RegionMode = RegionMode.CENTRE
    field_mm: float | None = None
    is_right_mirrored: bool = False

    def __post_init__(self) -> None:
        if not self.roles or len(set(self.roles)) != len(self.roles) or ViewRole.UNASSIGNED in self.roles:
            raise ValueError("a model sees each of its views once")
        if self.channels not in (1, 3):
            raise ValueError("an input has one channel or three equal ones")
        if self.size_px < 1:
            raise ValueError("an input has a positive size")
        if (self.region_mode is RegionMode.FIELD) is not (self.field_mm is not None and self.field_mm > 0):
            raise ValueError("a field, and nothing else, has a size in mm")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewGeometry:
    """What is known about where a view's pixels lie.

    Args:
        rows: image height, px.
        cols: image width, px.
        spacing: length scale.
        side: side of the hip that is looked at; None when open.
        alignment: the two clicks, if a person has made them.
        region: the box, if a person has drawn it.
    """

    rows: int
    cols: int
    spacing: Spacing
    side: Side | None = None
    alignment: Alignment | None = None
    region: RegionBox | None = None


def input_crop(model: ModelInput, view: ViewGeometry) -> Crop | None:
    """The part of a view that a model sees; None while the annotation that it needs is missing.

    Args:
        model: what the model wants.
        view: what is known about the view.
    """
    match model.kind:
        case InputKind.WHOLE_VIEW:
            cut: Crop | None = whole_view(view.rows, view.cols, view.spacing, size_px=model.size_px)
        case InputKind.ALIGNED_CROP if view.alignment is not None:
            cut = aligned_crop(view.alignment, view.spacing, size_px=model.size_px)
        case InputKind.REGION_CROP if view.region is not None:
            cut = region_crop(
                view.region, view.spacing, mode=model.region_mode, size_px=model.size_px, field_mm=model.field_mm
            )
        case _:
            cut = None
    if cut is not None and model.is_right_mirrored and view.side is Side.RIGHT:
        return mirrored(cut)
    return cut


def whole_view(rows: int, cols: int, spacing: Spacing, *, size_px: int) -> Crop:
    """The whole view, centred in a square (paper 004: "padded to square"); pixels are made square.

    Args:
        rows: image height, px.
        cols: image width, px.
        spacing: for pixels that are not square, and for the crop's own scale.
        size_px: side of the square.
    """
    height = rows * spacing.aspect  # in columns of the image
    scale = size_px / max(height, cols)
    left, top = (size_px - cols * scale) / 2, (size_px - height * scale) / 2
    size_mm = pixel_mm(spacing)
    return Crop(
        matrix=((scale, 0.0, left), (0.0, scale * spacing.aspect, top)),
        size_px=size_px,
        mm_per_px=None if size_mm is None else size_mm[0] / scale,
    )


def with_margin(cut: Crop, size_px: int) -> Crop:
    """The same part at the same scale with more around it.

    Args:
        cut: a crop.
        size_px: side of the larger crop, px; differs from the crop's by an even number, so that pixels stay pixels.
    """
    if (size_px - cut.size_px) % 2 or size_px < cut.size_px:
        raise ValueError(f"a margin around {cut.size_px} px does not give {size_px} px")
    more = (size_px - cut.size_px) / 2
    (a, b, c), (d, e, f) = cut.matrix
    return Crop(matrix=((a, b, c + more), (d, e, f + more)), size_px=size_px, mm_per_px=cut.mm_per_px)


def mirrored(cut: Crop) -> Crop:
    """The same part, left and right exchanged."""
    (a, b, c), down = cut.matrix
    return Crop(matrix=((-a, -b, cut.size_px - c), down), size_px=cut.size_px, mm_per_px=cut.mm_per_px)


def standardise(image: StoredImage, table: DisplayTable, cut: Crop, model: ModelInput) -> npt.NDArray[np.float32]:
    """What one view becomes before it reaches the network.

    The stored values are cut first and windowed afterwards, so that the window of the whole view applies to the part.
    What lies outside the image is black, and does not count for mean and deviation.

    Args:
        image: stored values.
        table: the view's automatic window, which does not depend on what a user has chosen to see.
        cut: which part.
        model: scale and channels.

    Returns:
        (channels, size, size) float32.
    """
    rows, cols = image.pixels.shape
    is_inside = crop_mask(cut, rows=rows, cols=cols)
    light = table.levels[crop(image.pixels, cut)].astype(np.float32) / np.float32(255)
    return levels_to_input(light, is_inside, model)


def levels_to_input(
    light: npt.NDArray[np.float32], is_inside: npt.NDArray[np.bool_], model: ModelInput
) -> npt.NDArray[np.float32]:
    """The last step of `standardise`, which training shares.

    Args:
        light: (size, size), 0 black … 1 white; changed in place.
        is_inside: (size, size), where there is image.
        model: scale and channels.

    Returns:
        (channels, size, size) float32.
    """
    light[~is_inside] = 0
    if model.scaling is GreyScaling.STANDARD:
        seen = light[is_inside].astype(np.float64)
        mean, deviation = (float(seen.mean()), float(seen.std())) if seen.size else (0.0, 0.0)
        light = (light - np.float32(mean)) / np.float32(max(deviation, FLAT))
        light[~is_inside] = 0 if deviation < FLAT else -mean / deviation
    return np.repeat(light[None], model.channels, axis=0)


def blank_input(seen: npt.NDArray[np.float32], model: ModelInput) -> npt.NDArray[np.float32]:
    """What a view becomes that a network is not to see: its own mean everywhere (view ablation, ADR 0191).

    Args:
        seen: (channels, size, size), what `standardise` made of the view.
        model: scale; standardised views have the mean 0.
    """
    mean = 0.0 if model.scaling is GreyScaling.STANDARD else float(seen.mean())
    return np.full_like(seen, mean)


def input_key(model: ModelInput, cuts: tuple[tuple[str, Crop], ...]) -> str:
    """Names what a model was fed: the same key means the same numbers.

    Args:
        model: what the model wants.
        cuts: for each view in order: the key of its pixels and their window, and the part that was cut.

    Returns:
        64 hexadecimal digits.
    """
    parts = [
        STANDARDISATION,
        [str(model.kind), [str(role) for role in model.roles], model.size_px, model.channels, str(model.scaling)],
        [cut.key(image) for image, cut in cuts],
    ]
    return hashlib.sha256(canonical_json(parts).encode("utf-8")).hexdigest()
