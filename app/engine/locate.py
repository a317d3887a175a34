"""Where the hip is in a whole view, so that a case nobody has annotated can be looked at.

A localiser gives a coarse map over the padded view: for every place the logit of the hip being there (ADR 0172). The
hip lies where it is largest, refined by the centre of mass of the 3 × 3 cells around. A pelvis has two hips: where a
second peak lies well beside the first and is not much weaker, the side that is looked for decides, since a patient's
right is on the left of a radiograph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.case import Side
from app.core.engine_messages import WholeView
from app.core.geometry import XY, Crop, crop_mask, mapped
from app.core.grey import DisplayTable, StoredImage
from app.core.model_input import ModelInput, standardise, whole_view

Array = npt.NDArray[np.float32]
Score = Callable[[Array], Array]

RIVAL = 0.2  # a second peak counts from this share of the first
APART = 0.25  # of the view's width; hips lie 0.4 of a pelvis view apart
REACH = 1  # cells around a peak that belong to it


@dataclass(frozen=True, slots=True)
class Found:
    """A hip.

    Args:
        center_xy: image coordinates.
        confidence: belief that the hip is there, 0 … 1; halved where another place is as likely.
        head_xy: centre of the femoral head, image coordinates; None where the localiser does not tell.
    """

    center_xy: XY
    confidence: float
    head_xy: XY | None


def locate(image: StoredImage, table: DisplayTable, view: WholeView, wanted: ModelInput, score: Score) -> Found:
    """Find the hip in one view.

    Args:
        image: stored values.
        table: the view's automatic window.
        view: size, spacing, and which side is looked for.
        wanted: what the localiser is fed.
        score: from the input (channels, size, size) to logits (1 or 2, h, w): of the hip, and of the centre of the
            femoral head if the localiser tells.
    """
    cut = localiser_cut(view, wanted)
    scores = score(standardise(image, table, cut, wanted)).astype(np.float64)
    cells = scores.shape[2]
    scores[:, ~_is_inside(view, cut, cells)] = -np.inf
    width = cells * (cut.matrix[0][0] * view.cols / cut.size_px)  # of the view, in cells
    found = [hip_at(part, view.side, apart=APART * width) for part in scores]
    places = [mapped(cut.to_image, (x * cut.size_px / cells, y * cut.size_px / cells)) for (x, y), _ in found]
    return Found(places[0], found[0][1], places[1] if len(places) > 1 else None)


def localiser_cut(view: WholeView, wanted: ModelInput) -> Crop:
    """What the localiser is fed of a view: all of it."""
    return whole_view(view.rows, view.cols, view.spacing, size_px=wanted.size_px)


def hip_at(scores: npt.NDArray[np.float64], side: Side | None, *, apart: float) -> tuple[XY, float]:
    """The hip in a map.

    Args:
        scores: (h, w), logits; -inf where there is no image.
        side: of the hip that is looked for.
        apart: columns between two peaks from which they can be two hips.

    Returns:
        (x, y) in cells, origin at the corner of the first; and the confidence, 0 … 1.
    """
    belief = 1 / (1 + np.exp(-np.clip(scores, -80, 80)))
    belief[np.isneginf(scores)] = 0
    chosen = _highest(belief)
    elsewhere = belief.copy()
    elsewhere[:, np.abs(np.arange(belief.shape[1]) - chosen[1]) < apart] = 0
    other = _highest(elsewhere)
    is_open = elsewhere[other] >= RIVAL * belief[chosen]
    if is_open and side in (Side.LEFT, Side.RIGHT):
        is_open = False
        if (other[1] < chosen[1]) is (side is Side.RIGHT):
            chosen = other
    confidence = float(belief[chosen])
    if is_open:
        confidence *= confidence / (confidence + float(belief[other]))
    near = _around(chosen)
    part = np.exp(scores[near] - scores[chosen])
    mass = float(part.sum())
    rows, cols = (np.arange(belief.shape[axis])[near[axis]] + 0.5 for axis in (0, 1))
    return (float(part.sum(0) @ cols) / mass, float(part.sum(1) @ rows) / mass), confidence


def _highest(belief: npt.NDArray[np.float64]) -> tuple[int, int]:
    row, col = np.unravel_index(int(belief.argmax()), belief.shape)
    return int(row), int(col)


def _around(place: tuple[int, int]) -> tuple[slice, slice]:
    row, col = place
    return slice(max(row - REACH, 0), row + REACH + 1), slice(max(col - REACH, 0), col + REACH + 1)


def _is_inside(view: WholeView, cut: Crop, cells: int) -> npt.NDArray[np.bool_]:
    """Which cells have their centre on the image: (cells, cells) bool."""
    (a, b, c), (d, e, f) = cut.matrix
    share = cells / cut.size_px
    coarse = Crop(matrix=((a * share, b * share, c * share), (d * share, e * share, f * share)), size_px=cells)
    return crop_mask(coarse, rows=view.rows, cols=view.cols)
