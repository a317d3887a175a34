"""The short cut for images that are being zoomed: the same picture within a thirtieth of a pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.pyramid import ImagePyramid, build_pyramid
from app.core.quick_sampling import LARGEST_ERROR_PX, room_for, sample_quickly
from app.core.resampling import Affine, Rect, place, sample

ROWS, COLS = 1500, 1201
STEEPEST = 80  # values per pixel of the finest level, either way


@pytest.fixture(scope="module")
def smooth() -> ImagePyramid:
    v, u = np.mgrid[:ROWS, :COLS]
    values = 2000 + 700 * np.sin(u / 23) + 600 * np.cos(v / 31 + 0.4) + 400 * np.sin((u + 2 * v) / 61) + 0.2 * u
    return build_pyramid(values.astype(np.uint16))


def both_ways(
    pyramid: ImagePyramid, to_screen: Affine, rect: Rect
) -> tuple[npt.NDArray[np.uint16] | None, npt.NDArray[np.uint16]]:
    """A part by the short cut, and exactly."""
    grid = place(pyramid, to_screen, squares_from=8).grid
    exact = np.zeros((rect.height, rect.width), np.uint16)
    sample(pyramid, grid, rect, exact)
    return sample_quickly(pyramid, grid, rect, np.empty(room_for(rect), np.uint16)), exact


@given(
    zoom=st.floats(0.25, 7.9),
    mirror=st.sampled_from([(1, 1), (-1, 1), (1, -1), (-1, -1)]),
    x=st.floats(-3000, 3000),
    y=st.integers(-3000, 3000),
    share_x=st.floats(0, 1),
    share_y=st.floats(0, 1),
)
@settings(max_examples=80, deadline=None)
def test_it_gives_the_same_pixels_within_its_limit(
    smooth: ImagePyramid, zoom: float, mirror: tuple[int, int], x: float, y: float, share_x: float, share_y: float
) -> None:
    to_screen = (zoom * mirror[0], 0.0, 0.0, zoom * mirror[1], x, float(y))
    covered = place(smooth, to_screen, squares_from=8).covered
    left = covered.left + round(share_x * max(0, covered.width - 400))
    top = covered.top + round(share_y * max(0, covered.height - 500))
    rect = Rect(left=left, top=top, right=left + 400, bottom=top + 500).common(covered)
    found, exact = both_ways(smooth, to_screen, rect)
    if found is None:
        return
    assert found.shape == exact.shape
    level = place(smooth, to_screen, squares_from=8).grid.level
    limit = 1 + STEEPEST * 2**level * (LARGEST_ERROR_PX + 1 / 128)
    assert np.abs(found.astype(int) - exact).max() <= limit


def test_it_works_at_nearly_every_zoom(smooth: ImagePyramid) -> None:
    zooms = np.linspace(0.3, 3.0, 200)
    rect = Rect(left=3, top=5, right=323, bottom=405)
    missed = [
        zoom for zoom in zooms if both_ways(smooth, (float(zoom), 0.0, 0.0, float(zoom), 0.0, 0.0), rect)[0] is None
    ]
    assert len(missed) < 10


@pytest.mark.parametrize(
    "to_screen", [(0.0, 0.7, -0.7, 0.0, 1000.0, 0.0), (0.6, 0.1, -0.1, 0.6, 200.0, 0.0), (9.0, 0.0, 0.0, 9.0, 0.0, 0.0),
                  (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)],
    ids=["quarter turn", "slanted", "squares", "one to one"],
)  # fmt: skip
def test_it_leaves_what_it_cannot_do(smooth: ImagePyramid, to_screen: Affine) -> None:
    covered = place(smooth, to_screen, squares_from=8).covered
    rect = Rect(left=covered.left + 100, top=covered.top + 100, right=covered.left + 500, bottom=covered.top + 500)
    found, _ = both_ways(smooth, to_screen, rect)
    assert found is None
