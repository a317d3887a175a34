"""A display table that is remade for a drag is the same, for the values an image holds, as a new one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.grey import SIGNED_OFFSET, GreyScale, Photometric, Rescale, Window, WindowFunction
from app.core.grey_tables import display_table, modality_table


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(Photometric)),
    st.sampled_from(list(WindowFunction)),
    st.floats(-2000, 60000),
    st.floats(1, 70000),
    st.booleans(),
    st.sampled_from([0, SIGNED_OFFSET]),
    st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda pair: (min(pair), max(pair))),
)
def test_inside_the_span_nothing_differs(
    photometric: Photometric,
    function: WindowFunction,
    center: float,
    width: float,
    is_inverted: bool,
    offset: int,
    span: tuple[int, int],
) -> None:
    grey = GreyScale(
        photometric=photometric,
        bits_stored=16,
        is_signed=offset != 0,
        modality=Rescale(slope=0.5, intercept=-10),
        padding=(100, 120),
    )
    window = Window(center=center, width=width, function=function)
    whole = display_table(grey, window, offset=offset, is_inverted=is_inverted)
    part = display_table(
        grey, window, offset=offset, is_inverted=is_inverted, modality=modality_table(grey, offset=offset), span=span
    )
    inside = slice(span[0], span[1] + 1)
    np.testing.assert_array_equal(part.levels[inside], whole.levels[inside])
