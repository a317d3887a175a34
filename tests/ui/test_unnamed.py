"""What was said before anybody has said who says it: it waits in sight, in order, and is not lost by leaving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from app.core.errors import UserError
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.store.settings import SettingsFile
from app.ui.annotate_popups import ReaderQuestion
from app.ui.leave_question import LeaveQuestion
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
from tests.support.annotating_window import act, align, textured
from tests.support.window import make_project, open_window, wait, wait_until


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    return make_project(tmp_path / "project", cases=3, rows=400, cols=300)


@pytest.fixture
def window(path: Path) -> Iterator[MainWindow]:
    window = open_window(path)
    assert window.project is not None
    window.project._is_author_confirmed = False  # as when the window has just been opened
    yield window
    window.project.drop_waiting()
    window.close()


def label(window: MainWindow, key: Qt.Key = Qt.Key.Key_2) -> None:
    """Answer the first question of the form by its key."""
    window.labelling.open()
    window.case_list.table.setFocus()
    wait(20)
    QTest.keyClick(window.case_list.table, key)
    wait(20)


def leave_prompt() -> None:
    """A click elsewhere."""
    question = QApplication.activePopupWidget()
    assert isinstance(question, ReaderQuestion)
    question.close()
    wait(20)


def comment(window: MainWindow, text: str, *, is_done: bool = True) -> None:
    act(window, "comment")
    assert window.reviewing.notes is not None
    QTest.keyClicks(window.reviewing.notes.comment, text)
    if is_done:
        QTest.keyClick(window.reviewing.notes.comment, Qt.Key.Key_Return)
    wait(20)


def go_next(window: MainWindow) -> tuple[str, str]:
    before = window.selection.on_screen
    window.actions_by_id["next"].trigger()
    wait_until(lambda: window.selection.on_screen != before)
    return before, window.selection.on_screen


def asked(window: MainWindow) -> LeaveQuestion:
    wait(20)
    found = window.leaving.question
    assert found is not None
    assert found.isVisible()
    return found


def stored(path: Path, case: str) -> str:
    with ProjectStore.open(path, is_read_only=True) as store:
        annotations = Annotations(store)
        return f"{annotations.values(case)} {annotations.labels(case, 'Ada')}"


def press_banner(window: MainWindow, words: str) -> None:
    button = next(each for each in window.banners.findChildren(QPushButton) if each.text() == words)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    wait(20)


def test_everything_that_waits_is_recorded_in_order_with_the_case_it_is_about(window: MainWindow) -> None:
    assert window.project is not None
    label(window)
    leave_prompt()
    comment(window, "the first")
    leave_prompt()
    first, second = go_next(window)
    comment(window, "the second")
    leave_prompt()
    comment(window, "and more")
    assert window.project.waiting_count == 4
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    question.name.setText("Ada")
    QTest.keyClick(question, Qt.Key.Key_Return)
    wait(20)
    annotations = window.project.annotations
    assert len(annotations.labels(first, "Ada")) == 1
    assert annotations.labels(second, "Ada") == {}
    said = {case: [event.after for event in annotations.history(case)] for case in (first, second)}
    assert said[first][-1] == "the first"
    assert said[second] == ["the second", "and more"]
    assert len({event.field for event in annotations.history(second)}) == 2, "two comments, not one written twice"
    assert not window.project.is_waiting
    assert "unnamed" not in window.banners.texts


def test_what_waits_is_said_and_can_be_named_or_discarded_there(window: MainWindow) -> None:
    assert window.project is not None
    label(window)
    assert "unnamed" not in window.banners.texts, "the question itself is on the screen"
    leave_prompt()
    assert "1 entry is not recorded yet" in window.banners.texts["unnamed"]
    press_banner(window, "Say who annotates…")
    leave_prompt()
    assert window.project.waiting_count == 1
    press_banner(window, "Discard")
    assert "unnamed" not in window.banners.texts
    assert not window.project.is_waiting
    assert window.project.annotations.labels(window.selection.on_screen, "tester") == {}


def test_closing_the_window_asks_and_records(window: MainWindow, path: Path) -> None:
    label(window)
    case = window.selection.on_screen
    window.close()
    question = asked(window)
    assert window.isVisible()
    assert QApplication.activePopupWidget() is None
    question.name.setText("  ")
    assert not question.record.isEnabled()
    question.name.setText("Ada")
    QTest.keyClick(question.name, Qt.Key.Key_Return)
    wait_until(lambda: not window.isVisible())
    assert "'fracture':" in stored(path, case)


def test_what_cannot_be_recorded_when_it_is_named_keeps_the_window_open(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UserError("The disk is full.", kind="disk-full")

    comment(window, "worth keeping")
    window.close()
    question = asked(window)
    with monkeypatch.context() as broken:
        broken.setattr(Annotations, "record", refuse)
        QTest.mouseClick(question.record, Qt.MouseButton.LeftButton)
        wait(20)
    assert window.isVisible()
    assert "The disk is full." in window.banners.texts["error"]
    assert window.reviewing.notes is not None
    assert window.reviewing.notes.comment.toPlainText() == "worth keeping"


def test_closing_the_window_asks_and_stays(window: MainWindow) -> None:
    assert window.project is not None
    label(window)
    window.close()
    QTest.keyClick(asked(window), Qt.Key.Key_Escape)
    wait(20)
    assert window.isVisible()
    assert window.project.waiting_count == 1
    assert "unnamed" in window.banners.texts
    window.close()
    asked(window).reject()


def test_closing_the_window_asks_and_discards(window: MainWindow, path: Path) -> None:
    label(window)
    comment(window, "nobody's")
    case = window.selection.on_screen
    window.close()
    QTest.mouseClick(asked(window).discard, Qt.MouseButton.LeftButton)
    wait_until(lambda: not window.isVisible())
    assert "nobody's" not in stored(path, case)


@pytest.mark.parametrize("how", ["comment", "nudge"])
def test_the_first_thing_ever_said_may_be_what_is_being_entered(window: MainWindow, path: Path, how: str) -> None:
    assert window.project is not None
    if how == "comment":
        comment(window, "typed at the end", is_done=False)
    else:
        window.project.confirm_author("Ada")
        align(window)
        window.project._is_author_confirmed = False
        assert window.viewer is not None
        before = dict(window.project.annotations.values(window.selection.on_screen, "Ada"))
        window.viewer.setFocus()
        QTest.keyClick(window.viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    case = window.selection.on_screen
    window.close()
    question = asked(window)
    assert QApplication.activePopupWidget() is None, "one question at a time"
    question.name.setText("Ada")
    QTest.mouseClick(question.record, Qt.MouseButton.LeftButton)
    wait_until(lambda: not window.isVisible())
    if how == "comment":
        assert "typed at the end" in stored(path, case)
    else:
        with ProjectStore.open(path, is_read_only=True) as store:
            assert dict(Annotations(store).values(case, "Ada")) != before


@pytest.mark.parametrize("answer", ["record", "discard", "stay"])
def test_closing_the_project_asks(window: MainWindow, path: Path, answer: str) -> None:
    assert window.project is not None
    label(window)
    case = window.selection.on_screen
    act(window, "close_project")
    question = asked(window)
    assert window.project.is_open
    QTest.mouseClick(getattr(question, answer), Qt.MouseButton.LeftButton)
    wait(50)
    assert window.project.is_open is (answer == "stay")
    assert not window.project.is_waiting or answer == "stay"
    if answer != "stay":
        with ProjectStore.open(path, is_read_only=True) as store:
            assert bool(Annotations(store).labels(case, "tester")) is (answer == "record")


def test_another_project_waits_for_the_answer(window: MainWindow, tmp_path: Path) -> None:
    assert window.project is not None
    other = make_project(tmp_path / "other", cases=1)
    comment(window, "of the first project", is_done=False)
    window.projects.open_project(other)
    question = asked(window)
    assert window.project.path != other
    QTest.mouseClick(question.discard, Qt.MouseButton.LeftButton)
    wait_until(lambda: window.project is not None and window.project.path == other)
    wait(50)
    assert window.reviewing.notes is not None
    assert window.reviewing.notes.comment.toPlainText() == ""
    assert "unnamed" not in window.banners.texts


def test_a_discarded_comment_goes_back_to_its_own_case_only(window: MainWindow) -> None:
    assert window.project is not None
    comment(window, "about the first")
    leave_prompt()
    first, _ = go_next(window)
    window.project.drop_waiting()
    wait(20)
    assert window.reviewing.notes is not None
    edit = window.reviewing.notes.comment
    assert edit.toPlainText() == ""
    window.cases.go_to(first)
    wait_until(lambda: window.selection.on_screen == first)
    wait(20)
    assert edit.toPlainText() == "about the first"
    edit.setPlainText("")


def test_a_comment_that_cannot_be_stored_on_leaving_is_not_given_to_the_next_case(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of one patient in the box of another would be recorded there on leaving it."""
    assert window.project is not None
    window.project.confirm_author("Ada")

    def refuse(*_: object, **__: object) -> None:
        raise UserError("The disk is full.", kind="disk-full")

    comment(window, "about the first", is_done=False)
    with monkeypatch.context() as broken:
        broken.setattr(Annotations, "record", refuse)
        first, second = go_next(window)
        wait(50)
    assert window.reviewing.notes is not None
    edit = window.reviewing.notes.comment
    assert edit.toPlainText() == ""
    edit.setFocus()
    window.actions_by_id["previous"].trigger()
    wait_until(lambda: window.selection.on_screen == first)
    wait(20)
    assert edit.toPlainText() == "about the first"
    go_next(window)
    assert window.project.annotations.values(second) == {}
    assert "about the first" in str(window.project.annotations.values(first))


