"""What is known exactly about a synthetic case, in image coordinates (corner origin, px) and as plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from app.core.case import Side
from app.engine.phantom.fields import transform, unit
from app.engine.phantom.volume import Vector
from app.engine.projection.geometry import Geometry

XY: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewTruth:
    """The truth of one view; a point may lie outside the image.

    Args:
        head_centre: centre of the femoral head.
        head_radius_px: radius of its outline.
        neck_axis: crossing of neck and shaft axes (intact), and the head centre.
        shaft_axis: two points on the axis of the shaft fragment, proximal first.
        landmarks: name to point.
        fracture_centre: centre of the fracture, half-way between the broken surfaces; None without a fracture.
        fracture_outline: the cut through the bone, as a closed outline; empty without a fracture.
        incidence_deg: angle between the beam and the fracture plane at its centre: 0 = seen edge-on.
    """

    head_centre: XY
    head_radius_px: float
    neck_axis: tuple[XY, XY]
    shaft_axis: tuple[XY, XY]
    landmarks: dict[str, XY]
    fracture_centre: XY | None = None
    fracture_outline: tuple[XY, ...] = ()
    incidence_deg: float | None = None

    def mirrored(self, cols: int) -> ViewTruth:
        """The truth of the image flipped left to right."""

        def flip(p: XY) -> XY:
            return (cols - p[0], p[1])

        return replace(
            self,
            head_centre=flip(self.head_centre),
            neck_axis=(flip(self.neck_axis[0]), flip(self.neck_axis[1])),
            shaft_axis=(flip(self.shaft_axis[0]), flip(self.shaft_axis[1])),
            landmarks={name: flip(p) for name, p in self.landmarks.items()},
            fracture_centre=None if self.fracture_centre is None else flip(self.fracture_centre),
            fracture_outline=tuple(flip(p) for p in self.fracture_outline),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HipPoints:
    """World points (mm, left-hip world) from which the truth of any view follows.

    Args:
        head_mm: head centre.
        head_radius_mm: its radius.
        crossing_mm: crossing of the neck and shaft axes of the intact femur (on the shaft fragment).
        axis_mm: two points on the axis of the shaft fragment.
        landmarks_mm: name to point.
        fracture_mm: fracture centre, or None.
        normal: unit normal of the fracture plane in the world, or None.
        ring_mm: points around the cut.
    """

    head_mm: Vector
    head_radius_mm: float
    crossing_mm: Vector
    axis_mm: tuple[Vector, Vector]
    landmarks_mm: dict[str, Vector]
    fracture_mm: Vector | None = None
    normal: Vector | None = None
    ring_mm: tuple[Vector, ...] = ()

    def moved(self, pose: Vector) -> HipPoints:
        """The same points after a (4, 4) motion."""
        turn = pose[:3, :3]
        return replace(
            self,
            head_mm=transform(pose, self.head_mm),
            crossing_mm=transform(pose, self.crossing_mm),
            axis_mm=(transform(pose, self.axis_mm[0]), transform(pose, self.axis_mm[1])),
            landmarks_mm={name: transform(pose, p) for name, p in self.landmarks_mm.items()},
            fracture_mm=None if self.fracture_mm is None else transform(pose, self.fracture_mm),
            normal=None if self.normal is None else turn @ self.normal,
            ring_mm=tuple(transform(pose, p) for p in self.ring_mm),
        )


def view_truth(points: HipPoints, geometry: Geometry) -> ViewTruth:
    """Project the points of a hip."""

    def image(point: Vector) -> XY:
        x, y = geometry.project_points(point)
        return (float(x), float(y))

    incidence = None
    if points.fracture_mm is not None and points.normal is not None:
        ray = unit(points.fracture_mm - geometry.source)
        incidence = float(np.degrees(np.arcsin(min(1.0, abs(float(ray @ points.normal))))))
    return ViewTruth(
        head_centre=image(points.head_mm),
        head_radius_px=points.head_radius_mm * geometry.magnification(points.head_mm) / geometry.pixel_mm,
        neck_axis=(image(points.crossing_mm), image(points.head_mm)),
        shaft_axis=(image(points.axis_mm[0]), image(points.axis_mm[1])),
        landmarks={name: image(p) for name, p in points.landmarks_mm.items()},
        fracture_centre=None if points.fracture_mm is None else image(points.fracture_mm),
        fracture_outline=tuple(image(p) for p in points.ring_mm),
        incidence_deg=incidence,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLabels:
    """The labels of a case, in the words of the label form.

    Args:
        side: which hip.
        has_fracture: any fracture of this femur.
        region: `neck`, `trochanteric`, `subtrochanteric`, `shaft` or empty.
        displacement: `non-displaced`, `displaced` or empty.
        garden: 1–4 for a neck fracture, otherwise 0.
        is_atypical: atypical femoral fracture; None when there is no shaft fracture.
        planned_visibility: in which views a non-displaced fracture was planned to show; empty otherwise.
        has_implant: metal in or on the femur.
    """

    side: Side
    has_fracture: bool
    region: str = ""
    displacement: str = ""
    garden: int = 0
    is_atypical: bool | None = None
    planned_visibility: str = ""
    has_implant: bool = False
