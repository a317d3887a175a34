"""Links, windows by name, typed windows, the loupe, hidden words, and every command of the View and Window menus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.core.case import Patient, Projection, Side, Study
from app.core.grey import GreyScale, Lut, StoredImage, Window
from app.core.spacing import Spacing, SpacingSource
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.ui.commands.view import VIEW_COMMANDS
from app.ui.commands.window import WINDOW_COMMANDS
from app.ui.image_pane import ImagePane, ZoomMode
from app.ui.language import use_language
from app.ui.main_window import MainWindow
from app.ui.privacy import hide_names
from app.ui.viewer import Viewer
from app.ui.window_level import preset_names
from tests.support.window import GREY, add_view, application, make_project, open_window, wait, wait_until

FINE = Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.CALIBRATED, is_trusted=True)
COARSE = Spacing(row_mm=0.4, col_mm=0.4, source=SpacingSource.CALIBRATED, is_trusted=True)
NATIVE = QKeySequence.SequenceFormat.NativeText
OWN = (
    Lut(first=0, entries=tuple(range(0, 4096)), bits=12, name="BONY"),
    Window(center=1500, width=800, name="NARROW"),
    Window(center=2000, width=3000),
)


def project(
    folder: Path,
    first: Spacing | None = None,
    second: Spacing | None = None,
    *,
    grey: GreyScale = GREY,
    lateral_grey: GreyScale | None = None,
) -> Path:
    """One right hip; the lateral image is taller."""
    with ProjectStore.create(folder) as store:
        study = Study(id="2.25.9", patient_id="P-9")
        with store.transaction():
            store.patients.add(Patient(id="P-9"))
            store.studies.add(study)
            for number, (projection, spacing) in enumerate(((Projection.FRONTAL, first), (Projection.LATERAL, second))):
                pixels = np.random.default_rng(number).integers(0, 4096, (600 + 200 * number, 500)).astype(np.uint16)
                add_view(store, study, f"V-{number}", StoredImage(pixels=pixels), projection=projection,
                         side=Side.RIGHT, spacing=spacing,
                         grey=lateral_grey if number and lateral_grey else grey)  # fmt: skip
            recompose_study(store, study.id, author="test")
    return folder


def the_viewer(window: MainWindow) -> Viewer:
    assert window.viewer is not None
    return window.viewer


def press(window: MainWindow, keys: str) -> None:
    QTest.keySequence(window, QKeySequence(keys))
    wait_until(lambda: the_viewer(window).is_settled)
    wait(20)


def panes(window: MainWindow) -> tuple[ImagePane, ImagePane]:
    first, second = (place.pane for place in the_viewer(window).places)
    return first, second


def drag(pane: ImagePane, dx: int, dy: int, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    viewport = pane.graphics.viewport()
    start = viewport.rect().center()
    QTest.mousePress(viewport, button, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 6):
        QTest.mouseMove(viewport, start + QPoint(dx * step // 5, dy * step // 5))
        wait(1)
    QTest.mouseRelease(viewport, button, Qt.KeyboardModifier.NoModifier, start + QPoint(dx, dy))
    wait(20)


def test_linked_zoom_is_by_millimetres_where_both_scales_are_trusted(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", FINE, COARSE))
    first, second = panes(window)
    press(window, "Shift+K")
    assert second.zoom == pytest.approx(2 * first.zoom)  # a pixel of the second is twice as large
    assert min(first.zoom / first.fit_zoom, second.zoom / second.fit_zoom) <= 1.0
    assert max(first.zoom / first.fit_zoom, second.zoom / second.fit_zoom) == pytest.approx(1.0)
    for _ in range(3):
        press(window, "+")
    assert second.zoom == pytest.approx(2 * first.zoom, rel=1e-3)
    before = first.map_to_image(first.middle), second.map_to_image(second.middle)
    drag(first, 60, -40)
    after = first.map_to_image(first.middle), second.map_to_image(second.middle)
    moved = [np.subtract(later, earlier) for later, earlier in zip(after, before, strict=True)]
    assert np.abs(moved[0]).min() > 5
    np.testing.assert_allclose(moved[0] * 0.2, moved[1] * 0.4, atol=0.5 * 0.4 / second.zoom + 0.4 / second.zoom)
    press(window, "Shift+K")
    kept = second.zoom
    press(window, "Ctrl+1")
    assert second.zoom == kept


def test_linked_zoom_is_by_share_of_the_image_where_a_scale_is_not_trusted(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", FINE, replace(COARSE, is_trusted=False)))
    first, second = panes(window)
    press(window, "Shift+K")
    press(window, "Ctrl+1")
    assert second.zoom * 800 == pytest.approx(first.zoom * 600, rel=1e-3)
    drag(first, 0, -60)
    drag(second, 0, 30)
    shares = [pane.center.y() / pane.display_rect.height() for pane in (first, second)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)


def test_images_that_are_fitted_together_stay_so_when_the_window_grows(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", FINE, COARSE))
    first, second = panes(window)
    press(window, "Shift+K")
    small = first.zoom
    window.resize(1500, 1000)
    wait(80)
    assert first.mode is ZoomMode.FIT
    assert first.zoom > small
    assert second.zoom == pytest.approx(2 * first.zoom, rel=1e-3)


def test_turning_and_mirroring_link_separately(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    first, second = panes(window)
    press(window, "Ctrl+Right")
    assert first.orientation.angle_deg == 90
    assert second.orientation.is_plain
    press(window, "Ctrl+Shift+K")
    press(window, "Shift+H")
    assert first.orientation.is_mirrored
    assert second.orientation.is_mirrored
    press(window, "R")
    viewport, middle = first.graphics.viewport(), first.middle.toPoint()
    before = first.orientation.angle_deg
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle + QPoint(100, 0))
    QTest.mouseMove(viewport, middle + QPoint(100, 100))
    wait(5)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton)
    assert (first.orientation.angle_deg - before) % 360 == pytest.approx(45, abs=1)
    assert second.orientation.angle_deg == pytest.approx(45, abs=1)


def test_the_menu_of_an_image_lists_its_own_windows_by_name(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", grey=replace(GREY, voi=OWN)))
    viewer = the_viewer(window)
    place = viewer.places[0]
    assert place.image is not None
    names = ("auto", "BONY", "NARROW", "file-3", "bone", "soft-tissue", "full")
    assert preset_names(place.image) == names
    viewport = place.pane.graphics.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, QPoint(50, 60))
    wait(20)
    menu = window.images.menu
    assert menu is not None
    entries = {action.text().partition("\t")[0]: action for action in menu.actions()}
    assert entries["Auto"].isChecked()
    entries["NARROW"].trigger()
    menu.close()
    assert place.shown is not None
    assert place.shown.voi == OWN[1]
    assert "NARROW" in place.pane.text.corners.bottom_left[0].text
    seen = []
    for _ in names:
        press(window, ".")
        seen.append(place.shown.name)
    assert seen == [*names[3:], *names[:3]]
    press(window, "D")
    assert place.shown.voi == OWN[0]
    drag(place.pane, 30, 0, Qt.MouseButton.RightButton)
    assert window.images.menu is None  # a drag is no click
    assert place.shown.name == "manual"


def test_the_menu_of_an_image_writes_all_keys_in_one_way(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    use_language(application(), "de")
    try:
        window.actions_by_id["window_menu"].trigger()
        assert window.images.menu is not None
        keys = [action.text().partition("\t")[2] for action in window.images.menu.actions()]
        assert window.actions_by_id["type_window"].shortcut().toString(NATIVE).startswith("Umschalt")
        assert "Umschalt+D" in keys
        window.images.close()
    finally:
        use_language(application(), "en")
    window.close()


def test_a_window_that_only_one_of_two_linked_images_has_leaves_the_other_as_it_is(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", grey=replace(GREY, voi=OWN), lateral_grey=GREY))
    viewer = the_viewer(window)
    assert viewer.links.window
    first, second = viewer.places
    press(window, "B")
    for name in ("soft-tissue", "full", "auto", "BONY", "NARROW", "file-3"):
        assert second.shown is not None
        before = second.shown
        press(window, ".")
        assert first.shown is not None
        assert first.shown.name == name
        assert second.shown.name == name if name in ("soft-tissue", "full", "auto") else second.shown == before
    window.close()


def test_what_floats_over_an_image_goes_with_its_case(tmp_path: Path) -> None:
    """A window that is typed, or chosen from the menu, while the next case is on its way is not that case's."""
    window = open_window(make_project(tmp_path / "p", cases=6))
    viewer, images = the_viewer(window), window.images
    first = viewer.places[0]
    for name, row in (("type_window", 5), ("window_menu", 3)):
        before = window.selection.on_screen
        window.case_list.go_to_row(row)
        assert not viewer.is_settled
        window.actions_by_id[name].trigger()
        assert images.popup is not None or images.menu is not None
        wait_until(lambda before=before: window.selection.on_screen != before)  # type: ignore[misc]
        wait(20)
        assert images.popup is None
        assert images.menu is None
        assert first.shown is not None
        assert first.image is not None
        assert first.shown.voi == first.image.auto
    window.close()


