"""Pixels of a screen while an image is being zoomed: what `core/resampling.py` does, in one stroke.

Positions have the same limits of error, but are counted from one place near the part that is asked for, and not from
the fixed places that make every part equal to every other to the last bit. It takes half as long; what stands still is
sampled by `sample` (ADR 0117).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from app.core.pyramid import ImagePyramid
from app.core.resampling import ANCHOR_ERROR_PX, Rect, SampleGrid, Stored, sample_blocks

REACH_PX = 96  # screen pixels before a part's edge among which the one is searched that positions are counted from
LARGEST_ERROR_PX = 1 / 32  # level pixels between this pixel's edge and a level pixel's
LEAST_PART_PX = 256  # a side: smaller parts cost nothing either way


def room_for(rect: Rect) -> int:
    """Number of uint16 that `sample_quickly` needs to sample a rectangle."""
    beside = 2 * REACH_PX + 4
    return (rect.height + beside) * (rect.width + beside)


def sample_quickly(pyramid: ImagePyramid, grid: SampleGrid, rect: Rect, room: Stored) -> Stored | None:
    """Sample the pixels of a rectangle: bilinear on the level, beyond the image its nearest pixel.

    Args:
        pyramid: the image that the grid was made for.
        grid: from `place`.
        rect: screen pixels relative to the image's origin.
        room: flat memory, at least `room_for(rect)` values.

    Returns:
        (rect.height, rect.width) uint16, a part of `room`; None for what has to be sampled by `sample`: turned images,
        squares, small parts, and zooms at which pixels of screen and level never begin together.
    """
    a, b, c, d = grid.matrix
    if b or c or grid.is_nearest or min(rect.width, rect.height) < LEAST_PART_PX:
        return None
    # along a mirrored axis pixels are counted backwards: then the picture is not mirrored
    is_mirrored, is_upside_down = a < 0, d < 0
    part = _turned(rect, is_mirrored, is_upside_down)
    across = _anchor(abs(a), -grid.phase[0] if is_mirrored else grid.phase[0], part.left)
    down = _anchor(abs(d), -grid.phase[1] if is_upside_down else grid.phase[1], part.top)
    if across is None or down is None:
        return None
    source = pyramid.levels[grid.level][
        down.source : down.source + math.ceil((part.bottom - down.pixel) * abs(d)) + 2,
        across.source : across.source + math.ceil((part.right - across.pixel) * abs(a)) + 2,
    ]
    shape = round(source.shape[0] / abs(d)), round(source.shape[1] / abs(a))
    if shape == source.shape or not min(shape):  # cv2 would copy and not resize
        return None
    held = Rect(
        left=min(part.left, across.pixel),
        top=min(part.top, down.pixel),
        right=max(part.right, across.pixel + shape[1]),
        bottom=max(part.bottom, down.pixel + shape[0]),
    )
    everything = room[: held.area].reshape(held.height, held.width)
    drawn = Rect(left=across.pixel, top=down.pixel, right=across.pixel + shape[1], bottom=down.pixel + shape[0])
    cv2.resize(
        source, None, dst=held.of(everything, drawn), fx=1 / abs(a), fy=1 / abs(d), interpolation=cv2.INTER_LINEAR
    )
    found = held.of(everything, part)
    if is_mirrored or is_upside_down:
        cv2.flip(found, (1 if is_mirrored else 0) - (2 if is_mirrored and is_upside_down else 0), dst=found)
    right = Rect(left=across.first, top=down.first, right=drawn.right, bottom=drawn.bottom).common(part)
    for strip in rect.without(_turned(right, is_mirrored, is_upside_down)):
        sample_blocks(pyramid.levels[grid.level], grid, rect, strip, found)
    return found


class _Anchor(NamedTuple):
    """Where a pixel of the screen begins together with one of the level, along one axis.

    Args:
        pixel: of the screen.
        source: of the level.
        first: the first pixel of the screen that needs no level pixel before `source`.
    """

    pixel: int
    source: int
    first: int


@lru_cache(maxsize=32)  # linked panes ask the same
def _anchor(step: float, phase: float, start: int) -> _Anchor | None:
    """The nearest anchor before a pixel of the screen, or the best one around it; None if there is none.

    Args:
        step: level pixels per screen pixel, > 0.
        phase: where in its screen pixel the image's origin lies.
        start: the pixel.
    """
    needed = max(0, math.ceil(0.5 / step - 0.5))  # enlarged, some pixels lie before the level pixel's middle
    pixels = np.arange(start - needed - REACH_PX + 1, start + REACH_PX)
    at = step * (pixels - phase)
    source = np.rint(at)
    error = np.abs(at - source)
    error[source < 0] = np.inf
    before = np.where(pixels <= np.where(source > 0, start - needed, start), error, np.inf)
    good = np.flatnonzero(before <= ANCHOR_ERROR_PX)
    # one before the part is better than one in it: what lies before that has to be sampled by itself
    nearest = before if before.min() <= LARGEST_ERROR_PX else error
    best = int(good[-1]) if good.size else int(np.argmin(nearest))
    if error[best] > LARGEST_ERROR_PX:
        return None
    pixel = int(pixels[best])
    return _Anchor(pixel=pixel, source=int(source[best]), first=pixel + (needed if source[best] > 0 else 0))


def _turned(rect: Rect, is_mirrored: bool, is_upside_down: bool) -> Rect:
    """The same pixels counted backwards."""
    left, right = (-rect.right, -rect.left) if is_mirrored else (rect.left, rect.right)
    top, bottom = (-rect.bottom, -rect.top) if is_upside_down else (rect.top, rect.bottom)
    return Rect(left=left, top=top, right=right, bottom=bottom)
