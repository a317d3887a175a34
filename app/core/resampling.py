"""Pixels of a screen sampled from a pyramid: exact, and the same whichever part of the screen is asked for.

A screen pixel is known by its place relative to the image: the screen pixel that holds the image's origin is (0, 0).
When an image is moved by whole screen pixels, the pixels keep their places and therefore their values, so what has been
sampled can be moved instead of being sampled again. For this to hold to the last bit, positions are rounded so that
float32, in which cv2 computes them, holds them exactly (ADR 0101).

Image coordinates count from pixel corners, cv2 from pixel centres; the half pixels in `SampleGrid` are that.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from app.core.pyramid import ImagePyramid
from app.core.record import record

BLOCK_PX = 512  # positions are exact within blocks of screen pixels; between blocks rounding starts anew
STRETCH_PX = 512  # in each stretch of screen pixels one is searched that begins on a level pixel's edge …
ANCHOR_ERROR_PX = 1 / 128  # … so nearly
NOT_ONE = (
    1 / 32
)  # cv2 copies instead of resizing when size and rounded size are the same: not for steps this far from 1
LEAST_SOURCE_PX = 80  # … in pictures of this size
FLOAT32_BITS = 24
PHASE_STEPS = 256  # a second of a pixel: places are told apart no finer
MATRIX_STEPS = 2.0**40
ON_GRID_PX = 1e-6
MOST_ENLARGED = 1.1  # screen pixels per pixel of a level: up to here bilinear is nearer to the area average than below

Floats = npt.NDArray[np.float64]
Stored = npt.NDArray[np.uint16]
Affine: TypeAlias = tuple[float, float, float, float, float, float]
"""(a, b, c, d, x, y): an image point (u, v) lies at (a u + c v + x, b u + d v + y), as in QTransform and PDF."""


@record(frozen=True, slots=True, kw_only=True)
class Rect:
    """Whole pixels: left ≤ x < right, top ≤ y < bottom."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns, not below 0."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Rows, not below 0."""
        return max(0, self.bottom - self.top)

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def moved(self, dx: int, dy: int) -> Rect:
        """The same size elsewhere."""
        return Rect(left=self.left + dx, top=self.top + dy, right=self.right + dx, bottom=self.bottom + dy)

    def common(self, other: Rect) -> Rect:
        """What lies in both."""
        return Rect(
            left=max(self.left, other.left),
            top=max(self.top, other.top),
            right=min(self.right, other.right),
            bottom=min(self.bottom, other.bottom),
        )

    def without(self, part: Rect) -> list[Rect]:
        """What is left when a part of this rectangle is taken out: up to four rectangles."""
        return [
            rect
            for rect in (
                Rect(left=self.left, top=self.top, right=self.right, bottom=part.top),
                Rect(left=self.left, top=part.bottom, right=self.right, bottom=self.bottom),
                Rect(left=self.left, top=part.top, right=part.left, bottom=part.bottom),
                Rect(left=part.right, top=part.top, right=self.right, bottom=part.bottom),
            )
            if rect.area
        ]

    def of(self, buffer: npt.NDArray[np.uint16], part: Rect) -> npt.NDArray[np.uint16]:
        """The pixels of `part` in a buffer that holds this rectangle."""
        return buffer[part.top - self.top : part.bottom - self.top, part.left - self.left : part.right - self.left]


@record(frozen=True, slots=True, kw_only=True)
class SampleGrid:
    """Where on a level of a pyramid the pixels of the screen are sampled. Equal grids give equal pixels.

    Args:
        level: number of the level.
        matrix: (a, b, c, d), level pixels per screen pixel: a step to the right is (a, b), a step down (c, d).
        phase: (x, y), where in its screen pixel the image's origin lies, 0 … 1.
        is_nearest: whether single pixels are shown as squares.
        fraction_bits: positions are multiples of 2**-fraction_bits level pixels.
    """

    level: int
    matrix: tuple[float, float, float, float]
    phase: tuple[float, float]
    is_nearest: bool
    fraction_bits: int


@record(frozen=True, slots=True, kw_only=True)
class Placement:
    """An image on a screen.

    Args:
        grid: how it is sampled.
        origin_xy: the screen pixel that holds the image's origin.
        covered: screen pixels, relative to `origin_xy`, that the image or its bounding box touches.
    """

    grid: SampleGrid
    origin_xy: tuple[int, int]
    covered: Rect


def place(pyramid: ImagePyramid, to_screen: Affine, *, squares_from: float) -> Placement:
    """How an image is sampled when it is shown on a screen.

    Args:
        pyramid: the image.
        to_screen: from image coordinates to screen pixels; any invertible affine map.
        squares_from: screen pixels per image pixel from which on single pixels are shown as squares.

    Raises:
        ValueError: the map is not invertible.
    """
    a, b, c, d, x, y = to_screen
    determinant = a * d - b * c
    if not (math.isfinite(determinant + x + y) and abs(determinant) > 1e-12):
        raise ValueError("the map to the screen cannot be inverted")
    scale = math.sqrt(abs(determinant))
    # the direction that is shrunk most decides, or it would alias
    level = pyramid.level_for(_smallest_scale(a, b, c, d) / MOST_ENLARGED)
    rows, cols = pyramid.levels[level].shape
    wide, high = cols / pyramid.cols / determinant, rows / pyramid.rows / determinant
    matrix = tuple(round(value * MATRIX_STEPS) / MATRIX_STEPS for value in (d * wide, -b * high, -c * wide, a * high))
    reach = BLOCK_PX * max(abs(matrix[0]) + abs(matrix[2]), abs(matrix[1]) + abs(matrix[3])) + 8
    is_nearest = scale >= squares_from * (1 - 1e-9)
    # the origin in steps of a phase; what is nearly on the pixel's edge is on it
    steps_x, steps_y = round(x * PHASE_STEPS), round(y * PHASE_STEPS)
    origin = steps_x // PHASE_STEPS, steps_y // PHASE_STEPS
    grid = SampleGrid(
        level=level,
        matrix=(matrix[0], matrix[1], matrix[2], matrix[3]),
        phase=(steps_x % PHASE_STEPS / PHASE_STEPS, steps_y % PHASE_STEPS / PHASE_STEPS),
        is_nearest=is_nearest,
        fraction_bits=FLOAT32_BITS - math.ceil(math.log2(reach)) - is_nearest,  # squares need a bit to break ties
    )
    corners_x = [a * u + c * v for u in (0, pyramid.cols) for v in (0, pyramid.rows)]
    corners_y = [b * u + d * v for u in (0, pyramid.cols) for v in (0, pyramid.rows)]
    covered = Rect(
        left=math.floor(min(corners_x) + grid.phase[0] + ON_GRID_PX),
        top=math.floor(min(corners_y) + grid.phase[1] + ON_GRID_PX),
        right=math.ceil(max(corners_x) + grid.phase[0] - ON_GRID_PX),
        bottom=math.ceil(max(corners_y) + grid.phase[1] - ON_GRID_PX),
    )
    return Placement(grid=grid, origin_xy=origin, covered=covered)


def sample(pyramid: ImagePyramid, grid: SampleGrid, rect: Rect, out: Stored) -> None:
    """Sample the pixels of a rectangle: bilinear on the level, beyond the image its nearest pixel.

    Args:
        pyramid: the image that the grid was made for.
        grid: from `place`.
        rect: screen pixels relative to the image's origin.
        out: (rect.height, rect.width) uint16, filled; may be a part of a larger array. Where a block lies wholly
            beyond the image it is left as it is.
    """
    level = pyramid.levels[grid.level]
    a, b, c, d = grid.matrix
    if grid.matrix == (1.0, 0.0, 0.0, 1.0) and grid.phase == (0.0, 0.0):
        inside = rect.common(Rect(left=0, top=0, right=level.shape[1], bottom=level.shape[0]))
        if inside == rect:
            np.copyto(out, level[rect.top : rect.bottom, rect.left : rect.right])  # pixel on pixel
            return
    is_upright = b == c == 0 and not grid.is_nearest and max(abs(abs(a) - 1), abs(abs(d) - 1)) >= NOT_ONE
    if not is_upright:
        sample_blocks(level, grid, rect, rect, out)
        return
    rows, cols = level.shape
    across = _runs(a, grid.phase[0], (rect.left, rect.right), cols)
    down = _runs(d, grid.phase[1], (rect.top, rect.bottom), rows)
    memory = np.empty(0, np.uint16)
    for run_y in down:
        for run_x in across:
            part = Rect(left=run_x.first, top=run_y.first, right=run_x.end, bottom=run_y.end)
            if run_x.source >= 0 and run_y.source >= 0:
                taken = _taken(run_x, run_y, grid, level)
                size = round(taken.shape[0] / abs(d)) * round(taken.shape[1] / abs(a))
                if memory.size < size:
                    memory = np.empty(size, np.uint16)
                if _resize(taken, grid, run_x, run_y, memory, rect.of(out, part)):
                    continue
            sample_blocks(level, grid, rect, part, out)


@record(frozen=True, slots=True, kw_only=True)
class _Run:
    """Screen pixels along one axis.

    Args:
        first: first pixel of the run.
        end: the pixel after the last.
        anchor: along a mirrored axis counted backwards: the screen pixel that begins where level pixel `source` does.
        source: see `anchor`; −1 when there is no such pixel.
    """

    first: int
    end: int
    anchor: int = 0
    source: int = -1


@lru_cache(maxsize=32)  # linked panes ask the same
def _runs(step: float, phase: float, pixels: tuple[int, int], size: int) -> tuple[_Run, ...]:
    """The runs along one axis of an upright picture, each from one anchor to the next.

    An anchor is the first screen pixel of a stretch of `STRETCH_PX` that begins where a level pixel begins, so it
    depends on nothing but the grid. A run reaches to the next anchor, or to the end of its stretch when the next one
    has none. What no anchor reaches, or lies beyond the level's pixels, is a run without one.

    Args:
        step: level pixels per screen pixel, negative when mirrored.
        phase: where in its screen pixel the image's origin lies.
        pixels: first screen pixel, and the one after the last.
        size: of the level along this axis, px.
    """
    first, end = pixels
    if step < 0:  # count pixels backwards: then the picture is not mirrored
        mirrored = _runs(-step, -phase, (-end, -first), size)
        return tuple(_Run(first=-run.end, end=-run.first, anchor=run.anchor, source=run.source) for run in mirrored)
    needed = max(0, math.ceil(0.5 / step - 0.5))  # enlarged, some lie before the level pixel's middle
    low, high = (first - needed) // STRETCH_PX - 1, end // STRETCH_PX + 1
    positions = np.arange(low * STRETCH_PX, high * STRETCH_PX)
    at = step * (positions - phase)
    nearest = np.rint(at)
    hits = np.flatnonzero((np.abs(at - nearest) <= ANCHOR_ERROR_PX) & (nearest >= 0))
    found: dict[int, tuple[int, int, int]] = {}  # of a stretch: anchor, level pixel, first pixel that needs no more
    of_stretch = hits // STRETCH_PX
    for hit in hits[np.diff(of_stretch, prepend=-1) > 0].tolist():  # the first of each
        anchor, source = low * STRETCH_PX + hit, int(nearest[hit])
        found[low + hit // STRETCH_PX] = anchor, source, anchor + (needed if source > 0 else 0)
    runs, reached = [], first
    for stretch, (anchor, source, start) in found.items():
        follower = found.get(stretch + 1)
        stop = follower[2] if follower is not None else (stretch + 1) * STRETCH_PX + needed
        stop = min(end, stop, anchor + math.floor((size - source) / step))  # there the level ends
        start = max(start, reached)
        if start < stop:
            if reached < start:
                runs.append(_Run(first=reached, end=start))
            runs.append(_Run(first=start, end=stop, anchor=anchor, source=source))
            reached = stop
    if reached < end:
        runs.append(_Run(first=reached, end=end))
    return tuple(runs)


def _taken(run_x: _Run, run_y: _Run, grid: SampleGrid, level: Stored) -> Stored:
    """The level pixels that are resized for two runs, from their anchors on."""
    ends = (-run_y.first if grid.matrix[3] < 0 else run_y.end, -run_x.first if grid.matrix[0] < 0 else run_x.end)
    high = max(LEAST_SOURCE_PX, math.ceil((ends[0] - run_y.anchor) * abs(grid.matrix[3])) + 2)
    wide = max(LEAST_SOURCE_PX, math.ceil((ends[1] - run_x.anchor) * abs(grid.matrix[0])) + 2)
    return level[run_y.source : run_y.source + high, run_x.source : run_x.source + wide]


def _resize(source: Stored, grid: SampleGrid, run_x: _Run, run_y: _Run, memory: Stored, out: Stored) -> bool:
    """Sample one part of an upright picture; `cv2.resize` does it three times as fast as `warpAffine`.

    Args:
        source: from `_taken`.
        grid: how it is sampled.
        run_x: the part's columns.
        run_y: the part's rows.
        memory: room for the resized picture; fresh memory for each part would have to be mapped page by page.
        out: the part.

    Returns:
        Whether it did: a picture so small that its size would stay the same is copied by cv2, and is not sampled.
    """
    step_x, step_y = abs(grid.matrix[0]), abs(grid.matrix[3])
    is_mirrored, is_upside_down = grid.matrix[0] < 0, grid.matrix[3] < 0
    first_x, end_x = (-run_x.end, -run_x.first) if is_mirrored else (run_x.first, run_x.end)
    first_y, end_y = (-run_y.end, -run_y.first) if is_upside_down else (run_y.first, run_y.end)
    shape = round(source.shape[0] / step_y), round(source.shape[1] / step_x)
    room = memory[: shape[0] * shape[1]].reshape(shape)
    resized = cv2.resize(source, None, dst=room, fx=1 / step_x, fy=1 / step_y, interpolation=cv2.INTER_LINEAR)
    if resized.shape == source.shape:
        return False
    part = resized[first_y - run_y.anchor : end_y - run_y.anchor, first_x - run_x.anchor : end_x - run_x.anchor]
    if is_mirrored or is_upside_down:
        cv2.flip(part, (1 if is_mirrored else 0) - (2 if is_mirrored and is_upside_down else 0), dst=out)
    else:
        np.copyto(out, part)
    return True


def sample_blocks(level: Stored, grid: SampleGrid, rect: Rect, part: Rect, out: Stored) -> None:
    """Sample a part of a rectangle of any picture, block by block.

    Args:
        level: what is sampled.
        grid: how.
        rect: what `out` holds.
        part: what is sampled of it.
        out: (rect.height, rect.width) uint16.
    """
    for top in range(part.top // BLOCK_PX * BLOCK_PX, part.bottom, BLOCK_PX):
        for left in range(part.left // BLOCK_PX * BLOCK_PX, part.right, BLOCK_PX):
            piece = part.common(Rect(left=left, top=top, right=left + BLOCK_PX, bottom=top + BLOCK_PX))
            _sample_block(level, grid, (left, top), piece, rect.of(out, piece))


def _sample_block(level: Stored, grid: SampleGrid, block_xy: tuple[int, int], part: Rect, out: Stored) -> None:
    """Sample one part of the block that begins at `block_xy`.

    Every position is a multiple of 2**-fraction_bits, which float32 holds exactly.
    """
    steps = 2.0**grid.fraction_bits
    a, b, c, d = (round(value * steps) / steps for value in grid.matrix)
    middle_x, middle_y = block_xy[0] + BLOCK_PX // 2, block_xy[1] + BLOCK_PX // 2
    x, y = middle_x + 0.5 - grid.phase[0], middle_y + 0.5 - grid.phase[1]
    at_x = round((grid.matrix[0] * x + grid.matrix[2] * y - 0.5) * steps) / steps
    at_y = round((grid.matrix[1] * x + grid.matrix[3] * y - 0.5) * steps) / steps
    dx, dy = part.left - middle_x, part.top - middle_y
    at_x, at_y = at_x + a * dx + c * dy, at_y + b * dx + d * dy
    across, down = part.width - 1, part.height - 1
    rows, cols = level.shape
    left = math.floor(at_x + min(0, a * across) + min(0, c * down)) - 1
    right = math.ceil(at_x + max(0, a * across) + max(0, c * down)) + 2
    top = math.floor(at_y + min(0, b * across) + min(0, d * down)) - 1
    bottom = math.ceil(at_y + max(0, b * across) + max(0, d * down)) + 2
    if right <= 0 or bottom <= 0 or left >= cols or top >= rows:
        return
    left, top = max(0, left), max(0, top)
    source = level[top : min(rows, bottom), left : min(cols, right)]
    map_to_source = np.array([[a, c, at_x - left], [b, d, at_y - top]])
    if grid.is_nearest:
        _sample_nearest(source, map_to_source + np.array([0, 0, 0.5 / steps]), out)
        return
    cv2.warpAffine(
        source,
        map_to_source,
        (part.width, part.height),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _sample_nearest(source: Stored, map_to_source: Floats, out: Stored) -> None:
    """Nearest pixels; `cv2.warpAffine` rounds their positions to 1/1024 px, which depends on where one begins."""
    rows, cols = out.shape
    (a, c, x), (b, d, y) = map_to_source.tolist()
    if b == c == 0:
        columns = np.floor(x + 0.5 + a * np.arange(cols)).clip(0, source.shape[1] - 1).astype(np.intp)
        lines = np.floor(y + 0.5 + d * np.arange(rows)).clip(0, source.shape[0] - 1).astype(np.intp)
        np.take(source[:, columns], lines, axis=0, out=out, mode="clip")
        return
    at_x = np.add.outer((c * np.arange(rows) + x).astype(np.float32), (a * np.arange(cols)).astype(np.float32))
    at_y = np.add.outer((d * np.arange(rows) + y).astype(np.float32), (b * np.arange(cols)).astype(np.float32))
    cv2.remap(source, at_x, at_y, cv2.INTER_NEAREST, dst=out, borderMode=cv2.BORDER_REPLICATE)


def _smallest_scale(a: float, b: float, c: float, d: float) -> float:
    """The smaller singular value of a 2×2 matrix."""
    mean, difference = math.hypot(a + d, b - c) / 2, math.hypot(a - d, b + c) / 2
    return abs(mean - difference)
