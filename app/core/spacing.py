"""How many millimetres a pixel stands for, and how far that figure can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SpacingSource(StrEnum):
    """Where a length scale comes from, best first (PS3.3 10.7, DX Detector Module)."""

    CALIBRATED = "calibrated"  # Pixel Spacing with Calibration Type FIDUCIAL or GEOMETRY
    MANUAL = "manual"  # a person measured a known length or a ball
    MAGNIFICATION = "magnification"  # Imager Pixel Spacing / estimated magnification factor
    PIXEL_SPACING = "pixel-spacing"  # Pixel Spacing alone: meaning not stated by the object
    DETECTOR = "detector"  # Imager Pixel Spacing: size at the detector, larger than the patient
    MAPPING = "mapping"  # the CSV mapping of an archive without DICOM headers
    NONE = "none"  # lengths can be given in pixels only


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """Distance between pixel centres.

    Args:
        row_mm: distance between rows (down), mm; None without a usable figure.
        col_mm: distance between columns (right), mm; None without a usable figure.
        source: where the figure comes from.
        is_trusted: whether lengths may be shown in mm and crops sized in mm without asking a person.
        note: why a figure was refused or is doubtful, in one sentence; empty if there is nothing to say.
    """

    row_mm: float | None = None
    col_mm: float | None = None
    source: SpacingSource = SpacingSource.NONE
    is_trusted: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if (self.row_mm is None) != (self.col_mm is None):
            raise ValueError("row_mm and col_mm are given together or not at all")
        if self.is_trusted and self.row_mm is None:
            raise ValueError("a missing spacing cannot be trusted")
