"""RegionBox crops: an upright box around the hip (papers 000 and 002), and what a network is fed from it.

Paper 000 finds a hip region of 400 × 600 px by hand and cuts the central 224 × 224 px out of it. How large its pixels
are is not stated; where the spacing can be trusted, 0.2 mm is taken, so that the region is 80 × 120 mm in every image
(ADR 0161). Without a trusted spacing the numbers are taken literally.
"""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum

from app.core.geometry import XY, Alignment, Crop, pixel_mm
from app.core.record import record
from app.core.spacing import Spacing

REGION_SIZE_PX = (400.0, 600.0)  # width, height; paper 000
REGION_INPUT_PX = 224  # paper 000
NOMINAL_MM_PER_PX = 0.2
SMALLEST_REGION_PX = 16.0


class RegionMode(StrEnum):
    """How a region becomes the input of a network."""

    CENTRE = "centre"  # the central square, at the region's own scale (paper 000)
    FIELD = "field"  # a square of a given size in mm around the region's centre, whatever the size of the box
    RESIZE = "resize"  # the whole region, squeezed into the square (models.md §1, option)


@record(frozen=True, slots=True, kw_only=True)
class RegionBox:
    """An upright box in image coordinates.

    Args:
        left: x of its left edge, px.
        top: y of its upper edge, px.
        right: x of its right edge, px.
        bottom: y of its lower edge, px.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(edge) for edge in (self.left, self.top, self.right, self.bottom)):
            raise ValueError("a region has finite edges")
        if self.width < SMALLEST_REGION_PX or self.height < SMALLEST_REGION_PX:
            raise ValueError(f"a region is at least {SMALLEST_REGION_PX:g} px wide and high")

    @property
    def width(self) -> float:
        """px."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """px."""
        return self.bottom - self.top

    @property
    def center_xy(self) -> XY:
        """Its centre."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def moved(self, dx: float, dy: float, *, rows: int, cols: int) -> RegionBox:
        """The box shifted, but not beyond the image."""
        shifted = replace(self, left=self.left + dx, right=self.right + dx, top=self.top + dy, bottom=self.bottom + dy)
        return into_image(shifted, rows=rows, cols=cols)


def region_between(first_xy: XY, second_xy: XY, *, rows: int, cols: int) -> RegionBox | None:
    """The box that was drawn from one corner to the other, cut at the image; None when it is too small."""
    left, right = sorted((min(max(first_xy[0], 0.0), cols), min(max(second_xy[0], 0.0), cols)))
    top, bottom = sorted((min(max(first_xy[1], 0.0), rows), min(max(second_xy[1], 0.0), rows)))
    if right - left < SMALLEST_REGION_PX or bottom - top < SMALLEST_REGION_PX:
        return None
    return RegionBox(left=float(left), top=float(top), right=float(right), bottom=float(bottom))


def region_around(center_xy: XY, spacing: Spacing, *, rows: int, cols: int) -> RegionBox:
    """The region of paper 000 around a point, moved into the image where it would stick out."""
    width, height = REGION_SIZE_PX
    size_mm = pixel_mm(spacing)
    if size_mm is None:
        height /= spacing.aspect
    else:
        width, height = width * NOMINAL_MM_PER_PX / size_mm[0], height * NOMINAL_MM_PER_PX / size_mm[1]
    return into_image(_box(center_xy, width, height), rows=rows, cols=cols)


def proposed_region(alignment: Alignment, spacing: Spacing, *, rows: int, cols: int) -> RegionBox:
    """The region that an alignment proposes: around the fracture centre."""
    return region_around(alignment.center_xy, spacing, rows=rows, cols=cols)


