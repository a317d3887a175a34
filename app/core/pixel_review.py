"""Whether an image may leave the project: burnt-in text, what a person said on looking, and what is painted over.

An image that may carry text in its pixels (secondary captures, colour, Burned In Annotation not NO) waits until a
person has looked at it. Nothing that nobody has seen leaves.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from app.core.record import record

XY: TypeAlias = tuple[float, float]
PixelT = TypeVar("PixelT", np.uint8, np.uint16, np.float32)
MAX_MASKS = 50
# ViewFlag values; an image with one of them may hold text
DOUBTFUL_FLAGS = frozenset({"may-have-text", "not-native"})


class PixelVerdict(StrEnum):
    """What a person said on looking at the pixels."""

    CLEAN = "clean"  # nothing in it identifies anybody
    MASKED = "masked"  # what identifies somebody is painted over
    REFUSED = "refused"  # it must not leave


class ReleaseState(StrEnum):
    """Whether the pixels of a view may leave the project."""

    FREE = "free"  # its source says that there is no text in it, and nothing speaks against that
    WAITING = "waiting"  # nobody has looked
    CLEAN = "clean"
    MASKED = "masked"
    REFUSED = "refused"
    ABSENT = "absent"  # this copy of the project never had the pixels

    @property
    def may_leave(self) -> bool:
        """Whether an export may hold the pixels (of a masked image: with its masks painted over)."""
        return self in (ReleaseState.FREE, ReleaseState.CLEAN, ReleaseState.MASKED)


@record(frozen=True, slots=True, kw_only=True)
class MaskBox:
    """A rectangle of whole pixels that is painted over.

    Args:
        left: first column.
        top: first row.
        right: the column behind the last one.
        bottom: the row behind the last one.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right and 0 <= self.top < self.bottom):
            raise ValueError("a mask covers at least one pixel")


@record(frozen=True, slots=True, kw_only=True)
class PixelReview:
    """What a person said about the pixels of a view.

    Args:
        verdict: what.
        masks: what is painted over; for MASKED at least one, for CLEAN none.
    """

    verdict: PixelVerdict
    masks: tuple[MaskBox, ...] = ()

    def __post_init__(self) -> None:
        if len(self.masks) > MAX_MASKS:
            raise ValueError(f"an image has at most {MAX_MASKS} masks")
        if (self.verdict is PixelVerdict.MASKED) != bool(self.masks) and self.verdict is not PixelVerdict.REFUSED:
            raise ValueError("masked means with masks, clean means without")


def release_state(flags: Collection[str], review: PixelReview | None) -> ReleaseState:
    """Whether the pixels of a view may leave.

    A person's verdict counts before what the source says: an image that calls itself free of text may be refused too.

    Args:
        flags: its ViewFlag values.
        review: what a person said; None = nobody has looked.
    """
    if review is not None:
        return ReleaseState(review.verdict.value)
    return ReleaseState.FREE if DOUBTFUL_FLAGS.isdisjoint(flags) else ReleaseState.WAITING


def mask_between(first_xy: XY, second_xy: XY, *, rows: int, cols: int) -> MaskBox | None:
    """The whole pixels that a drag from one place to another touches, on the image; None when there are none.

    Args:
        first_xy: where the drag began, image coordinates.
        second_xy: where it is.
        rows: image height, px.
        cols: image width, px.
    """
    (x0, x1), (y0, y1) = sorted((first_xy[0], second_xy[0])), sorted((first_xy[1], second_xy[1]))
    left, right = max(math.floor(x0), 0), min(math.ceil(x1), cols)
    top, bottom = max(math.floor(y0), 0), min(math.ceil(y1), rows)
    if left >= right or top >= bottom:
        return None
    return MaskBox(left=left, top=top, right=right, bottom=bottom)


def masked(image: npt.NDArray[PixelT], masks: Iterable[MaskBox], *, fill: int) -> npt.NDArray[PixelT]:
    """The image with everything under the masks replaced by one value.

    Args:
        image: (H, W) stored values, or (H, W, C) colours.
        masks: what is painted over; parts beyond the image are left out.
        fill: the value.

    Returns:
        A new array; the same one where there is no mask.
    """
    boxes = tuple(masks)
    if not boxes:
        return image
    result = np.array(image)
    for box in boxes:
        result[box.top : box.bottom, box.left : box.right] = fill
    return result


def resized_masks(masks: Iterable[MaskBox], *, scale: float, rows: int, cols: int) -> tuple[MaskBox, ...]:
    """Masks on a smaller or larger picture of the same image, grown to whole pixels so that nothing shows at an edge.

    Args:
        masks: on the image.
        scale: pixels of the picture for one pixel of the image.
        rows: picture height, px.
        cols: picture width, px.
    """
    grown = 1.0 if scale < 1 else 0.0  # a smaller picture has mixed the neighbours in
    boxes = (
        mask_between(
            (box.left * scale - grown, box.top * scale - grown),
            (box.right * scale + grown, box.bottom * scale + grown),
            rows=rows,
            cols=cols,
        )
        for box in masks
    )
    return tuple(box for box in boxes if box is not None)
