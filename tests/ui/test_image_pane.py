"""The pane shows exactly the display image, and the mouse does what it says."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QTransform, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.grey import GreyScale, Photometric, StoredImage, Window
from app.core.grey_tables import display_table, to_display
from app.core.pyramid import build_pyramid
from app.ui.image_pane import ImagePane, Tool, ZoomMode
from tests.support.window import wait

GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
TABLE = display_table(GREY, Window(center=2000, width=3000))


def noise(rows: int = 1400, cols: int = 1201) -> StoredImage:
    """An image in which every pixel differs from its neighbours, so that half a pixel of error shows."""
    return StoredImage(pixels=np.random.default_rng(3).integers(0, 4096, (rows, cols)).astype(np.uint16))


def shown_pane(image: StoredImage, size: tuple[int, int] = (505, 605)) -> ImagePane:
    pane = ImagePane()
    pane.resize(*size)
    pane.show()
    pane.set_image(build_pyramid(image.pixels), TABLE)
    wait(20)
    return pane


def grabbed(pane: ImagePane) -> npt.NDArray[np.uint8]:
    """Grey levels on the screen."""
    picture = pane.graphics.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return lines[:, : picture.width()].copy()


def test_one_to_one_is_the_display_image_pixel_by_pixel() -> None:
    image = noise()
    pane = shown_pane(image)
    pane.one_to_one()
    wait(20)
    screen = grabbed(pane)
    left, top = round(pane.box.viewRect().left()), round(pane.box.viewRect().top())
    expected = to_display(image, TABLE).pixels[top : top + screen.shape[0], left : left + screen.shape[1]]
    assert expected.shape == screen.shape
    np.testing.assert_array_equal(screen, expected)
    assert pane.zoom == pytest.approx(1.0)


def test_one_to_one_stays_exact_while_panning_and_after_another_window() -> None:
    image = noise()
    pane = shown_pane(image)
    pane.one_to_one()
    pane.pan_by(17, -23)
    table = display_table(GREY, Window(center=900, width=700), is_inverted=True)
    pane.item.set_table(table)
    wait(20)
    screen = grabbed(pane)
    left, top = round(pane.box.viewRect().left()), round(pane.box.viewRect().top())
    expected = to_display(image, table).pixels[top : top + screen.shape[0], left : left + screen.shape[1]]
    np.testing.assert_array_equal(screen, expected)


def test_four_screen_pixels_an_image_pixel_are_where_image_coordinates_say() -> None:
    pixels = np.zeros((300, 300), np.uint16)
    pixels[150, 140] = 4095
    pane = shown_pane(StoredImage(pixels=pixels))
    pane.zoom_to(8.0, QPointF(140.5, 150.5))
    wait(20)
    rows, cols = np.nonzero(grabbed(pane) > 128)
    to_image = pane.box.mapToView
    corner = to_image(QPointF(cols.min(), rows.min()))
    end = to_image(QPointF(cols.max() + 1, rows.max() + 1))
    assert corner.x() == pytest.approx(140, abs=0.13)
    assert corner.y() == pytest.approx(150, abs=0.13)
    assert end.x() == pytest.approx(141, abs=0.13)
    assert end.y() == pytest.approx(151, abs=0.13)


def test_a_fitted_image_is_nearer_to_the_area_average_than_its_nearest_pixels() -> None:
    image = noise(2000, 2000)
    pane = shown_pane(image, (404, 404))
    screen = grabbed(pane).astype(float)
    size = screen.shape[::-1]
    truth = cv2.LUT(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA), TABLE.levels).astype(float)
    nearest = cv2.LUT(cv2.resize(image.pixels, size, interpolation=cv2.INTER_NEAREST), TABLE.levels).astype(float)
    assert np.sqrt(np.mean((screen - truth) ** 2)) < 0.25 * np.sqrt(np.mean((nearest - truth) ** 2))


def test_beyond_the_image_the_screen_is_black_even_when_the_lowest_value_is_white() -> None:
    pane = shown_pane(StoredImage(pixels=np.full((400, 100), 10, np.uint16)))
    pane.item.set_table(display_table(GREY, Window(center=2000, width=3000), is_inverted=True))
    wait(20)
    screen = grabbed(pane)
    assert screen[300, 250] == 255
    assert screen[300, 20] == 0
    assert screen[300, -20] == 0


def test_a_turned_image_is_painted_where_it_is() -> None:
    pane = shown_pane(StoredImage(pixels=np.full((400, 400), 4095, np.uint16)))
    pane.item.setTransform(QTransform().translate(200, 200).rotate(45).translate(-200, -200))
    wait(20)
    screen = grabbed(pane)
    middle = screen.shape[0] // 2, screen.shape[1] // 2
    assert screen[middle] == 255
    corner_of_unturned = pane.box.mapFromView(QPointF(20, 20))
    assert screen[round(corner_of_unturned.y()), round(corner_of_unturned.x())] == 0


def test_the_right_button_drags_the_window_and_the_left_one_the_image() -> None:
    pane = shown_pane(noise())
    steps: list[tuple[float, float]] = []
    pane.window_dragged.connect(lambda dx, dy: steps.append((dx, dy)))
    before = pane.box.viewRect()
    drag(pane, Qt.MouseButton.RightButton, 60, -30)
    assert sum(step[0] for step in steps) == pytest.approx(60)
    assert sum(step[1] for step in steps) == pytest.approx(-30)
    assert pane.box.viewRect() == before
    steps.clear()
    drag(pane, Qt.MouseButton.LeftButton, 50, 20)
    assert steps == []
    moved = pane.box.viewRect().topLeft() - before.topLeft()
    assert moved.x() * pane.zoom == pytest.approx(-50)
    assert moved.y() * pane.zoom == pytest.approx(-20)


def test_with_the_window_tool_the_left_button_drags_the_window() -> None:
    pane = shown_pane(noise())
    steps: list[float] = []
    pane.window_dragged.connect(lambda dx, dy: steps.append(dx))
    pane.set_tool(Tool.WINDOW)
    drag(pane, Qt.MouseButton.LeftButton, 40, 0)
    assert sum(steps) == pytest.approx(40)


def test_the_wheel_zooms_at_the_cursor() -> None:
    pane = shown_pane(noise())
    at = QPointF(150, 420)
    under = pane.box.mapToView(at)
    zoom = pane.zoom
    viewport = pane.graphics.viewport()
    event = QWheelEvent(at, viewport.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(viewport, event)
    wait(20)
    assert pane.zoom == pytest.approx(zoom * 1.44, rel=1e-3)
    after = pane.box.mapToView(at)
    assert after.x() == pytest.approx(under.x(), abs=1 / pane.zoom)
    assert after.y() == pytest.approx(under.y(), abs=1 / pane.zoom)


def test_a_double_click_fits_and_a_fitted_image_stays_fitted_when_the_pane_grows() -> None:
    pane = shown_pane(noise())
    pane.zoom_to(3.0)
    assert pane.mode is ZoomMode.FREE
    QTest.mouseDClick(pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    assert pane.mode is ZoomMode.FIT
    small = pane.zoom
    pane.resize(900, 1000)
    wait(40)
    assert pane.zoom > small
    assert pane.box.viewRect().contains(pane.item.boundingRect())


def test_the_pixel_under_the_mouse_is_reported_and_outside_none() -> None:
    pane = shown_pane(noise())
    pane.one_to_one()
    seen: list[object] = []
    pane.pointed_at.connect(seen.append)
    pane.point_out(QPointF(0.0, 0.0))
    pane.point_out(QPointF(1200.99, 1399.99))
    pane.point_out(QPointF(-0.01, 5))
    assert seen == [(0, 0), (1200, 1399), None]


def drag(pane: ImagePane, button: Qt.MouseButton, dx: int, dy: int) -> None:
    """Press in the middle, move in ten steps, release."""
    viewport = pane.graphics.viewport()
    start = viewport.rect().center()
    QTest.mousePress(viewport, button, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 11):
        QTest.mouseMove(viewport, start + QPoint(round(dx * step / 10), round(dy * step / 10)))
        wait(1)
    QTest.mouseRelease(viewport, button, Qt.KeyboardModifier.NoModifier, start + QPoint(dx, dy))
    wait(20)
