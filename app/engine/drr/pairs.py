"""Making pairs of radiographs from a prepared CT, with what is known about them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.case import Projection, Side
from app.engine.correspondence.patches import pooled
from app.engine.drr.hip import check_room, find_hip
from app.engine.drr.materials import body_weight, outer_faces, split
from app.engine.drr.variation import Pair, Variation, sample_pair
from app.engine.drr.volume import CtVolume
from app.engine.phantom.fields import rotation
from app.engine.phantom.volume import Material, Part
from app.engine.projection import Geometry, project
from app.engine.radiograph import Marker, Radiograph, Style, Technique, expose
from app.engine.radiograph.attenuation import AttenuationTable
from app.engine.radiograph.collimation import full_field

Vector = NDArray[np.float64]

GENERATOR = 1  # raised when the same request gives other images than before
FIELD_MM = 230.0  # in the plane of the hip
_EDGE_MARGIN_PX = 4
_OPEN_FACE = 0.02  # share of body on the last slice above which the body goes on outside
_NEAR_MM = 45.0
_BEYOND_MM = 60.0  # how far the last slice is continued, fading out
_LEAST_TILT = 0.05  # squared sine of the angle between beam and long axis below which no end is seen beside the hip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedCt:
    """A CT ready to be projected.

    Args:
        parts: one part a material, DICOM patient coordinates.
        hip_mm: (3,) centre of the femoral head, the same coordinates.
        side: of that hip.
        ends_mm: (lowest z, highest z) where the body goes on outside the volume; ∓inf where it does not.
        continued: slices (below, above) of the parts that are not in the volume but continue its last slices.
        digest: identifies the volume's values.
        notices: what the user should know.
    """

    parts: tuple[Part, ...]
    hip_mm: Vector
    side: Side
    ends_mm: tuple[float, float]
    continued: tuple[int, int]
    digest: str
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReconstructedView:
    """One digitally reconstructed radiograph.

    Args:
        projection: how it is named.
        geometry: source and detector; the hip's centre is the origin.
        picture: the radiograph.
        hip_xy: centre of the femoral head, image coordinates.
    """

    projection: Projection
    geometry: Geometry
    picture: Radiograph
    hip_xy: tuple[float, float]


def prepare(volume: CtVolume, *, side: Side, hip_mm: Vector | None, table: AttenuationTable) -> PreparedCt:
    """Split a CT into materials and find the hip.

    Args:
        volume: what `read_ct` gave.
        side: which hip.
        hip_mm: (3,) centre of the femoral head when it is given; None to find it.
        table: attenuation table.

    Raises:
        UserError: no body, no hip, or a volume that ends too close to it.
    """
    hip = find_hip(volume, side) if hip_mm is None else np.asarray(hip_mm, np.float64)
    notices = check_room(volume, hip)
    weight = body_weight(volume)
    low, high = outer_faces(weight)
    first_z = volume.origin_mm[2]
    last_z = first_z + (len(volume.hu) - 1) * volume.spacing_mm[0]
    count = math.ceil(_BEYOND_MM / volume.spacing_mm[0])
    continued = (count if low > _OPEN_FACE else 0, count if high > _OPEN_FACE else 0)
    return PreparedCt(
        parts=split(*_continued(volume, weight, continued), table),
        hip_mm=hip,
        side=side,
        ends_mm=(first_z if continued[0] else -np.inf, last_z if continued[1] else np.inf),
        continued=continued,
        digest=hashlib.sha256(np.ascontiguousarray(volume.hu).tobytes()).hexdigest(),
        notices=tuple(notices),
    )


def _continued(
    volume: CtVolume, weight: NDArray[np.float32], slices: tuple[int, int]
) -> tuple[CtVolume, NDArray[np.float32]]:
    """Continue the last slices where the body goes on, fading out, so that the end of the volume throws no edge."""
    if slices == (0, 0):
        return volume, weight
    beyond = (np.arange(max(slices)) + 1) * volume.spacing_mm[0]
    fade = 0.5 + 0.5 * np.cos(np.pi * np.clip(beyond / _BEYOND_MM, 0, 1))
    share = np.concatenate([fade[: slices[0]][::-1], np.ones(len(weight)), fade[: slices[1]]]).astype(np.float32)
    padding = (slices, (0, 0), (0, 0))
    x, y, z = volume.origin_mm
    longer = replace(
        volume,
        hu=np.pad(volume.hu, padding, mode="edge"),
        origin_mm=(x, y, z - slices[0] * volume.spacing_mm[0]),
    )
    return longer, np.pad(weight, padding, mode="edge") * share[:, None, None]


def posed(ct: PreparedCt, pair: Pair) -> tuple[Part, ...]:
    """The parts scaled about the hip, turned, and moved so that the hip's centre is the origin."""
    inward = -1.0 if ct.side is Side.RIGHT else 1.0
    pose = np.eye(4)
    pose[:3, :3] = rotation([1, 0, 0], pair.apical_deg) @ rotation([0, 0, 1], inward * pair.rotation_deg)
    factor = np.array(pair.scale)
    moved = []
    for part in ct.parts:
        x, y, z = (factor * (np.array(part.origin_mm) - ct.hip_mm)).tolist()
        dz, dy, dx = (np.array(part.spacing_mm) * factor[::-1]).tolist()
        moved.append(replace(part, spacing_mm=(dz, dy, dx), origin_mm=(x, y, z), pose=pose))
    return tuple(moved)


