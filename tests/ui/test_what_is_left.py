"""What belongs to one case or one project does not stay on the screen when another is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.new_project import NewProjectDialog
from tests.support.annotating_window import act, pane, textured
from tests.support.dropping import drop
from tests.support.window import make_project, open_window, wait, wait_until
from tests.support.window_files import pair, settled


def test_an_import_into_a_new_project_opens_its_first_case_also_after_another_project(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "first", cases=1, rows=40, cols=30))
    act(window, "close_project")
    assert (window.selection.wanted, window.selection.on_screen) == ("", "")
    pair(tmp_path / "in", 1)
    drop(window, [tmp_path / "in"])
    wait(50)
    dialog = next(each for each in QApplication.topLevelWidgets() if isinstance(each, NewProjectDialog))
    dialog.form.place.setText(str(tmp_path / "projects"))
    dialog.accept_button.click()
    settled(window)
    assert window.middle.currentWidget() is window.viewer
    assert window.case_list.selected_cases() == [window.selection.on_screen]
    window.close()


def test_a_project_that_is_dropped_has_its_first_case_marked(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "first", cases=2, rows=40, cols=30))
    other = make_project(tmp_path / "other", cases=2, rows=40, cols=30)
    window.case_list.table.setFocus()
    drop(window, [other])
    wait_until(lambda: window.project is not None and window.project.path == other and bool(window.selection.on_screen))
    wait(20)
    assert window.case_list.selected_cases() == [window.selection.on_screen]
    window.close()


def test_the_pixel_under_the_mouse_is_that_of_what_is_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    window = open_window(make_project(tmp_path / "p", cases=2, rows=300, cols=200))
    where = pane(window)
    QTest.mouseMove(where.graphics.viewport(), where.middle.toPoint())
    wait(20)
    at = where.middle / 2
    where.point_out(at)  # as the mouse that rests there
    for command in ("next", "zoom_in"):
        before = window.pixel.text()
        assert before
        act(window, command)
        wait_until(lambda: window.viewer is not None and window.viewer.is_settled)
        wait(50)
        col, row = (int(each) for each in where.map_to_image(at))
        assert window.pixel.text() != before
        assert window.pixel.text().startswith(f"x {col}  y {row} ")
    act(window, "close_project")
    assert window.pixel.text() == ""
    window.close()
