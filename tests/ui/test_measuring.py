"""Boxes, measurements, landmarks and calibration in the real window."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath
from PySide6.QtTest import QTest

from app.core.annotation import measurement_of, region_of
from app.core.geometry import Alignment, aligned_crop
from app.core.measurement import MeasurementKind, measure
from app.core.spacing import Spacing, SpacingSource
from app.ui import look_item
from app.ui.annotate_popups import LengthQuestion
from app.ui.drawing_item import _Brush
from app.ui.look_item import paint_mark
from app.ui.main_window import MainWindow
from tests.support.annotating_window import (
    act,
    align,
    click,
    drag,
    pane,
    textured,
    values,
)
from tests.support.window import make_project, open_window, wait_until


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    return make_project(tmp_path / "project", cases=3, rows=400, cols=300)


@pytest.fixture
def window(path: Path) -> Iterator[MainWindow]:
    window = open_window(path)
    yield window
    window.close()


def test_a_box_is_drawn_moved_resized_copied_and_proposed(window: MainWindow) -> None:
    act(window, "box")
    assert window.viewer is not None
    names = [f"region.{place.hanging.view.id}" for place in window.viewer.places if place.hanging.view]
    first, last = drag(pane(window), (60, 80), (160, 220))
    box = region_of(values(window)[names[0]])
    assert box is not None
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((*first, *last), abs=1e-9)
    start, end = drag(pane(window), (110, 150), (130, 160))
    moved = region_of(values(window)[names[0]])
    assert moved is not None
    assert (moved.left, moved.top) == pytest.approx((box.left + end[0] - start[0], box.top + end[1] - start[1]))
    assert (moved.width, moved.height) == pytest.approx((box.width, box.height))
    drag(pane(window), (moved.right, moved.bottom), (250, 300))
    resized = region_of(values(window)[names[0]])
    assert resized is not None
    assert (resized.left, resized.top) == (moved.left, moved.top)
    assert resized.width > moved.width
    act(window, "copy_box")
    copied = region_of(values(window)[names[1]])
    assert copied is not None
    assert (copied.width, copied.height) == pytest.approx((resized.width, resized.height))
    act(window, "propose_box")
    assert "not aligned" in window.banners.texts["error"]
    align(window)
    act(window, "propose_box")
    proposed = region_of(values(window)[names[0]])
    assert proposed is not None
    assert (proposed.width, proposed.height) == (300.0, 400.0)  # 400 × 600 px, and the image is no larger


POINTS = {"length": 2, "angle": 3, "two-lines": 4, "neck-shaft": 4, "pauwels": 4}


@pytest.mark.parametrize("kind", POINTS)
def test_measurements_are_clicked_and_points_dragged(window: MainWindow, kind: str) -> None:
    act(window, f"measure:{kind}")
    points = [(60, 60), (160, 90), (120, 200), (130, 330)][: POINTS[kind]]
    hit = [click(pane(window), point) for point in points]
    assert window.viewer is not None
    view = window.viewer.places[0].hanging.view
    assert view is not None
    name = f"measurement.1.{view.id}"
    stored = measurement_of(values(window)[name])
    assert stored.kind is MeasurementKind(kind)
    assert np.allclose(stored.points, hit, atol=1e-9)
    _, end = drag(pane(window), stored.points[0], (30, 120))
    moved = measurement_of(values(window)[name])
    assert moved.points[0] == pytest.approx(end, abs=1e-9)
    assert moved.points[1:] == stored.points[1:]
    if kind == "length":
        assert measure(moved, view.spacing).unit == "px"  # these images have no length scale
    act(window, "delete_drawing")
    assert name not in values(window)
    act(window, "undo")
    assert name in values(window)


def test_a_landmark_is_set_again(window: MainWindow) -> None:
    act(window, "landmark:head-centre")
    click(pane(window), (100, 100))
    second = click(pane(window), (200, 200))
    found = {name: value for name, value in values(window).items() if name.startswith("point.head-centre.")}
    assert list(found.values()) == [pytest.approx(list(second), abs=1e-9)]


def test_a_ball_calibrates_the_view_and_everything_follows(window: MainWindow) -> None:
    align(window)
    act(window, "measure:length")
    click(pane(window), (60, 60))
    click(pane(window), (160, 60))
    act(window, "calibrate:ball")
    first, second = click(pane(window), (100, 300)), click(pane(window), (200, 300))
    question = window.annotating.question
    assert isinstance(question, LengthQuestion)
    assert "mm" in question.result.text()
    question.box.setValue(25.0)
    QTest.keyClick(question, Qt.Key.Key_Return)
    assert window.viewer is not None
    wait_until(lambda: window.viewer.active_view.spacing.source is SpacingSource.MANUAL, timeout_s=10)
    view = window.viewer.active_view
    assert view is not None
    assert view.spacing.col_mm == pytest.approx(25.0 / math.dist(first, second))
    drawing = window.annotating.board.on(pane(window))
    assert drawing is not None
    assert measure(drawing.measurements["1"], drawing.spacing).unit == "mm"
    assert drawing.alignment is not None
    assert drawing.alignment.side(drawing.spacing) == pytest.approx(120.0 / view.spacing.col_mm)
    act(window, "uncalibrate")
    wait_until(lambda: window.viewer.active_view.spacing.source is SpacingSource.NONE, timeout_s=10)
    act(window, "undo")
    wait_until(lambda: window.viewer.active_view.spacing.source is SpacingSource.MANUAL, timeout_s=10)


@pytest.mark.parametrize("number", [0, 1])
def test_what_a_measurement_says_stays_in_its_pane(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    plates: list[QRectF] = []
    words = _Brush.words

    def noting(brush: _Brush, *given: Any, **more: Any) -> QRectF:
        plates.append(words(brush, *given, **more))
        return plates[-1]

    monkeypatch.setattr(_Brush, "words", noting)
    where = pane(window, number)
    act(window, "measure:length")
    for start, end in (((150, 200), (290, 6)), ((150, 100), (294, 200)), ((150, 300), (290, 220))):
        click(where, start)
        plates.clear()
        click(where, end)
        wait_until(lambda: bool(plates))
        assert QRectF(where.graphics.viewport().rect()).contains(plates[-1])
        line = QPainterPath(QPointF(where.map_from_image(*start)))
        line.lineTo(QPointF(where.map_from_image(*end)))
        assert end == (290, 6) or not line.intersects(plates[-1]), "what is measured can be seen"


def test_the_mark_of_a_heatmap_stays_in_its_pane(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    plates: list[QRectF] = []

    def noting(*given: Any) -> QRectF:
        plates.append(paint_mark(*given))
        return plates[-1]

    monkeypatch.setattr(look_item, "paint_mark", noting)
    look = look_item.LookItem()
    where = pane(window)
    where.add_overlay(look, z=50)
    at_the_edge = Alignment(center_xy=(290.0, 20.0), axis_xy=(290.0, 200.0))
    look.set_look(look_item.Look(cut=aligned_crop(at_the_edge, Spacing(), size_px=8)))
    look.set_mark("This heatmap must not be believed")
    wait_until(lambda: bool(plates))
    assert QRectF(where.graphics.viewport().rect()).contains(plates[-1])
