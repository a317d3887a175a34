"""How strongly each material attenuates X-rays of each energy (`resources/physics/attenuation.csv`)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.engine.phantom.volume import Material
from app.store.resources import resource_path

Vector: TypeAlias = NDArray[np.float64]

# implants of hip surgery are mostly a titanium alloy; its density travels with the part
COLUMN_OF: dict[Material, str] = {
    Material.BONE: "bone",
    Material.MUSCLE: "muscle",
    Material.FAT: "fat",
    Material.METAL: "titanium",
}


@dataclass(frozen=True, slots=True)
class AttenuationTable:
    """Mass attenuation coefficients of every substance in the resource file.

    Args:
        curves: substance to (energies in keV, ascending; coefficients in cm²/g).
    """

    curves: dict[str, tuple[Vector, Vector]]

    @classmethod
    def load(cls) -> AttenuationTable:
        """Read the table that ships with Coxa."""
        lines = [
            line
            for line in resource_path("physics", "attenuation.csv").read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ]
        rows = list(csv.DictReader(lines))
        curves = {}
        for name in rows[0]:
            if name != "energy_keV":
                filled = [(float(row["energy_keV"]), float(row[name])) for row in rows if row[name]]
                energies, values = zip(*filled, strict=True)
                curves[name] = (np.array(energies), np.array(values))
        return cls(curves)

    def coefficient(self, substance: str, energy_kev: ArrayLike) -> Vector:
        """Mass attenuation coefficient, log-log interpolated.

        Args:
            substance: a column of the table, for example `bone` or `aluminium`.
            energy_kev: (...) photon energies, 15–150 keV.

        Returns:
            (...) float64, cm²/g.
        """
        energies, values = self.curves[substance]
        asked = np.asarray(energy_kev, np.float64)
        if asked.size and (asked.min() < energies[0] or asked.max() > energies[-1]):
            raise ValueError(f"photon energies must lie within {energies[0]:g}–{energies[-1]:g} keV")
        return np.asarray(np.exp(np.interp(np.log(asked), np.log(energies), np.log(values))))
