"""Status, assignment, comments and history in the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.core.case import ReviewStatus
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.ui import theme
from app.ui.main_window import MainWindow
from app.ui.notices import Banner
from tests.support.window import make_project, open_window, wait, wait_until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", cases=4)


@pytest.fixture
def window(path: Path) -> Iterator[MainWindow]:
    window = open_window(path)
    yield window
    window.close()


def act(window: MainWindow, name: str) -> None:
    action = window.actions_by_id[name]
    assert action.isEnabled(), name
    action.trigger()
    wait(20)


def case_id(window: MainWindow) -> str:
    assert window.viewer is not None
    assert window.viewer.content is not None
    return window.viewer.content.case.id


def status(window: MainWindow) -> ReviewStatus:
    assert window.project is not None
    case = window.project.look().cases.get(case_id(window))
    assert case is not None
    return case.status


def said(window: MainWindow, field: str) -> object:
    assert window.project is not None
    return window.project.annotations.values(case_id(window)).get(field)


def label(window: MainWindow, field: str, value: str) -> None:
    assert window.project is not None
    here = case_id(window)
    window.project.annotate(here, lambda a, who: a.set_label(here, field, value, author=who))
    wait(10)


def labels(window: MainWindow) -> dict[str, object]:
    assert window.project is not None
    return dict(window.project.annotations.labels(case_id(window), "tester"))


def lines(window: MainWindow) -> list[str]:
    assert window.reviewing.history is not None
    shown = window.reviewing.history.list
    return [shown.item(row).text() for row in range(shown.count())]


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifier)
    wait(20)


def test_a_key_sets_the_status_and_undo_takes_it_back(window: MainWindow) -> None:
    act(window, "show_notes")
    notes = window.reviewing.notes
    assert notes is not None
    assert notes.buttons[ReviewStatus.NEW].isChecked()
    press(window, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert status(window) is ReviewStatus.REVIEWED
    assert notes.buttons[ReviewStatus.REVIEWED].isChecked()
    QTest.mouseClick(notes.buttons[ReviewStatus.SECOND_LOOK], Qt.MouseButton.LeftButton)
    wait(20)
    assert status(window) is ReviewStatus.SECOND_LOOK
    act(window, "undo")
    assert status(window) is ReviewStatus.REVIEWED
    assert notes.buttons[ReviewStatus.REVIEWED].isChecked()
    assert not notes.buttons[ReviewStatus.SECOND_LOOK].isChecked()


def test_a_comment_is_written_without_the_mouse(window: MainWindow) -> None:
    first = case_id(window)
    for words in ("Look at the calcar.", "1 fine line, 2 steps"):
        press(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        notes = window.reviewing.notes
        assert notes is not None
        assert notes.comment.hasFocus()
        QTest.keyClicks(notes.comment, words)
        press(window, Qt.Key.Key_Return)
        assert not notes.comment.hasFocus()
        assert notes.comment.toPlainText() == ""
    assert case_id(window) == first, "Enter in a comment goes to no other case"
    assert [said(window, f"comment.{number}") for number in (1, 2)] == ["Look at the calcar.", "1 fine line, 2 steps"]
    assert "tester" in notes.comments.text()
    assert notes.comments.text().index("calcar") < notes.comments.text().index("steps")


def test_escape_leaves_a_comment_unwritten_and_leaving_it_writes_it(window: MainWindow) -> None:
    act(window, "comment")
    notes = window.reviewing.notes
    assert notes is not None
    QTest.keyClicks(notes.comment, "no")
    press(window, Qt.Key.Key_Escape)
    assert said(window, "comment.1") is None
    act(window, "comment")
    QTest.keyClicks(notes.comment, "yes")
    window.case_list.table.setFocus()
    wait(20)
    assert said(window, "comment.1") == "yes"


def test_a_case_is_assigned_and_the_name_is_offered_again(window: MainWindow) -> None:
    act(window, "assign")
    notes = window.reviewing.notes
    assert notes is not None
    line = notes.person.lineEdit()
    assert line is not None
    QTest.keyClicks(line, "Dr  Ilona")
    press(window, Qt.Key.Key_Return)
    assert said(window, "assigned") == "Dr Ilona"
    assert not line.hasFocus()
    act(window, "assign")
    line.clear()
    press(window, Qt.Key.Key_Return)
    assert said(window, "assigned") is None


def test_the_next_new_case_is_found_round_the_end_of_the_list(window: MainWindow) -> None:
    order = window.case_list.model.case_ids(range(4))
    for number in (1, 2):
        window.cases.go_to(order[number])
        wait_until(lambda number=number: window.viewer.is_settled and case_id(window) == order[number])
        act(window, "status:annotated")
    window.cases.go_to(order[0])
    wait_until(lambda: case_id(window) == order[0])
    act(window, "next_new")
    wait_until(lambda: window.viewer.is_settled and case_id(window) == order[3])
    act(window, "status:excluded")
    act(window, "next_new")
    wait_until(lambda: window.viewer.is_settled and case_id(window) == order[0])
    act(window, "status:reviewed")
    act(window, "next_new")
    assert case_id(window) == order[0]
    assert any("No other case" in label.text() for label in window.banners.findChildren(QLabel))


def test_history_says_who_did_what_and_goes_back_to_any_state(window: MainWindow) -> None:
    act(window, "show_history")
    label(window, "fracture", "yes")
    label(window, "garden", "3")
    act(window, "status:second-look")
    history = window.reviewing.history
    assert history is not None
    said_lines = lines(window)
    assert "Status: Second look" in said_lines[0]
    assert "Garden: III" in said_lines[1]
    assert "Displacement: Displaced" in said_lines[1]
    assert "Fracture: Yes" in said_lines[2]
    assert all("tester" in line for line in said_lines[:3])
    assert not history.back.isEnabled(), "it is like this already"
    history.list.setCurrentRow(2)
    QTest.mouseClick(history.back, Qt.MouseButton.LeftButton)
    wait(20)
    assert labels(window) == {"fracture": "yes"}
    assert status(window) is ReviewStatus.NEW
    assert len(lines(window)) == len(said_lines) + 1
    history.list.setCurrentRow(len(lines(window)) - 1)
    QTest.mouseClick(history.back, Qt.MouseButton.LeftButton)
    wait(20)
    assert labels(window) == {}
    act(window, "undo")
    assert labels(window) == {"fracture": "yes"}
    act(window, "undo")
    assert labels(window) == {"fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "3"}
    assert status(window) is ReviewStatus.SECOND_LOOK


def test_what_another_reader_said_is_in_the_history_and_stays(path: Path) -> None:
    with ProjectStore.open(path) as store:
        first = store.cases.all()[0].id
        Annotations(store).set_label(first, "fracture", "no", author="Ben")
    window = open_window(path)
    act(window, "show_history")
    assert case_id(window) == first
    label(window, "fracture", "yes")
    assert any("Ben" in line and "Fracture: No" in line for line in lines(window))
    assert window.reviewing.history is not None
    window.reviewing.history.list.setCurrentRow(len(lines(window)) - 1)
    QTest.mouseClick(window.reviewing.history.back, Qt.MouseButton.LeftButton)
    wait(20)
    assert labels(window) == {}
    assert window.project is not None
    assert window.project.annotations.labels(first, "Ben") == {"fracture": "no"}
    window.close()


def test_a_read_only_project_shows_and_changes_nothing(path: Path) -> None:
    with ProjectStore.open(path) as store:
        Annotations(store).set_label(store.cases.all()[0].id, "fracture", "no", author="tester")
    window = open_window(path, is_read_only=True)
    for name in ("show_notes", "show_history"):
        act(window, name)
    notes, history = window.reviewing.notes, window.reviewing.history
    assert notes is not None
    assert history is not None
    assert not any(button.isEnabled() for button in notes.buttons.values())
    assert not window.actions_by_id["status:reviewed"].isEnabled()
    history.list.setCurrentRow(history.list.count() - 1)
    assert not history.back.isEnabled()
    window.close()


def test_it_is_seen_that_the_keyboard_is_in_the_comment(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    window.actions_by_id["show_notes"].trigger()
    wait_until(lambda: window.reviewing.notes is not None and window.reviewing.notes.isVisible())
    assert window.reviewing.notes is not None
    edit = window.reviewing.notes.comment

    def edge() -> str:
        picture = edit.grab().toImage()
        return picture.pixelColor(0, picture.height() // 2).name()

    window.case_list.table.setFocus()
    wait(30)
    assert edge() == QColor(theme.colours().line).name()
    edit.setFocus()
    wait(30)
    assert edge() == QColor(theme.colours().accent).name()
    window.close()


def test_a_pasted_word_without_spaces_widens_nothing(window: MainWindow) -> None:
    """The buttons for the status went out of sight beside it."""
    assert window.reviewing.notes is not None
    assert window.project is not None
    window.actions_by_id["show_notes"].setChecked(True)
    wait(50)
    window.actions_by_id["comment"].trigger()
    window.reviewing.notes.comment.setPlainText("https://" + "x" * 400)
    window.reviewing.notes.comment.store()
    wait(50)
    assert "x" * 20 in window.reviewing.notes.comments.text()
    room = window.reviewing.notes.width()
    assert all(button.geometry().right() < room for button in window.reviewing.notes.buttons.values())
    window.banners.show_banner("long", Banner("A reason", ("y" * 400,)))
    wait(50)
    assert window.minimumSizeHint().width() < 1000
    (stored,) = window.project.annotations.values(window.selection.on_screen).values()
    assert stored == "https://" + "x" * 400
