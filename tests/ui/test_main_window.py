"""The window on small projects: opening, going on, deciding, and every state in which there is nothing to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from app.core.case import Certainty, Patient, Projection, Side, Study
from app.core.grey import StoredImage
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.ui.main_window import MainWindow
from tests.support.window import add_view, flat_image, make_project, open_window, wait, wait_until


def press(window: MainWindow, keys: str) -> None:
    """Press keys as a person would."""
    QTest.keySequence(window, QKeySequence(keys))
    wait(10)


def shown_values(window: MainWindow) -> list[int | None]:
    """The value that marks the image in each pane; None for a pane without one."""
    assert window.viewer is not None
    pyramids = [place.pane.item.pyramid for place in window.viewer.places]
    return [None if pyramid is None else int(pyramid.levels[0][0, 0]) for pyramid in pyramids]


def settle(window: MainWindow) -> None:
    assert window.viewer is not None
    viewer = window.viewer
    wait_until(lambda: viewer.is_settled)


def test_the_first_case_hangs_frontal_left_and_lateral_right(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    assert shown_values(window) == [200, 201]
    assert window.case_list.model.rowCount() == 3
    assert window.windowTitle().startswith("p")


def test_next_and_previous_by_key_stop_at_the_ends(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    for keys, expected in (("PgDown", 202), ("]", 204), ("PgDown", 204), ("PgUp", 202), ("[", 200), ("PgUp", 200)):
        press(window, keys)
        settle(window)
        assert shown_values(window)[0] == expected, keys
    assert window.selection.on_screen == window.case_list.current_case


def test_a_row_that_is_clicked_is_opened(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    table = window.case_list.table
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(
        window.case_list.model.index(2, 0)).center())  # fmt: skip
    settle(window)
    assert shown_values(window) == [204, 205]


def test_the_words_on_the_image_are_those_of_its_case(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    press(window, "PgDown")
    settle(window)
    assert window.viewer is not None
    for place, projection in zip(window.viewer.places, ("Frontal", "Lateral"), strict=True):
        corners = place.pane.text.corners
        assert [line.text for line in corners.top_left] == ["P-001", projection, "Left hip"]
        assert "No length scale" in corners.bottom_right[0].text
    assert window.viewer.places[0].pane.text.corners.left == "R"
    assert not window.viewer.places[0].pane.text.corners.is_verified


def test_presets_inversion_and_linking(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    assert window.viewer is not None
    first, second = window.viewer.places
    press(window, "I")
    assert first.shown is not None
    assert second.shown is not None
    assert first.shown.is_inverted
    assert second.shown.is_inverted
    assert window.actions_by_id["invert"].isChecked()
    press(window, "K")
    press(window, "I")
    assert not first.shown.is_inverted
    assert second.shown.is_inverted
    press(window, "B")
    assert first.shown.name == "bone"
    assert second.shown.name == "auto"
    press(window, "V")
    assert window.actions_by_id["invert"].isChecked()
    press(window, "D")
    assert second.shown.name == "file"
    press(window, "A")
    assert second.shown.name == "auto"


def test_zoom_keys_work_on_the_active_pane_only(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    assert window.viewer is not None
    first, second = (place.pane for place in window.viewer.places)
    wait_until(lambda: second.zoom > 1)  # the panes have their size
    fitted = second.zoom
    press(window, "Ctrl+1")
    assert first.zoom == pytest.approx(1.0)
    assert second.zoom == pytest.approx(fitted)
    press(window, "+")
    assert first.zoom == pytest.approx(1.25)
    press(window, "Home")
    assert first.zoom == pytest.approx(fitted, rel=0.01)


def silent_project(folder: Path) -> Path:
    """Two views of which nobody knows what they show, then a plain case."""
    make_project(folder, cases=1)
    with ProjectStore.open(folder) as store:
        study = Study(id="2.25.77", patient_id="P-silent")
        with store.transaction():
            store.patients.add(Patient(id="P-silent"))
            store.studies.add(study)
            for step in range(2):
                add_view(store, study, f"V-silent-{step}", flat_image(300 + step), projection=None, side=None)
            recompose_study(store, study.id, author="test")
    return folder


def test_a_silent_case_is_resolved_by_keys_and_the_decision_is_recorded(tmp_path: Path) -> None:
    folder = silent_project(tmp_path / "p")
    window = open_window(folder)
    press(window, "PgDown")
    settle(window)
    assert shown_values(window) == [300, 301]
    assert window.viewer is not None
    assert window.resolving.may_decide
    press(window, "F")
    settle(window)
    press(window, "Shift+L")
    settle(window)
    assert shown_values(window) == [301, None]  # the frontal view has gone to the left hip's case
    press(window, "Shift+L")
    settle(window)
    press(window, "G")
    settle(window)
    assert shown_values(window) == [300, 301]
    assert not window.resolving.may_decide  # nothing is asked any more
    window.close()
    with ProjectStore.open(folder, is_read_only=True) as store:
        view = store.views.get("V-silent-1")
        assert view is not None
        assert (view.projection.value, view.side.value) == (Projection.FROG_LEG, Side.LEFT)
        assert view.projection.certainty is Certainty.CONFIRMED
        events = [event for event in store.events.of("view:V-silent-1") if event.author == "tester"]
        assert len(events) == 2
        (case,) = store.cases.of_patient("P-silent")
        assert (case.frontal_id, case.lateral_id, case.questions) == ("V-silent-0", "V-silent-1", ())


def test_keys_that_decide_are_dead_while_nothing_is_asked(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    window = open_window(folder)
    before = head(folder)
    for keys in ("L", "F", "X", "Shift+R"):
        press(window, keys)
    assert head(folder) == before
    press(window, "Q")  # ask about this view though it is known
    press(window, "X")
    settle(window)
    assert head(folder) > before


def test_a_key_never_decides_about_the_case_that_is_being_left(tmp_path: Path) -> None:
    """Between asking for a case and seeing it, the old one is on the screen: keys must not reach either."""
    folder = silent_project(tmp_path / "p")
    window = open_window(folder)
    press(window, "PgDown")
    settle(window)
    assert window.viewer is not None
    window.viewer.loader._cache.clear()
    before = head(folder)
    QTest.keySequence(window, QKeySequence("PgUp"))  # its images have to be loaded
    assert not window.viewer.is_settled
    QTest.keySequence(window, QKeySequence("F"))
    window.resolving.panel.buttons["lateral"].click()
    assert head(folder) == before
    settle(window)
    assert shown_values(window) == [200, 201]


def test_an_excluded_view_leaves_its_case(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    press(window, "Q")
    window.actions_by_id["exclude:repeat"].trigger()
    settle(window)
    assert shown_values(window) == [None, 201]


def head(folder: Path) -> int:
    """Number of the last event of a project."""
    with ProjectStore.open(folder, is_read_only=True) as store:
        return store.events.head()[0]


def test_a_project_that_somebody_else_writes_is_opened_for_looking_and_says_who_holds_it(tmp_path: Path) -> None:
    folder = silent_project(tmp_path / "p")
    with ProjectStore.open(folder):
        window = open_window(folder)
        assert shown_values(window) == [200, 201]
        assert "It is held by" in window.banners.texts["read-only"]
        press(window, "PgDown")
        settle(window)
        assert window.viewer is not None
        assert not window.resolving.panel.buttons["frontal"].isEnabled()
        press(window, "F")
        assert window.viewer.places[0].hanging.view is not None
        assert window.viewer.places[0].hanging.view.projection.value is None
        window.close()


def test_a_blocked_case_shows_no_image_and_says_why(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    with ProjectStore.open(folder) as store:
        store.studies.block("2.25.1", "Two patients are mixed up here.", author="test")
        recompose_study(store, "2.25.1", author="test")
    window = open_window(folder)
    assert shown_values(window) == [None, None]
    assert "Two patients are mixed up here." in window.banners.texts["case"]
    assert window.viewer is not None
    assert "Blocked" in window.viewer.places[0].pane.message
    press(window, "PgDown")
    settle(window)
    assert shown_values(window) == [202, 203]
    assert "case" not in window.banners.texts


def test_a_missing_image_is_said_in_its_pane_and_the_other_is_shown(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    with ProjectStore.open(folder) as store:
        view = store.views.get("V-001-1")
        assert view is not None
        store.images.path(view.image_sha256).unlink()
    window = open_window(folder)
    press(window, "PgDown")
    settle(window)
    assert window.viewer is not None
    assert shown_values(window) == [202, None]
    assert "missing from the project" in window.viewer.places[1].pane.message


def test_without_a_project_the_window_says_how_to_begin() -> None:
    window = open_window()
    assert window.start_page.isVisible()
    assert window.start_page.is_home
    assert "Begin" in window.start_page.heading.text()
    assert not window.actions_by_id["next"].isEnabled()


def test_an_empty_project_says_how_to_fill_it(tmp_path: Path) -> None:
    ProjectStore.create(tmp_path / "p").close()
    window = open_window(tmp_path / "p")
    assert not window.start_page.is_home
    assert "Drop radiographs here" in window.start_page.heading.text()
    assert [button.text() for button in window.start_page.message.buttons] == ["Import files…", "Import folder…"]


def test_a_folder_that_is_no_project_gives_a_banner_and_keeps_what_is_open(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    window.projects.open_project(tmp_path)
    wait(20)
    assert "not a Coxa project" in window.banners.texts["error"]
    assert shown_values(window) == [200, 201]


def test_another_project_takes_the_place_of_the_first(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "a", cases=1))
    second = make_project(tmp_path / "b", cases=2, rows=140)
    window.projects.open_project(second)
    settle(window)
    assert window.case_list.model.rowCount() == 2
    with ProjectStore.open(tmp_path / "a"):
        pass  # the first one is free again


def test_the_research_use_mark_is_always_there(tmp_path: Path) -> None:
    from PySide6.QtWidgets import QLabel

    for window in (open_window(), open_window(make_project(tmp_path / "p"))):
        said = "Research use only · not for diagnosis"
        marks = [label for label in window.findChildren(QLabel) if label.text() == said]
        assert len(marks) == 1
        assert marks[0].isVisible()


def test_monochrome1_and_monochrome2_of_the_same_picture_look_the_same(tmp_path: Path) -> None:
    from dataclasses import replace

    from app.core.grey import Photometric
    from app.core.grey_tables import to_display
    from app.ui.window_level import table_for
    from tests.support.window import GREY

    picture = np.random.default_rng(1).integers(0, 4096, (200, 150)).astype(np.uint16)
    folder = tmp_path / "p"
    with ProjectStore.create(folder) as store:
        study = Study(id="2.25.1", patient_id="P-1")
        with store.transaction():
            store.patients.add(Patient(id="P-1"))
            store.studies.add(study)
            add_view(store, study, "V-0", StoredImage(pixels=picture), projection=Projection.FRONTAL, side=Side.LEFT)
            inverse = StoredImage(pixels=(4095 - picture).astype(np.uint16))
            grey = replace(GREY, photometric=Photometric.MONOCHROME1)
            add_view(store, study, "V-1", inverse, projection=Projection.LATERAL, side=Side.LEFT, grey=grey)
            recompose_study(store, study.id, author="test")
    window = open_window(folder)
    assert window.viewer is not None
    levels = []
    for place in window.viewer.places:
        assert place.image is not None
        assert place.shown is not None
        levels.append(to_display(place.image.image, table_for(place.image, place.shown)).pixels.astype(int))
    assert np.abs(levels[0] - levels[1]).max() <= 1
