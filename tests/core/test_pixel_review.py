"""Burnt-in text: what may leave, and what is painted over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import ViewFlag
from app.core.pixel_review import (
    DOUBTFUL_FLAGS,
    MaskBox,
    PixelReview,
    PixelVerdict,
    ReleaseState,
    mask_between,
    masked,
    release_state,
    resized_masks,
)

BOX = MaskBox(left=2, top=1, right=5, bottom=3)


def test_doubtful_flags_are_flags_of_views() -> None:
    assert {ViewFlag.MAY_HAVE_TEXT, ViewFlag.NOT_NATIVE} == DOUBTFUL_FLAGS


@pytest.mark.parametrize("flag", sorted(ViewFlag))
def test_what_may_hold_text_waits(flag: ViewFlag) -> None:
    state = release_state({flag}, None)
    assert state is (ReleaseState.WAITING if flag in DOUBTFUL_FLAGS else ReleaseState.FREE)
    assert state.may_leave is (flag not in DOUBTFUL_FLAGS)


def test_a_persons_verdict_counts() -> None:
    doubtful = {ViewFlag.MAY_HAVE_TEXT}
    clean = PixelReview(verdict=PixelVerdict.CLEAN)
    refused = PixelReview(verdict=PixelVerdict.REFUSED)
    hidden = PixelReview(verdict=PixelVerdict.MASKED, masks=(BOX,))
    assert [release_state(doubtful, one).may_leave for one in (None, clean, refused, hidden)] == [
        False, True, False, True,
    ]  # fmt: skip
    assert not release_state(set(), refused).may_leave, "refused although the header calls it free"


def test_masked_needs_masks_and_clean_has_none() -> None:
    with pytest.raises(ValueError, match="masked means"):
        PixelReview(verdict=PixelVerdict.MASKED)
    with pytest.raises(ValueError, match="masked means"):
        PixelReview(verdict=PixelVerdict.CLEAN, masks=(BOX,))
    with pytest.raises(ValueError, match="one pixel"):
        MaskBox(left=3, top=0, right=3, bottom=4)


def test_masks_paint_exactly_their_pixels() -> None:
    image = np.arange(48, dtype=np.uint16).reshape(6, 8) + 100
    result = masked(image, [BOX], fill=7)
    changed = result != image
    assert changed.sum() == 6
    assert changed[1:3, 2:5].all()
    assert (result[changed] == 7).all()
    assert masked(image, [], fill=7) is image


@given(st.tuples(*[st.floats(-20, 30)] * 4))
def test_a_drag_covers_every_pixel_it_touches(places: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = places
    box = mask_between((x0, y0), (x1, y1), rows=9, cols=12)
    if box is None:
        assert max(x0, x1) <= 0 or min(x0, x1) >= 12 or max(y0, y1) <= 0 or min(y0, y1) >= 9 or x0 == x1 or y0 == y1
        return
    assert 0 <= box.left < box.right <= 12
    assert 0 <= box.top < box.bottom <= 9
    assert box.left <= max(min(x0, x1), 0)
    assert box.right >= min(max(x0, x1), 12)


def test_on_a_thumbnail_no_rim_of_the_text_shows() -> None:
    big = np.zeros((90, 120), np.uint8)
    big[30:60, 41:79] = 255
    boxes = (MaskBox(left=41, top=30, right=79, bottom=60),)
    small = big.reshape(18, 5, 24, 5).mean(axis=(1, 3)).astype(np.uint8)
    masks = resized_masks(boxes, scale=0.2, rows=18, cols=24)
    assert small.max() == 255
    assert masked(small, masks, fill=0).max() == 0
