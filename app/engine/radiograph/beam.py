"""The X-ray beam: its spectrum as the detector sees it, and what a body leaves of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Material
from app.engine.radiograph.attenuation import COLUMN_OF, AttenuationTable

Array: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]

ALUMINIUM_G_CM3 = 2.699
SCINTILLATOR_G_CM2 = 0.180  # about 500 µm of columnar CsI at 80 % packing
LOWEST_KEV = 20.0  # 3 mm of aluminium leave less than 1 % below
_ROWS_AT_ONCE = 16  # strips that stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """What the detector measures without a body in the beam, by energy.

    Args:
        energy_kev: (N,) float64, centres of the energy bins, keV.
        weight: (N,) float64, share of the detector signal, sums to 1.
    """

    energy_kev: Vector
    weight: Vector


def tube_fluence(kvp: float, aluminium_mm: float, table: AttenuationTable, energy_kev: Vector) -> Vector:
    """(N,) photons of each energy behind the filter, arbitrary units.

    Kramers' law for thick tungsten (Philos Mag 1923;46:836) behind total filtration; no characteristic lines.
    """
    filtered = np.exp(-table.coefficient("aluminium", energy_kev) * ALUMINIUM_G_CM3 * aluminium_mm / 10)
    return np.asarray(np.clip(kvp / energy_kev - 1, 0, None) * filtered)


def detected_spectrum(kvp: float, aluminium_mm: float, table: AttenuationTable, *, bins: int = 14) -> Spectrum:
    """The spectrum weighted by what a caesium iodide detector absorbs of each photon, and by the photon's energy.

    Args:
        kvp: tube voltage, 40–150 kV.
        aluminium_mm: total filtration, mm of aluminium.
        table: attenuation table.
        bins: number of energies.
    """
    if not 40 <= kvp <= 150:
        raise ValueError(f"the tube voltage must lie within 40–150 kV, not {kvp:g}")
    edges = np.linspace(LOWEST_KEV, kvp, bins + 1)
    energy = (edges[1:] + edges[:-1]) / 2
    absorbed = 1 - np.exp(-table.coefficient("caesium_iodide", energy) * SCINTILLATOR_G_CM2)
    weight = tube_fluence(kvp, aluminium_mm, table, energy) * energy * absorbed
    return Spectrum(energy_kev=energy, weight=weight / weight.sum())


def transmission(densities: Mapping[Material, Array], spectrum: Spectrum, table: AttenuationTable) -> Array:
    """Polychromatic Beer–Lambert: the share of the open-field signal that comes through, without scatter.

    Args:
        densities: for each material, (rows, cols) float32 areal density, g/cm²; negative values count as none.
        spectrum: detected spectrum.
        table: attenuation table.

    Returns:
        (rows, cols) float32 in 0…1.
    """
    if not densities:
        raise ValueError("nothing was projected")
    names = list(densities)
    layers = [densities[name] for name in names]
    mu = np.stack([table.coefficient(COLUMN_OF[name], spectrum.energy_kev) for name in names]).astype(np.float32)
    weight = spectrum.weight.astype(np.float32)
    signal: Array = np.zeros(layers[0].shape, np.float32)
    for start in range(0, len(signal), _ROWS_AT_ONCE):
        strip = [np.maximum(layer[start : start + _ROWS_AT_ONCE], 0) for layer in layers]
        exponent, term = np.empty_like(strip[0]), np.empty_like(strip[0])
        for energy in range(len(weight)):
            np.multiply(strip[0], -mu[0, energy], out=exponent)
            for index in range(1, len(strip)):
                np.multiply(strip[index], -mu[index, energy], out=term)
                exponent += term
            np.exp(exponent, out=exponent)
            exponent *= weight[energy]
            signal[start : start + _ROWS_AT_ONCE] += exponent
    return signal
