"""The display shutter in the window: what lies beside the collimated area is dark, and only on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from app.core.case import Patient, Projection, Side, Study
from app.core.grey import Photometric, StoredImage
from app.core.orientation import Orientation
from app.core.shutter import found_shutter
from app.store.derived import DerivedCache
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.store.windows import area_of
from app.ui.image_pane import ImagePane
from app.ui.main_window import MainWindow
from tests.support.borders import Border, as_stored, collimated, rectangle
from tests.support.window import add_view, open_window, wait

SHAPE = (400, 320)
CORNER, MIDDLE = (20, 20), (160, 200)  # image coordinates: behind a blade, and in the field
RECTANGLE = {"00181600": {"vr": "CS", "Value": ["RECTANGULAR"]}} | {
    tag: {"vr": "IS", "Value": [value]}
    for tag, value in (("00181602", 101), ("00181604", 220), ("00181606", 101), ("00181608", 300))
}


def project(folder: Path, *, header: dict[str, Any] | None = None, border: Border | None = Border.WHITE) -> Path:
    """One hip with a frontal view whose collimator shows."""
    polygon = rectangle(SHAPE, (0.6, 0.7), 0)
    stored, grey = as_stored(collimated(SHAPE, polygon if border else None, border or Border.WHITE, seed=3),
                             Photometric.MONOCHROME2)  # fmt: skip
    with ProjectStore.create(folder) as store:
        study = Study(id="2.25.8", patient_id="P-8")
        with store.transaction():
            store.patients.add(Patient(id="P-8"))
            store.studies.add(study)
            add_view(store, study, "V-8", stored, projection=Projection.FRONTAL, side=Side.LEFT, grey=grey,
                     header=header or {})  # fmt: skip
            recompose_study(store, study.id, author="test")
    return folder


def the_pane(window: MainWindow) -> ImagePane:
    assert window.viewer is not None
    return window.viewer.places[0].pane


def level(pane: ImagePane, at: tuple[int, int]) -> int:
    """Grey level on the screen of an image point."""
    viewport = pane.graphics.viewport()
    place = pane.map_from_image(*at).toPoint()
    return viewport.grab().toImage().pixelColor(place * viewport.devicePixelRatioF()).red()


def words(window: MainWindow) -> str:
    assert window.viewer is not None
    return "\n".join(line.text for line in window.viewer.places[0]._corners().bottom_left)


def test_a_white_border_is_darkened_until_it_is_asked_for(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    pane, shutter = the_pane(window), window.actions_by_id["shutter"]
    assert shutter.isChecked()
    assert "shutter" in words(window)
    middle = level(pane, MIDDLE)
    assert level(pane, CORNER) < 20 < middle
    shutter.trigger()
    assert level(pane, CORNER) > 200
    assert "shutter" not in words(window)
    assert level(pane, MIDDLE) == middle
    shutter.trigger()
    window.actions_by_id["invert"].trigger()
    wait(20)
    assert level(pane, CORNER) < 20  # the negative has no white border either


@pytest.mark.parametrize("orientation", [Orientation(angle_deg=90), Orientation(angle_deg=33, is_mirrored=True)])
def test_it_turns_with_the_image_and_holds_in_the_loupe(tmp_path: Path, orientation: Orientation) -> None:
    window = open_window(project(tmp_path / "p"))
    pane = the_pane(window)
    pane.set_orientation(orientation)
    assert level(pane, CORNER) < 20 < level(pane, MIDDLE)
    pane.loupe.is_on = True
    pane.loupe.follow(QPointF(pane.map_from_image(60, 60)))
    wait(20)
    glass = pane.loupe.grab().toImage()
    assert glass.pixelColor(glass.width() // 2, glass.height() // 3).red() < 20


def test_the_file_s_own_shutter_goes_first_and_is_black(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", header=RECTANGLE))
    pane = the_pane(window)
    assert level(pane, (90, 200)) == 0  # the blade itself is at 64
    assert level(pane, (110, 200)) > 20
    assert level(pane, CORNER) == 0


def test_an_image_without_a_border_has_no_shutter(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", border=None))
    assert not the_pane(window).shutter.is_dark
    assert "shutter" not in words(window)


def test_pixels_know_nothing_of_it_and_the_area_is_searched_once(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    window = open_window(folder)
    assert window.viewer is not None
    image = window.viewer.places[0].image
    assert image is not None
    assert image.shutter is not None
    assert int(image.image.pixels[CORNER[1], CORNER[0]]) > 3500
    window.close()
    derived = DerivedCache(folder / "cache")
    broken = StoredImage(pixels=np.zeros((4, 4), np.uint16))  # it is not looked at any more
    kept = area_of(derived, image.key.sha256, broken, image.key.grey)
    assert kept.is_found
    rows, cols = image.image.pixels.shape
    assert found_shutter(kept, rows=rows, cols=cols) == image.shutter
    derived.close()
