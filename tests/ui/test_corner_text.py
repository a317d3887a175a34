"""What is drawn over a radiograph does not cover what else is drawn over it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from app.core.orientation import Orientation
from app.core.scale_bar import ScaleBar
from app.ui.captions import Showing, _zoom_words
from app.ui.corner_text import MARKER_PX, OUTLINE_PX, Corners, CornerText, Line, Marker
from tests.support.window import application

WORDS = Corners(
    top_left=(Line("HIP-2026-000123", is_strong=True), Line("Frontal"), Line("Left hip · image of both")),
    top_right=(Line("L/R unverified", "caution"),),
    bottom_left=(Line("C 2010 W 3011 · auto"), Line("45 % · turned −57.2°")),
    bottom_right=(Line("0.200 mm/px"), Line("calibrated")),
    top="L",
    bottom="R",
    bar=ScaleBar(length_px=100.0, amount=20.0, unit="mm"),
    headlines=(Line("Mirrored", "caution", is_strong=True),),
)


@pytest.mark.parametrize("size", [(200, 300), (300, 400), (420, 640), (900, 700)])
@pytest.mark.parametrize("towards", [(0.0, -1.0), (0.0, 1.0), (0.3, -0.9)])
def test_the_side_marker_covers_no_words_where_the_side_lies_up_or_down(
    size: tuple[int, int], towards: tuple[float, float]
) -> None:
    application()
    pane = QWidget()
    pane.resize(*size)
    text = CornerText(pane)
    text.say(lambda: replace(WORDS, marker=Marker(letter="L", towards=towards)))
    pane.grab()
    *words, plate, _letter = (QRectF(at, row.deviceIndependentSize()) for row, at in text._put_down)
    assert plate.width() == pytest.approx(MARKER_PX, abs=2)
    assert [rect for rect in words if rect.intersects(plate)] == []
    assert text._bar_put is not None
    assert not text._bar_put[0].boundingRect().intersects(plate)
    assert (plate.center().y() < size[1] / 2) == (towards[1] < 0)
    assert QRectF(pane.rect()).contains(plate)


@pytest.mark.parametrize("width", [240, 290, 296, 300, 304, 310, 320, 420])
@pytest.mark.parametrize("letters", ["H", "RF", "RHA"])
def test_the_letters_at_the_edges_do_not_lengthen_the_words_beside_them(width: int, letters: str) -> None:
    """“HIP-2026-000123” and “RF” would read as one name."""
    application()
    pane = QWidget()
    pane.resize(width, 500)
    text = CornerText(pane)
    text.say(lambda: replace(WORDS, top=letters, bottom=letters, headlines=(), bar=None))
    pane.grab()
    drawn = [QRectF(at, row.deviceIndependentSize()) for row, at in text._put_down]
    letters_drawn = [rect for rect in drawn if abs(rect.center().x() - width / 2) < 1]
    assert len(letters_drawn) == 2
    gap_px = 3 - 2 * OUTLINE_PX  # between the words themselves; rows are as much wider as their outlines
    for letter in letters_drawn:
        beside = letter.adjusted(-gap_px, 2 * OUTLINE_PX, gap_px, -2 * OUTLINE_PX)
        assert [rect for rect in drawn if rect is not letter and rect.intersects(beside)] == []


def test_the_angle_has_a_minus_of_the_width_of_a_figure() -> None:
    said = _zoom_words(
        Showing(window="", zoom=0.45, unit_px=1.0, width_px=300.0, orientation=Orientation(angle_deg=-57.2))
    )
    assert said == "45 % · turned −57.2°"
    assert "turned −90°" in _zoom_words(
        Showing(window="", zoom=0.45, unit_px=1.0, width_px=300.0, orientation=Orientation(angle_deg=-90))
    )
