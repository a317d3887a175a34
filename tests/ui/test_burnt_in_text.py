"""Looking for burnt-in text in the real window, by key and by mouse, and what an export may hold afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from app.core.case import Patient, Projection, Side, Study, ViewFlag
from app.core.errors import UserError
from app.core.pixel_review import MaskBox, ReleaseState
from app.store.project import ProjectStore
from app.store.released import released_image
from app.store.resolve import recompose_study
from app.ui.layouts import OTHER
from app.ui.main_window import MainWindow
from app.ui.thumbnails import Subject, painted_over
from tests.support.annotating_window import click, drag, pane
from tests.support.projects import make_view
from tests.support.window import GREY, add_study, flat_image, known, open_window, wait, wait_until


def press(window: MainWindow, keys: str) -> None:
    """Press keys as a person would, and wait until the window shows what follows."""
    QTest.keySequence(window, QKeySequence(keys))
    wait(10)
    assert window.viewer is not None
    viewer = window.viewer
    wait_until(lambda: viewer.is_settled)


def doubtful_project(folder: Path) -> Path:
    """Three cases with a frontal and a lateral view; all may hold text but those of the second case."""
    with ProjectStore.create(folder) as store:
        for case in range(3):
            study = Study(id=f"2.25.{case}", patient_id=f"P-{case}")
            with store.transaction():
                store.patients.add(Patient(id=study.patient_id))
                store.studies.add(study)
                for number, projection in enumerate((Projection.FRONTAL, Projection.LATERAL)):
                    image = flat_image(700 + 10 * case + number)
                    view = make_view(f"V-{case}-{number}", study.id, store.images.put(image), side=Side.LEFT)
                    flags = frozenset() if case == 1 else frozenset({ViewFlag.MAY_HAVE_TEXT})
                    view = replace(view, projection=known(projection), rows=120, cols=100, grey=GREY, flags=flags)
                    store.views.add(view, header={}, offset=0)
                recompose_study(store, study.id, author="test")
    return folder


def states(window: MainWindow) -> dict[str, str]:
    assert window.project is not None
    return {view.id: view.release.value for view in window.project.look().views.all()}


def test_a_queue_by_two_keys_and_a_drag(tmp_path: Path) -> None:
    window = open_window(doubtful_project(tmp_path / "p"))
    assert window.viewer is not None
    assert window.project is not None
    viewer, store = window.viewer, window.project.look()
    with pytest.raises(UserError, match="must not leave"):
        released_image(store.images, store.views.get("V-0-0"))  # type: ignore[arg-type]
    press(window, "Ctrl+Shift+T")
    panel = window.texts.panel
    assert panel.isVisible()
    assert panel.count.text() == "2 cases wait"
    first, second = drag(pane(window), (10.2, 20.3), (60.7, 40.1))
    wait_until(lambda: states(window)["V-0-0"] == "masked")
    [box] = store.views.get("V-0-0").pixel_review.masks  # type: ignore[union-attr]
    left, right = sorted((first[0], second[0]))
    assert box.left <= left < box.left + 1
    assert box.right - 1 < right <= box.right
    assert states(window)["V-0-1"] == "waiting"
    press(window, "Space")
    assert states(window) | {} == states(window) | {"V-0-0": "masked", "V-0-1": "clean"}
    assert viewer.content is not None
    assert viewer.content.case.frontal_id == "V-2-0", "the case between needs no look"
    assert panel.count.text() == "1 case waits"
    press(window, "Shift+Space")
    assert states(window)["V-2-0"] == "refused"
    assert states(window)["V-2-1"] == "waiting", "the other view is still to be looked at"
    press(window, "Space")
    assert states(window)["V-2-1"] == "clean"
    assert "every image" in window.statusBar().currentMessage()
    pixels = released_image(store.images, store.views.get("V-0-0")).pixels  # type: ignore[arg-type]
    before = store.images.load(store.views.get("V-0-0").image_sha256).pixels  # type: ignore[union-attr]
    changed = pixels != before
    assert changed[box.top : box.bottom, box.left : box.right].all()
    assert changed.sum() == (box.bottom - box.top) * (box.right - box.left)
    assert (pixels[changed] == 0).all()
    press(window, "Ctrl+Shift+T")
    assert not panel.isVisible()
    assert window.actions_by_id["pan"].isChecked()


def test_paint_comes_off_and_everything_can_be_undone(tmp_path: Path) -> None:
    window = open_window(doubtful_project(tmp_path / "p"))
    assert window.project is not None
    store = window.project.look()
    press(window, "Ctrl+Shift+T")
    drag(pane(window), (5, 5), (30, 15))
    drag(pane(window), (50, 60), (90, 80))
    click(pane(window), (10, 10))
    press(window, "Del")
    [left] = store.views.get("V-0-0").pixel_review.masks  # type: ignore[union-attr]
    assert left.left >= 49, "the chosen one is gone"
    press(window, "Del")
    assert states(window)["V-0-0"] == "waiting", "without any paint it is to be looked at again"
    press(window, "Ctrl+Z")
    press(window, "Ctrl+Z")
    assert len(store.views.get("V-0-0").pixel_review.masks) == 2  # type: ignore[union-attr]
    assert [row.texts for row in store.worklist.rows([store.worklist.number_of(store.cases.all()[0].id) or 0]).values()]
    assert not window.actions_by_id["text_clean"].isEnabled() or window.texts.is_on


def test_a_rectangle_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    window = open_window(doubtful_project(tmp_path / "p"))
    press(window, "Ctrl+Shift+T")
    where = pane(window)
    viewport = where.graphics.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=where.map_from_image(10, 10).toPoint())
    QTest.mouseMove(viewport, where.map_from_image(60, 50).toPoint())
    wait(10)
    shown = window.texts.board.on(where)
    assert shown is not None
    assert shown.pending is not None
    QTest.keyClick(window.viewer, Qt.Key.Key_Escape)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=where.map_from_image(60, 50).toPoint())
    wait(10)
    assert shown.pending is None
    assert states(window)["V-0-0"] == ReleaseState.WAITING


def test_small_radiographs_hide_what_is_painted_over() -> None:
    levels = np.full((96, 80), 200, np.uint8)
    subject = Subject(sha256="x", grey=GREY, masks=(MaskBox(left=100, top=50, right=300, bottom=150),), rows=960)
    shown = painted_over(levels, subject)
    assert (shown[5:15, 10:30] == 0).all()
    assert (shown[20:, :] == 200).all()
    assert painted_over(levels, replace(subject, masks=())) is levels


def test_the_other_hip_is_painted_over_and_no_rectangle_is_drawn_on_it(tmp_path: Path) -> None:
    """It is another case: what is drawn on it would be written into this one's history."""
    with ProjectStore.create(tmp_path / "p") as store:
        views = [(f"V-{side.value}", flat_image(300), Projection.FRONTAL, side) for side in (Side.LEFT, Side.RIGHT)]
        add_study(store, 0, views)
        cases = [case.id for case in store.cases.all()]
    window = open_window(tmp_path / "p")
    assert window.viewer is not None
    assert window.project is not None
    viewer, store = window.viewer, window.project.look()
    here = window.selection.on_screen
    window.cases.go_to(next(case for case in cases if case != here))
    wait_until(lambda: viewer.is_settled and window.selection.on_screen != here)
    other = viewer.places[0].hanging.view
    assert other is not None
    box = MaskBox(left=10, top=10, right=50, bottom=30)
    window.texts.add_mask(other.id, box)
    window.cases.go_to(here)
    window.actions_by_id["layout:both-hips"].trigger()
    wait_until(lambda: viewer.is_settled and window.selection.on_screen == here and len(viewer.shown_places) == 2)
    wait(10)
    place = next(each for each in viewer.shown_places if each.name == OTHER)
    shown = window.texts.board.on(place.pane)
    assert shown is not None
    assert shown.boxes == (box,)
    press(window, "Ctrl+Shift+T")
    events = store.events.head()
    drag(place.pane, (60, 60), (90, 90))
    assert store.events.head() == events
    assert "other hip" in " ".join(window.banners.texts.values())
    assert shown.pending is None


def test_the_loupe_does_not_show_what_is_painted_over(tmp_path: Path) -> None:
    window = open_window(doubtful_project(tmp_path / "p"))
    window.texts.add_mask("V-0-0", MaskBox(left=10, top=10, right=90, bottom=110))
    window.actions_by_id["invert"].trigger()
    where = pane(window)
    where.loupe.is_on = True
    where.loupe.follow(where.middle)
    middle = where.loupe.rect().center()
    assert where.loupe.grab().toImage().pixelColor(middle).value() == 0
    press(window, "Ctrl+Shift+T")  # what is looked for is seen through the paint
    where.loupe.follow(where.middle)
    assert where.loupe.grab().toImage().pixelColor(middle).value() > 50
