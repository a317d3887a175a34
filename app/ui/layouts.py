"""Which views of a case are side by side, and which one alone."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from app.core.record import record

FRONTAL, LATERAL, OTHER = "frontal", "lateral", "other"


class Layout(StrEnum):
    """How the panes are arranged."""

    PAIR = "pair"  # frontal | lateral
    SINGLE = "single"  # the active view alone
    STACKED = "stacked"  # frontal above lateral
    BOTH_HIPS = "both-hips"  # this case's frontal beside that of the other hip


@record(frozen=True, slots=True)
class Arrangement:
    """What is shown where.

    Args:
        names: the places that are shown, from left to right or from top to bottom; at least one.
        is_vertical: whether they stand above each other.
        missing: places that the layout would show but that hold nothing: said in words, no pane is left black.
    """

    names: tuple[str, ...]
    is_vertical: bool = False
    missing: tuple[str, ...] = ()


def arrange(layout: Layout, held: Collection[str], *, active: str, is_right_hip: bool) -> Arrangement:
    """Which places to show.

    Args:
        layout: what the user chose.
        held: places that hold a view (or the reason why it cannot be shown).
        active: the place that keys apply to.
        is_right_hip: whether the case is the patient's right hip, which hangs on the viewer's left.
    """
    own = tuple(name for name in (FRONTAL, LATERAL) if name in held)
    if layout is Layout.BOTH_HIPS and FRONTAL in held and OTHER in held:
        return Arrangement((FRONTAL, OTHER) if is_right_hip else (OTHER, FRONTAL))
    if not own:
        return Arrangement((FRONTAL,))
    if layout is Layout.BOTH_HIPS:  # there is nothing to compare with: the views of this hip, and why
        return Arrangement(own, missing=(FRONTAL if FRONTAL not in held else OTHER,))
    missing_own = tuple(name for name in (FRONTAL, LATERAL) if name not in held)
    if layout is Layout.SINGLE:
        return Arrangement((active if active in own else own[0],), missing=missing_own)
    return Arrangement(own, is_vertical=layout is Layout.STACKED, missing=missing_own)
