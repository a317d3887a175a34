"""A gesture that ends otherwise than by its release leaves drawn what is stored, in its own pane and in the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.grey import Window
from app.ui.annotate_popups import Question, ReaderQuestion
from app.ui.drawing import Drawing
from app.ui.main_window import MainWindow
from app.ui.notices import Banner
from tests.support.annotating_window import (
    NONE,
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
from tests.ui.test_viewer import hips_project

LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    window = open_window(make_project(tmp_path / "project", cases=2, rows=400, cols=300))
    yield window
    assert window.project is not None
    window.project.drop_waiting()
    window.close()


def mouse(window: MainWindow, what: str, number: int, at: QPoint, button: Qt.MouseButton = LEFT) -> None:
    """Through the window system: who hears of it is decided by Qt, as for a real mouse."""
    handle, port = window.windowHandle(), pane(window, number).graphics.viewport()
    assert handle is not None
    where = port.mapTo(window, at)
    if what == "mouseMove":
        QTest.mouseMove(handle, where)
    else:
        getattr(QTest, what)(handle, button, NONE, where)


def drawn(window: MainWindow, number: int) -> Drawing:
    drawing = window.annotating.board.on(pane(window, number))
    assert drawing is not None
    return drawing


def seen(window: MainWindow) -> list[tuple[object, ...]]:
    """What is drawn in both panes."""
    both = (drawn(window, number) for number in (0, 1))
    return [(one.alignment, one.region, {**one.measurements}, {**one.landmarks}, [*one.pending]) for one in both]


def half_drag(window: MainWindow, number: int, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A drag whose button stays down."""
    first, last = place(pane(window, number), start), place(pane(window, number), end)
    mouse(window, "mousePress", number, first)
    for share in (0.5, 1.0):
        mouse(window, "mouseMove", number, first + (last - first) * share)
    wait(0)


@pytest.mark.parametrize("what", ["alignment", "box", "new box", "length"])
def test_half_a_drag_on_one_view_changes_neither(window: MainWindow, what: str) -> None:
    align(window, 0, (150, 180), (165, 330))
    align(window, 1, (120, 200), (100, 320))
    start, tool = {"alignment": ((100, 320), "align"), "length": ((60, 60), "measure:length")}.get(
        what, ((60, 60), "box")
    )
    act(window, tool)
    if what == "box":
        drag(pane(window, 1), start, (200, 200))
    elif what == "length":
        click(pane(window, 1), start)
        click(pane(window, 1), (200, 60))
    before, events = seen(window), count_events(window)
    for end in ("tool", "escape", "lost", "hidden"):
        act(window, tool)
        half_drag(window, 1, start, (40, 100))
        assert seen(window) != before, "it was dragged"
        give_up(window, end)
        wait(0)
        assert seen(window) == before, end
        assert not any(pane(window, number).graphics.is_dragging for number in (0, 1)), end
        mouse(window, "mouseRelease", 1, QPoint(5, 5))
        assert (seen(window), count_events(window)) == (before, events), end


def give_up(window: MainWindow, end: str) -> None:
    """End a drag on the second view otherwise than by its release."""
    match end:
        case "tool":
            act(window, "pan")
        case "escape":
            QTest.keyClick(window.viewer, Qt.Key.Key_Escape)
        case "hidden":
            act(window, "layout:single")
            act(window, "switch_pane")
        case _:  # the button came up where nobody told us
            at = QPointF(5, 5)
            without_button = QMouseEvent(QEvent.Type.MouseMove, at, at, NO_BUTTON, NO_BUTTON, NONE)
            QApplication.sendEvent(pane(window, 1).graphics.viewport(), without_button)


def test_a_first_click_on_each_view_gives_neither_the_alignment_of_the_other(window: MainWindow) -> None:
    align(window, 0, (150, 180), (165, 330))
    align(window, 1, (120, 200), (100, 320))
    before = seen(window)
    click(pane(window, 0), (60, 60))
    click(pane(window, 1), (200, 60))
    act(window, "pan")
    assert seen(window) == before


def test_a_click_right_after_a_nudge_is_not_lost(window: MainWindow) -> None:
    align(window)
    QTest.keyClick(window.viewer, Qt.Key.Key_Right)
    assert window.annotating.board.is_waiting
    click(pane(window), (30, 30))
    assert len(drawn(window, 0).pending) == 1


def test_a_question_that_a_click_asks_leaves_no_button_held(window: MainWindow) -> None:
    """It gets the release of that click."""
    assert window.project is not None
    window.project._is_author_confirmed = False  # as when the window has just been opened
    for tool in ("align", "measure:length", "calibrate:length"):
        act(window, tool)
        click(pane(window), (150, 180))
        at = place(pane(window), (165, 330))  # the crop has come, and the pane is narrower
        mouse(window, "mouseMove", 0, at)
        mouse(window, "mousePress", 0, at)
        wait_until(lambda: isinstance(QApplication.activePopupWidget(), Question))
        popup = QApplication.activePopupWidget()
        assert popup is not None
        assert not pane(window).graphics.is_dragging, tool
        mouse(window, "mouseRelease", 0, at)
        popup.close()
        wait(0)
        assert QApplication.mouseButtons() == NO_BUTTON
        assert drawn(window, 0).pending == []


