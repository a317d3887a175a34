"""A low window: panels become tabs or scroll, nothing is pushed off it, and all is as before when it is high."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget

from app.ui.docks import dock_named, is_behind, panel_of, scroller_of
from app.ui.main_window import MainWindow
from tests.support import window as driver
from tests.support.window import make_project, open_window

LOW_PX, HIGH_PX = 460, 800  # 1080 rows at 200 %, less title and task bar; the size at the first start


def dock(window: MainWindow, name: str) -> QDockWidget:
    found = dock_named(window, name)
    assert found is not None
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    driver.wait_until(condition, timeout_s=5)


def opened(tmp_path: Path, *panels: str, height: int, width: int = 956, geometry: Path | None = None) -> MainWindow:
    project = tmp_path / "p"
    if not project.exists():
        make_project(project)
    window = open_window(project, size=(width, height), geometry=geometry)
    window.setMinimumSize(200, 200)  # else that of the screen of tests
    window.resize(width, height)
    for name in panels:
        window.actions_by_id[name].trigger()
    return window


def is_above(window: MainWindow, upper: str, lower: str) -> bool:
    first, second = dock(window, upper), dock(window, lower)
    return not (is_behind(first) or is_behind(second)) and first.geometry().bottom() < second.geometry().top()


def is_within(window: MainWindow, name: str) -> bool:
    place = dock(window, name).geometry()
    return place.bottom() < window.statusBar().y() and place.right() < window.width()


def test_panels_become_tabs_in_a_low_window_and_lie_as_before_in_a_high_one(tmp_path: Path) -> None:
    window = opened(tmp_path, "show_crop", "show_labels", height=HIGH_PX)
    wait_until(lambda: is_above(window, "crop", "labels"))
    heights = [dock(window, name).height() for name in ("crop", "labels")]
    window.resize(956, LOW_PX)
    wait_until(lambda: is_behind(dock(window, "crop")) and not is_behind(dock(window, "labels")))
    assert is_within(window, "labels")
    window.actions_by_id["show_crop"].setChecked(False)
    window.actions_by_id["show_crop"].trigger()
    wait_until(lambda: is_behind(dock(window, "labels")) and is_within(window, "crop"))
    assert window.height() == LOW_PX
    window.resize(956, HIGH_PX)
    wait_until(lambda: is_above(window, "crop", "labels"))
    wait_until(lambda: [dock(window, name).height() for name in ("crop", "labels")] == heights)
    window.close()


def test_a_panel_opened_in_a_low_window_is_in_front(tmp_path: Path) -> None:
    window = opened(tmp_path, "show_labels", height=LOW_PX)
    window.actions_by_id["show_crop"].trigger()
    wait_until(lambda: is_behind(dock(window, "labels")))
    panel = window.annotating.panel
    assert panel is not None
    wait_until(lambda: panel.reject.visibleRegion().boundingRect().size() == panel.reject.size())  # no need to scroll
    window.actions_by_id["show_crop"].trigger()
    wait_until(lambda: not is_behind(dock(window, "labels")))
    window.actions_by_id["show_crop"].trigger()
    wait_until(lambda: is_behind(dock(window, "labels")))
    window.close()


def test_labels_behind_another_panel_are_brought_forward_and_answered_by_no_key_before(tmp_path: Path) -> None:
    window = opened(tmp_path, "show_labels", "show_crop", height=LOW_PX)
    labels, form = dock(window, "labels"), window.labelling.form
    wait_until(lambda: is_behind(labels))
    action = window.actions_by_id["show_labels"]
    assert action.isChecked()  # it is open
    assert window.start.settings.settings.switches["show_labels"]
    window.case_list.table.setFocus()
    QTest.keyClick(window.case_list.table, Qt.Key.Key_1)
    wait_until(lambda: not is_behind(labels))
    assert form is not None
    assert form.entry is not None
    assert not form.entry.values
    QTest.keyClick(window.case_list.table, Qt.Key.Key_1)
    assert form.entry.values
    window.actions_by_id["show_crop"].trigger()  # forward …
    wait_until(lambda: is_behind(labels))
    action.trigger()
    wait_until(lambda: not is_behind(labels))
    assert action.isChecked()
    action.trigger()
    assert labels.isHidden()
    window.close()


def test_what_the_user_puts_above_each_other_stays_and_scrolls(tmp_path: Path) -> None:
    window = opened(tmp_path, "show_crop", "show_labels", height=LOW_PX)
    wait_until(lambda: is_behind(dock(window, "labels")) or is_behind(dock(window, "crop")))
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock(window, "labels"))  # as with the mouse
    wait_until(lambda: is_above(window, "crop", "labels") and is_within(window, "labels"))
    scroller, panel = scroller_of(dock(window, "crop")), panel_of(dock(window, "crop"))
    assert scroller is not None
    assert panel is window.annotating.panel
    wait_until(lambda: scroller.verticalScrollBar().maximum() > 0)
    window.resize(956, HIGH_PX)
    wait_until(lambda: scroller.verticalScrollBar().maximum() == 0)
    assert is_above(window, "crop", "labels")
    window.close()


def test_the_arrangement_of_a_high_window_is_what_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "window.ini"
    first = opened(tmp_path, "show_crop", "show_labels", height=LOW_PX, geometry=kept)
    wait_until(lambda: is_behind(dock(first, "crop")) or is_behind(dock(first, "labels")))
    first.close()
    second = opened(tmp_path, height=HIGH_PX, geometry=kept)
    wait_until(lambda: is_above(second, "crop", "labels"))
    second.close()
    third = opened(tmp_path, height=LOW_PX, geometry=kept)
    wait_until(lambda: is_behind(dock(third, "crop")) or is_behind(dock(third, "labels")))
    third.close()


@pytest.mark.parametrize("name", ["show_crop", "export", "training", "show_adjudication", "show_history"])
def test_no_panel_reaches_beyond_the_smallest_window(tmp_path: Path, name: str) -> None:
    window = opened(tmp_path, name, "language:de", height=440, width=907)  # 1366 × 768 at 150 %
    try:
        action = window.actions_by_id[name]
        wait_until(lambda: action.isChecked() and is_within(window, name.removeprefix("show_")))
        assert window.centralWidget().width() >= window.centralWidget().minimumSizeHint().width()
    finally:
        window.actions_by_id["language:en"].trigger()
        window.close()
