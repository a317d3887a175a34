"""How many millimetres a pixel stands for, and how far that figure can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from app.core.messages import ObjectFacts
from app.core.record import record

# Detectors run from 0.05 mm (mammography) to 0.6 mm (binned fluoroscopy); archives hold reduced copies up to about
# 1.5 mm. Outside 0.02–2 mm a figure is not the pixel of a radiograph.
SMALLEST_MM = 0.02
LARGEST_MM = 2.0
LARGEST_EXTENT_MM = 1500.0  # the longest stitched leg image is 1.3 m
# A thin part on the detector has 1.0, magnification mammography 1.8; a hip 1.1–1.3.
LARGEST_MAGNIFICATION = 3.0
LARGEST_ASPECT = 4.0
SAME = 0.005  # relative: values written with three digits that mean the same
AGREE = 0.03  # relative: two independent accounts of the same magnification
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SCREEN_MM = (25.4 / 72, 25.4 / 96)  # what converters write for screen or print resolution

Pair = tuple[float, float]
UNKNOWN_PAIR: Pair = (1.0, 1.0)


class SpacingSource(StrEnum):
    """Where a length scale comes from, best first (PS3.3 10.7, DX Detector Module)."""

    CALIBRATED = "calibrated"  # Pixel Spacing with Calibration Type FIDUCIAL or GEOMETRY
    MANUAL = "manual"  # a person measured a known length or a ball
    MAGNIFICATION = "magnification"  # Imager Pixel Spacing / estimated magnification factor
    PIXEL_SPACING = "pixel-spacing"  # Pixel Spacing alone: meaning not stated by the object
    DETECTOR = "detector"  # Imager Pixel Spacing: size at the detector, larger than the patient
    MAPPING = "mapping"  # the CSV mapping of an archive without DICOM headers
    NONE = "none"  # lengths can be given in pixels only


@record(frozen=True, slots=True, kw_only=True)
class Spacing:
    """Distance between pixel centres.

    Args:
        row_mm: distance between rows (down), mm; None without a usable figure.
        col_mm: distance between columns (right), mm; None without a usable figure.
        source: where the figure comes from.
        is_trusted: whether lengths may be shown in mm and crops sized in mm without asking a person.
        note: why a figure was refused or is doubtful, in one sentence; empty if there is nothing to say.
        aspect: row distance ÷ column distance, known even where millimetres are not; 1 = square pixels.
    """

    row_mm: float | None = None
    col_mm: float | None = None
    source: SpacingSource = SpacingSource.NONE
    is_trusted: bool = False
    note: str = ""
    aspect: float = 1.0

    def __post_init__(self) -> None:
        if (self.row_mm is None) != (self.col_mm is None):
            raise ValueError("row_mm and col_mm are given together or not at all")
        if self.is_trusted and self.row_mm is None:
            raise ValueError("a missing spacing cannot be trusted")


def resolve_spacing(facts: ObjectFacts, *, rows: int = 0, cols: int = 0) -> Spacing:
    """Decide what a pixel measures, and say where the figure comes from (PS3.3 10.7.1.3, C.8.7.10, ADR 0011).

    In this order: Pixel Spacing with a Calibration Type; Imager Pixel Spacing ÷ magnification (the estimated factor,
    else source–detector ÷ source–patient distance); Pixel Spacing that differs from Imager Pixel Spacing or stands
    alone; Imager Pixel Spacing. Pixel Spacing equal to Imager Pixel Spacing carries no calibration and counts as the
    latter. Figures that cannot be true are refused, doubtful ones are kept but not trusted.

    Args:
        facts: what the object says about itself.
        rows: image height, px; 0 if not known. With `cols` it is checked that the field has a possible size.
        cols: image width, px; 0 if not known.
    """
    pixel, pixel_flaw = _read_pair("Pixel Spacing", facts.pixel_spacing, rows, cols)
    imager, imager_flaw = _read_pair("Imager Pixel Spacing", facts.imager_pixel_spacing, rows, cols)
    flaws = " ".join(flaw for flaw in (pixel_flaw, imager_flaw) if flaw)
    if pixel is not None and facts.calibration_type.strip().upper() in ("FIDUCIAL", "GEOMETRY"):
        return _spacing(pixel, SpacingSource.CALIBRATED, note=imager_flaw)
    doubt = "" if pixel is None else _doubt(pixel, facts, has_detector=imager is not None)
    if imager is not None:
        stated = None if pixel is None or doubt or _are_near(pixel, imager, SAME) else pixel
        return _from_detector(imager, stated, facts, _join(doubt, flaws))
    if pixel is not None:
        note = doubt or "The object does not say whether Pixel Spacing holds at the detector or in the patient."
        return _spacing(pixel, SpacingSource.PIXEL_SPACING, note=_join(note, flaws), is_trusted=not doubt)
    return Spacing(note=flaws or "The object states no pixel size.", aspect=_aspect(facts.pixel_aspect_ratio))


def _from_detector(imager: Pair, pixel: Pair | None, facts: ObjectFacts, flaws: str) -> Spacing:
    """The length scale of an object with Imager Pixel Spacing.

    Args:
        imager: Imager Pixel Spacing, mm.
        pixel: Pixel Spacing, mm, if it says something else than the detector's figure and is not doubtful.
        facts: what the object says about itself.
        flaws: what was wrong with other figures.
    """
    factor, origin = _magnification(facts)
    if factor is not None:
        scaled = (imager[0] / factor, imager[1] / factor)
        if pixel is None or _are_near(pixel, scaled, AGREE):
            return _spacing(scaled, SpacingSource.MAGNIFICATION, note=_join(flaws, origin))
        note = "Pixel Spacing does not agree with the detector's pixel size and the stated magnification."
        return _spacing(scaled, SpacingSource.MAGNIFICATION, note=_join(note, flaws), is_trusted=False)
    if pixel is None:
        if imager == UNKNOWN_PAIR:
            note = "Imager Pixel Spacing of exactly 1 mm is what converters write when they do not know."
            return _spacing(imager, SpacingSource.DETECTOR, note=_join(note, flaws), is_trusted=False)
        note = origin or "Measured at the detector: the hip itself is smaller than these lengths say."
        return _spacing(imager, SpacingSource.DETECTOR, note=_join(flaws, note))
    if max(pixel) > max(imager) * (1 + SAME):
        note = "Pixel Spacing is larger than the detector's own pixels, which no magnification explains."
        return _spacing(pixel, SpacingSource.PIXEL_SPACING, note=_join(note, flaws), is_trusted=False)
    note = "Pixel Spacing differs from the detector's, so it was corrected, but the object does not say how."
    return _spacing(pixel, SpacingSource.PIXEL_SPACING, note=_join(note, flaws))


def _spacing(pair: Pair, source: SpacingSource, *, note: str = "", is_trusted: bool = True) -> Spacing:
    row_mm, col_mm = pair
    found = Spacing(row_mm=row_mm, col_mm=col_mm, source=source, is_trusted=is_trusted, note=note)
    return replace(found, aspect=row_mm / col_mm)


def _read_pair(name: str, texts: Sequence[str], rows: int, cols: int) -> tuple[Pair | None, str]:
    """Row and column distance, or None and the reason for which the figures were refused."""
    if not any(text.strip() for text in texts):
        return None, ""
    values = [_number(text) for text in texts]
    if len(values) != 2 or any(value is None for value in values):
        return None, f"{name} is not two numbers."
    row_mm, col_mm = (value for value in values if value is not None)
    figures = f"{name} {row_mm:g} × {col_mm:g} mm"
    if min(row_mm, col_mm) < SMALLEST_MM or max(row_mm, col_mm) > LARGEST_MM:
        return None, f"{figures} is not the pixel size of a radiograph."
    if max(row_mm / col_mm, col_mm / row_mm) > LARGEST_ASPECT:
        return None, f"{figures} is not a possible pixel shape."
    if rows > 0 and cols > 0:
        extent_mm = max(rows * row_mm, cols * col_mm)
        if extent_mm > LARGEST_EXTENT_MM:
            return None, f"{figures} would make the image {extent_mm:.0f} mm long."
    return (row_mm, col_mm), ""


def _doubt(pixel: Pair, facts: ObjectFacts, *, has_detector: bool) -> str:
    """Why a Pixel Spacing without Calibration Type may be a converter's invention; empty if nothing speaks for it."""
    if pixel == UNKNOWN_PAIR:
        return "Pixel Spacing of exactly 1 mm is what converters write when they do not know."
    if any(_are_near(pixel, (screen, screen), 1e-4) for screen in SCREEN_MM):
        return "Pixel Spacing is that of a screen or a print, not of a detector."
    if facts.sop_class_uid.startswith(SECONDARY_CAPTURE) and not has_detector:
        return "This is a secondary capture: nothing says what its Pixel Spacing measures."
    return ""


