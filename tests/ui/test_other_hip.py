"""While the pane of the other hip is the active one, nobody labels this hip by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.case import Projection, ReviewStatus, Side
from app.store.project import ProjectStore
from app.ui.layouts import OTHER
from app.ui.main_window import MainWindow
from app.ui.viewer import Viewer
from tests.support.window import add_study, flat_image, open_window, wait


@pytest.fixture
def window(tmp_path: Path) -> Iterator[MainWindow]:
    with ProjectStore.create(tmp_path / "p") as store:
        add_study(store, 0, [("V-pelvis", flat_image(300, cols=160), Projection.FRONTAL, Side.BOTH)])
    window = open_window(tmp_path / "p")
    window.actions_by_id["show_labels"].trigger()
    window.actions_by_id["layout:both-hips"].trigger()
    wait(30)
    yield window
    window.close()


def viewer(window: MainWindow) -> Viewer:
    assert window.viewer is not None
    return window.viewer


def labels(window: MainWindow) -> list[object]:
    content = viewer(window).content
    assert window.project is not None
    assert content is not None
    assert content.other_case is not None
    hips = (content.case.id, content.other_case.id)
    return [window.project.annotations.labels(case_id, "tester") for case_id in hips]


def press_pane(window: MainWindow, *, is_other: bool) -> None:
    place = next(each for each in viewer(window).shown_places if (each.name == OTHER) is is_other)
    QTest.mouseClick(place.pane.graphics.viewport(), Qt.MouseButton.MiddleButton)
    wait(0)


def test_a_label_is_refused_by_key_and_by_button_and_taken_once_this_hip_is_active(window: MainWindow) -> None:
    form = window.labelling.form
    assert form is not None
    press_pane(window, is_other=True)
    assert viewer(window).active_place.name == OTHER
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_1)
    wait(5)
    yes = form.rows["fracture"].buttons["yes"]
    yes.click()
    wait(5)
    assert labels(window) == [{}, {}]
    assert not yes.isChecked()
    assert "other hip" in " ".join(window.banners.texts.values())
    press_pane(window, is_other=False)
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_1)
    wait(5)
    assert labels(window) == [{"fracture": "yes"}, {}]
    assert yes.isChecked()
    assert "other hip" not in " ".join(window.banners.texts.values())


def test_what_is_recorded_about_the_case_is_refused_too(window: MainWindow) -> None:
    assert window.project is not None
    for key in (Qt.Key.Key_1, Qt.Key.Key_1):  # nothing else may hold the case up
        QTest.keyClick(QApplication.focusWidget() or window, key)
    before, case, focus = window.project.look().events.head(), window.selection.on_screen, QApplication.focusWidget()
    for command in ("commit_next", "status:reviewed", "comment", "assign"):
        press_pane(window, is_other=False)
        press_pane(window, is_other=True)
        window.actions_by_id[command].trigger()
        wait(5)
        assert window.project.look().events.head() == before
        assert window.selection.on_screen == case
        assert QApplication.focusWidget() is focus, "nobody types about a hip that is not the active one"
        assert "other hip" in " ".join(window.banners.texts.values()), command
    press_pane(window, is_other=False)
    assert "other hip" not in " ".join(window.banners.texts.values())
    window.actions_by_id["status:reviewed"].trigger()
    assert window.project.look().events.head() != before


def test_a_status_pressed_in_the_panel_is_refused_and_not_shown_as_taken(window: MainWindow) -> None:
    notes = window.reviewing.notes
    assert notes is not None
    assert window.project is not None
    window.actions_by_id["comment"].trigger()
    QTest.keyClicks(notes.comment, "of this hip")
    press_pane(window, is_other=True)
    before = window.project.look().events.head()
    reviewed = notes.buttons[ReviewStatus.REVIEWED]
    reviewed.click()
    wait(5)
    assert window.project.look().events.head() == before
    assert not reviewed.isChecked()
    assert "other hip" in " ".join(window.banners.texts.values())
    window.selection.leaving.emit()
    assert "of this hip" in str(window.project.annotations.values(window.selection.on_screen)), "what was typed is kept"


@pytest.mark.parametrize("tool", ["align", "box", "measure:length", "calibrate:length"])
def test_a_tool_that_draws_says_why_nothing_is_drawn_on_the_other_hip(window: MainWindow, tool: str) -> None:
    assert window.project is not None
    places = {each.name == OTHER: each for each in viewer(window).shown_places}
    other, own = (places[each].pane.graphics.viewport() for each in (True, False))
    window.actions_by_id[tool].trigger()
    before = window.project.look().events.head()
    QTest.mouseClick(other, Qt.MouseButton.LeftButton, pos=other.rect().center())
    wait(5)
    assert window.project.look().events.head() == before
    assert "other hip" in " ".join(window.banners.texts.values())
    QTest.mouseClick(own, Qt.MouseButton.LeftButton, pos=own.rect().center())
    wait(5)
    assert "other hip" not in " ".join(window.banners.texts.values())