def copied_region(
    region: RegionBox,
    source: tuple[Spacing, Alignment | None, tuple[int, int]],
    goal: tuple[Spacing, Alignment | None, tuple[int, int]],
) -> RegionBox:
    """The box of one view laid over the other view of the hip, at the same level.

    The size is kept in millimetres where both spacings can be trusted, else in pixels. The level is the distance from
    the fracture centre along the image where both views are aligned, else the share of the image's height; sideways
    it is treated alike.

    Args:
        region: the box.
        source: spacing, alignment and (rows, cols) of its view.
        goal: the same of the other view.
    """
    (from_spacing, from_alignment, (from_rows, from_cols)) = source
    (to_spacing, to_alignment, (rows, cols)) = goal
    from_mm, to_mm = pixel_mm(from_spacing), pixel_mm(to_spacing)
    across, down = 1.0, 1.0
    if from_mm is not None and to_mm is not None:
        across, down = from_mm[0] / to_mm[0], from_mm[1] / to_mm[1]
    x, y = region.center_xy
    if from_alignment is not None and to_alignment is not None:
        fx, fy = from_alignment.center_xy
        tx, ty = to_alignment.center_xy
        center = tx + (x - fx) * across, ty + (y - fy) * down
    else:
        center = x / from_cols * cols, y / from_rows * rows
    return into_image(_box(center, region.width * across, region.height * down), rows=rows, cols=cols)


def region_crop(
    region: RegionBox,
    spacing: Spacing,
    *,
    mode: RegionMode = RegionMode.CENTRE,
    size_px: int = REGION_INPUT_PX,
    field_mm: float | None = None,
) -> Crop:
    """What a network is fed from a region, as a crop for `geometry.crop`.

    Args:
        region: the box.
        spacing: of the image.
        mode: the central square, all of it, or a square of `field_mm` around its centre.
        size_px: side of the result, px.
        field_mm: side of the square in the patient, mm; for `FIELD` only. Where the spacing cannot be trusted, the
            longer side of the box is taken for it.
    """
    x, y = region.center_xy
    size_mm, mm_per_px = pixel_mm(spacing), None
    if mode is RegionMode.FIELD:
        return _field_crop(region, spacing, size_px=size_px, field_mm=field_mm)
    if mode is RegionMode.RESIZE:
        across, down = size_px / region.width, size_px / region.height
    elif size_mm is not None:
        across, down = size_mm[0] / NOMINAL_MM_PER_PX, size_mm[1] / NOMINAL_MM_PER_PX
        mm_per_px = NOMINAL_MM_PER_PX
    else:
        across, down = 1.0, spacing.aspect
    half = size_px / 2
    return Crop(
        matrix=((across, 0.0, half - across * x), (0.0, down, half - down * y)), size_px=size_px, mm_per_px=mm_per_px
    )


def _field_crop(region: RegionBox, spacing: Spacing, *, size_px: int, field_mm: float | None) -> Crop:
    if field_mm is None or field_mm <= 0:
        raise ValueError("a field has a size in mm")
    (x, y), size_mm, mm_per_px = region.center_xy, pixel_mm(spacing), None
    if size_mm is not None:
        across, down = size_px * size_mm[0] / field_mm, size_px * size_mm[1] / field_mm
        mm_per_px = field_mm / size_px
    else:
        across = size_px / max(region.width, region.height * spacing.aspect)
        down = across * spacing.aspect
    half = size_px / 2
    return Crop(
        matrix=((across, 0.0, half - across * x), (0.0, down, half - down * y)), size_px=size_px, mm_per_px=mm_per_px
    )


def into_image(region: RegionBox, *, rows: int, cols: int) -> RegionBox:
    """The box moved, and cut only where it is larger than the image, so that it lies on the image."""
    width, height = min(region.width, float(cols)), min(region.height, float(rows))
    left = min(max(region.left, 0.0), cols - width)
    top = min(max(region.top, 0.0), rows - height)
    return RegionBox(left=left, top=top, right=left + width, bottom=top + height)


def _box(center_xy: XY, width: float, height: float) -> RegionBox:
    x, y = center_xy
    return RegionBox(left=x - width / 2, top=y - height / 2, right=x + width / 2, bottom=y + height / 2)
