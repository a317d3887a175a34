"""One exposure, from areal densities to stored grey values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Material
from app.engine.radiograph.attenuation import AttenuationTable
from app.engine.radiograph.collimation import field_mask, full_field
from app.engine.radiograph.detector import detector_signal
from app.engine.radiograph.marker import Marker, draw, find_place, outline
from app.engine.radiograph.processing import process
from app.engine.radiograph.technique import Style, Technique

Array: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Radiograph:
    """A finished radiograph.

    Args:
        pixels: (rows, cols) uint16, stored values for presentation, MONOCHROME2.
        bits_stored: 10, 12 or 14.
        signal: (rows, cols) float32, detector signal before processing, 1 = open field.
        field: (4, 2) float64, corners of the collimated field, image coordinates.
        marker_box: (4, 2) float64, corners of the side marker's box, image coordinates; None without a marker.
        technique: exposure parameters.
        style: manner of processing.
    """

    pixels: NDArray[np.uint16]
    bits_stored: int
    signal: Array
    field: Vector
    marker_box: Vector | None
    technique: Technique
    style: Style


def expose(
    densities: Mapping[Material, Array],
    *,
    pixel_mm: float,
    magnification: float,
    technique: Technique,
    style: Style,
    rng: np.random.Generator,
    field: Vector | None = None,
    marker: Marker | None = None,
    marker_region: Array | None = None,
    table: AttenuationTable | None = None,
) -> Radiograph:
    """Make a radiograph.

    Args:
        densities: for each material, (rows, cols) float32 areal density, g/cm² (what `projection.project` gives).
        pixel_mm: detector pixel, mm.
        magnification: of the hip.
        technique: exposure parameters.
        style: manner of processing.
        rng: the only source of chance; the same state gives the same bytes.
        field: (4, 2) corners of the collimated field in image coordinates; None for the whole detector.
        marker: side marker to lay on the detector, where it hides as little bone as possible; None for none.
        marker_region: (rows, cols) float32 in 0…1, where the marker may lie: the half of its side when both hips are
            shown; None = anywhere in the field.
        table: attenuation table; read from the resources when not given.
    """
    rows, cols = next(iter(densities.values())).shape
    polygon = full_field(rows, cols) if field is None else field
    open_field = field_mask(polygon, rows, cols, 0.4 / pixel_mm)
    lead, box = None, None
    if marker is not None:
        bone = sum(
            (densities[name] for name in (Material.BONE, Material.METAL) if name in densities),
            start=np.zeros((rows, cols), np.float32),
        )
        free = open_field if marker_region is None else open_field * marker_region
        place = find_place(marker, bone, free, pixel_mm, rng)
        lead, box = draw(marker, place, pixel_mm, rows, cols), outline(marker, place, pixel_mm)
    signal = detector_signal(
        densities,
        pixel_mm=pixel_mm,
        magnification=magnification,
        technique=technique,
        field=open_field,
        lead=lead,
        table=table or AttenuationTable.load(),
        rng=rng,
    )
    pixels, bits = process(signal, open_field, style, rng=rng)
    return Radiograph(
        pixels=pixels,
        bits_stored=bits,
        signal=signal,
        field=polygon,
        marker_box=box,
        technique=technique,
        style=style,
    )


def expected_signal(
    densities: Mapping[Material, Array],
    *,
    pixel_mm: float,
    magnification: float,
    technique: Technique,
    table: AttenuationTable | None = None,
) -> Array:
    """The detector's signal without noise, marker and collimation: what difference images are made of.

    Returns:
        (rows, cols) float32, 1 = open field.
    """
    rows, cols = next(iter(densities.values())).shape
    return detector_signal(
        densities,
        pixel_mm=pixel_mm,
        magnification=magnification,
        technique=technique,
        field=np.ones((rows, cols), np.float32),
        table=table or AttenuationTable.load(),
        rng=None,
    )
