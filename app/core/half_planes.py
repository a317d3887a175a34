"""Straight edges and circles in pictures: cutting polygons, sampling steps, fitting circles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from app.core.record import record

Points = npt.NDArray[np.float64]


@lru_cache(maxsize=1024)  # the same few directions are asked for hundreds of times in one search
def _normal_xy(angle_deg: float) -> Points:
    angle = np.deg2rad(angle_deg)
    normal_xy = np.array([np.cos(angle), np.sin(angle)])
    normal_xy.setflags(write=False)
    return normal_xy


@record(frozen=True, slots=True, kw_only=True)
class HalfPlane:
    """All points beyond a line: `normal · point > rho_px`.

    Args:
        angle_deg: direction of the outward normal, 0 = right, 90 = down.
        rho_px: distance of the line from the origin along the normal.
    """

    angle_deg: float
    rho_px: float

    @property
    def normal_xy(self) -> Points:
        """Unit vector that points away from what is kept, (2,), not to be written to."""
        return _normal_xy(self.angle_deg)

    def through(self, point_xy: Points) -> HalfPlane:
        """The same direction, with the line through a point."""
        return HalfPlane(angle_deg=self.angle_deg, rho_px=float(self.normal_xy @ point_xy))

    def shifted(self, distance_px: float) -> HalfPlane:
        """Moved outward."""
        return HalfPlane(angle_deg=self.angle_deg, rho_px=self.rho_px + distance_px)

    def middle_of(self, polygon_xy: Points) -> Points:
        """Middle of the part of the line that lies in a convex polygon; the line's foot point if none does."""
        ends = _crossings(polygon_xy, self)
        return ends.mean(axis=0) if len(ends) == 2 else self.normal_xy * self.rho_px


@record(frozen=True, slots=True, kw_only=True)
class Circle:
    """The edge of a round collimator.

    Args:
        center_xy: middle, image coordinates.
        radius_px: radius.
    """

    center_xy: tuple[float, float]
    radius_px: float

    @property
    def polygon_xy(self) -> Points:
        """72 corners on the circle."""
        turns = np.deg2rad(np.arange(0, 360, 5))
        return np.array(self.center_xy) + self.radius_px * np.column_stack([np.cos(turns), np.sin(turns)])

    def placed(self, picture: npt.NDArray[np.float32], scale: float, *, is_bright: bool) -> Circle:
        """The same middle, with the radius where the step across the edge is greatest.

        Args:
            picture: (H, W) float32 brightness.
            scale: picture pixels per unit of this circle.
            is_bright: whether what lies outside is bright.
        """
        radii = np.arange(0.85 * self.radius_px, 1.1 * self.radius_px, 0.25 / scale)
        turns = np.deg2rad(np.arange(0, 360, 2))[:, None]
        x = ((self.center_xy[0] + radii * np.cos(turns)) * scale - 0.5).astype(np.float32)
        y = ((self.center_xy[1] + radii * np.sin(turns)) * scale - 0.5).astype(np.float32)
        values = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        reach = max(1, round(1.5 / 0.25))  # compare brightness 1.5 picture pixels to either side
        steps = (values[:, 2 * reach :] - values[:, : -2 * reach]).mean(axis=0) * (1 if is_bright else -1)
        return Circle(center_xy=self.center_xy, radius_px=float(radii[reach + int(np.argmax(steps))]))


def clip_polygon(polygon_xy: Points, planes: list[HalfPlane]) -> Points:
    """Cut half-planes off a convex polygon (Sutherland and Hodgman 1974); fewer than three corners = nothing left."""
    for plane in planes:
        if len(polygon_xy) < 3:
            break
        heights = polygon_xy @ plane.normal_xy - plane.rho_px
        kept: list[Points] = []
        for index in range(len(polygon_xy)):
            one, other = polygon_xy[index], polygon_xy[(index + 1) % len(polygon_xy)]
            h_one, h_other = heights[index], heights[(index + 1) % len(polygon_xy)]
            if h_one <= 0:
                kept.append(one)
            if (h_one < 0 < h_other) or (h_other < 0 < h_one):
                kept.append(one + (other - one) * (h_one / (h_one - h_other)))
        polygon_xy = np.array(kept).reshape(-1, 2)
    return polygon_xy


