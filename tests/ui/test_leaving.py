"""Leaving a case, or the project, in the middle of something: it stays with its case, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from app.core.errors import UserError
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.ui.annotate_popups import ReaderQuestion
from app.ui.label_field import UNSET, LineBox
from app.ui.main_window import MainWindow
from tests.support.annotating_window import act, align, click, pane, stored_alignment, textured
from tests.support.dropping import drop
from tests.support.window import make_project, open_window, wait, wait_until

NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    return make_project(tmp_path / "project", cases=4, rows=400, cols=300)


@pytest.fixture
def window(path: Path) -> Iterator[MainWindow]:
    window = open_window(path)
    yield window
    window.close()


def on_screen(window: MainWindow) -> str:
    return window.selection.on_screen


def values(window: MainWindow, case: str) -> dict[str, object]:
    assert window.project is not None
    return dict(window.project.annotations.values(case, "tester"))


def go_next(window: MainWindow, how: str = "next") -> tuple[str, str]:
    before = on_screen(window)
    window.actions_by_id[how].trigger()  # the button of the toolbar takes no focus
    wait_until(lambda: on_screen(window) != before)
    return before, on_screen(window)


def typed_remark(window: MainWindow) -> LineBox:
    """A remark about the case on the screen, not finished."""
    window.labelling.open()
    wait(50)
    assert window.labelling.form is not None
    (line,) = window.labelling.form.findChildren(LineBox)
    line.setFocus()
    QTest.keyClicks(line, "about the first")
    return line


def test_a_nudge_right_before_the_next_case_stays_with_its_case(window: MainWindow) -> None:
    align(window, 0)
    before = stored_alignment(window, 0)
    assert window.viewer is not None
    window.viewer.setFocus()
    QTest.keyClick(window.viewer, Qt.Key.Key_Right)
    first, second = go_next(window)
    wait(500)
    assert values(window, second) == {}
    (kept,) = values(window, first).values()
    assert isinstance(kept, dict)
    assert tuple(kept["center_xy"]) != pytest.approx(before.center_xy)


def test_a_comment_that_is_being_typed_stays_with_its_case(window: MainWindow) -> None:
    act(window, "comment")
    edit = QApplication.focusWidget()
    assert edit is not None
    QTest.keyClicks(edit, "about the first")
    first, second = go_next(window)
    window.case_list.table.setFocus()
    wait(50)
    assert window.project is not None
    assert "about the first" in str(window.project.annotations.values(first))
    assert "about the first" not in str(window.project.annotations.values(second))


def test_a_remark_that_is_being_typed_stays_with_its_case(window: MainWindow) -> None:
    typed_remark(window)
    first, second = go_next(window)
    window.case_list.table.setFocus()
    wait(50)
    assert window.project is not None
    assert window.project.annotations.labels(first, "tester") == {"remarks": "about the first"}
    assert window.project.annotations.labels(second, "tester") == {}


def test_what_nobody_put_a_name_to_is_not_drawn_as_if_it_were_stored(window: MainWindow) -> None:
    assert window.project is not None
    window.project._is_author_confirmed = False
    act(window, "align")
    click(pane(window), (150.0, 200.0))
    click(pane(window), (150.0, 300.0))
    wait(50)
    question = QApplication.activePopupWidget()
    assert isinstance(question, ReaderQuestion)
    question.close()
    wait(50)
    assert values(window, on_screen(window)) == {}
    drawing = window.annotating.board.on(pane(window))
    assert drawing is not None
    assert drawing.alignment is None
    window.project.drop_waiting()


def test_a_key_that_is_held_down_finishes_one_case(window: MainWindow) -> None:
    assert window.project is not None
    names = window.case_list.listed_cases()
    for name in names[:3]:
        window.project.annotate(
            name, lambda notes, author, name=name: notes.set_labels(name, {"fracture": "no"}, author=author)
        )  # type: ignore[misc]
    window.case_list.table.setFocus()
    handle = window.windowHandle()
    for number in range(20):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, NONE, "\r", number > 0)
        QCoreApplication.sendEvent(handle, event)
        wait(40)
    done = ["'annotated'" in str(window.project.annotations.values(name)).lower() for name in names[:3]]
    assert done == [True, False, False]


def test_a_label_typed_ahead_is_not_given_to_the_case_that_was_left(window: MainWindow) -> None:
    assert window.project is not None
    assert window.viewer is not None
    window.labelling.open()
    window.case_list.table.setFocus()
    wait(50)
    first = on_screen(window)
    far = window.case_list.listed_cases()[3]  # not decoded ahead
    window.cases.go_to(far)
    assert not window.viewer.is_settled
    QTest.keyClick(window.case_list.table, Qt.Key.Key_1)
    wait_until(lambda: on_screen(window) == far)
    assert window.project.annotations.labels(first, "tester") == {}


def test_a_nudge_right_before_the_project_is_closed_is_kept(window: MainWindow, path: Path) -> None:
    align(window, 0)
    case, before = on_screen(window), stored_alignment(window, 0)
    assert window.viewer is not None
    window.viewer.setFocus()
    QTest.keyClick(window.viewer, Qt.Key.Key_Right)
    act(window, "close_project")
    wait(400)
    drop(window, [path])
    wait_until(lambda: bool(window.project and window.project.is_open and window.viewer and window.viewer.content))
    (kept,) = values(window, case).values()
    assert isinstance(kept, dict)
    assert tuple(kept["center_xy"]) != pytest.approx(before.center_xy)


def test_a_number_that_is_being_typed_stays_with_its_case(window: MainWindow) -> None:
    window.labelling.open()
    wait(50)
    assert window.labelling.form is not None
    number = next(row.number for row in window.labelling.form.rows.values() if row.number is not None)
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, "70")
    first, second = go_next(window)
    assert window.project is not None
    assert list(window.project.annotations.labels(first, "tester").values()) == [70]
    assert window.project.annotations.labels(second, "tester") == {}
    assert number.value() == UNSET


def test_the_line_that_has_the_keyboard_shows_the_next_case(window: MainWindow) -> None:
    """Its text would be stored there as soon as the keyboard goes elsewhere."""
    line = typed_remark(window)
    go_next(window)
    assert line.hasFocus()
    assert line.text() == ""
    go_next(window, "previous")
    assert line.text() == "about the first"


def test_a_comment_is_kept_when_the_window_is_closed(window: MainWindow, path: Path) -> None:
    act(window, "comment")
    edit = QApplication.focusWidget()
    assert edit is not None
    QTest.keyClicks(edit, "typed at the end")
    case = on_screen(window)
    window.close()
    with ProjectStore.open(path, is_read_only=True) as store:
        assert "typed at the end" in str(Annotations(store).values(case))


def test_a_comment_that_nobody_put_a_name_to_can_be_recorded_again(window: MainWindow) -> None:
    assert window.project is not None
    window.project._is_author_confirmed = False
    act(window, "comment")
    assert window.reviewing.notes is not None
    edit = window.reviewing.notes.comment
    QTest.keyClicks(edit, "worth reading")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    wait(50)
    question = QApplication.activePopupWidget()
    assert isinstance(question, ReaderQuestion)
    question.close()
    wait(50)
    assert window.project.annotations.values(on_screen(window)) == {}
    assert edit.toPlainText() == "", "it waits; in the box, too, it would be recorded twice"
    window.project.drop_waiting()
    assert edit.toPlainText() == "worth reading"
    edit.setPlainText("")


def test_a_comment_typed_while_the_next_case_is_on_its_way_is_about_neither(window: MainWindow) -> None:
    assert window.project is not None
    assert window.viewer is not None
    act(window, "comment")
    assert window.reviewing.notes is not None
    edit = window.reviewing.notes.comment
    first, far = on_screen(window), window.case_list.listed_cases()[3]  # not decoded ahead
    window.cases.go_to(far)
    assert not window.viewer.is_settled
    QTest.keyClicks(edit, "about what?")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert edit.toPlainText() == "about what?"
    wait_until(lambda: on_screen(window) == far)
    assert window.project.annotations.values(first) == window.project.annotations.values(far) == {}


def test_half_a_name_is_not_assigned_to_the_next_case(window: MainWindow) -> None:
    act(window, "assign")
    assert window.reviewing.notes is not None
    line = window.reviewing.notes.person.lineEdit()
    assert line is not None
    QTest.keyClicks(line, "Dr. B")
    _, second = go_next(window)
    assert line.text() == ""
    QTest.keyClick(line, Qt.Key.Key_Return)
    wait(50)
    assert window.project is not None
    assert window.project.annotations.values(second) == {}


def test_a_drawing_that_was_refused_is_not_shown_as_if_it_were_stored(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    align(window, 0)
    before = stored_alignment(window, 0)

    def refuse(*_: object, **__: object) -> None:
        raise UserError("The project cannot be written.", kind="unwritable")

    monkeypatch.setattr(Annotations, "record", refuse)
    assert window.viewer is not None
    window.viewer.setFocus()
    QTest.keyClick(window.viewer, Qt.Key.Key_Right)

    def center_xy() -> tuple[float, float]:
        drawing = window.annotating.board.on(pane(window))
        assert drawing is not None
        assert drawing.alignment is not None
        return drawing.alignment.center_xy

    assert center_xy() != pytest.approx(before.center_xy)
    wait_until(lambda: center_xy() == pytest.approx(before.center_xy))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing more can be recorded, until it is undone."""

    def refuse(*_: object, **__: object) -> None:
        raise UserError("The disk is full.", remedy="Free some space.", kind="disk-full")

    with monkeypatch.context() as broken:
        broken.setattr(Annotations, "record", refuse)
        yield broken


