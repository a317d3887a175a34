"""Straight lines of pixels through a small picture, in every direction, for sums and steps along them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.half_planes import HalfPlane
from app.core.record import record

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@record(frozen=True, slots=True, kw_only=True, eq=False)
class PixelLines:
    """Every pixel's line in each of A directions.

    Args:
        angles_deg: (A,) outward directions; those of the second half are opposite to those of the first.
        index: (A / 2, P) line of every pixel in a direction of the first half.
        odd: (3, E) pixels whose line in an opposite direction is, by rounding, not the mirrored one: direction,
            pixel, line.
        order: (A, P) the pixels of a direction line by line, those of one line in ascending order.
        starts: (A, count + 1) where a line begins in `order`; the last one ends at P.
        count: lines per direction; line k lies `k - origin` px from the image's first corner, outward.
        origin: see `count`.
    """

    angles_deg: Floats
    index: npt.NDArray[np.intp]
    odd: npt.NDArray[np.intp]
    order: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int32]
    count: int
    origin: int

    @staticmethod
    def through(shape: tuple[int, int], angles_deg: Floats) -> PixelLines:
        """The lines through a picture.

        Args:
            shape: its height and width, px; 65,536 pixels at most.
            angles_deg: see above; an even number.
        """
        ys, xs = (grid.ravel() for grid in np.mgrid[: shape[0], : shape[1]].astype(np.float32) + np.float32(0.5))
        origin = int(np.hypot(*shape)) + 2
        count, half = 2 * origin + 1, len(angles_deg) // 2
        index = np.empty((half, xs.size), np.intp)
        order = np.empty((2 * half, xs.size), np.uint16)
        starts = np.zeros((2 * half, count + 1), np.int32)
        odd, turns = [], np.deg2rad(angles_deg)
        for number, (cos, sin) in enumerate(zip(np.cos(turns), np.sin(turns), strict=True)):
            row = index[number] if number < half else np.empty(xs.size, np.intp)
            np.add(np.floor(cos * xs + sin * ys), origin, out=row, casting="unsafe")
            order[number] = np.argsort(row.astype(np.uint16), kind="stable")  # short integers are sorted by radix
            np.cumsum(np.bincount(row, minlength=count), out=starts[number, 1:])
            if number >= half:
                other = np.flatnonzero(row != count - 2 - index[number - half])
                odd += [(number, pixel, row[pixel]) for pixel in other]
        return PixelLines(
            angles_deg=angles_deg,
            index=index,
            odd=np.array(odd, np.intp).reshape(-1, 3).T,
            order=order,
            starts=starts,
            count=count,
            origin=origin,
        )

    def pixels_on(self, chosen: Mask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint16], npt.NDArray[np.intp]]:
        """The pixels of some lines, one line after the other.

        Args:
            chosen: (A, count), L of them true.

        Returns:
            (L,) which lines, flat; (N,) pixels; (N,) the number, 0 … L − 1, of the line that each of them is on.
        """
        which = np.flatnonzero(chosen)
        angle, line = np.divmod(which, self.count)
        first, after = self.starts[angle, line], self.starts[angle, line + 1]
        length = after - first
        ends = np.cumsum(length)
        number = np.repeat(np.arange(len(which)), length)
        at = np.arange(number.size) + np.repeat(angle * self.order.shape[1] + first - (ends - length), length)
        return which, self.order.ravel().take(at), number

    def near(self, plane: HalfPlane, point_xy: npt.NDArray[np.float64]) -> Mask:
        """Lines that are nearly the given one where it passes a point, (A, count)."""
        turn = np.deg2rad(self.angles_deg)
        is_alike = np.cos(turn - np.deg2rad(plane.angle_deg)) > np.cos(np.deg2rad(12))
        rho = np.cos(turn) * point_xy[0] + np.sin(turn) * point_xy[1]
        lines = np.arange(self.count) - self.origin + 0.5
        near: Mask = is_alike[:, None] & (np.abs(lines - rho[:, None]) < 6)
        return near

    def weigh(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sum of the pixels' weights (P,) on every line, (A, count); whole numbers, pixels of weight 0 cost nothing."""
        where = np.flatnonzero(weights)
        is_all = len(where) == len(weights)
        chosen = weights if is_all else weights[where]
        half = len(self.index)
        sums = np.zeros((2 * half, self.count))
        for row, out in zip(self.index, sums, strict=False):
            out[:] = np.bincount(row if is_all else row.take(where), chosen, minlength=self.count)
        sums[half:, :-1] = sums[:half, -2::-1]  # line k the other way round is line count − 2 − k …
        angle, pixel, line = self.odd
        np.add.at(sums, (angle, line), weights[pixel])  # … but for these
        np.subtract.at(sums, (angle, self.count - 2 - self.index[angle - half, pixel]), weights[pixel])
        return sums