@pytest.mark.parametrize("name", ["ד״ר כהן", "می\u200cنا", "\u200fيوسف\u200f", "Ada 👩\u200d⚕\ufe0f", "Dr.  Ada "])
def test_names_of_every_script_can_annotate(window: MainWindow, name: str) -> None:
    assert window.project is not None
    label(window)
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    question.name.setText(name)
    QTest.keyClick(question, Qt.Key.Key_Return)
    wait(20)
    author = window.project.author
    assert len(window.project.annotations.labels(window.selection.on_screen, author)) == 1
    assert "error" not in window.banners.texts
    align(window)
    stored = window.project.annotations.values(window.selection.on_screen, author)
    assert any(field.startswith("alignment") for field in stored)


def test_a_name_that_cannot_be_recorded_is_refused_where_it_is_asked(window: MainWindow) -> None:
    assert window.project is not None
    label(window)
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    question.name.setText("Ada\u0007")
    QTest.keyClick(question, Qt.Key.Key_Return)
    assert question.isVisible()
    assert "not one line" in question.hint.text()
    question.close()
    wait(20)
    assert window.project.waiting_count == 1


@pytest.mark.parametrize("author", ["Ada\u0007", "x" * 300, "  "])
def test_a_name_in_the_settings_that_cannot_be_recorded_is_asked_for(tmp_path: Path, author: str) -> None:
    """Looking back at what such a reader could undo would fail with every case."""
    settings = SettingsFile(None)
    settings.change(author=author)
    path = make_project(tmp_path / "p", cases=2, rows=400, cols=300)
    window = MainWindow(
        Start(project=path, demo=path, demo_command=(), is_demo_ready=lambda: False, author="", settings=settings)
    )
    window.show()
    wait_until(lambda: window.project is not None and bool(window.selection.on_screen))
    window.finish()
    assert window.project is not None
    assert window.project.author == ""
    assert "not named yet" in window.annotating.reader.text()
    window.close()