def reconstruct(
    ct: PreparedCt,
    *,
    seed: int,
    number: int,
    variation: Variation,
    size_px: int,
    table: AttenuationTable,
) -> tuple[Pair, Iterator[ReconstructedView]]:
    """One pair of radiographs; the same seed and number give the same bytes.

    Args:
        ct: the prepared CT.
        seed: of the run.
        number: of the pair, 0-based.
        variation: which parameters vary.
        size_px: height and width of the images.
        table: attenuation table.
    """
    rng = np.random.default_rng([seed, number])
    pair = sample_pair(rng, variation, ct.side, size_px=size_px, field_mm=FIELD_MM)
    style = tuple(Style)[int(rng.integers(len(Style)))]
    turn = float(rng.normal(0, 6))
    return pair, _views(ct, pair, style, turn, (seed, number), table)


def _views(
    ct: PreparedCt, pair: Pair, style: Style, turn: float, seed: tuple[int, int], table: AttenuationTable
) -> Iterator[ReconstructedView]:
    parts = posed(ct, pair)
    for index, (projection, geometry) in enumerate(zip(pair.views, pair.geometries, strict=True)):
        areal = project(parts, geometry)
        _displace(areal)
        x, y = geometry.project_points(np.zeros(3))
        marker = Marker(side=ct.side, turn_deg=turn) if projection is not Projection.OBLIQUE else None
        picture = expose(
            areal,
            pixel_mm=geometry.pixel_mm,
            magnification=geometry.magnification(np.zeros(3)),
            technique=Technique(kvp=pair.kvp[index], dose=pair.dose[index]),
            style=style,
            rng=np.random.default_rng([*seed, 1 + index]),
            field=_field(ct, pair, parts[0].pose, geometry),
            marker=marker,
            table=table,
        )
        yield ReconstructedView(projection=projection, geometry=geometry, picture=picture, hip_xy=(float(x), float(y)))


def _displace(areal: dict[Material, NDArray[np.float32]]) -> None:
    """No material is negative: cubic interpolation may undershoot a little."""
    for image in areal.values():
        np.maximum(image, 0, out=image)


def _field(ct: PreparedCt, pair: Pair, pose: Vector, geometry: Geometry) -> Vector:
    """The detector, collimated where the volume ends at the depth of the hip (the plane through it across the beam)."""
    corners = full_field(geometry.rows, geometry.cols)
    hip = geometry.project_points(np.zeros(3))
    low, high = corners[0].copy(), corners[2].copy()
    beam = -geometry.source / np.linalg.norm(geometry.source)
    up = pose[:3, 2]
    across = up - (up @ beam) * beam
    if across @ across < _LEAST_TILT:
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    sideways = np.cross(beam, across) / np.linalg.norm(across)
    for end in ct.ends_mm:
        if not np.isfinite(end):
            continue
        nearest = (end - ct.hip_mm[2]) * pair.scale[2] * across / (across @ across)
        image = geometry.project_points(np.array([nearest - _NEAR_MM * sideways, nearest + _NEAR_MM * sideways]))
        away = image.mean(axis=0) - hip
        axis = int(np.argmax(np.abs(away)))  # the body leaves the image at the side, or at the top or bottom
        if away[axis] > 0:
            high[axis] = min(high[axis], image[:, axis].min() - _EDGE_MARGIN_PX)
        else:
            low[axis] = max(low[axis], image[:, axis].max() + _EDGE_MARGIN_PX)
    return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])


def coarse_tissue(ct: PreparedCt, pair: Pair, *, voxel_mm: float = 16.0) -> Part:
    """The posed bone and metal as coarse voxels for the correspondence matrix; values are 1 in the densest voxel.

    Paper 003's code takes a sigmoid of the HU (centre 850) averaged over 16³ voxels of 1 mm, which is bone as well.
    """
    parts = {part.material: part for part in posed(ct, pair)}
    total = sum(
        (parts[name].density for name in (Material.BONE, Material.METAL) if name in parts),
        start=np.zeros_like(next(iter(parts.values())).density),
    )
    below, above = ct.continued
    total[:below] = 0
    total[len(total) - above :] = 0
    fine = next(iter(parts.values()))
    factor = max(1, round(voxel_mm / min(fine.spacing_mm)))
    coarse = pooled(replace(fine, density=np.asarray(total, np.float32)), factor)
    peak = float(coarse.density.max())
    return replace(coarse, density=coarse.density / np.float32(peak if peak > 0 else 1))


def pair_values(pair: Pair) -> dict[str, Any]:
    """The drawn parameters as plain values."""
    return {
        "scale_xyz": list(pair.scale),
        "rotation_deg": pair.rotation_deg,
        "apical_deg": pair.apical_deg,
        "kvp": list(pair.kvp),
        "dose": list(pair.dose),
    }
