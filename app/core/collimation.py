"""Which part of a radiograph the beam reached: the area inside the collimator blades.

Statistics of grey values (the automatic window) must not see the border that the blades leave, which is far brighter
or, after processing, quite black. What is cut away has to look empty, and its edge has to be straight or a circle:
when in doubt nothing is cut, because a lost hip is worse than a poor window (ADR 0013).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from app.core.grey import TABLE_SIZE, GreyScale, StoredImage
from app.core.grey_tables import is_shown_inverse, modality_table
from app.core.half_planes import HalfPlane, clip_polygon, fit_circle, inside_mask, levels_along, step_along

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SEARCH_PX = 128  # long side of the reduced image in which edges are searched
REFINE_PX = 384  # … and in which they are placed
ANGLE_STEP_DEG = 4
MOST_EDGES = 8
LEAST_STEP = 0.02  # mean rise of brightness a reduced pixel: a blade is a step, not a slope
SMALLEST_SHARE = 0.1  # of the image that must remain
SAMPLE_PX = 400_000  # pixels that are enough for a histogram


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CollimatedArea:
    """The irradiated area of an image.

    Args:
        polygon_xy: (N, 2) float64, corners of a convex polygon in image coordinates (x right, y down, px, origin at
            the top-left corner of the first pixel), in order, not closed.
        is_found: whether a border was found; False means that the polygon is the whole image.
    """

    polygon_xy: npt.NDArray[np.float64]
    is_found: bool

    def mask(self, shape: tuple[int, int], *, margin: float = 0.0) -> npt.NDArray[np.uint8]:
        """Pixels of the area, (H, W) uint8 0 or 1.

        Args:
            shape: image height and width, px.
            margin: share of the image's longer side by which the area is shrunk, to leave out the blurred edge.
        """
        mask = inside_mask(self.polygon_xy, shape).astype(np.uint8)
        size_px = round(margin * max(shape))
        if self.is_found and size_px:
            padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
            distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
            shrunk = (distance > size_px).astype(np.uint8)
            return shrunk if shrunk.any() else mask
        return mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reduced:
    """A reduced picture as a viewer sees it, 0 = black … 1 = white, and what in it looks empty."""

    levels: Floats
    is_smooth: Mask
    is_bright: Mask  # smooth and nearly white: shadow of a blade
    is_dark: Mask  # one constant black: an electronic shutter or padding


def collimated_area(image: StoredImage, grey: GreyScale) -> CollimatedArea:
    """Find the irradiated area: a convex polygon or a circle inside a white or black border.

    Args:
        image: stored values.
        grey: how they are to be read; decides what is bright, and what is padding.

    Returns:
        The area, or the whole image when no border is certain.
    """
    height, width = image.pixels.shape
    whole = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    nothing = CollimatedArea(polygon_xy=whole, is_found=False)
    if min(height, width) < 16:
        return nothing
    picture = _picture(image, grey)
    search = _reduce(picture, SEARCH_PX)
    polarities = _empty_borders(search)
    if not polarities:
        return nothing
    fine = _unit(_shrink(picture, REFINE_PX))
    scale = max(height, width) / max(search.levels.shape)
    for is_bright in polarities:
        circle = fit_circle(search.is_bright if is_bright else search.is_dark)
        if circle is not None:
            placed = circle.placed(fine, fine.shape[0] / search.levels.shape[0], is_bright=is_bright)
            polygon = clip_polygon(placed.polygon_xy * scale, _sides(width, height))
            return CollimatedArea(polygon_xy=polygon, is_found=True)
    polygon = _cut_edges(search, fine, polarities) * scale
    if len(polygon) < 3:
        return nothing
    share = cv2.contourArea(polygon.astype(np.float32)) / (height * width)
    if not SMALLEST_SHARE <= share < 0.999:
        return nothing
    return CollimatedArea(polygon_xy=clip_polygon(polygon, _sides(width, height)), is_found=True)


def _sides(width: float, height: float) -> list[HalfPlane]:
    """The half-planes beyond the four sides of an image."""
    return [
        HalfPlane(angle_deg=0, rho_px=width),
        HalfPlane(angle_deg=90, rho_px=height),
        HalfPlane(angle_deg=180, rho_px=0),
        HalfPlane(angle_deg=270, rho_px=0),
    ]


def _picture(image: StoredImage, grey: GreyScale) -> npt.NDArray[np.uint8]:
    """The image between its darkest and brightest values, bone white, padding black; (H, W) uint8."""
    modality = modality_table(grey, offset=image.offset)
    step = max(1, int(np.sqrt(image.pixels.size / SAMPLE_PX)))
    counts = np.bincount(image.pixels[::step, ::step].ravel(), minlength=TABLE_SIZE) * modality.is_image
    used = np.flatnonzero(counts)
    if used.size == 0:
        return np.zeros(image.pixels.shape, np.uint8)
    order = used[np.argsort(modality.values[used], kind="stable")]
    shares = np.cumsum(counts[order]) / counts.sum()
    low, high = (modality.values[order[np.searchsorted(shares, share)]] for share in (0.001, 0.999))
    levels = np.clip((modality.values - low) / max(high - low, 1e-12), 0, 1)
    if is_shown_inverse(grey):
        levels = 1 - levels
    levels[~modality.is_image] = 0
    return np.asarray(cv2.LUT(image.pixels, np.rint(levels * 255).astype(np.uint8)), np.uint8)


def _shrink(picture: npt.NDArray[np.uint8], size_px: int) -> npt.NDArray[np.uint8]:
    """The picture with a long side of `size_px`, or as it is if that is shorter."""
    height, width = picture.shape
    scale = size_px / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _unit(picture: npt.NDArray[np.uint8]) -> Floats:
    """Brightness 0 … 1."""
    return np.asarray(picture / np.float32(255), np.float32)


def _reduce(picture: npt.NDArray[np.uint8], size_px: int) -> _Reduced:
    small = _shrink(picture, size_px)
    levels = _unit(small)
    is_smooth = np.abs(levels - cv2.GaussianBlur(levels, (0, 0), 1)) < 0.015
    darkest = int(small.min())
    return _Reduced(
        levels=levels,
        is_smooth=is_smooth,
        is_bright=is_smooth & (levels > 0.85),
        is_dark=(small <= darkest + 1) & (darkest <= 12),
    )


def _empty_borders(search: _Reduced) -> tuple[bool, ...]:
    """Which kinds of blade may be there, bright = True: those for which enough of the image's frame looks empty."""
    found = []
    for is_bright, empty in ((True, search.is_bright), (False, search.is_dark)):
        frame = np.concatenate([empty[0], empty[-1], empty[:, 0], empty[:, -1]])
        if frame.mean() > 0.08:
            found.append(is_bright)
    return tuple(found)


