"""The worklist as part of the window: keys, filters, decisions and the case on the screen."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QToolButton

from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.core.worklist import Query, parse_filter
from app.store.project import ProjectStore
from app.store.settings import SettingsFile
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
from tests.support.many_cases import make_many_cases
from tests.support.naive_worklist import answer, facts
from tests.support.window import make_project, open_window, wait, wait_until

ROWS = 10_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed project of invented hips."""
    path = tmp_path_factory.mktemp("worklist-window") / "project"
    make_many_cases(path, 30, seed=4)
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    import shutil

    shutil.copytree(made, tmp_path / "project")
    return tmp_path / "project"


def key(window: MainWindow, name: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, name, keys)


def shown(window: MainWindow) -> str:
    """The case on the screen, once it is the one that was asked for."""
    wait_until(lambda: window.selection.on_screen == window.selection.wanted)
    return window.selection.on_screen


def test_a_search_from_the_keyboard_opens_the_first_hit_and_next_stays_in_it(path: Path) -> None:
    with ProjectStore.open(path, is_read_only=True) as store:
        right = answer(facts(store), Query("lef"))
    window = open_window(path)
    first = window.selection.on_screen
    window.activateWindow()
    key(window, Qt.Key.Key_Slash)
    wait_until(lambda: QApplication.focusWidget() is window.case_list.bar.search)
    QTest.keyClicks(window.case_list.bar.search, "lef")
    wait_until(lambda: window.case_list.model.rowCount() == len(right))
    assert window.selection.on_screen == first, "searching opens nothing"
    key(window, Qt.Key.Key_Return)
    seen = [shown(window)] if first not in right else [first]
    key(window, Qt.Key.Key_PageDown)
    seen.append(shown(window))
    key(window, Qt.Key.Key_PageDown)
    seen.append(shown(window))
    start = right.index(seen[0])
    assert seen == right[start : start + 3]
    key(window, Qt.Key.Key_Escape)
    wait_until(lambda: window.case_list.model.rowCount() == 30)
    assert window.selection.on_screen == seen[-1]
    assert window.case_list.current_case == seen[-1]


def test_a_decision_moves_the_case_out_of_the_list_but_not_off_the_screen(path: Path) -> None:
    window = open_window(path)
    assert window.project is not None
    window.case_list.ask(Query(filters=(parse_filter("status=new"),)))
    row = 2
    window.case_list.table.selectRow(row)
    case_id, following = shown(window), window.case_list.model.case_at(row + 1)
    window.project.record(lambda store, author: store.cases.set_status(case_id, ReviewStatus.REVIEWED, author=author))
    assert window.case_list.model.row_of(case_id) == -1
    assert window.selection.on_screen == case_id
    key(window, Qt.Key.Key_PageDown)
    assert shown(window) == following


