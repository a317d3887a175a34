"""The label form in the real window: keys, buttons, text, undo, and whose key it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.case import Projection
from app.core.label_set import LabelValue
from app.store.annotations import Annotations
from app.store.label_sets import adopt_label_set, read_label_set
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.store.resources import resource_path
from app.ui.label_form import LabelForm
from app.ui.main_window import MainWindow
from tests.support.window import make_project, open_window, wait, wait_until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", cases=3)


@pytest.fixture
def window(path: Path) -> Iterator[MainWindow]:
    window = open_window(path)
    window.actions_by_id["show_labels"].trigger()
    wait(30)
    yield window
    window.close()


def form(window: MainWindow) -> LabelForm:
    assert window.labelling.form is not None
    return window.labelling.form


def type_keys(window: MainWindow, keys: str) -> None:
    """Keys as a person presses them: whatever has the keyboard gets them."""
    for key in keys.split():
        target = QApplication.focusWidget() or window
        QTest.keyClick(target, Qt.Key[f"Key_{key}"] if len(key) > 1 else key)
        wait(5)


def case_id(window: MainWindow) -> str:
    assert window.viewer is not None
    assert window.viewer.content is not None
    return window.viewer.content.case.id


def labels(window: MainWindow) -> dict[str, LabelValue]:
    assert window.project is not None
    return window.project.annotations.labels(case_id(window), "tester")


GARDEN_3 = {"fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "3"}


def test_two_keys_and_enter_make_a_whole_case(window: MainWindow) -> None:
    first = case_id(window)
    type_keys(window, "g 3")
    assert labels(window) == GARDEN_3
    assert window.annotating.saved.text() == "Saved"
    assert form(window).rows["garden"].buttons["3"].isChecked()
    assert form(window).rows["displacement"].buttons["displaced"].isChecked()
    type_keys(window, "Return")
    wait_until(lambda: case_id(window) != first, timeout_s=10)
    assert labels(window) == {}
    assert form(window).entry is not None
    assert form(window).entry.active == "fracture"
    assert not form(window).rows["garden"].isVisible()


def test_digits_answer_the_active_question_and_go_on(window: MainWindow) -> None:
    type_keys(window, "1 1 2 4")
    assert labels(window) == GARDEN_3 | {"garden": "4"}
    assert form(window).rows["quality"].property("active") is True
    assert form(window).rows["garden"].property("active") is False


def test_undo_takes_the_whole_gesture_back_and_the_form_follows(window: MainWindow) -> None:
    type_keys(window, "g 3")
    window.actions_by_id["undo"].trigger()
    wait(10)
    assert labels(window) == {}
    assert not any(button.isChecked() for row in form(window).rows.values() for button in row.buttons.values())
    window.actions_by_id["redo"].trigger()
    wait(10)
    assert form(window).rows["garden"].buttons["3"].isChecked()


def test_buttons_do_the_same(window: MainWindow) -> None:
    for field, choice in (("fracture", "yes"), ("region", "shaft"), ("asbmr-major", "not-comminuted")):
        QTest.mouseClick(form(window).rows[field].buttons[choice], Qt.MouseButton.LeftButton)
        wait(5)
    assert labels(window) == {"fracture": "yes", "region": "shaft", "asbmr-major": ("not-comminuted",)}
    QTest.mouseClick(form(window).rows["asbmr-major"].buttons["not-comminuted"], Qt.MouseButton.LeftButton)
    wait(5)
    assert "asbmr-major" not in labels(window)


def test_text_is_taken_with_enter_and_the_keyboard_goes_back(window: MainWindow) -> None:
    first = case_id(window)
    type_keys(window, "t")
    line = form(window).rows["remarks"].line
    assert line is not None
    assert QApplication.focusWidget() is line
    QTest.keyClicks(line, "2 fine cracks, g 3")
    type_keys(window, "Return")
    assert labels(window) == {"remarks": "2 fine cracks, g 3"}
    assert QApplication.focusWidget() is not line
    assert case_id(window) == first
    type_keys(window, "2")
    assert labels(window)["fracture"] == "no"


def test_confidence_by_key_and_in_numbers(window: MainWindow) -> None:
    type_keys(window, "c 4")
    assert labels(window) == {"confidence": 75}
    box = form(window).rows["confidence"].number
    assert box is not None
    assert box.value() == 75
    box.setValue(83)
    wait(5)
    assert labels(window) == {"confidence": 83}
    assert not any(button.isChecked() for button in form(window).rows["confidence"].buttons.values())


def test_backspace_takes_an_answer_away(window: MainWindow) -> None:
    type_keys(window, "2 f Backspace")
    assert labels(window) == {}


def test_without_the_form_its_keys_are_the_windows_again(window: MainWindow) -> None:
    window.actions_by_id["show_labels"].trigger()
    wait(10)
    type_keys(window, "g m")
    assert labels(window) == {}
    assert window.actions_by_id["pan"].isChecked()


def test_a_view_that_is_asked_about_has_the_first_right_to_its_keys(window: MainWindow) -> None:
    window.actions_by_id["ask"].trigger()
    wait(10)
    assert window.resolving.may_decide
    type_keys(window, "g")
    wait(20)
    assert window.project is not None
    found = [view.projection.value for view in window.project.look().views.all()]
    assert found.count(Projection.FROG_LEG) == 1
    assert labels(window) == {}


def test_required_and_left_over_answers_are_marked(path: Path, tmp_path: Path) -> None:
    with ProjectStore.open(path) as store:
        store.events.append(target=f"case:{store.cases.all()[0].id}", field="label.garden", after="III")
        text = resource_path("label_sets", "hip-fracture.toml").read_text(encoding="utf-8")

        Annotations(store).set_label(store.cases.all()[0].id, "quality", "limited", author="tester")
        newer = tmp_path / "newer.toml"
        newer.write_text(text.replace("version = 1", "version = 2").replace('"limited"', '"poor"'), encoding="utf-8")
        adopt_label_set(store, read_label_set(newer), author="tester")
    window = open_window(path)
    window.actions_by_id["show_labels"].trigger()
    wait(20)
    assert form(window).rows["fracture"].mark.text() == "required"
    assert "limited" in form(window).notes.text()
    assert "garden: III" in form(window).notes.text()
    type_keys(window, "2")
    assert form(window).rows["fracture"].mark.text() == ""
    window.close()


def test_a_read_only_project_shows_labels_and_takes_none(path: Path) -> None:
    with ProjectStore.open(path) as store:
        Annotations(store).set_label(store.cases.all()[0].id, "fracture", "no", author="tester")
    window = open_window(path, is_read_only=True)
    window.actions_by_id["show_labels"].trigger()
    wait(20)
    button = form(window).rows["fracture"].buttons["no"]
    assert button.isChecked()
    assert not button.isEnabled()
    type_keys(window, "1")
    assert labels(window) == {"fracture": "no"}
    window.close()


def test_the_first_digit_opens_the_form_and_answers_nothing_unseen(path: Path) -> None:
    window = open_window(path)
    assert not form(window).isVisible()
    type_keys(window, "1")
    wait_until(form(window).isVisible)
    assert labels(window) == {}
    type_keys(window, "1")
    assert labels(window) == {"fracture": "yes"}


def test_enter_shows_what_is_missing_until_it_is_answered(path: Path) -> None:
    window = open_window(path)
    type_keys(window, "Return")
    assert "Fracture" in window.banners.texts["incomplete"]
    wait_until(form(window).isVisible)
    type_keys(window, "2")
    assert "incomplete" not in window.banners.texts
    type_keys(window, "Return")
    wait_until(lambda: window.case_list.model.row_of(case_id(window)) == 1)


def test_in_a_case_with_a_question_enter_says_what_comes_first(window: MainWindow) -> None:
    window.actions_by_id["ask"].trigger()
    wait(10)
    type_keys(window, "Return")
    assert "Say first what the view shows" in window.banners.texts["incomplete"]


def test_of_a_blocked_case_the_form_says_so(path: Path) -> None:
    with ProjectStore.open(path) as store:
        store.studies.block("2.25.1", "Images of one study differ in the patient's birth date.", author="test")
        recompose_study(store, "2.25.1", author="test")
    window = open_window(path)
    window.labelling.open()
    wait(50)
    assert window.labelling.form is not None
    assert window.labelling.form.notes.text() == "The case is blocked. Release it first."
    window.close()
