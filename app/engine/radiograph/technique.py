"""How an exposure is made: tube, dose, grid, focal spot, and the maker's style of processing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """Four manners of processing, as different as those of different makers; none imitates a product."""

    SOFT = "soft"
    CRISP = "crisp"
    FLAT = "flat"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """Exposure parameters.

    Args:
        kvp: tube voltage, kV (hip 60–90; grid techniques use 70–85).
        aluminium_mm: total filtration, mm Al.
        dose: detector exposure; 1 = 52,000 quanta in an open-field area of 0.3 mm × 0.3 mm (about 10 µGy).
        focal_spot_mm: nominal width of the focal spot, mm.
        scatter_share: share of the scatter that the grid lets through, 0–1.
        blur: width of the scintillator's response relative to a modern caesium iodide panel.
        electronic_noise: standard deviation of the read-out, relative to the open field.
    """

    kvp: float = 75.0
    aluminium_mm: float = 3.2
    dose: float = 1.0
    focal_spot_mm: float = 0.6
    scatter_share: float = 0.6
    blur: float = 1.0
    electronic_noise: float = 0.0002

    def __post_init__(self) -> None:
        if not 40 <= self.kvp <= 150:
            raise ValueError(f"the tube voltage must lie within 40–150 kV, not {self.kvp:g}")
        if min(self.dose, self.blur) <= 0 or not 0 <= self.scatter_share <= 1:
            raise ValueError("dose and blur must be positive, the scatter share within 0–1")
