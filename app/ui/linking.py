"""What panes do together: window, zoom and pan, turning and mirroring, each linked or not."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from app.core.record import record
from app.core.spacing import Spacing
from app.ui.image_pane import ImagePane


@record(frozen=True, slots=True, kw_only=True)
class Links:
    """What a change in one pane also changes in the others.

    Args:
        window: window, preset and inversion.
        zoom: zoom and pan.
        orientation: turning and mirroring.
    """

    window: bool = True
    zoom: bool = False
    orientation: bool = False


@record(frozen=True, slots=True)
class Linked:
    """One pane that takes part.

    Args:
        pane: the pane; it shows an image.
        spacing: length scale of its image.
    """

    pane: ImagePane
    spacing: Spacing


def units_per_unit(one: Linked, other: Linked) -> float:
    """How many display units of `other` mean the same as one display unit of `one`.

    The same millimetres when both length scales are trusted, else the same share of the image's height.
    """
    if one.spacing.is_trusted and other.spacing.is_trusted and one.spacing.col_mm and other.spacing.col_mm:
        return one.spacing.col_mm / other.spacing.col_mm
    return other.pane.display_rect.height() / one.pane.display_rect.height()


def follow(leader: Linked, moved: QPointF, other: Linked) -> None:
    """Show `other` as large as the leader and move it as far.

    Args:
        leader: the pane that the user moved.
        moved: how far its middle moved, its display units.
        other: the pane that follows.
    """
    ratio = units_per_unit(leader, other)
    other.pane.look_at(other.pane.center + moved * ratio, leader.pane.zoom / ratio)


def fit_together(panes: list[Linked]) -> None:
    """Show all of every image, all as large as each other."""
    if not panes:
        return
    first = panes[0]
    ratios = [units_per_unit(first, linked) for linked in panes]
    common = min(linked.pane.fit_zoom * ratio for linked, ratio in zip(panes, ratios, strict=True))
    for linked, ratio in zip(panes, ratios, strict=True):
        linked.pane.fit(limit=common / ratio)