def test_a_long_name_leaves_room_in_the_bottom_bar(window: MainWindow) -> None:
    assert window.project is not None
    before = window.minimumSizeHint().width()
    window.project.confirm_author("Dr. " + "x" * 110)
    wait(20)
    assert window.minimumSizeHint().width() <= max(before, 1000)
    assert window.annotating.reader.text().endswith("…")
    assert "x" * 110 in window.annotating.reader.toolTip()


@pytest.mark.parametrize("keys", ["2", "121"])
def test_answers_keyed_on_into_the_question_are_not_taken_for_a_name(window: MainWindow, keys: str) -> None:
    label(window)
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    proposed = question.name.text()
    QTest.keyClicks(question.name, keys)
    QTest.keyClick(question.name, Qt.Key.Key_Return)
    assert question.isVisible()
    assert f"“{keys}”" in question.hint.text()
    assert question.name.text() == question.name.selectedText() == proposed
    QTest.keyClick(question.name, Qt.Key.Key_Return)
    wait(20)
    assert window.project is not None
    assert window.project.author == proposed
    assert not window.project.waiting_count


def test_a_personnel_number_is_a_name_when_it_is_given_again(window: MainWindow) -> None:
    label(window)
    question = window.annotating.question
    assert isinstance(question, ReaderQuestion)
    for _ in range(2):
        assert question.isVisible()
        QTest.keyClicks(question.name, "00412")
        QTest.keyClick(question.name, Qt.Key.Key_Return)
    wait(20)
    assert window.project is not None
    assert window.project.author == "00412"