def _magnification(facts: ObjectFacts) -> tuple[float | None, str]:
    """Geometric magnification and where it comes from; None and the reason if there is none that can be true."""
    factor = _number(facts.magnification_factor)
    if factor is not None and 1 < factor <= LARGEST_MAGNIFICATION:
        return factor, ""
    detector_mm, patient_mm = _number(facts.source_to_detector_mm), _number(facts.source_to_patient_mm)
    if detector_mm is not None and patient_mm is not None and patient_mm > 0:
        ratio = detector_mm / patient_mm
        if 1 < ratio <= LARGEST_MAGNIFICATION:
            return ratio, "The magnification is the ratio of the source distances."
    if factor == 1:
        return None, "The object states no magnification: lengths hold at the detector."
    if factor is not None:
        return None, f"The stated magnification factor {factor:g} is not possible: lengths hold at the detector."
    return None, ""


def _aspect(texts: Sequence[str]) -> float:
    """Row ÷ column distance from Pixel Aspect Ratio (vertical\\horizontal, PS3.3 C.7.6.3.1.7); 1 without one."""
    values = [_number(text) for text in texts]
    if len(values) != 2 or values[0] is None or values[1] is None or min(values[0], values[1]) <= 0:
        return 1.0
    ratio = values[0] / values[1]
    return ratio if 1 / LARGEST_ASPECT <= ratio <= LARGEST_ASPECT else 1.0


def _number(text: str) -> float | None:
    """A finite decimal number, or None."""
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _are_near(one: Pair, other: Pair, tolerance: float) -> bool:
    return all(math.isclose(a, b, rel_tol=tolerance) for a, b in zip(one, other, strict=True))


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
