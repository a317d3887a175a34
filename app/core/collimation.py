"""Which part of a radiograph the beam reached: the area inside the collimator blades.

Statistics of grey values (the automatic window) must not see the border that the blades leave, which is far brighter
or, after processing, quite black. What is cut away has to look empty, and its edge has to be straight or a circle:
when in doubt nothing is cut, because a lost hip is worse than a poor window (ADR 0013).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from app.core.grey import TABLE_SIZE, GreyScale, StoredImage
from app.core.grey_tables import is_shown_inverse, modality_table
from app.core.half_planes import HalfPlane, clip_polygon, fit_circle, inside_mask, levels_along, steps_along
from app.core.pixel_lines import PixelLines
from app.core.record import record

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SEARCH_PX = 128  # long side of the reduced image in which edges are searched
REFINE_PX = 384  # … and in which they are placed
ANGLE_STEP_DEG = 4
MOST_EDGES = 8
LEAST_STEP = 0.02  # mean rise of brightness a reduced pixel: a blade is a step, not a slope
SMALLEST_SHARE = 0.1  # of the image that must remain
LARGEST_PX = 6000  # a side of the picture in which edges are searched: from here on it is halved first
SAMPLE_PX = 400_000  # pixels that are enough for a histogram


@record(frozen=True, slots=True, kw_only=True, eq=False)
class CollimatedArea:
    """The irradiated area of an image.

    Args:
        polygon_xy: (N, 2) float64, corners of a convex polygon in image coordinates (x right, y down, px, origin at
            the top-left corner of the first pixel), in order, not closed.
        is_found: whether a border was found; False means that the polygon is the whole image.
        is_border_bright: whether what lies beside it is shown bright, and blinds, rather than dark.
    """

    polygon_xy: npt.NDArray[np.float64]
    is_found: bool
    is_border_bright: bool = False

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


@record(frozen=True, slots=True, kw_only=True, eq=False)
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
            return _found(clip_polygon(placed.polygon_xy * scale, _sides(width, height)), search, scale)
    polygon = _cut_edges(search, fine, polarities) * scale
    if len(polygon) < 3:
        return nothing
    share = cv2.contourArea(polygon.astype(np.float32)) / (height * width)
    if not SMALLEST_SHARE <= share < 0.999:
        return nothing
    return _found(clip_polygon(polygon, _sides(width, height)), search, scale)


def _found(polygon_xy: npt.NDArray[np.float64], search: _Reduced, scale: float) -> CollimatedArea:
    beside = search.levels[~inside_mask(polygon_xy / scale, search.levels.shape)]
    is_bright = beside.size > 0 and float(beside.mean()) > 0.5
    return CollimatedArea(polygon_xy=polygon_xy, is_found=True, is_border_bright=is_bright)


def _sides(width: float, height: float) -> list[HalfPlane]:
    """The half-planes beyond the four sides of an image."""
    return [
        HalfPlane(angle_deg=0, rho_px=width),
        HalfPlane(angle_deg=90, rho_px=height),
        HalfPlane(angle_deg=180, rho_px=0),
        HalfPlane(angle_deg=270, rho_px=0),
    ]


def _picture(image: StoredImage, grey: GreyScale) -> npt.NDArray[np.uint8]:
    """The image between its darkest and brightest values, bone white, padding black; (h, w) uint8.

    An image with a side above `LARGEST_PX` is halved before: nothing finer than `REFINE_PX` is looked at.
    """
    modality = modality_table(grey, offset=image.offset)
    step = max(1, int(np.sqrt(image.pixels.size / SAMPLE_PX)))
    counts = np.bincount(image.pixels[::step, ::step].ravel(), minlength=TABLE_SIZE) * modality.is_image
    used = np.flatnonzero(counts)
    pixels = image.pixels
    while max(pixels.shape) > LARGEST_PX and min(pixels.shape) > REFINE_PX:
        rows, cols = pixels.shape[0] // 2, pixels.shape[1] // 2
        even = pixels[: 2 * rows, : 2 * cols]  # exact halves are ten times as fast
        pixels = np.asarray(cv2.resize(even, (cols, rows), interpolation=cv2.INTER_AREA), np.uint16)
    if used.size == 0:
        return np.zeros(pixels.shape, np.uint8)
    order = used[np.argsort(modality.values[used], kind="stable")]
    shares = np.cumsum(counts[order]) / counts.sum()
    low, high = (modality.values[order[np.searchsorted(shares, share)]] for share in (0.001, 0.999))
    levels = np.clip((modality.values - low) / max(high - low, 1e-12), 0, 1)
    if is_shown_inverse(grey):
        levels = 1 - levels
    levels[~modality.is_image] = 0
    return np.asarray(cv2.LUT(pixels, np.rint(levels * 255).astype(np.uint8)), np.uint8)


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
    lines = _lines_through((height, width))
    smooth = cv2.GaussianBlur(search.levels, (0, 0), 1.5)
    slopes = [cv2.Scharr(smooth, cv2.CV_32F, dx, dy, scale=1 / 32).ravel() for dx, dy in ((1, 0), (0, 1))]
    slope_xy = np.asarray(slopes, np.float32)
    is_open = np.ones((len(lines.angles_deg), lines.count), np.bool_)
    blades = [_Blade.of(search, lines, is_bright=is_bright) for is_bright in polarities]
    for _ in range(MOST_EDGES):
        inside = inside_mask(polygon, (height, width))
        found = _clearest(blades, lines, slope_xy, inside, is_open)
        if found is None:
            break
        plane, is_bright = found
        placed = _place(fine, plane, polygon, fine.shape[0] / height, is_bright=is_bright)
        is_open &= ~lines.near(plane, plane.middle_of(polygon))  # an edge is cut once
        polygon = clip_polygon(polygon, [placed])
        if len(polygon) < 3:
            break
    return polygon


@lru_cache(maxsize=2)  # the two views of a case; 9 MiB each
def _lines_through(shape: tuple[int, int]) -> PixelLines:
    return PixelLines.through(shape, np.arange(0, 360, ANGLE_STEP_DEG, dtype=np.float32))


ONE, EMPTY, BLANK = 1.0, 2.0**17, 2.0**34  # three numbers of pixels in one exact float64 sum


@record(slots=True, kw_only=True, eq=False)
class _Blade:
    """One kind of blade, and how many pixels every line has that could lie behind it.

    Args:
        is_bright: whether it is white.
        weights: (P,) `ONE`, plus `EMPTY` where the picture looks like what lies behind a blade, plus `BLANK` where it
            has no structure.
        judged: (P,) where an edge can show: where the near side is empty as well it cannot, as in the corner beyond
            another blade.
        inside: (P,) the pixels that `sums` counts.
        sums: (A, count) of weights.
    """

    is_bright: bool
    weights: npt.NDArray[np.float64]
    judged: Mask
    inside: Mask
    sums: npt.NDArray[np.float64]

    @staticmethod
    def of(search: _Reduced, lines: PixelLines, *, is_bright: bool) -> _Blade:
        empty = search.is_bright if is_bright else search.is_dark
        blank = search.is_smooth if is_bright else empty
        return _Blade(
            is_bright=is_bright,
            weights=(ONE + EMPTY * empty + BLANK * blank).ravel(),
            judged=~cv2.erode(empty.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_).ravel(),
            inside=np.zeros(empty.size, np.bool_),
            sums=np.zeros((len(lines.angles_deg), lines.count)),
        )

    def count(self, lines: PixelLines, inside: Mask) -> tuple[npt.NDArray[np.float64], ...]:
        """Numbers of pixels inside, of empty and of blank ones, beyond every line."""
        change = inside.astype(np.int8) - self.inside
        self.sums += lines.weigh(self.weights * change)  # whole numbers: exact in any order
        self.inside = inside
        beyond = _beyond(self.sums)
        blank = np.floor(beyond / BLANK)  # powers of two: exact, and much quicker than divmod
        rest = beyond - blank * BLANK
        empty = np.floor(rest / EMPTY)
        return rest - empty * EMPTY, empty, blank


def _clearest(
    blades: list[_Blade], lines: PixelLines, slope_xy: Floats, inside: Mask, is_open: Mask
) -> tuple[HalfPlane, bool] | None:
    """The half-plane that is most clearly empty beyond a straight edge, and whether it is bright; None if none is.

    Args:
        blades: kinds of blade to look for.
        lines: the lines to judge.
        slope_xy: (2, P) rise of brightness to the right and down, for every pixel.
        inside: (H, W) what has not been cut away yet.
        is_open: (A, count) lines that may be taken.
    """
    longest = max(inside.shape)
    best, best_score = None, 0.0
    for blade in blades:
        is_bright = blade.is_bright
        beyond, empty, blank = blade.count(lines, inside.ravel())
        with np.errstate(invalid="ignore", divide="ignore"):
            is_edge = (
                is_open
                & (beyond > 0.4 * longest)
                & (blank / beyond > (0.93 if is_bright else 0.985))
                & (empty / beyond > 0.5)
            )
        which, scores = _steepest(lines, is_edge, slope_xy, inside.ravel() & blade.judged, longest, is_bright=is_bright)
        at = int(np.argmax(scores)) if scores.size else -1
        if at >= 0 and scores[at] > best_score:
            best_score = float(scores[at])
            angle, line = divmod(int(which[at]), lines.count)
            rho_px = line - lines.origin + 0.5
            best = HalfPlane(angle_deg=float(lines.angles_deg[angle]), rho_px=rho_px), is_bright
    return best


def _steepest(
    lines: PixelLines, is_edge: Mask, slope_xy: Floats, usable: Mask, longest: int, *, is_bright: bool
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """How far the picture rises across each of some lines, in all directions at once.

    Args:
        lines: the lines.
        is_edge: (A, count) which of them to judge, L.
        slope_xy: (2, P) rise of brightness to the right and down.
        usable: (P,) pixels that count.
        longest: side of the picture, px.
        is_bright: whether it has to become brighter outward.

    Returns:
        (L,) which lines, flat, and (L,) their rise; 0 where there is no edge.
    """
    which, pixels, number = lines.pixels_on(is_edge)
    at = np.flatnonzero(usable.take(pixels))
    pixels, number = pixels.take(at), number.take(at)
    turn = np.deg2rad(lines.angles_deg)
    angle = (which // lines.count).take(number)
    steps = np.cos(turn).take(angle) * slope_xy[0].take(pixels) + np.sin(turn).take(angle) * slope_xy[1].take(pixels)
    steps = steps if is_bright else -steps
    on_line = np.bincount(number, minlength=len(which))
    contrast = np.bincount(number, np.clip(steps, 0, 0.1), minlength=len(which))
    with np.errstate(invalid="ignore", divide="ignore"):
        support = np.bincount(number, steps > 0.006, minlength=len(which)) / on_line
    is_steep = (on_line > 0.2 * longest) & (contrast > LEAST_STEP * on_line) & (support > (0.85 if is_bright else 0.8))
    return which, np.where(is_steep, contrast, 0)


def _beyond(per_line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sum over all lines more than two pixels further out: past the blurred edge itself."""
    beyond = np.zeros_like(per_line)
    np.cumsum(per_line[:, :2:-1], axis=1, out=beyond[:, -4::-1])
    return beyond


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
        turned = [HalfPlane(angle_deg=start.angle_deg + float(turn), rho_px=0.0).through(middle) for turn in turns_deg]
        trials = [plane.shifted(float(shift_px)) for plane in turned for shift_px in shifts_px]
        steps = steps_along(fine, trials, polygon, scale) * (1 if is_bright else -1)
        steps[~np.isfinite(steps)] = -np.inf
        at = int(np.argmax(steps))
        if steps[at] > best_step:
            best, best_step = trials[at], float(steps[at])
    return best if is_bright else _cleared(fine, best, polygon, scale)


def _cleared(fine: Floats, plane: HalfPlane, polygon: npt.NDArray[np.float64], scale: float) -> HalfPlane:
    """Move the edge of a black border outward until it touches nothing: dark air may hide where tissue begins."""
    dark = float(fine.min()) + 8 / 255
    trials = [plane.shifted(float(shift_px)) for shift_px in np.arange(0, SEARCH_PX / 4, 0.25)]
    levels, is_there = levels_along(fine, trials, polygon, scale)
    is_clear = ~is_there | ((levels > dark).mean(axis=1) <= 0.03)
    return trials[int(np.argmax(is_clear))] if is_clear.any() else plane.shifted(np.inf)
