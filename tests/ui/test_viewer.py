"""The viewer in the real window: layouts, turning, links, windows by name, and every command that can be seen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.core.case import Patient, Projection, Side, Study
from app.core.grey import StoredImage
from app.core.orientation import Orientation
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.store.settings import SettingsFile
from app.ui.image_pane import ImagePane
from app.ui.layouts import Layout, arrange
from app.ui.main_window import MainWindow
from app.ui.viewer import Viewer
from tests.support.window import add_view, make_project, open_window, wait, wait_until

EIGHT = [Orientation(angle_deg=turn, is_mirrored=mirrored) for turn in (0, 90, 180, -90) for mirrored in (False, True)]


def the_viewer(window: MainWindow) -> Viewer:
    assert window.viewer is not None
    return window.viewer


def press(window: MainWindow, keys: str) -> None:
    QTest.keySequence(window, QKeySequence(keys))
    wait_until(lambda: the_viewer(window).is_settled)
    wait(20)


def screen(pane: ImagePane) -> npt.NDArray[np.uint8]:
    """Grey levels of a pane without words."""
    pane.text.hide()
    picture = pane.graphics.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    pane.text.show()
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return lines[:, : picture.width()].copy()


def still(pane: ImagePane) -> npt.NDArray[np.uint8]:
    """The same once nothing moves: what has just been fitted anew may be a thirtieth of a pixel off (ADR 0117)."""
    screen(pane)
    wait_until(lambda: not pane.item._still.isActive())
    return screen(pane)


def upright_pattern() -> npt.NDArray[np.uint16]:
    """Bright on the patient's left, with a block at the head: every orientation of it is different."""
    pixels = np.full((90, 80), 400, np.uint16)
    pixels[:, 40:] = 2000
    pixels[5:20, 10:30] = 4000
    return pixels