def question_box(window: MainWindow) -> QMessageBox:
    (box,) = (box for box in window.findChildren(QMessageBox) if box.isVisible())
    return box


def press(box: QMessageBox, words: str) -> None:
    (button,) = (button for button in box.buttons() if button.text() == words)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    wait(20)


def test_a_remark_that_is_refused_on_the_way_to_the_next_case_can_still_be_read(
    window: MainWindow, full_disk: pytest.MonkeyPatch
) -> None:
    typed_remark(window)
    first, second = go_next(window)
    full_disk.undo()
    assert window.project is not None
    case = window.project.look().cases.get(first)
    assert case is not None
    told = window.banners.texts["refused-words"]
    assert "about the first" in told
    assert case.patient_id in told
    window.actions_by_id["next"].trigger()
    wait(50)
    assert window.project.annotations.labels(second, "tester") == {}


def test_the_window_stays_while_what_is_being_typed_cannot_be_recorded(
    window: MainWindow, path: Path, full_disk: pytest.MonkeyPatch
) -> None:
    line, case = typed_remark(window), on_screen(window)
    window.close()
    box = question_box(window)
    assert "Free some space." in box.informativeText()
    press(box, "Stay")
    assert window.isVisible()
    assert "about the first" in window.banners.texts["refused-words"]
    full_disk.undo()
    line.setFocus()
    line.clear()
    QTest.keyClicks(line, "about the first")
    window.close()
    assert not window.isVisible()
    with ProjectStore.open(path) as store:
        assert Annotations(store).labels(case, "tester") == {"remarks": "about the first"}


def test_a_project_on_a_full_disk_can_be_left_all_the_same(window: MainWindow, full_disk: pytest.MonkeyPatch) -> None:
    typed_remark(window)
    window.close()
    press(question_box(window), "Leave without it")
    assert not window.isVisible()