def inside_mask(polygon_xy: Points, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels whose centre lies in a convex polygon given in image coordinates, (H, W) bool."""
    mask = np.zeros(shape, np.uint8)
    shift = 6  # cv2 takes fixed-point corners; its pixel (0, 0) has its centre there, ours at (0.5, 0.5)
    corners = np.rint((polygon_xy - 0.5) * 2**shift).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 1, lineType=cv2.LINE_8, shift=shift)
    return mask.astype(np.bool_)


def steps_along(
    picture: npt.NDArray[np.float32], planes: Sequence[HalfPlane], polygon_xy: Points, scale: float
) -> npt.NDArray[np.float64]:
    """Mean rise of brightness outward across the part of each line that lies in a polygon, −inf if none does.

    Args:
        picture: (H, W) float32.
        planes: N lines, in units of 1/scale picture pixels.
        polygon_xy: convex polygon in the same units.
        scale: picture pixels per unit.

    Returns:
        (N,) float64.
    """
    ends, is_there = _ends(polygon_xy, planes)
    reach = np.array([plane.normal_xy for plane in planes])[:, None] * (1.5 / scale)
    rise = _sample(picture, ends + reach, scale) - _sample(picture, ends - reach, scale)
    return np.where(is_there, rise.mean(axis=1), -np.inf)


def levels_along(
    picture: npt.NDArray[np.float32], planes: Sequence[HalfPlane], polygon_xy: Points, scale: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Brightness at 96 points of the part of each line that lies in a polygon, (N, 96), and whether any part does."""
    ends, is_there = _ends(polygon_xy, planes)
    return _sample(picture, ends, scale), is_there


def _sample(picture: npt.NDArray[np.float32], ends_xy: Points, scale: float) -> npt.NDArray[np.float32]:
    """Brightness at 96 points between two ends each, (N, 2, 2) to (N, 96)."""
    along = np.linspace(0.02, 0.98, 96)[:, None]
    points = ends_xy[:, :1] * (1 - along) + ends_xy[:, 1:] * along
    at = (points * scale - 0.5).astype(np.float32)
    x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _ends(polygon_xy: Points, planes: Sequence[HalfPlane]) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Where each line enters and leaves a convex polygon, (N, 2, 2), and whether it does at all."""
    normals = np.array([plane.normal_xy for plane in planes])
    rhos = np.array([plane.rho_px for plane in planes])
    heights = normals[:, :1] * polygon_xy[:, 0] + normals[:, 1:] * polygon_xy[:, 1] - rhos[:, None]  # of each corner
    following = np.roll(heights, -1, axis=1)
    is_crossed = (heights <= 0) != (following <= 0)
    sides = np.stack([is_crossed.argmax(axis=1), len(polygon_xy) - 1 - is_crossed[:, ::-1].argmax(axis=1)], axis=1)
    before, after = (np.take_along_axis(values, sides, axis=1) for values in (heights, following))
    is_there = np.count_nonzero(is_crossed, axis=1) == 2
    share = before / np.where(before == after, 1, before - after)
    start, end = polygon_xy[sides], np.roll(polygon_xy, -1, axis=0)[sides]
    return np.where(is_there[:, None, None], start + (end - start) * share[..., None], 0), is_there


def fit_circle(is_empty: npt.NDArray[np.bool_]) -> Circle | None:
    """A round collimator: the circle beyond which the picture is empty, or None.

    Args:
        is_empty: (H, W) pixels that may lie behind the collimator.

    Returns:
        The circle in pixels, possibly reaching beyond the picture; None when what is not empty is no disc.
    """
    height, width = is_empty.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~is_empty).astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    disc = (labels == largest).astype(np.uint8)
    contours, _ = cv2.findContours(disc, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge = contours[0].reshape(-1, 2).astype(np.float64) + 0.5
    is_free = (edge > 2).all(axis=1) & (edge[:, 0] < width - 2) & (edge[:, 1] < height - 2)
    edge = edge[is_free]
    if len(edge) < 0.6 * max(height, width):
        return None
    # Least squares for x² + y² = 2ax + 2by + c (Kåsa 1976).
    solution = np.linalg.lstsq(np.column_stack([2 * edge, np.ones(len(edge))]), (edge**2).sum(axis=1), rcond=None)[0]
    center_xy = solution[:2]
    radius_px = float(np.sqrt(max(solution[2] + center_xy @ center_xy, 0.0)))
    if not 0.25 * min(height, width) < radius_px < 0.75 * np.hypot(height, width):
        return None
    away = np.abs(np.hypot(*(edge - center_xy).T) - radius_px)
    if np.percentile(away, 90) > 0.02 * max(height, width):
        return None
    circle = Circle(center_xy=(float(center_xy[0]), float(center_xy[1])), radius_px=radius_px)
    expected = inside_mask(circle.polygon_xy, (height, width))
    filled = cv2.drawContours(np.zeros_like(disc), contours, 0, 1, cv2.FILLED).astype(np.bool_)
    overlap = (expected & filled).sum() / max((expected | filled).sum(), 1)
    # A circle that hardly cuts the corners of the picture is no collimator.
    return circle if overlap > 0.96 and expected.mean() < 0.97 else None


def _crossings(polygon_xy: Points, plane: HalfPlane) -> Points:
    """The two points where a line crosses the outline of a convex polygon, or none."""
    heights = polygon_xy @ plane.normal_xy - plane.rho_px
    following = np.roll(heights, -1)
    crossed = np.flatnonzero((heights <= 0) != (following <= 0))
    share = heights[crossed] / (heights[crossed] - following[crossed])
    start, end = polygon_xy[crossed], np.roll(polygon_xy, -1, axis=0)[crossed]
    points: Points = start + (end - start) * share[:, None]
    return points