def one_view_project(folder: Path, stored: Orientation, *, side: Side = Side.LEFT) -> Path:
    """A frontal view that was stored turned and mirrored, and whose Patient Orientation says so."""
    pixels = upright_pattern()
    if stored.is_mirrored:
        pixels = pixels[:, ::-1]
    pixels = np.ascontiguousarray(np.rot90(pixels, -int(stored.angle_deg) // 90))
    letters = stored.edge_letters(("L", "F"))
    with ProjectStore.create(folder) as store:
        study = Study(id="2.25.1", patient_id="P-1")
        with store.transaction():
            store.patients.add(Patient(id="P-1"))
            store.studies.add(study)
            add_view(store, study, "V-0", StoredImage(pixels=pixels), projection=Projection.FRONTAL, side=side,
                     orientation=(letters["right"], letters["bottom"]))  # fmt: skip
            recompose_study(store, study.id, author="test")
    return folder


def test_the_pattern_in_all_eight_orientations_hangs_the_same_and_left_is_never_right(tmp_path: Path) -> None:
    """Stored in any of eight orientations, then turned and mirrored at random: the letters, the side marker and the
    pixels always agree about where the patient's left is."""
    random = np.random.default_rng(11)
    pictures = []
    for number, stored in enumerate(EIGHT):
        window = open_window(one_view_project(tmp_path / str(number), stored))
        viewer = the_viewer(window)
        pane = viewer.places[0].pane
        press(window, "Shift+D")
        corners = pane.text.corners
        assert (corners.left, corners.right, corners.top, corners.bottom) == ("R", "L", "H", "F")
        assert not corners.is_mirrored
        assert [line.text for line in corners.headlines] == []
        press(window, "Ctrl+Home")  # fitted into the pane as it is now, not as it was while the window was laid out
        pictures.append(still(pane))
        is_mirrored = False
        for _ in range(6):
            actions = ["mirror_horizontally", "mirror_vertically", "turn_right", "turn_left", "turn_left_little"]
            for name in random.choice(actions, 4):
                window.actions_by_id[str(name)].trigger()
                is_mirrored ^= str(name).startswith("mirror")
            if random.random() < 0.5:
                by_deg = float(random.uniform(-180, 180))
                viewer.turn(partial(Orientation.turned, by_deg=by_deg))
            assert_left_is_left(pane, is_mirrored=is_mirrored)
        assert viewer.places[0].hanging.view is not None
        press(window, "Ctrl+Home")
        np.testing.assert_array_equal(still(pane), pictures[-1])
        window.close()
    for picture in pictures[1:]:
        # where a pixel lies is known to 1/25 px on the screen, and an edge of the pattern is 125 levels high
        assert np.abs(picture.astype(int) - pictures[0]).max() <= 6


def assert_left_is_left(pane: ImagePane, *, is_mirrored: bool) -> None:
    """The bright half of the pattern lies where the letters and the side marker say that the left is."""
    levels = screen(pane)
    rows, cols = np.nonzero((levels > 100) & (levels < 150))  # 2000 of 4095
    assert rows.size > 5000
    towards = np.array([cols.mean() - pane.middle.x(), rows.mean() - pane.middle.y()])  # the image is fitted
    corners = pane.text.corners
    outward = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
    for edge in [edge for edge in outward if getattr(corners, edge)[:1] == "L"]:  # two of them at exactly 45°
        assert float(np.dot(outward[edge], towards)) > 0
    assert corners.marker is not None
    assert corners.marker.letter == "L"
    assert corners.marker.towards is not None
    assert float(np.dot(corners.marker.towards, towards)) > 0
    assert corners.is_mirrored == is_mirrored
    assert bool([line for line in corners.headlines if line.text == "Mirrored"]) == corners.is_mirrored


def test_the_stored_image_is_never_changed_by_turning_it(tmp_path: Path) -> None:
    folder = one_view_project(tmp_path / "p", EIGHT[3])
    files = {path: path.read_bytes() for path in (folder / "images").rglob("*") if path.is_file()}
    window = open_window(folder)
    with ProjectStore.open(folder, is_read_only=True) as store:
        before = (store.events.head(), store.views.get("V-0"))
    for keys in ("Ctrl+Right", "Shift+H", "Ctrl+Shift+Left"):
        press(window, keys)
    window.close()
    with ProjectStore.open(folder, is_read_only=True) as store:
        assert (store.events.head(), store.views.get("V-0")) == before
    assert {path: path.read_bytes() for path in files} == files


def hips_project(folder: Path, *, is_pelvis: bool = False) -> Path:
    """One study with both hips of a patient; the right hip's case comes first or second."""
    with ProjectStore.create(folder) as store:
        study = Study(id="2.25.5", patient_id="P-5")
        with store.transaction():
            store.patients.add(Patient(id="P-5"))
            store.studies.add(study)
            if is_pelvis:
                pixels = np.tile(np.linspace(100, 4000, 160).astype(np.uint16), (100, 1))
                add_view(store, study, "V-pelvis", StoredImage(pixels=pixels), projection=Projection.FRONTAL,
                         side=Side.BOTH, orientation=("L", "F"))  # fmt: skip
            else:
                for side, value in ((Side.LEFT, 800), (Side.RIGHT, 1600)):
                    for projection, more in ((Projection.FRONTAL, 0), (Projection.LATERAL, 100)):
                        pixels = np.full((100, 90), value + more, np.uint16)
                        pixels[-1] = np.linspace(0, 4095, 90).astype(np.uint16)
                        add_view(store, study, f"V-{side.value}-{projection.value}", StoredImage(pixels=pixels),
                                 projection=projection, side=side)  # fmt: skip
            recompose_study(store, study.id, author="test")
    return folder


def shown_views(viewer: Viewer) -> list[str]:
    """Ids of the views on the screen, from left to right or from top to bottom."""
    panes = [place for place in viewer.all_places if place.pane.isVisible() and place.image is not None]
    panes.sort(key=lambda place: (place.pane.x(), place.pane.y()))
    return [place.hanging.view.id for place in panes if place.hanging.view is not None]


def test_layouts_by_key_and_a_double_click_shows_one_view_alone(tmp_path: Path) -> None:
    window = open_window(hips_project(tmp_path / "p"))
    wait(50)
    viewer = the_viewer(window)
    case = viewer.places[0].case
    assert case is not None
    own, other = (
        side.value for side in ((Side.LEFT, Side.RIGHT) if case.side is Side.LEFT else (Side.RIGHT, Side.LEFT))
    )
    pair = [f"V-{own}-frontal", f"V-{own}-lateral"]
    assert shown_views(viewer) == pair
    wide = viewer.places[0].pane.width()
    QTest.mouseDClick(viewer.places[1].pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    wait(20)
    assert shown_views(viewer) == pair[1:]
    assert viewer.places[1].pane.width() > 1.9 * wide
    assert window.actions_by_id["layout:single"].isChecked()
    press(window, "PgDown")
    assert shown_views(viewer) == [f"V-{other}-lateral"]  # who reads laterals goes on reading laterals
    press(window, "PgUp")
    press(window, "V")
    assert shown_views(viewer) == pair[:1]
    QTest.mouseDClick(viewer.places[0].pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    wait(20)
    assert shown_views(viewer) == pair
    press(window, "F7")
    assert viewer.places[0].pane.y() < viewer.places[1].pane.y()
    assert viewer.places[0].pane.x() == viewer.places[1].pane.x()
    press(window, "F8")
    assert shown_views(viewer) == ["V-right-frontal", "V-left-frontal"]  # the right hip hangs on the viewer's left
    words = [line.text for line in viewer.all_places[2].pane.text.corners.headlines]
    assert words == [f"Other hip ({other}) · not this case"]
    press(window, "PgDown")
    assert shown_views(viewer) == ["V-right-frontal", "V-left-frontal"]
    assert [line.text for line in viewer.all_places[2].pane.text.corners.headlines] == [
        f"Other hip ({own}) · not this case"
    ]
    press(window, "F5")
    assert shown_views(viewer) == [f"V-{other}-frontal", f"V-{other}-lateral"]


def test_nothing_can_be_decided_about_the_other_hip(tmp_path: Path) -> None:
    window = open_window(hips_project(tmp_path / "p"))
    viewer = the_viewer(window)
    press(window, "F8")
    QTest.mouseClick(viewer.all_places[2].pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    assert viewer.active_pane is viewer.all_places[2].pane
    assert viewer.active_view is None
    assert not window.actions_by_id["ask"].isEnabled()
    press(window, "I")  # but it can be looked at
    assert viewer.all_places[2].shown is not None
    assert viewer.all_places[2].shown.is_inverted


def test_a_pelvis_is_shown_once_for_each_hip_fitted_to_its_half(tmp_path: Path) -> None:
    window = open_window(hips_project(tmp_path / "p", is_pelvis=True))
    viewer = the_viewer(window)
    assert viewer.places[1].pane.isHidden()  # no lateral view: no pane is left black
    assert viewer.places[0].pane.text.corners.top_right[-1].text == "No lateral view in this case"
    press(window, "F8")
    assert shown_views(viewer) == ["V-pelvis", "V-pelvis"]
    panes = sorted((place for place in viewer.all_places if place.image is not None), key=lambda place: place.pane.x())
    sides = [place.case.side for place in panes if place.case is not None]
    assert sides == [Side.RIGHT, Side.LEFT]
    right_hip, left_hip = (place.pane for place in panes)
    assert right_hip.map_to_image(right_hip.middle)[0] == pytest.approx(160 * 0.275, abs=1)
    assert left_hip.map_to_image(left_hip.middle)[0] == pytest.approx(160 * 0.725, abs=1)
    assert [place.pane.text.corners.marker.letter for place in panes if place.pane.text.corners.marker] == ["R", "L"]
    press(window, "Shift+H")  # one image: both panes are mirrored
    assert right_hip.orientation == left_hip.orientation == Orientation(is_mirrored=True)
    press(window, "F5")
    pane = viewer.places[0].pane
    assert pane.map_to_image(pane.middle)[0] == pytest.approx(80, abs=1)


def test_the_layout_of_both_hips_without_another_hip_says_so(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=1))
    press(window, "F8")
    viewer = the_viewer(window)
    assert len(shown_views(viewer)) == 2
    assert "other hip" in viewer.places[1].pane.text.corners.top_right[-1].text


def test_panes_have_their_size_before_anything_is_painted_in_another_layout(tmp_path: Path) -> None:
    window = open_window(hips_project(tmp_path / "p"), size=(1600, 900))
    viewer = the_viewer(window)
    for layout in (Layout.SINGLE, Layout.PAIR, Layout.STACKED, Layout.BOTH_HIPS, Layout.PAIR):
        viewer.set_layout(layout)
        wait_until(lambda: viewer.is_settled)
        at_once = [place.pane.geometry() for place in viewer.shown_places]
        wait(30)
        assert at_once == [place.pane.geometry() for place in viewer.shown_places], layout
    window.close()


def test_arrangements() -> None:
    held = {"frontal", "lateral", "other"}
    assert arrange(Layout.PAIR, held, active="lateral", is_right_hip=True).names == ("frontal", "lateral")
    assert arrange(Layout.SINGLE, held, active="lateral", is_right_hip=True).names == ("lateral",)
    assert arrange(Layout.SINGLE, {"frontal"}, active="lateral", is_right_hip=True).names == ("frontal",)
    assert arrange(Layout.STACKED, held, active="lateral", is_right_hip=True).is_vertical
    assert arrange(Layout.BOTH_HIPS, held, active="frontal", is_right_hip=False).names == ("other", "frontal")
    alone = arrange(Layout.PAIR, {"lateral"}, active="lateral", is_right_hip=False)
    assert (alone.names, alone.missing) == (("lateral",), ("frontal",))
    assert arrange(Layout.PAIR, set(), active="lateral", is_right_hip=False).names == ("frontal",)


def test_how_a_view_was_turned_is_remembered_while_the_project_is_open(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=2))
    pane = the_viewer(window).places[0].pane
    press(window, "Ctrl+Right")
    press(window, "Shift+V")
    turned = pane.orientation
    press(window, "PgDown")
    assert pane.orientation.is_plain
    press(window, "PgUp")
    assert pane.orientation == turned
    press(window, "Ctrl+R")
    assert pane.orientation.is_plain


def test_the_chosen_layout_and_links_are_there_again_after_a_restart(tmp_path: Path) -> None:
    folder = hips_project(tmp_path / "p")

    def opened() -> MainWindow:
        window = open_window(folder, settings=SettingsFile(tmp_path / "settings"))
        wait(50)
        return window

    (tmp_path / "settings").mkdir()
    window = opened()
    press(window, "F8")
    press(window, "Shift+K")
    window.close()
    window = opened()
    assert the_viewer(window).layout_in_use is Layout.BOTH_HIPS
    assert len(shown_views(the_viewer(window))) == 2
    assert the_viewer(window).links.zoom
    press(window, "F5")
    window.close()
    assert the_viewer(opened()).layout_in_use is Layout.PAIR


class Painted(QObject):
    """How often a widget was painted."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


def test_a_window_that_is_dragged_paints_each_pane_once_a_step(tmp_path: Path) -> None:
    window = open_window(hips_project(tmp_path / "p"), size=(1600, 900))
    viewer = the_viewer(window)
    panes = [place.pane for place in viewer.shown_places]
    assert len(panes) == 2
    wait(400)  # what follows an opening: thumbnails, the findings of the case
    spies = [Painted() for _ in panes]
    port = panes[0].graphics.viewport()
    at = port.rect().center()
    QTest.mousePress(port, Qt.MouseButton.RightButton, pos=at)
    drag_to(port, at + QPoint(6, 6))
    wait(50)
    for pane, spy in zip(panes, spies, strict=True):
        pane.graphics.viewport().installEventFilter(spy)
    for step in range(1, 11):
        drag_to(port, at + QPoint(6 + 3 * step, 6 + 2 * step))
        wait(20)
    assert [spy.count for spy in spies] == [10, 10]
    QTest.mouseRelease(port, Qt.MouseButton.RightButton, pos=at)
    window.close()


def drag_to(port: QWidget, to: QPoint) -> None:
    """The mouse moves with its right button held. (QTest moves it with none.)"""
    right = Qt.MouseButton.RightButton
    place = QPointF(port.mapToGlobal(to))
    move = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(to), place, Qt.MouseButton.NoButton, right, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(port, move)


def test_the_other_hip_of_a_pelvis_is_not_opened_enlarged_on_the_hip_that_was_left(tmp_path: Path) -> None:
    """One image serves both cases: what was enlarged there is the wrong hip for the next one."""
    window = open_window(hips_project(tmp_path / "p", is_pelvis=True))
    viewer = the_viewer(window)
    pane = viewer.places[0].pane
    pane.zoom_by(4.0, QPointF(40.0, 60.0))
    enlarged = pane.zoom
    before = window.selection.on_screen
    window.selection.open_case(before)  # shown afresh, as after a decision: it stays as it is
    wait_until(lambda: viewer.is_settled)
    assert pane.zoom == pytest.approx(enlarged)
    window.case_list.step(1)
    wait_until(lambda: window.selection.on_screen != before)
    assert viewer.places[0].hanging.view is not None
    assert viewer.places[0].hanging.view.id == "V-pelvis"
    assert pane.zoom == pytest.approx(pane.fit_zoom)
    window.close()
