"""Deciding what views show, in the real window, by key and by mouse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from app.core.case import Assessment, Certainty, Evidence, Patient, Projection, Side, Study, View, ViewFlag
from app.core.questions import QuestionKind
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.ui.main_window import MainWindow
from tests.support.projects import make_view
from tests.support.window import GREY, flat_image, make_project, open_window, wait, wait_until

POSITION = Evidence(source="View Position", found="AP", says="frontal", rank=2)
WORDS = Evidence(source="Series Description", found="lat", says="lateral", rank=3)
HINT = Evidence(source="File name", found="links", says="left", rank=9, is_advisory=True)
UNKNOWN: Assessment = Assessment(value=None, certainty=Certainty.UNKNOWN)  # type: ignore[type-arg]


def press(window: MainWindow, keys: str) -> None:
    """Press keys as a person would, and wait until the window shows what follows."""
    assert window.viewer is not None
    viewer = window.viewer
    QTest.keySequence(window, QKeySequence(keys))
    wait(10)
    wait_until(lambda: viewer.is_settled)


def click(window: MainWindow, name: str) -> None:
    """Click a button of the panel."""
    assert window.viewer is not None
    viewer = window.viewer
    QTest.mouseClick(window.resolving.panel.buttons[name], Qt.MouseButton.LeftButton)
    wait(10)
    wait_until(lambda: viewer.is_settled)


def project_of(folder: Path, *studies: list[View]) -> Path:
    """A project with these views; view n of all shows the value 300 + n. Without studies: nothing but its folder."""
    number = 0
    with ProjectStore.create(folder) as store:
        for index, views in enumerate(studies):
            study = Study(id=f"2.25.{index}", patient_id=f"P-{index}")
            with store.transaction():
                store.patients.add(Patient(id=study.patient_id))
                store.studies.add(study)
                for view in views:
                    image = flat_image(300 + number)
                    placed = replace(view, study_id=study.id, image_sha256=store.images.put(image), rows=120, cols=100)
                    store.views.add(placed, header={}, offset=0)
                    number += 1
                recompose_study(store, study.id, author="test")
    return folder


def view(name: str, projection: Projection | None, side: Side | None, **more: object) -> View:
    plain = replace(make_view(name, "", "", side=side), flags=frozenset(), notices=(), acquired_at="", grey=GREY)
    known = Assessment(value=projection, certainty=Certainty.EVIDENT) if projection else UNKNOWN
    return replace(plain, projection=known, **more)  # type: ignore[arg-type]


def silent(name: str) -> View:
    return view(name, None, None)


def disputed(name: str, side: Side | None = Side.LEFT) -> View:
    quarrel: Assessment[Projection] = Assessment(
        value=None, certainty=Certainty.CONTRADICTORY, evidence=(POSITION, WORDS)
    )
    return replace(view(name, None, side), projection=quarrel)


def in_store(folder: Path, name: str) -> View:
    with ProjectStore.open(folder, is_read_only=True) as store:
        found = store.views.get(name)
    assert found is not None
    return found


def active(window: MainWindow) -> str:
    assert window.viewer is not None
    found = window.viewer.active_view
    return found.id if found is not None else ""


def test_contradictory_evidence_stands_side_by_side(tmp_path: Path) -> None:
    window = open_window(project_of(tmp_path / "p", [disputed("a")]))
    group = window.resolving.panel.groups[QuestionKind.PROJECTION]
    assert "disagrees" in group.title.text()
    assert group.evidence.texts == ["For Frontal", "View Position: “AP”", "For Lateral", "Series Description: “lat”"]
    assert group.isVisible()


def test_hints_are_marked_and_silence_is_said(tmp_path: Path) -> None:
    hinted = replace(silent("a"), side=Assessment(value=None, certainty=Certainty.UNKNOWN, evidence=(HINT,)))
    window = open_window(project_of(tmp_path / "p", [hinted]))
    groups = window.resolving.panel.groups
    assert groups[QuestionKind.SIDE].evidence.texts[-1].endswith("hint only")
    assert groups[QuestionKind.PROJECTION].evidence.texts == ["Nothing in the file says."]


def test_a_silent_pair_is_decided_with_three_keys(tmp_path: Path) -> None:
    folder = project_of(tmp_path / "p", [silent("a"), silent("b")])
    window = open_window(folder)
    press(window, "C")  # frontal left, lateral right
    press(window, "Shift+A")  # the next answer is meant for both
    press(window, "Shift+L")
    assert not window.resolving.may_decide
    assert "decided" in window.resolving.panel._title.text()
    window.close()
    assert (in_store(folder, "a").projection.value, in_store(folder, "b").projection.value) == (
        Projection.FRONTAL,
        Projection.LATERAL,
    )
    assert {in_store(folder, name).side.value for name in "ab"} == {Side.LEFT}


def test_the_panes_are_swapped_in_one_action_and_it_is_taken_back_in_one(tmp_path: Path) -> None:
    folder = project_of(tmp_path / "p", [view("a", Projection.FRONTAL, Side.LEFT), view("b", Projection.FROG_LEG,
                                                                                      Side.LEFT)])  # fmt: skip
    window = open_window(folder)
    press(window, "Q")
    press(window, "E")
    assert window.viewer is not None
    assert [place.hanging.view.id for place in window.viewer.places[:2] if place.hanging.view] == ["b", "a"]
    press(window, "Backspace")
    assert [place.hanging.view.id for place in window.viewer.places[:2] if place.hanging.view] == ["a", "b"]
    window.close()
    assert in_store(folder, "b").projection.value is Projection.FROG_LEG
    assert in_store(folder, "b").projection.certainty is Certainty.EVIDENT


def test_an_answer_for_all_views_alike_is_previewed_and_never_outlives_its_view(tmp_path: Path) -> None:
    folder = project_of(tmp_path / "p", [disputed("a"), disputed("b"), disputed("c")], [disputed("d")])
    window = open_window(folder)
    group = window.resolving.panel.groups[QuestionKind.PROJECTION]
    first = active(window)
    assert group.preview.isHidden()
    press(window, "Shift+A")
    assert group.preview.isVisible()
    assert all(name in group.preview.text() for name in "abc" if name != first)
    press(window, "V")  # another view: the wish is gone
    assert not group.is_same
    press(window, "Shift+A")
    press(window, "L")
    window.close()
    assert {in_store(folder, name).projection.value for name in "abc"} == {Projection.LATERAL}
    assert in_store(folder, "d").projection.value is None  # of another study


def test_one_key_goes_from_question_to_question_and_from_case_to_case(tmp_path: Path) -> None:
    folder = project_of(
        tmp_path / "p",
        [view("a", Projection.FRONTAL, Side.LEFT), disputed("b"), disputed("c")],
        [view("d", Projection.FRONTAL, Side.LEFT)],
        [disputed("e")],
    )
    window = open_window(folder)
    seen = []
    for _ in range(4):
        press(window, "N")
        seen.append(active(window))
    assert sorted(seen[:3]) in (["b", "c", "e"], ["b", "b", "e"], ["c", "c", "e"])
    assert "e" in seen
    assert "d" not in seen


def test_going_on_by_itself_opens_the_next_open_case(tmp_path: Path) -> None:
    window = open_window(project_of(tmp_path / "p", [disputed("a")], [view("b", Projection.FRONTAL, Side.LEFT)],
                                    [disputed("c")]))  # fmt: skip
    window.actions_by_id["go_on"].trigger()
    press(window, "F")
    assert active(window) == "c"
    press(window, "L")
    assert not window.resolving.may_decide  # nothing is left: it stays


def test_several_decisions_are_taken_back_one_by_one(tmp_path: Path) -> None:
    folder = project_of(tmp_path / "p", [silent("a")])
    window = open_window(folder)
    for keys in ("F", "Shift+L"):
        press(window, keys)
    window.actions_by_id["take_back"].trigger()
    wait(20)
    assert in_window(window, "a").side.value is None
    assert in_window(window, "a").projection.value is Projection.FRONTAL
    press(window, "Backspace")
    assert in_window(window, "a").projection.value is None
    assert not window.actions_by_id["take_back"].isEnabled()
    assert window.resolving.may_decide


def in_window(window: MainWindow, name: str) -> View:
    assert window.project is not None
    found = window.project.look().views.get(name)
    assert found is not None
    return found


def test_an_excluded_view_is_taken_back_from_the_menu_of_the_panel(tmp_path: Path) -> None:
    window = open_window(project_of(tmp_path / "p", [disputed("a"), disputed("b")]))
    first = active(window)
    window.resolving.panel.popup_exclusion()
    menu = window.resolving.panel.exclusion
    assert [action.text()[:2] for action in menu.actions()] == ["&1", "&2", "&3", "&4", "&5"]
    menu.actions()[0].trigger()
    menu.close()
    wait(20)
    assert in_window(window, first).excluded_reason == "repeat"
    window.resolving.panel.popup_exclusion()
    menu.actions()[-1].trigger()
    menu.close()
    wait(20)
    assert in_window(window, first).excluded_reason == ""


def test_repeats_are_settled_with_one_key(tmp_path: Path) -> None:
    views = [
        view(name, Projection.FRONTAL, Side.LEFT, acquired_at=f"2020-01-01T10:0{number}:00")
        for number, name in enumerate("ab")
    ]
    window = open_window(project_of(tmp_path / "p", views))
    assert active(window) == "b"  # the later one is proposed
    assert any("2 views for this place" in note for note in window.resolving.panel.asked.notes)
    press(window, "Shift+O")
    assert in_window(window, "a").excluded_reason == "repeat"
    assert not window.resolving.may_decide


def test_views_taken_apart_are_paired_by_saying_so(tmp_path: Path) -> None:
    window = open_window(
        project_of(
            tmp_path / "p",
            [
                view("a", Projection.FRONTAL, Side.LEFT, acquired_at="2020-01-01T10:00:00"),
                view("b", Projection.LATERAL, Side.LEFT, acquired_at="2020-01-01T14:00:00"),
            ],
        )
    )
    assert active(window) == "b"
    press(window, "C")
    assert window.viewer is not None
    assert all(place.hanging.is_placed for place in window.viewer.places[:2])
    assert not window.resolving.may_decide


def test_another_body_part_is_asked_about_and_confirmed(tmp_path: Path) -> None:
    odd = view("a", Projection.FRONTAL, Side.LEFT)
    window = open_window(project_of(tmp_path / "p", [replace(odd, flags=frozenset({ViewFlag.OTHER_BODY_PART}))]))
    assert any("another part of the body" in note for note in window.resolving.panel.asked.notes)
    click(window, "confirm")
    assert not window.resolving.may_decide
    assert window.viewer is not None
    assert window.viewer.places[0].hanging.is_placed


def test_a_pelvis_says_that_it_serves_two_hips(tmp_path: Path) -> None:
    window = open_window(project_of(tmp_path / "p", [view("a", Projection.FRONTAL, Side.BOTH)]))
    press(window, "Q")
    assert any("both hips" in note for note in window.resolving.panel.asked.notes)


def test_a_copy_is_explained(tmp_path: Path) -> None:
    folder = project_of(tmp_path / "p", [disputed("a")])
    with ProjectStore.open(folder) as store:
        for number, outcome in enumerate(("imported", "duplicate")):
            store.sources.add(source_sha256=f"{number}" * 64, view_id="a", outcome=outcome)
    window = open_window(folder)
    assert any("copy" in note for note in window.resolving.panel.asked.notes)


def block(folder: Path, study: str = "2.25.0") -> None:
    with ProjectStore.open(folder) as store:
        store.studies.block(study, "Images of one study differ in the patient's birth date.", author="test")
        recompose_study(store, study, author="test")


def test_a_blocked_case_is_released_in_the_window_with_a_reason_and_a_name(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=2)
    block(folder, "2.25.1")
    window = open_window(folder)
    panel = window.resolving.block_panel
    assert panel.isVisible()
    assert window.viewer is not None
    assert all(place.pane.item.pyramid is None for place in window.viewer.places)
    assert not panel.act.isEnabled()  # no reason yet
    QTest.keyClicks(panel.reason, "checked against the request form")
    assert active(window) == ""
    QTest.mouseClick(panel.act, Qt.MouseButton.LeftButton)
    viewer = window.viewer
    wait_until(lambda: viewer.is_settled and viewer.has_image)
    assert panel.isHidden()
    assert "case" not in window.banners.texts
    window.close()
    with ProjectStore.open(folder, is_read_only=True) as store:
        event = store.events.of("study:2.25.1")[-1]
        assert (event.author, event.text, event.after) == ("tester", "checked against the request form", "")


def test_typing_a_reason_decides_nothing_else(tmp_path: Path) -> None:
    """Letters that are commands elsewhere are letters in a line of text."""
    folder = make_project(tmp_path / "p", cases=3)
    block(folder, "2.25.1")
    window = open_window(folder)
    shown = window.selection.on_screen
    QTest.keyClicks(window.resolving.block_panel.reason, "fig noqux bc [ ] + -")
    wait(20)
    assert window.selection.on_screen == shown
    assert window.resolving.block_panel.reason.text() == "fig noqux bc [ ] + -"


def test_of_a_blocked_case_the_wrong_view_is_taken_out(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=1)
    block(folder, "2.25.1")
    window = open_window(folder)
    panel = window.resolving.block_panel
    panel.excluded.emit("V-000-1", True)
    wait(20)
    assert in_window(window, "V-000-1").excluded_reason == "wrong patient"
    assert panel.isVisible()  # releasing stays a decision of its own
    panel.excluded.emit("V-000-1", False)
    wait(20)
    assert in_window(window, "V-000-1").excluded_reason == ""


def test_a_case_is_blocked_from_the_window_and_its_images_go(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=1)
    window = open_window(folder)
    window.actions_by_id["block"].trigger()
    panel = window.resolving.block_panel
    assert panel.isVisible()
    QTest.mouseClick(panel.leave, Qt.MouseButton.LeftButton)
    assert panel.isHidden()
    window.actions_by_id["block"].trigger()
    QTest.keyClicks(panel.reason, "two different people")
    QTest.keyClick(panel.reason, Qt.Key.Key_Return)
    wait(30)
    assert window.viewer is not None
    assert all(place.pane.item.pyramid is None for place in window.viewer.places)
    assert "two different people" in window.banners.texts["case"]
    window.actions_by_id["take_back"].trigger()
    viewer = window.viewer
    wait_until(lambda: viewer.has_image)


def test_without_the_right_to_write_everything_is_shown_and_nothing_can_be_pressed(tmp_path: Path) -> None:
    folder = project_of(tmp_path / "p", [disputed("a")])
    window = open_window(folder, is_read_only=True)
    panel = window.resolving.panel
    assert panel.isVisible()
    assert not any(panel.buttons[name].isEnabled() for name in ("frontal", "left", "exclude"))
    assert panel.buttons["swap"].isHidden()


@pytest.mark.parametrize("width", [960, 1280, 1920])
def test_the_panel_never_makes_the_window_wider(tmp_path: Path, width: int) -> None:
    folder = project_of(tmp_path / "p", [disputed("a", None), disputed("b", None)])
    window = open_window(folder, size=(width, 700))
    press(window, "Shift+A")
    wait(20)
    assert window.width() == width
    panel = window.resolving.panel
    with_panel = window.minimumSizeHint().width()
    panel.hide()
    assert window.minimumSizeHint().width() == with_panel
    panel.show()
    wait(20)
    for name, button in panel.buttons.items():
        if button.isVisible():
            corner = button.mapTo(panel, button.rect().bottomRight())
            assert panel.rect().contains(corner), name


def test_the_last_view_of_a_project_can_be_excluded(tmp_path: Path) -> None:
    window = open_window(project_of(tmp_path / "p", [disputed("a")]))
    window.actions_by_id["exclude:poor quality"].trigger()
    wait(30)
    assert window.viewer is not None
    assert not window.viewer.has_image
    assert window.resolving.panel.isHidden()
    assert not window.actions_by_id["block"].isEnabled()
    assert window.start_page.heading.text() == "The only radiograph is excluded"
    QTest.keySequence(window, QKeySequence("Backspace"))  # no other case is there to take it back from
    wait_until(lambda: window.viewer is not None and window.viewer.has_image)
    assert window.case_list.total == 1
    assert window.resolving.may_decide
    assert not window.actions_by_id["take_back"].isEnabled()


def test_what_must_be_known_is_said_in_the_language_of_the_window(tmp_path: Path) -> None:
    window = open_window(
        project_of(tmp_path / "p", [replace(silent("V-1"), flags=frozenset({ViewFlag.OTHER_BODY_PART}))])
    )
    panel = window.resolving.panel
    assert panel.asked.notes
    english = panel.asked.notes
    window.actions_by_id["language:de"].trigger()
    try:
        wait(50)
        assert panel.asked.notes != english
        assert panel._notes.text() == "\n".join(panel.asked.notes)
    finally:
        window.actions_by_id["language:en"].trigger()
        wait(20)
    assert panel.asked.notes == english


def test_no_key_stands_for_two_commands() -> None:
    """An ambiguous key does nothing at all in Qt."""
    from app.ui.commands.table import COMMANDS

    keys = [(QKeySequence(keys).toString(), command.id) for command in COMMANDS for keys in command.shortcuts]
    twice = {key: [name for other, name in keys if other == key] for key, _ in keys}
    assert {key: names for key, names in twice.items() if len(set(names)) > 1} == {}