def test_an_image_without_windows_of_its_own_lists_none(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    image = the_viewer(window).places[0].image
    assert image is not None
    assert preset_names(image) == ("auto", "bone", "soft-tissue", "full")


def test_center_and_width_are_typed_and_esc_goes_back(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    first, second = the_viewer(window).places
    before = first.shown, second.shown
    press(window, "Shift+W")
    popup = window.images.popup
    assert popup is not None
    assert popup.isVisible()
    QTest.keyClicks(popup.center, "1234")
    QTest.keyClick(popup.center, Qt.Key.Key_Tab)
    popup.width_box.selectAll()
    QTest.keyClicks(popup.width_box, "567")
    QTest.keyClick(popup.width_box, Qt.Key.Key_Return)
    wait(20)
    for place in (first, second):  # windows are linked
        assert place.shown is not None
        assert isinstance(place.shown.voi, Window)
        assert (place.shown.voi.center, place.shown.voi.width) == (1234, 567)
    assert window.images.popup is None
    press(window, "A")
    assert (first.shown, second.shown) == before
    press(window, "Shift+W")
    popup = window.images.popup
    assert popup is not None
    QTest.keyClicks(popup.center, "99")
    assert (first.shown, second.shown) != before
    QTest.keyClick(popup.center, Qt.Key.Key_Escape)
    wait(20)
    assert (first.shown, second.shown) == before


def test_the_loupe_opens_by_key_follows_and_is_closed_with_the_case(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=2))
    first, second = panes(window)
    QTest.keyPress(window, Qt.Key.Key_Z)
    assert first.loupe.isVisible()  # no mouse over the image: it opens in the middle
    QTest.keyRelease(window, Qt.Key.Key_Z)
    assert first.loupe.isVisible()  # a tap keeps it open
    wait_until(lambda: second.graphics.viewport().width() > 200)  # it is laid out
    for at in (QPoint(60, 80), QPoint(70, 90)):  # a mouse that is there already does not move
        QTest.mouseMove(second.graphics.viewport(), at)
        wait(10)
    assert second.loupe.isVisible()
    assert second.loupe.geometry().center() == QPoint(69, 89)  # an even width: Qt rounds down
    press(window, "PgDown")
    assert not second.loupe.isVisible()
    assert not window.actions_by_id["loupe"].isChecked()
    QTest.keyPress(window, Qt.Key.Key_Z)
    wait(420)
    QTest.keyRelease(window, Qt.Key.Key_Z)
    assert not window.actions_by_id["loupe"].isChecked()  # held: only while it is held
    assert not first.loupe.isVisible()


def test_hidden_words_leave_what_safety_needs(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", FINE, FINE))
    first, _ = panes(window)
    press(window, "Shift+H")
    with_words = first.text.grab().toImage()
    press(window, "Shift+T")
    without = first.text.grab().toImage()
    assert with_words != without
    assert first.text.corners.is_mirrored
    headline = first.text.grab().toImage()
    press(window, "Shift+H")
    assert first.text.grab().toImage() != headline


def test_hidden_names_are_on_no_image(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    hide_names(app, True)
    wait(20)
    try:
        for pane in panes(window):
            words = [line.text for line in pane.text.corners.top_left]
            assert "P-9" not in " ".join(words)
            assert words[1:] == [words[1], "Right hip"]
    finally:
        hide_names(app, False)
        wait(20)
    assert panes(window)[0].text.corners.top_left[0].text == "P-9"


def test_the_readout_tells_place_value_and_scale(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p", FINE))
    first, second = panes(window)
    first.point_out(first.map_from_image(12.5, 30.5))
    image = the_viewer(window).places[0].image
    assert image is not None
    value = int(image.image.pixels[30, 12])
    assert window.pixel.text() == f"x 12  y 30   value {value}   0.200 mm/px (calibrated)"
    second.point_out(second.map_from_image(1, 1))
    assert window.pixel.text().endswith("lengths in px")
    second.point_out(second.map_from_image(-5, 1))
    assert window.pixel.text() == ""


def test_the_scale_bar_follows_zoom_and_says_when_it_is_not_to_be_trusted(tmp_path: Path) -> None:
    doubtful = replace(COARSE, source=SpacingSource.PIXEL_SPACING, is_trusted=False)
    window = open_window(project(tmp_path / "p", replace(FINE, source=SpacingSource.DETECTOR), doubtful))
    first, second = panes(window)
    for zoom in (0.4, 1.0, 3.0):
        first.zoom_to(zoom)
        bar = first.text.corners.bar
        assert bar is not None
        start = first.map_from_image(100, 100)
        end = first.map_from_image(100 + bar.amount * {"cm": 10, "mm": 1}[bar.unit] / 0.2, 100)
        assert bar.length_px == pytest.approx(end.x() - start.x())
    assert first.text.corners.bar_words == "at the detector"
    assert second.text.corners.bar_words == "not trusted"
    assert not second.text.corners.is_bar_trusted


def test_every_command_of_the_viewer_does_something_that_can_be_seen(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", FINE, COARSE, grey=replace(GREY, voi=OWN))
    window = open_window(folder, size=(1920, 1000))  # with room for every button
    viewer = the_viewer(window)
    unseen = []
    for command in (*VIEW_COMMANDS, *WINDOW_COMMANDS):
        prepare(window, command.id)
        before = window.grab().toImage()
        action = window.actions_by_id[command.id]
        was_checked = action.isChecked()
        action.trigger()
        wait_until(lambda: viewer.is_settled)
        wait(20)
        floating = window.images.menu or window.images.popup
        is_ticked = command.is_checkable and not command.bar_text and action.isChecked() != was_checked
        if floating is not None:
            floating.close()
            wait(20)
        elif window.grab().toImage() == before and not is_ticked:
            unseen.append(command.id)
    assert unseen == []


def prepare(window: MainWindow, command: str) -> None:
    """A state in which the command has something to change."""
    actions, viewer = window.actions_by_id, the_viewer(window)
    for name in ("layout:pair", "pan", "reset"):
        actions[name].trigger()
    for name, is_on in (("loupe", False), ("link_zoom", False), ("invert", False)):
        if actions[name].isChecked() is not is_on:
            actions[name].trigger()
    if command in ("fit", "layout:pair", "pan", "reset", "reset_orientation", "auto"):
        for name in ("layout:single", "rotate", "two_to_one", "turn_right_little", "bone"):
            actions[name].trigger()
    wait_until(lambda: viewer.is_settled)


def test_the_pointer_of_a_pane_is_in_image_coordinates_whatever_the_pane(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    _, second = panes(window)
    press(window, "V")
    press(window, "Ctrl+Right")
    x, y = second.map_to_image(QPointF(40, 50))
    at = second.map_from_image(x, y)
    assert (at.x(), at.y()) == pytest.approx((40, 50), abs=1e-9)


def test_a_click_into_an_image_ends_typing_in_the_search(tmp_path: Path) -> None:
    window = open_window(project(tmp_path / "p"))
    first, _ = panes(window)
    window.activateWindow()
    field = window.case_list.findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    wait(20)
    assert QApplication.focusWidget() is field
    QTest.keyClick(field, Qt.Key.Key_B)
    assert field.text() == "b"
    field.clear()
    QTest.mouseClick(first.graphics.viewport(), Qt.MouseButton.LeftButton)
    assert QApplication.focusWidget() is not field
    press(window, "B")
    assert field.text() == ""
    shown = the_viewer(window).places[0].shown
    assert shown is not None
    assert shown.name == "bone"
