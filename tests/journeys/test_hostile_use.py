"""What nobody means to do: hammering keys, closing in the middle, taking the folder away, absurd images and names."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from app.core.case import Patient, Projection, Side, Study
from app.core.grey import StoredImage
from app.core.spacing import Spacing, SpacingSource
from app.store.audit import audit_database
from app.store.head import read_head
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.ui.main_window import MainWindow
from tests.support.window import add_view, flat_image, make_project, open_window, strict_qt, wait, wait_until


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    """No complaint of Qt, and no exception that ends in the crash dialog."""
    with strict_qt():
        yield


def project_with(folder: Path, *images: StoredImage, name: str = "p", patient: str = "P-1", **more: object) -> Path:
    """A project with one case of each image; nothing is known about the last one."""
    with ProjectStore.create(folder, name=name) as store:
        for number, image in enumerate(images):
            study = Study(id=f"2.25.{number}", patient_id=f"{patient}{number}")
            is_last = number == len(images) - 1
            with store.transaction():
                store.patients.add(Patient(id=study.patient_id))
                store.studies.add(study)
                add_view(store, study, f"V-{number}", image, projection=None if is_last else Projection.FRONTAL,
                         side=None if is_last else Side.LEFT, **more)  # fmt: skip
                recompose_study(store, study.id, author="test")
    return folder


def go(window: MainWindow, action: str) -> None:
    assert window.viewer is not None
    viewer = window.viewer
    window.actions_by_id[action].trigger()
    wait(10)
    wait_until(lambda: viewer.is_settled)


def is_sound(folder: Path) -> bool:
    with ProjectStore.open(folder) as store:
        return audit_database(store.database.connection, read_head(store.folder.head_file)) == []


LEAVES = {"quit", "close_project", "demo"}  # they end the test
DIALOGS = {"open", "recent", "import_files", "import_folder", "import_table"}  # of the system; they wait for a person


@pytest.mark.parametrize("seed", range(2))
def test_hammering_every_key_breaks_nothing(tmp_path: Path, seed: int) -> None:
    folder = make_project(tmp_path / "p", cases=4)
    with ProjectStore.open(folder) as store:
        study = Study(id="2.25.77", patient_id="P-silent")
        with store.transaction():
            store.patients.add(Patient(id="P-silent"))
            store.studies.add(study)
            for step in range(3):
                add_view(store, study, f"V-silent-{step}", flat_image(300 + step), projection=None, side=None)
            recompose_study(store, study.id, author="test")
    window = open_window(folder)
    choose = random.Random(seed)
    names = [name for name in window.actions_by_id if name not in LEAVES | DIALOGS]
    keys = [keys for name in names for keys in window.actions_by_id[name].shortcuts()]
    others = [QKeySequence(text) for text in ("Escape", "Tab", "Shift+Tab", "Down", "Up", "Return", "1", "2", "0")]
    for step in range(400):
        target = QApplication.activePopupWidget() or QApplication.focusWidget() or window
        QTest.keySequence(target, choose.choice(keys if choose.random() < 0.8 else others))
        if step % 7 == 0:
            wait(choose.choice((0, 1, 15)))
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible() and choose.random() < 0.5:
                widget.close()
    if (popup := QApplication.activePopupWidget()) is not None:
        popup.close()
    assert window.viewer is not None
    viewer = window.viewer
    wait_until(lambda: viewer.is_settled or viewer.content is None)
    window.close()
    assert is_sound(folder)


def test_the_folder_is_taken_away_and_the_window_says_so(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=6)
    window = open_window(folder)
    assert window.viewer is not None
    viewer = window.viewer
    viewer.loader._cache.clear()
    gone = folder.rename(tmp_path / "gone")  # at one blow: the window may just be writing into it
    shutil.rmtree(gone, ignore_errors=True)
    window.actions_by_id["ask"].trigger()
    wait(20)
    if window.actions_by_id["frontal"].isEnabled():
        window.actions_by_id["lateral"].trigger()
        wait(50)
    window.case_list.table.selectRow(5)
    wait_until(lambda: bool(window.banners.texts) or any(place.pane.message for place in viewer.places))
    window.close()


def test_language_is_switched_in_the_middle_of_a_decision(tmp_path: Path) -> None:
    folder = project_with(tmp_path / "p", flat_image(200), flat_image(300))
    window = open_window(folder)
    go(window, "next_question")
    panel = window.resolving.panel
    assert panel.isVisible()
    english = panel._title.text()
    window.actions_by_id["language:de"].trigger()
    wait(30)
    assert panel._title.text() != english
    assert window.resolving.may_decide
    go(window, "lateral")
    window.actions_by_id["block"].trigger()
    QTest.keyClicks(window.resolving.block_panel.reason, "zwei verschiedene")
    window.actions_by_id["language:en"].trigger()
    wait(30)
    assert window.resolving.block_panel.reason.text() == "zwei verschiedene"
    assert window.project is not None
    view = window.project.look().views.get("V-1")
    assert view is not None
    assert view.projection.value is Projection.LATERAL


def test_two_windows_on_one_project(tmp_path: Path) -> None:
    folder = project_with(tmp_path / "p", flat_image(200), flat_image(300))
    first, second = open_window(folder), open_window(folder)
    assert "read-only" in second.banners.texts
    go(first, "next_question")
    go(second, "next_question")
    go(first, "frontal")
    assert not second.actions_by_id["frontal"].isEnabled()
    go(second, "previous")
    go(second, "next")  # sees what the first has written
    first.close()
    second.close()
    assert is_sound(folder)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 11)])
def test_absurd_images_are_shown(tmp_path: Path, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, shape).astype(np.uint16)
    window = open_window(project_with(tmp_path / "p", StoredImage(pixels=pixels), flat_image(300)))
    assert window.viewer is not None
    pane = window.viewer.active_pane
    for name in ("fit", "one_to_one", "zoom_in", "turn_right", "mirror_horizontally", "invert", "bone", "auto",
                 "layout:single", "layout:stacked", "layout:both-hips", "layout:pair", "reset"):  # fmt: skip
        window.actions_by_id[name].trigger()
        wait(5)
        assert not pane.graphics.viewport().grab().isNull()
    QTest.mouseMove(pane.graphics.viewport(), QPoint(100, 100))
    wait(20)


def test_pixels_that_are_not_square_keep_their_shape(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    with ProjectStore.create(folder) as store:
        study = Study(id="2.25.1", patient_id="P-1")
        with store.transaction():
            store.patients.add(Patient(id="P-1"))
            store.studies.add(study)
            image = flat_image(300, rows=100, cols=200)
            view = add_view(store, study, "V-x", image, projection=Projection.FRONTAL, side=Side.LEFT)
            recompose_study(store, study.id, author="test")
        other = Study(id="2.25.2", patient_id="P-2")
        with store.transaction():
            store.patients.add(Patient(id="P-2"))
            store.studies.add(other)
            spacing = Spacing(row_mm=0.4, col_mm=0.2, source=SpacingSource.DETECTOR, is_trusted=True, aspect=2.0)
            store.views.add(replace(view, id="V-y", study_id=other.id, spacing=spacing), header={}, offset=0)
            recompose_study(store, other.id, author="test")
    window = open_window(folder)
    shapes = []
    for _ in range(2):
        assert window.viewer is not None
        pane = window.viewer.places[0].pane
        wait(30)
        corner = pane.map_from_image(200, 100) - pane.map_from_image(0, 0)
        shapes.append(corner.x() / corner.y())
        go(window, "next")
    assert shapes == pytest.approx([2.0, 1.0], rel=0.02)


NAMES = ("ש" * 40 + " (ירך)", "مشروع الورك " * 12, "W" * 300, "a\u202eb\u202dc", "<b>bold</b> & co", "{value} %s")


@pytest.mark.parametrize("name", NAMES, ids=("hebrew", "arabic", "long", "overrides", "markup", "braces"))
def test_any_name_fits_into_the_window(tmp_path: Path, name: str) -> None:
    folder = project_with(tmp_path / "p", flat_image(200), flat_image(300), name=name[:200], patient=name[:60])
    window = open_window(folder, size=(960, 600))
    go(window, "next_question")
    wait(20)
    assert (window.width(), window.height()) == (960, 600)
    window.actions_by_id["language:de"].trigger()
    wait(30)
    assert (window.width(), window.height()) == (960, 600)
    window.actions_by_id["language:en"].trigger()
    assert window.minimumSizeHint().width() <= 1100


def test_resizing_through_every_size_keeps_everything_inside(tmp_path: Path) -> None:
    folder = project_with(tmp_path / "p", flat_image(200), flat_image(300))
    window = open_window(folder, size=(1920, 1080))
    go(window, "next_question")
    for width, height in ((960, 600), (2560, 700), (960, 1400), (1280, 800)):
        window.resize(width, height)
        wait(40)
        panel = window.resolving.panel
        assert panel.isVisible()
        inside = panel.mapTo(window, panel.rect().bottomRight())
        assert inside.x() < window.width()
        assert inside.y() < window.height()
        assert window.viewer is not None
        assert window.viewer.height() > 150


def test_the_window_is_closed_before_it_is_ready(tmp_path: Path) -> None:
    from app.ui.start_plan import Start

    folder = make_project(tmp_path / "p")
    for delay_ms in (0, 1, 20, 60):
        window = MainWindow(Start(project=folder, demo=tmp_path, demo_command=("x",), is_demo_ready=lambda: False))
        window.show()
        wait(delay_ms)
        window.close()
        wait(30)
        window.deleteLater()
        wait(10)
    assert is_sound(folder)


def test_a_click_where_an_image_was_decides_nothing(tmp_path: Path) -> None:
    """Clicks and drags on empty panes, outside images and on the frame."""
    window = open_window(project_with(tmp_path / "p", flat_image(200), flat_image(300)))
    assert window.viewer is not None
    before = window.project.look().events.head() if window.project is not None else None
    for place in window.viewer.places:
        viewport = place.pane.graphics.viewport()
        for at in (QPoint(1, 1), viewport.rect().center(), viewport.rect().bottomRight()):
            for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
                QTest.mousePress(viewport, button, pos=at)
                QTest.mouseMove(viewport, QPoint(-500, 9000))
                QTest.mouseRelease(viewport, button, pos=QPoint(-500, 9000))
            QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=at)
            wait(5)
    assert window.project is not None
    assert window.project.look().events.head() == before
