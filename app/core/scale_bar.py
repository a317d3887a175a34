"""How long a scale bar is and what stands beside it."""

from __future__ import annotations

import math

from app.core.record import record
from app.core.spacing import Spacing

STEPS = (1, 2, 5)


@record(frozen=True, slots=True, kw_only=True)
class ScaleBar:
    """A bar of a round length.

    Args:
        length_px: its length on the screen, logical px.
        amount: the length that it stands for, in `unit`.
        unit: `mm`, `cm` or `px` (image columns).
    """

    length_px: float
    amount: float
    unit: str


def round_length(longest: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer.

    Args:
        longest: > 0.
    """
    if not (math.isfinite(longest) and longest > 0):
        raise ValueError("a length is finite and greater than zero")
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in (0.5, *STEPS, 10) if step * power <= longest * (1 + 1e-9))


def scale_bar(spacing: Spacing, *, unit_px: float, room_px: float) -> ScaleBar:
    """The longest round bar that fits.

    Images are drawn with square display units as wide as one image column, so one bar holds in every direction,
    however the image is turned and whatever the shape of its pixels.

    Args:
        spacing: length scale of the image; without one the bar is in px.
        unit_px: logical screen px per image column, > 0.
        room_px: the longest that the bar may be, logical px, > 0.
    """
    if spacing.col_mm is None:
        amount = max(1.0, round_length(room_px / unit_px))
        return ScaleBar(length_px=amount * unit_px, amount=amount, unit="px")
    px_per_mm = unit_px / spacing.col_mm
    amount_mm = round_length(room_px / px_per_mm)
    length_px = amount_mm * px_per_mm
    if amount_mm >= 10:
        return ScaleBar(length_px=length_px, amount=amount_mm / 10, unit="cm")
    return ScaleBar(length_px=length_px, amount=amount_mm, unit="mm")