def test_a_question_or_menu_that_a_key_opens_ends_the_drag_that_is_under_way(window: MainWindow) -> None:
    align(window)
    before, events = seen(window), count_events(window)
    for ask in (window.annotating.ask_reader, window.actions_by_id["window_menu"].trigger):
        half_drag(window, 0, (165, 330), (100, 300))
        assert seen(window) != before
        ask()
        popup = QApplication.activePopupWidget()
        assert popup is not None
        assert not pane(window).graphics.is_dragging
        mouse(window, "mouseRelease", 0, place(pane(window), (100, 300)))
        popup.close()
        wait(0)
        assert (seen(window), count_events(window)) == (before, events)


def test_a_label_given_between_the_two_clicks_leaves_the_first(window: MainWindow) -> None:
    align(window)
    click(pane(window), (100, 100))
    window.labelling.open()
    window.case_list.table.setFocus()
    wait(20)
    QTest.keyClick(window.case_list.table, Qt.Key.Key_2)
    wait(20)
    assert drawn(window, 0).alignment is None
    assert len(drawn(window, 0).pending) == 1
    second = click(pane(window), (100, 300))
    assert stored_alignment(window).axis_xy == pytest.approx(second, abs=1e-9)


def test_who_annotates_is_asked_once_after_a_length(window: MainWindow) -> None:
    assert window.project is not None
    window.project._is_author_confirmed = False
    act(window, "calibrate:length")
    click(pane(window), (150, 180))
    click(pane(window), (165, 330))
    length = window.annotating.question
    assert length is not None
    QTest.keyClick(length, Qt.Key.Key_Return)
    wait(20)
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    window.annotating.ask_reader()
    assert window.annotating.question is question
    question.name.setText("Ada")
    QTest.keyClick(question, Qt.Key.Key_Return)
    wait(20)
    assert QApplication.activePopupWidget() is None
    assert window.annotating.question is None
    assert "calibrated view" in window.annotating.present()


@pytest.mark.parametrize("what", ["first click", "drag", "new box", "length"])
def test_nothing_begun_on_a_pelvis_is_stored_for_the_other_hip(tmp_path: Path, what: str) -> None:
    """One image hangs in the cases of both hips: going from one to the other ends what was begun."""
    window = open_window(hips_project(tmp_path / "p", is_pelvis=True))
    first = case_id(window)
    if what == "drag":
        align(window, 0, (40, 40), (40, 80))
        window.case_list.step(1)
        wait_until(lambda: case_id(window) != first)
        align(window, 0, (60, 40), (60, 80))
        window.case_list.step(-1)
        wait_until(lambda: case_id(window) == first)
    stored = values(window)
    act(window, {"new box": "box", "length": "measure:length"}.get(what, "align"))
    if what in ("drag", "new box"):
        half_drag(window, 0, (40, 40), (60, 60))
    else:
        click(pane(window, 0), (40, 40))
    window.case_list.step(1)
    wait_until(lambda: case_id(window) != first)
    wait(20)
    other = values(window)
    assert drawn(window, 0).pending == []
    end = place(pane(window, 0), (70, 80))
    if what in ("drag", "new box"):
        mouse(window, "mouseMove", 0, end)
        mouse(window, "mouseRelease", 0, end)
    else:
        click(pane(window, 0), (40, 80))
    wait(20)
    assert values(window) == other
    window.case_list.step(-1)
    wait_until(lambda: case_id(window) == first)
    assert values(window) == stored
    assert window.project is not None
    window.project.drop_waiting()
    window.close()


@pytest.mark.parametrize("what", ["layout", "banner"])
@pytest.mark.parametrize("button", [LEFT, Qt.MouseButton.RightButton])
def test_a_pane_that_comes_elsewhere_under_the_mouse_is_not_dragged_by_that(
    window: MainWindow, button: Qt.MouseButton, what: str
) -> None:
    """Only the way of the mouse counts, not where in the pane it is after another layout or a banner."""
    assert window.viewer is not None
    side, port, handle = window.viewer.places[1], pane(window, 1).graphics.viewport(), window.windowHandle()
    assert handle is not None
    wait(300)  # what comes with the case is there
    at = port.mapTo(window, port.rect().center())
    QTest.mousePress(handle, button, NONE, at)
    if what == "layout":
        act(window, "layout:single")
    else:
        window.banners.show_banner("test", Banner("It is so.", ("Why it is so.",), tone="caution"))
    wait(50)
    assert port.mapTo(window, port.rect().center()) != at
    center, shown = side.pane.center, side.shown
    for y_px in (2, 1):  # Qt drops a move to where the mouse is already, even from an earlier test
        QTest.mouseMove(handle, at + QPoint(0, y_px))
    wait(0)
    assert side.pane.graphics.is_dragging
    assert (side.pane.center - center).manhattanLength() < 2 * side.pane.box.viewPixelSize()[1]
    assert shown is not None
    assert side.shown is not None
    assert isinstance(shown.voi, Window)
    assert isinstance(side.shown.voi, Window)
    assert side.shown.voi.width == pytest.approx(shown.voi.width, rel=0.001)
    assert side.shown.voi.center == pytest.approx(shown.voi.center, abs=0.003 * shown.voi.width)
    QTest.mouseRelease(handle, button, NONE, at + QPoint(0, 1))
    wait(20)
    window.images.close()