def _cut_edges(search: _Reduced, fine: Floats, polarities: tuple[bool, ...]) -> npt.NDArray[np.float64]:
    """Cut one blade after the other, the clearest first; the polygon that remains, in pixels of `search`."""
    height, width = search.levels.shape
    polygon = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    angles_deg = np.arange(0, 360, ANGLE_STEP_DEG, dtype=np.float32)
    lines = _Lines.through((height, width), angles_deg)
    smooth = cv2.GaussianBlur(search.levels, (0, 0), 1.5)
    slopes = [cv2.Scharr(smooth, cv2.CV_32F, dx, dy, scale=1 / 32).ravel() for dx, dy in ((1, 0), (0, 1))]
    slope_xy = np.asarray(slopes, np.float32)
    is_open = np.ones((len(angles_deg), lines.count), np.bool_)
    for _ in range(MOST_EDGES):
        inside = inside_mask(polygon, (height, width))
        found = _clearest(search, lines, slope_xy, inside, is_open, polarities)
        if found is None:
            break
        plane, is_bright = found
        placed = _place(fine, plane, polygon, fine.shape[0] / height, is_bright=is_bright)
        is_open &= ~lines.near(plane, plane.middle_of(polygon))  # an edge is cut once
        polygon = clip_polygon(polygon, [placed])
        if len(polygon) < 3:
            break
    return polygon


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lines:
    """Every pixel's line in each of A directions.

    Args:
        angles_deg: (A,) outward directions.
        index: (A, P) flat index of (direction, line) for every pixel.
        count: lines per direction; line k lies `k - origin` px from the image's first corner, outward.
        origin: see `count`.
    """

    angles_deg: Floats
    index: npt.NDArray[np.intp]
    count: int
    origin: int

    @staticmethod
    def through(shape: tuple[int, int], angles_deg: Floats) -> _Lines:
        ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32) + 0.5
        origin = int(np.hypot(*shape)) + 2
        count = 2 * origin + 1
        rho = np.outer(np.cos(np.deg2rad(angles_deg)), xs) + np.outer(np.sin(np.deg2rad(angles_deg)), ys)
        index = np.floor(rho).astype(np.intp) + origin + np.arange(len(angles_deg))[:, None] * count
        return _Lines(angles_deg=angles_deg, index=index, count=count, origin=origin)

    def near(self, plane: HalfPlane, point_xy: npt.NDArray[np.float64]) -> Mask:
        """Lines that are nearly the given one where it passes a point, (A, count)."""
        turn = np.deg2rad(self.angles_deg)
        is_alike = np.cos(turn - np.deg2rad(plane.angle_deg)) > np.cos(np.deg2rad(12))
        rho = np.cos(turn) * point_xy[0] + np.sin(turn) * point_xy[1]
        lines = np.arange(self.count) - self.origin + 0.5
        near: Mask = is_alike[:, None] & (np.abs(lines - rho[:, None]) < 6)
        return near

    def within(self, where: npt.NDArray[np.intp]) -> _Lines:
        """The same lines through some of the pixels only."""
        return replace(self, index=self.index[:, where])

    def sums(self, weights: Mask) -> npt.NDArray[np.float64]:
        """Number of the pixels (P,) that are set, on every line, (A, count)."""
        return self.weigh(self.index[:, weights].ravel())

    def weigh(self, index: npt.NDArray[np.intp], weights: Floats | None = None) -> npt.NDArray[np.float64]:
        """Sum of weights, or number, of the given entries of `index` on every line, (A, count)."""
        size = len(self.angles_deg) * self.count
        return np.asarray(np.bincount(index, weights, minlength=size), np.float64).reshape(-1, self.count)