def test_a_command_with_ctrl_selects_the_next_case_alone(path: Path) -> None:
    window = open_window(path)
    window.case_list.table.setFocus()
    for _ in range(2):
        before = shown(window)
        key(window, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
        assert shown(window) != before
        assert window.case_list.selected_cases() == [window.selection.on_screen]


def test_no_cross_is_left_in_a_search_box_that_was_emptied(path: Path) -> None:
    window = open_window(path)
    search = window.case_list.bar.search
    QTest.keyClicks(search, "P-00")
    (cross,) = search.findChildren(QToolButton)
    wait_until(lambda: cross.property("opacity") == 1.0)
    window.actions_by_id["show_all"].trigger()
    wait_until(lambda: cross.property("opacity") == 0.0, timeout_s=10)
    assert window.case_list.model.rowCount() == window.case_list.total


def test_the_list_can_be_hidden_and_a_search_brings_it_back(path: Path) -> None:
    window = open_window(path)
    dock = window.findChild(QDockWidget, "cases")
    assert isinstance(dock, QDockWidget)
    key(window, Qt.Key.Key_F9)
    assert not dock.isVisible()
    window.actions_by_id["find"].trigger()
    assert dock.isVisible()
    assert window.actions_by_id["show_list"].isChecked()


def test_kept_filters_are_there_in_the_next_window(path: Path) -> None:
    window = open_window(path)
    window.case_list.ask(Query("neck"))
    window.case_list.bar.save_as("Necks")
    assert window.start.settings.settings.filters == {"Necks": "search:neck"}
    window.close()
    other = MainWindow(window.start)
    settled: list[bool] = []
    other.settled.connect(lambda: settled.append(True))
    other.show()
    wait_until(lambda: bool(settled))
    other.case_list.bar.saved_menu.aboutToShow.emit()
    assert other.case_list.bar.saved_menu.actions()[0].text() == "Necks"


def test_small_radiographs_come_into_the_list(path: Path) -> None:
    window = open_window(path)
    source = window.case_list.delegate.thumbnails
    assert source is not None
    row = next(row for row in map(window.case_list.model.row_at, range(5)) if row is not None and row.frontal_id)
    wait_until(lambda: source.image(row.frontal_id, row.frontal_sha256) is not None)
    image = source.image(row.frontal_id, row.frontal_sha256)
    assert image is not None
    assert not image.isNull()


def test_a_filter_that_finds_nothing_leaves_the_case_and_the_project_on_the_screen(path: Path) -> None:
    window = open_window(path)
    on_screen = window.selection.on_screen
    window.case_list.ask(Query("zzzz"))
    wait(20)
    assert window.middle.currentWidget() is window.viewer
    assert window.selection.on_screen == on_screen
    assert not window.actions_by_id["next"].isEnabled()
    window.actions_by_id["show_all"].trigger()
    assert window.case_list.model.rowCount() == 30
    assert window.actions_by_id["next"].isEnabled()


def test_a_project_that_cannot_be_read_any_more_is_a_message_not_a_fault(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(path)
    assert window.project is not None
    index = window.project.look().worklist._index

    def refuse() -> tuple[int, bytes]:
        raise UserError("The disk could not be read.", kind="disk-error")

    with monkeypatch.context() as patch:
        patch.setattr(index, "_project_head", refuse)
        window.cases.refresh()
        window.case_list.table.viewport().repaint()
        wait(20)
        assert window.middle.currentWidget() is window.viewer, "the project is not taken for an empty one"
        assert "The disk could not be read." in window.banners.texts.get("error", "")
    window.case_list.refresh()
    assert window.case_list.model.rowCount() == 30


@pytest.mark.parametrize("is_read_only", [False, True])
def test_the_index_of_many_cases_is_made_in_the_background(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_read_only: bool
) -> None:
    monkeypatch.setattr("app.store.worklist.prepare.MANY_CASES", 5)
    window = open_window(path, is_read_only=is_read_only)
    assert window.case_list.model.rowCount() == 30
    assert (path / "cache" / "worklist.db").exists() != is_read_only
    if not is_read_only:  # a change is followed on the window's own connection
        assert window.project is not None
        case_id = window.case_list.model.case_at(3)
        window.project.record(
            lambda store, author: store.cases.set_status(case_id, ReviewStatus.SECOND_LOOK, author=author)
        )
        row = window.case_list.model.row_at(3)
        assert row is not None
        assert (row.case_id, row.status) == (case_id, "second-look")


def test_closing_while_the_index_is_made_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.worklist.prepare.MANY_CASES", 5)
    started, go = threading.Event(), threading.Event()

    def slowly(*_: object, **more: object) -> None:
        started.set()
        go.wait(20)
        more["note"](1, 30)  # type: ignore[operator]
        raise AssertionError("it was told to stop")

    monkeypatch.setattr("app.store.worklist.prepare.prepare_index", slowly)
    start = Start(
        project=path, demo=Path("nowhere"), demo_command=("nothing",), is_demo_ready=lambda: False,
        settings=SettingsFile(None),
    )  # fmt: skip
    window = MainWindow(start)
    window.show()
    wait_until(started.is_set)
    assert window.start_page.message.heading.text() == "Preparing the list of cases"
    threading.Timer(0.1, go.set).start()
    window.close()
    assert not (path / "cache" / "worklist.db").exists()


def test_ten_thousand_rows_from_one_end_to_the_other(tmp_path: Path) -> None:
    """The journey: open, sort, search, filter, walk, and end where the plain answer says."""
    path = tmp_path / "many"
    make_many_cases(path, ROWS, seed=2, is_shared=True)
    window = open_window(path)
    cases, table = window.case_list, window.case_list.table
    assert cases.model.rowCount() == ROWS
    key(window, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert table.currentIndex().row() == ROWS - 1
    last = shown(window)
    cases.bar.sort_by("patient")
    assert cases.current_case == last
    patients = [row.patient_id for row in map(cases.model.row_at, range(0, ROWS, 97)) if row is not None]
    assert patients == sorted(patients)
    assert len(patients) == 104  # from every part of the list
    cases.ask(cases.model.query.with_filter(parse_filter("label.garden=III")))
    total = cases.model.rowCount()
    found = [row for row in map(cases.model.row_at, range(total)) if row is not None]
    assert 100 < len(found) == total
    assert all("III" in row.labels["label.garden"] for row in found)
    for place in (0, total // 2, total - 1):
        table.selectRow(place)
        assert shown(window) == found[place].case_id
    for step, expected in ((1, total - 1), (-1, total - 2)):
        window.actions_by_id["next" if step > 0 else "previous"].trigger()
        assert table.currentIndex().row() == expected
    assert shown(window) == found[total - 2].case_id


def test_without_a_project_there_is_no_empty_list(tmp_path: Path) -> None:
    window = open_window()
    dock = window.findChild(QDockWidget, "cases")
    assert dock is not None
    assert not dock.isVisible()
    window.projects.open_project(make_project(tmp_path / "p"))
    assert dock.isVisible()
    window.actions_by_id["show_list"].trigger()
    window.actions_by_id["close_project"].trigger()
    window.projects.open_project(tmp_path / "p")
    assert not dock.isVisible()  # the user has put it away


def test_the_filters_give_the_keyboard_back_to_the_list_so_that_arrows_go_on(path: Path) -> None:
    window = open_window(path)
    window.activateWindow()
    window.case_list.table.setFocus()
    first = shown(window)
    key(window, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    popup = window.case_list.popup
    assert popup is not None
    wait_until(popup.isVisible)
    key(window, Qt.Key.Key_Escape)
    wait_until(lambda: not popup.isVisible())
    key(window, Qt.Key.Key_Down)
    wait(5)
    assert shown(window) != first
    window.close()


def test_home_and_end_lead_to_the_ends_of_the_list_and_two_commands_do_from_everywhere(path: Path) -> None:
    window = open_window(path)
    window.activateWindow()
    table = window.case_list.table
    table.setFocus()
    listed = window.case_list.listed_cases()
    fits: list[int] = []
    window.actions_by_id["fit"].triggered.connect(lambda: fits.append(1))
    for name, place in ((Qt.Key.Key_End, -1), (Qt.Key.Key_Home, 0)):
        key(window, name)
        assert shown(window) == listed[place]
        assert window.case_list.selected_cases() == [listed[place]]
    key(window, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert window.case_list.selected_cases() == listed
    assert fits == []
    assert window.viewer is not None
    window.viewer.active_pane.graphics.setFocus()
    key(window, Qt.Key.Key_Home)
    assert len(fits) == 1, "over an image it fits it, as before"
    for name, place in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_End, -1)):
        key(window, name, Qt.KeyboardModifier.AltModifier)
        assert shown(window) == listed[place]
        assert window.case_list.selected_cases() == [listed[place]]
    window.case_list.ask(Query("there is no such word"))
    key(window, Qt.Key.Key_Home, Qt.KeyboardModifier.AltModifier)
    assert window.selection.on_screen == listed[-1], "an empty list leads nowhere"


def test_the_keyboard_comes_to_a_list_without_the_open_case_and_opens_nothing(path: Path) -> None:
    window = open_window(path)
    window.activateWindow()
    cases, first = window.case_list, shown(window)
    assert window.project is not None
    window.project.record(lambda store, author: store.cases.set_status(first, ReviewStatus.EXCLUDED, author=author))
    key(window, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    popup = cases.popup
    assert popup is not None
    wait_until(popup.isVisible)
    cases.ask(Query(filters=(parse_filter("status!=excluded"),)))
    key(window, Qt.Key.Key_Escape)
    wait_until(lambda: not popup.isVisible())
    window.activateWindow()
    cases.table.setFocus()
    wait_until(cases.table.hasFocus)
    assert shown(window) == first, "it stays until one goes on"
    assert cases.current_case == ""
    key(window, Qt.Key.Key_Down)
    assert shown(window) == cases.current_case == cases.listed_cases()[0] != first
    assert cases.selected_cases() == [cases.current_case]


def test_another_list_without_the_open_case_begins_at_its_top(path: Path) -> None:
    window = open_window(path)
    cases = window.case_list
    cases.table.selectRow(8)
    far = shown(window)
    assert window.project is not None
    window.project.record(lambda store, author: store.cases.set_status(far, ReviewStatus.EXCLUDED, author=author))
    cases.ask(Query(filters=(parse_filter("status!=excluded"),)))
    assert cases.current_case == ""
    assert shown(window) == far
    window.actions_by_id["next"].trigger()
    assert shown(window) == cases.listed_cases()[0], "none of those that were asked for is passed over"
