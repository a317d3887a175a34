"""Annotating in the real window: two clicks, handles, keys, boxes, measurements, undo, done and next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.case import ReviewStatus
from app.core.geometry import XY, Alignment, aligned_crop, crop
from app.core.grey_tables import dark_index
from app.core.orientation import Orientation
from app.store.project import ProjectStore
from app.ui.annotate_popups import ReaderQuestion
from app.ui.main_window import MainWindow
from tests.support.annotating_window import (
    ALT,
    NONE,
    SHIFT,
    act,
    align,
    case_id,
    click,
    count_events,
    drag,
    pane,
    place,
    stored_alignment,
    textured,
    values,
)
from tests.support.window import make_project, open_window, wait, wait_until


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    return make_project(tmp_path / "project", cases=3, rows=400, cols=300)


@pytest.fixture
def window(path: Path) -> Iterator[MainWindow]:
    window = open_window(path)
    yield window
    window.close()


def test_two_clicks_are_stored_in_image_coordinates_in_one_event(window: MainWindow) -> None:
    before = count_events(window)
    for number in (0, 1):
        first, second = align(window, number)
        stored = stored_alignment(window, number)
        assert stored.center_xy == pytest.approx(first, abs=1e-9)
        assert stored.axis_xy == pytest.approx(second, abs=1e-9)
    assert count_events(window) == before + 2
    assert window.annotating.saved.text() == "Saved"


def test_the_crop_follows_the_mouse_and_is_what_a_network_gets(window: MainWindow) -> None:
    act(window, "align")
    where = pane(window)
    click(where, (150, 180))
    panel = window.annotating.panel
    assert panel is not None
    seen = []
    for x in (140, 170, 200):
        QTest.mouseMove(where.graphics.viewport(), place(where, (x, 320)))
        wait(15)
        levels = panel.picture.levels
        assert levels is not None
        seen.append(levels.tobytes())
        assert not panel.approve.isEnabled()
    assert len(set(seen)) == 3
    click(where, (160, 330))
    assert window.viewer is not None
    place_ = window.viewer.places[0]
    view, image = place_.hanging.view, place_.image
    assert view is not None
    assert image is not None
    assert where.table is not None
    cut = aligned_crop(stored_alignment(window), view.spacing)
    stored = crop(image.image.pixels, cut, fill=dark_index(view.grey, offset=image.image.offset))
    assert np.array_equal(panel.picture.levels, cv2.LUT(stored, where.table.levels))
    assert panel.approve.isEnabled()


def test_clicks_too_close_are_refused_and_the_first_one_holds(window: MainWindow) -> None:
    act(window, "align")
    click(pane(window), (150, 180))
    click(pane(window), (151, 181))
    assert "too close" in window.banners.texts["error"]
    assert not any(name.startswith("alignment") for name in values(window))
    _, second = click(pane(window), (150, 180)), click(pane(window), (150, 300))
    assert stored_alignment(window).axis_xy == pytest.approx(second, abs=1e-9)


def test_escape_gives_up_and_what_was_there_stays(window: MainWindow) -> None:
    align(window)
    before, events = stored_alignment(window), count_events(window)
    click(pane(window), (60, 60))
    QTest.mouseMove(pane(window).graphics.viewport(), place(pane(window), (90, 200)))
    wait(10)
    QTest.keyClick(window.viewer, Qt.Key.Key_Escape)
    wait(10)
    drawing = window.annotating.board.on(pane(window))
    assert drawing is not None
    assert drawing.alignment == before
    assert not drawing.pending
    assert (stored_alignment(window), count_events(window)) == (before, events)


def test_handles_are_dragged_and_committed_once(window: MainWindow) -> None:
    align(window)
    start, events = stored_alignment(window), count_events(window)
    _, end = drag(pane(window), start.axis_xy, (120, 320))
    assert stored_alignment(window).axis_xy == pytest.approx(end, abs=1e-9)
    assert stored_alignment(window).center_xy == start.center_xy
    assert count_events(window) == events + 1
    _, end = drag(pane(window), start.center_xy, (140, 150))
    moved = stored_alignment(window)
    assert moved.center_xy == pytest.approx(end, abs=1e-9)
    angle = moved.angle_deg()
    assert window.viewer is not None
    corner = aligned_crop(moved, window.viewer.places[0].hanging.view.spacing).corners_xy[0]  # type: ignore[union-attr]
    half = (moved.center_xy[0] + corner[0]) / 2, (moved.center_xy[1] + corner[1]) / 2
    drag(pane(window), corner, half)
    assert stored_alignment(window).side_px == pytest.approx(128, abs=6)
    assert stored_alignment(window).angle_deg() == angle
    assert count_events(window) == events + 3


def test_a_first_click_outlives_another_language_and_a_reader_is_a_name(window: MainWindow) -> None:
    act(window, "align")
    first = click(pane(window), (150, 180))
    for command in ("language:de", "language:en", "hide_names"):
        window.actions_by_id[command].trigger()
        wait(20)
    assert window.annotating.reader.text() == "Reader: •••"
    window.actions_by_id["hide_names"].trigger()
    wait(20)
    assert window.annotating.reader.text() == "Reader: tester"
    click(pane(window), (165, 330))
    assert stored_alignment(window).center_xy == pytest.approx(first, abs=1e-9)


@pytest.mark.parametrize(
    ("key", "modifiers", "moved"),
    [(Qt.Key.Key_Right, NONE, (1, 0)), (Qt.Key.Key_Up, NONE, (0, -1)), (Qt.Key.Key_Left, SHIFT, (-10, 0)),
     (Qt.Key.Key_Down, SHIFT, (0, 10))],
)  # fmt: skip
def test_arrows_nudge(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier, moved: XY) -> None:
    align(window)
    start, events = stored_alignment(window), count_events(window)
    for _ in range(2):
        QTest.keyClick(window.viewer, key, modifiers)
    wait_until(lambda: not window.annotating.board.is_waiting, timeout_s=5)
    now = stored_alignment(window)
    assert now.center_xy == pytest.approx((start.center_xy[0] + 2 * moved[0], start.center_xy[1] + 2 * moved[1]))
    assert now.angle_deg() == pytest.approx(start.angle_deg())
    assert count_events(window) == events + 1  # two keys, one gesture


def test_alt_and_arrows_turn_by_one_degree(window: MainWindow) -> None:
    align(window)
    start = stored_alignment(window).angle_deg()
    QTest.keyClick(window.viewer, Qt.Key.Key_Right, ALT)
    QTest.keyClick(window.viewer, Qt.Key.Key_Left, ALT | SHIFT)
    window.annotating.board.flush()
    assert stored_alignment(window).angle_deg() == pytest.approx(start - 9.0)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_alt_and_right_turn_the_same_way_on_the_screen_also_when_mirrored(
    window: MainWindow, is_mirrored: bool
) -> None:
    align(window)
    pane(window).set_orientation(Orientation(angle_deg=0.0, is_mirrored=is_mirrored))

    def lower_end() -> float:
        return pane(window).map_from_image(*stored_alignment(window).axis_xy).x()

    before = lower_end()
    QTest.keyClick(window.viewer, Qt.Key.Key_Right, ALT | SHIFT)
    window.annotating.board.flush()
    assert lower_end() > before


def test_arrows_move_as_the_image_lies_on_the_screen(window: MainWindow) -> None:
    align(window)
    start = stored_alignment(window)
    pane(window).set_orientation(Orientation(angle_deg=90.0, is_mirrored=True))
    before = pane(window).map_from_image(*start.center_xy)
    QTest.keyClick(window.viewer, Qt.Key.Key_Right, SHIFT)
    window.annotating.board.flush()
    after = pane(window).map_from_image(*stored_alignment(window).center_xy)
    assert after.x() > before.x()
    assert after.y() == pytest.approx(before.y(), abs=1e-6)


@pytest.mark.parametrize("turn", [0.0, 90.0, 180.0, -90.0])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_eight_ways_to_lie_leave_the_alignment_as_it_is(window: MainWindow, turn: float, is_mirrored: bool) -> None:
    """A click on a feature is the same image point however the image lies; turning changes nothing that is stored."""
    act(window, "align")
    first = stored_in(window, Orientation(angle_deg=turn, is_mirrored=is_mirrored))
    pane(window).set_orientation(Orientation())
    wait(10)
    assert stored_alignment(window) == first
    assert math.dist(first.center_xy, (150, 180)) < 2.0  # one pixel of the screen
    assert math.dist(first.axis_xy, (165, 330)) < 2.0


def stored_in(window: MainWindow, orientation: Orientation) -> Alignment:
    pane(window).set_orientation(orientation)
    wait(10)
    center, axis = click(pane(window), (150, 180)), click(pane(window), (165, 330))
    stored = stored_alignment(window)
    assert stored.center_xy == pytest.approx(center, abs=1e-9)
    assert stored.axis_xy == pytest.approx(axis, abs=1e-9)
    return stored


def test_a_crop_is_approved_and_moving_it_makes_the_verdict_old(window: MainWindow) -> None:
    align(window)
    panel = window.annotating.panel
    assert panel is not None
    assert panel.state.text() == "Not judged yet"
    act(window, "approve")
    assert panel.state.text() == "Approved"
    QTest.keyClick(window.viewer, Qt.Key.Key_Left)
    window.annotating.board.flush()
    wait(10)
    assert panel.state.text() == "Changed since it was judged"
    QTest.mouseClick(panel.reject, Qt.MouseButton.LeftButton)
    assert panel.state.text() == "Rejected"


def test_undo_and_redo_reach_back_beyond_the_start_of_the_window(path: Path) -> None:
    window = open_window(path)
    align(window)
    drag(pane(window), stored_alignment(window).axis_xy, (100, 330))
    last, name = stored_alignment(window), case_id(window)
    window.close()
    window = open_window(path)
    assert case_id(window) == name
    act(window, "undo")
    assert stored_alignment(window) != last
    act(window, "undo")
    assert not any(field.startswith("alignment") for field in values(window))
    assert not window.actions_by_id["undo"].isEnabled()
    act(window, "redo")
    act(window, "redo")
    assert stored_alignment(window) == last
    drawing = window.annotating.board.on(pane(window))
    assert drawing is not None
    assert drawing.alignment == last
    window.close()


def test_enter_refuses_an_incomplete_case_and_else_goes_on(window: MainWindow) -> None:
    first = case_id(window)
    act(window, "commit_next")
    assert "not complete" in window.banners.texts["incomplete"]
    assert case_id(window) == first
    assert window.project is not None
    window.project.annotate(first, lambda notes, who: notes.set_label(first, "fracture", "no", author=who))
    act(window, "commit_next")
    wait_until(lambda: case_id(window) != first and window.viewer.is_settled, timeout_s=10)  # type: ignore[union-attr]
    store = window.project.look()
    assert [case.status for case in store.cases.all()].count(ReviewStatus.ANNOTATED) == 1
    assert "incomplete" not in window.banners.texts
    second = case_id(window)
    window.project.annotate(second, lambda notes, who: notes.set_label(second, "exclusion", ["implant"], author=who))
    act(window, "commit_next")
    wait_until(lambda: case_id(window) not in (first, second), timeout_s=10)
    found = store.cases.get(second)
    assert found is not None
    assert found.status is ReviewStatus.EXCLUDED
    third = case_id(window)
    window.project.annotate(third, lambda notes, who: notes.set_label(third, "fracture", "yes", author=who))
    act(window, "commit_next")
    assert "last case" in window.banners.texts["incomplete"]


def test_drawings_belong_to_the_case_on_the_screen(window: MainWindow) -> None:
    align(window)
    act(window, "next")
    assert window.viewer is not None
    wait_until(lambda: window.viewer.is_settled, timeout_s=10)
    drawing = window.annotating.board.on(pane(window))
    assert drawing is not None
    assert drawing.alignment is None
    act(window, "previous")
    wait_until(lambda: window.viewer.is_settled, timeout_s=10)
    drawing = window.annotating.board.on(pane(window))
    assert drawing is not None
    assert drawing.alignment is not None


def test_a_nudge_is_kept_when_the_window_closes_at_once(path: Path) -> None:
    window = open_window(path)
    align(window)
    before = stored_alignment(window)
    name = case_id(window)
    QTest.keyClick(window.viewer, Qt.Key.Key_Right, SHIFT)
    window.close()
    with ProjectStore.open(path, is_read_only=True) as store:
        (found,) = (v for f, v in store.events.current_of(f"case:{name}@tester").items() if f.startswith("alignment"))
    assert found["center_xy"][0] == pytest.approx(before.center_xy[0] + 10)


def test_who_annotates_is_asked_once_and_shown(window: MainWindow) -> None:
    project = window.project
    assert project is not None
    project._is_author_confirmed = False  # as when the window has just been opened
    act(window, "align")
    click(pane(window), (150, 180))
    click(pane(window), (165, 330))
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    window.annotating.ask_reader()
    assert window.annotating.question is question  # asked once
    assert not project.annotations.undo_state(case_id(window), "tester").undoable  # nothing is recorded yet
    question.name.setText("  Dr.  Reader ")
    QTest.keyClick(question, Qt.Key.Key_Return)
    wait(20)
    assert window.annotating.reader.text() == "Reader: Dr. Reader"
    found = [annotation.reader for annotation in project.annotations.all([case_id(window)])]
    assert found == ["Dr. Reader"]
    click(pane(window), (60, 60))
    click(pane(window), (60, 200))
    assert window.annotating.question is None


def test_a_read_only_project_is_not_annotated(path: Path) -> None:
    window = open_window(path, is_read_only=True)
    assert not window.actions_by_id["align"].isEnabled()
    assert not window.actions_by_id["commit_next"].isEnabled()
    window.close()


def test_enter_belongs_to_the_search_box_while_one_types(window: MainWindow) -> None:
    act(window, "find")
    assert not window.actions_by_id["commit_next"].isEnabled()
    window.case_list.table.setFocus()
    QApplication.processEvents()
    assert window.actions_by_id["commit_next"].isEnabled()
