"""From areal densities to the detector's signal: beam, focal spot, scatter, quanta, scintillator, read-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Material
from app.engine.radiograph.attenuation import AttenuationTable
from app.engine.radiograph.beam import detected_spectrum, transmission
from app.engine.radiograph.technique import Technique

Array: TypeAlias = NDArray[np.float32]

QUANTA_PER_MM2 = 52_000 / 0.3**2  # at dose 1, open field
LEAKAGE = 0.0006  # what reaches the detector beside the collimated field
FLOOR = 1e-5
SCATTER_WIDTHS_MM = ((22.0, 0.65), (60.0, 0.35))  # standard deviations and shares of the scatter kernel
_SCATTER_GRID_MM = 4.0
_FWHM = 2.3548


def detector_signal(
    densities: Mapping[Material, Array],
    *,
    pixel_mm: float,
    magnification: float,
    technique: Technique,
    field: Array,
    lead: Array | None = None,
    table: AttenuationTable,
    rng: np.random.Generator | None,
) -> Array:
    """What the detector reads out, relative to the open field.

    Args:
        densities: for each material, (rows, cols) float32 areal density, g/cm².
        pixel_mm: detector pixel, mm.
        magnification: of the hip; sets the blur of the focal spot.
        technique: exposure parameters.
        field: (rows, cols) float32 in 0…1, the collimated field.
        lead: (rows, cols) float32 in 0…1, cover of the side marker, or None.
        table: attenuation table.
        rng: source of the noise; None for the expected signal without noise.

    Returns:
        (rows, cols) float32, ≥ 1e-5; 1 = open field.
    """
    spectrum = detected_spectrum(technique.kvp, technique.aluminium_mm, table)
    primary = transmission(densities, spectrum, table)
    if lead is not None:
        primary *= np.exp(np.float32(-3.2) * lead)
    primary = gaussian(primary, technique.focal_spot_mm * (magnification - 1) / _FWHM / pixel_mm)
    primary *= field
    signal = primary + np.float32(technique.scatter_share) * scatter(primary, pixel_mm) + np.float32(LEAKAGE)
    width_px = technique.blur * (0.084 / pixel_mm + 0.28)  # CsI panel: MTF 0.5 near 1.3 lp/mm at 0.15 mm pixels
    if rng is None:
        return np.maximum(gaussian(signal, width_px), np.float32(FLOOR))
    quanta = np.float32(QUANTA_PER_MM2 * technique.dose * pixel_mm**2)
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    noise *= np.sqrt(signal / quanta)
    signal += noise
    signal = gaussian(signal, width_px)  # light spreads in the scintillator: it blurs the image and the noise alike
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    noise *= np.float32(technique.electronic_noise)
    signal += noise
    return np.maximum(signal, np.float32(FLOOR))


def scatter(primary: Array, pixel_mm: float) -> Array:
    """Scattered radiation at the detector, before the grid.

    Every ray gives rise to scatter in proportion to the photons that come through and to a power of the path that
    they took; it spreads as two Gaussians, 22 and 60 mm wide (study in docs/adr/0071).

    Args:
        primary: (rows, cols) float32, transmitted share of the open field within the collimated field.
        pixel_mm: detector pixel, mm.
    """
    rows, cols = primary.shape
    factor = max(1, round(_SCATTER_GRID_MM / pixel_mm))
    size = (max(1, cols // factor), max(1, rows // factor))
    small = np.asarray(cv2.resize(primary, size, interpolation=cv2.INTER_AREA), np.float32)
    path = np.clip(-np.log(small + np.float32(1e-6)), 0, 6)
    source: Array = small * np.float32(0.12) * path ** np.float32(1.35)
    spread = np.zeros_like(source)
    for width_mm, share in SCATTER_WIDTHS_MM:
        spread += np.float32(share) * gaussian(source, width_mm / (pixel_mm * factor))
    large = np.asarray(cv2.resize(spread, (cols, rows), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.maximum(large, np.float32(0))


def gaussian(image: Array, sigma_px: float) -> Array:
    """Gaussian blur of a float image; the border is continued."""
    if sigma_px < 0.05:
        return image
    blurred = cv2.GaussianBlur(image, (0, 0), float(sigma_px), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)