def _clearest(
    search: _Reduced, lines: _Lines, slope_xy: Floats, inside: Mask, is_open: Mask, polarities: tuple[bool, ...]
) -> tuple[HalfPlane, bool] | None:
    """The half-plane that is most clearly empty beyond a straight edge, and whether it is bright; None if none is.

    Args:
        search: the reduced picture.
        lines: the lines to judge.
        slope_xy: (2, P) rise of brightness to the right and down, for every pixel.
        inside: (H, W) what has not been cut away yet.
        is_open: (A, count) lines that may be taken.
        polarities: kinds of blade to look for, bright = True.
    """
    where = np.flatnonzero(inside)
    lines = lines.within(where)
    slope_xy = slope_xy[:, where]
    turn = np.deg2rad(lines.angles_deg)
    beyond = _beyond(lines.sums(np.ones(len(where), np.bool_)))
    longest = max(inside.shape)
    best, best_score = None, 0.0
    for is_bright in polarities:
        empty = search.is_bright if is_bright else search.is_dark
        blank = search.is_smooth if is_bright else empty
        with np.errstate(invalid="ignore", divide="ignore"):
            share_empty = _beyond(lines.sums(empty.ravel()[where])) / beyond
            share_blank = _beyond(lines.sums(blank.ravel()[where])) / beyond
        is_edge = (
            is_open & (beyond > 0.4 * longest) & (share_blank > (0.93 if is_bright else 0.985)) & (share_empty > 0.5)
        )
        # Where the near side is empty as well, an edge cannot show: the corner beyond another blade.
        judged = ~cv2.erode(empty.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_).ravel()[where]
        at_angle, at_pixel = np.nonzero(is_edge.ravel()[lines.index] & judged)
        if at_angle.size == 0:
            continue
        steps = np.cos(turn)[at_angle] * slope_xy[0][at_pixel] + np.sin(turn)[at_angle] * slope_xy[1][at_pixel]
        steps = steps if is_bright else -steps
        index = lines.index[at_angle, at_pixel]
        on_line = lines.weigh(index)
        contrast = lines.weigh(index, np.clip(steps, 0, 0.1))
        with np.errstate(invalid="ignore", divide="ignore"):
            support = lines.weigh(index[steps > 0.006]) / on_line
        is_edge &= (
            (on_line > 0.2 * longest) & (contrast > LEAST_STEP * on_line) & (support > (0.85 if is_bright else 0.8))
        )
        score = np.where(is_edge, contrast, 0)
        at = int(np.argmax(score))
        if score.flat[at] > best_score:
            best_score = float(score.flat[at])
            angle, line = divmod(at, lines.count)
            rho_px = line - lines.origin + 0.5
            best = HalfPlane(angle_deg=float(lines.angles_deg[angle]), rho_px=rho_px), is_bright
    return best


def _beyond(per_line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sum over all lines more than two pixels further out: past the blurred edge itself."""
    outward = np.cumsum(per_line[:, ::-1], axis=1)[:, ::-1]
    shifted = np.zeros_like(outward)
    shifted[:, :-3] = outward[:, 3:]
    return shifted


def _place(
    fine: Floats, plane: HalfPlane, polygon: npt.NDArray[np.float64], scale: float, *, is_bright: bool
) -> HalfPlane:
    """Move and turn an edge to where the step across it is greatest in the finer picture."""
    best, best_step = plane, -np.inf
    for turns_deg, shifts_px in (
        (np.arange(-5, 6, 1.0), np.arange(-3, 3.1, 0.75)),
        (np.arange(-0.75, 0.8, 0.25), np.arange(-0.5, 0.6, 0.25)),
    ):
        start = best
        middle = start.middle_of(polygon)  # turn about the middle of the edge, not about the corner of the image
        for turn_deg in turns_deg:
            turned = HalfPlane(angle_deg=start.angle_deg + float(turn_deg), rho_px=0.0).through(middle)
            for shift_px in shifts_px:
                trial = turned.shifted(float(shift_px))
                step = step_along(fine, trial, polygon, scale) * (1 if is_bright else -1)
                if step > best_step:
                    best, best_step = trial, step
    return best if is_bright else _cleared(fine, best, polygon, scale)


def _cleared(fine: Floats, plane: HalfPlane, polygon: npt.NDArray[np.float64], scale: float) -> HalfPlane:
    """Move the edge of a black border outward until it touches nothing: dark air may hide where tissue begins."""
    dark = float(fine.min()) + 8 / 255
    for shift_px in np.arange(0, SEARCH_PX / 4, 0.25):
        trial = plane.shifted(float(shift_px))
        levels = levels_along(fine, trial, polygon, scale)
        if (levels > dark).mean() <= 0.03 if levels.size else True:
            return trial
    return plane.shifted(np.inf)
