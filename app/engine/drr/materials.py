"""From Hounsfield units to bone, muscle, fat and metal; the table is left out."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import UserError
from app.engine.drr.volume import CtVolume
from app.engine.phantom.volume import Array, Material, Part
from app.engine.radiograph.attenuation import AttenuationTable

BONE_G_CM3, MUSCLE_G_CM3, FAT_G_CM3, METAL_G_CM3 = 1.92, 1.05, 0.95, 4.43
CT_KEV = 70.0  # effective energy of a 120 kV CT
_BODY_HU = -350.0
_METAL_HU = (2600.0, 3000.0)  # from no metal to metal; many scanners end at 3071
_DENSEST_BONE = 1.4  # as a share of ICRU cortical bone
_BODY_GRID_MM = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Hounsfield units of pure materials at the CT's energy."""

    fat: float
    muscle: float
    bone: float


def hounsfield(table: AttenuationTable, energy_kev: float = CT_KEV) -> Landmarks:
    """Hounsfield units of ICRU fat, muscle and cortical bone."""
    water = float(table.coefficient("water", energy_kev))

    def of(substance: str, density: float) -> float:
        return (float(table.coefficient(substance, energy_kev)) * density / water - 1) * 1000

    return Landmarks(fat=of("fat", FAT_G_CM3), muscle=of("muscle", MUSCLE_G_CM3), bone=of("bone", BONE_G_CM3))


def body_weight(volume: CtVolume) -> Array:
    """(Z, Y, X) float32: 1 inside the body, 0 in air, table and covers, soft between.

    Raises:
        UserError: there is no body in the volume.
    """
    sitk: Any = importlib.import_module("SimpleITK")  # slow to import, and without types
    factor = [max(1, round(_BODY_GRID_MM / step)) for step in volume.spacing_mm]
    coarse = _averaged(volume.hu, factor)
    mask = sitk.BinaryMorphologicalOpening(sitk.GetImageFromArray((coarse > _BODY_HU).astype(np.uint8)), [1, 1, 1])
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(mask))
    largest = sitk.GetArrayFromImage(parts) == 1
    if largest.sum() < 500:
        raise UserError(
            "There is no body in this volume.",
            reason="Almost everything in it is air.",
            remedy="Use a CT of the pelvis or of a hip.",
            kind="no-body",
        )
    # gas in the bowel belongs to the body; a voxel more on every side keeps the skin
    closed = sitk.BinaryFillhole(sitk.GetImageFromArray(largest.astype(np.uint8)))
    grown = sitk.GetArrayFromImage(sitk.BinaryDilate(closed, [1, 1, 1])).astype(np.float32)
    return _enlarged(grown, volume.hu.shape, factor)


def split(volume: CtVolume, weight: Array, table: AttenuationTable) -> tuple[Part, ...]:
    """The volume as parts of one material each, in DICOM patient coordinates.

    Each voxel is taken as a mixture: fat and muscle by its Hounsfield units up to muscle, muscle and bone above, metal
    above 2600 HU.

    Args:
        volume: the CT.
        weight: what `body_weight` gave.
        table: attenuation table.
    """
    marks = hounsfield(table)
    hu = np.where(volume.hu < -1000, np.float32(-1000), volume.hu)
    metal = _ramp(hu, *_METAL_HU) * weight
    soft = _ramp(hu, -1000.0, marks.fat)
    bone = np.clip((hu - np.float32(marks.muscle + 60)) / np.float32(marks.bone - marks.muscle - 60), 0, _DENSEST_BONE)
    bone *= weight * (1 - metal)
    fat = np.clip((np.float32(marks.muscle) - hu) / np.float32(marks.muscle - marks.fat), 0, 1) * soft
    fat *= (hu > -1000 + 0.5 * (1000 + marks.fat)) * weight  # half-filled voxels at the skin; gas is no fat
    muscle = np.clip(soft * weight - fat - np.minimum(bone, 1) - metal, 0, None)
    layers = {
        Material.BONE: bone * np.float32(BONE_G_CM3),
        Material.MUSCLE: muscle * np.float32(MUSCLE_G_CM3),
        Material.FAT: fat * np.float32(FAT_G_CM3),
        Material.METAL: metal * np.float32(METAL_G_CM3),
    }
    return tuple(
        Part(
            name=f"ct-{material.value}",
            material=material,
            density=np.ascontiguousarray(density, np.float32),
            spacing_mm=volume.spacing_mm,
            origin_mm=volume.origin_mm,
            pose=np.eye(4),
        )
        for material, density in layers.items()
        if density.any()
    )


def _ramp(hu: Array, low: float, high: float) -> Array:
    return np.asarray(np.clip((hu - np.float32(low)) / np.float32(high - low), 0, 1), np.float32)


def _averaged(values: Array, factor: list[int]) -> Array:
    padding = [(0, -size % step) for size, step in zip(values.shape, factor, strict=True)]
    padded = np.pad(values, padding, mode="edge")
    z, y, x = (size // step for size, step in zip(padded.shape, factor, strict=True))
    blocks = padded.reshape(z, factor[0], y, factor[1], x, factor[2])
    return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float32)


def _enlarged(values: Array, shape: tuple[int, ...], factor: list[int]) -> Array:
    """Linear interpolation back to the fine grid."""
    depth = np.clip((np.arange(shape[0]) + 0.5) / factor[0] - 0.5, 0, len(values) - 1)
    low = np.minimum(np.floor(depth).astype(int), max(len(values) - 2, 0))
    share = (depth - low).astype(np.float32)
    size = (values.shape[2] * factor[2], values.shape[1] * factor[1])
    planes = [
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)[: shape[1], : shape[2]]
        for plane in values
    ]
    fine = np.empty(shape, np.float32)
    for index in range(shape[0]):
        first, second = planes[low[index]], planes[min(low[index] + 1, len(planes) - 1)]
        fine[index] = first * (1 - share[index]) + second * share[index]
    return fine


def outer_faces(weight: NDArray[np.float32]) -> tuple[float, float]:
    """Share of the lowest and of the highest slice that is body: above a few per cent the body goes on outside."""
    return float((weight[0] > 0.5).mean()), float((weight[-1] > 0.5).mean())
