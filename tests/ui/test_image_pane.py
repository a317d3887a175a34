"""The pane shows exactly the display image, and the mouse does what it says."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPen, QPolygonF, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsRectItem

from app.core.grey import GreyScale, Photometric, StoredImage, Window
from app.core.grey_tables import display_table, to_display
from app.core.orientation import Orientation
from app.core.pyramid import build_pyramid
from app.ui.image_pane import KEPT_PX, ImagePane, Tool, ZoomMode
from app.ui.pane_tools import PaneTool, Pointer
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
    unturned = pane.map_from_image(2, 2)
    pane.set_orientation(Orientation(angle_deg=45))
    wait(20)
    screen = grabbed(pane)
    middle = screen.shape[0] // 2, screen.shape[1] // 2
    assert screen[middle] == 255
    assert screen[round(unturned.y()), round(unturned.x())] == 0
    for x, y in ((2, 2), (398, 2), (2, 398), (398, 398)):
        corner = pane.map_from_image(x, y)
        assert screen[round(corner.y()), round(corner.x())] == 255


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


def test_a_double_click_is_told_and_a_fitted_image_stays_fitted_when_the_pane_grows() -> None:
    pane = shown_pane(noise())
    told: list[bool] = []
    pane.double_clicked.connect(lambda: told.append(True))
    QTest.mouseDClick(pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    assert told == [True]
    pane.zoom_to(3.0)
    assert pane.mode is ZoomMode.FREE
    pane.fit()
    assert pane.mode is ZoomMode.FIT
    small = pane.zoom
    pane.resize(900, 1000)
    wait(40)
    assert pane.zoom > small
    assert pane.box.viewRect().contains(pane.item.boundingRect())


def test_a_free_zoom_and_its_middle_survive_a_resize() -> None:
    pane = shown_pane(noise())
    pane.zoom_to(1.5, QPointF(300, 400))
    middle = pane.map_to_image(pane.middle)
    pane.resize(800, 400)
    wait(40)
    assert pane.zoom == pytest.approx(1.5)
    np.testing.assert_allclose(pane.map_to_image(pane.middle), middle, atol=1.0)


def test_fit_width_shows_the_whole_width() -> None:
    pane = shown_pane(noise())
    pane.fit_width()
    left, right = pane.map_from_image(0, 700), pane.map_from_image(1201, 700)
    assert left.x() == pytest.approx(0, abs=1.0)
    assert right.x() == pytest.approx(pane.graphics.width(), abs=1.0)
    assert pane.mode is ZoomMode.FIT_WIDTH


def test_the_pixel_under_the_mouse_is_reported_and_outside_none() -> None:
    pane = shown_pane(noise())
    pane.one_to_one()
    seen: list[object] = []
    pane.pointed_at.connect(seen.append)
    pane.pan_by(2000, 2000)
    seen.clear()  # what lies under the mouse, wherever that rests
    for x, y in ((0.0, 0.0), (1200.99, 1399.99), (-0.01, 5)):
        pane.point_out(pane.map_from_image(x, y) + QPointF(1e-6, 1e-6) * (x == 0))
    assert seen == [(0, 0), (1200, 1399), None]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [0.0, 90.0, 180.0, -90.0, 33.7])
def test_image_and_screen_coordinates_are_each_others_inverse(turn: float, mirrored: bool) -> None:
    pane = shown_pane(noise())
    pane.set_orientation(Orientation(angle_deg=turn, is_mirrored=mirrored))
    pane.zoom_by(3.3, QPointF(111, 222))
    random = np.random.default_rng(7)
    for x, y in random.uniform((-50, -50), (1250, 1450), (200, 2)):
        np.testing.assert_allclose(pane.map_to_image(pane.map_from_image(x, y)), (x, y), atol=1e-9, rtol=0)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [0.0, 90.0, 180.0, -90.0, 20.0])
def test_pixels_are_painted_where_the_coordinates_say(turn: float, mirrored: bool) -> None:
    """A white 9 × 5 px block, also with pixels that are not square."""
    pixels = np.zeros((301, 240), np.uint16)
    pixels[200:205, 30:39] = 4095
    for aspect in (1.0, 1.6):
        pane = ImagePane()
        pane.resize(505, 605)
        pane.show()
        pane.set_image(build_pyramid(pixels), TABLE, aspect=aspect)
        wait(20)
        pane.set_orientation(Orientation(angle_deg=turn, is_mirrored=mirrored))
        pane.zoom_to(5.0, pane.display_rect.center())
        where = pane.map_from_image(34.5, 202.5)
        pane.pan_by(pane.middle.x() - where.x(), pane.middle.y() - where.y())
        wait(20)
        screen = grabbed(pane)
        rows, cols = np.nonzero(screen > 128)
        expected = pane.map_from_image(34.5, 202.5)
        assert cols.mean() + 0.5 == pytest.approx(expected.x(), abs=0.6)
        assert rows.mean() + 0.5 == pytest.approx(expected.y(), abs=0.6)
        assert rows.size == pytest.approx(9 * 5 * 25 * aspect, rel=0.12)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [90.0, 180.0, -90.0])
def test_one_to_one_is_pixel_exact_in_all_eight_orientations(turn: float, mirrored: bool) -> None:
    image = noise()
    pane = shown_pane(image)
    pane.set_orientation(Orientation(angle_deg=turn, is_mirrored=mirrored))
    pane.one_to_one()
    wait(20)
    screen = grabbed(pane)
    levels = to_display(image, TABLE).pixels
    upright = np.rot90(levels[:, ::-1] if mirrored else levels, -int(turn) // 90)
    left, top = round(pane.box.viewRect().left()), round(pane.box.viewRect().top())
    np.testing.assert_array_equal(screen, upright[top : top + screen.shape[0], left : left + screen.shape[1]])


def test_turning_keeps_the_middle_and_a_fitted_image_fitted() -> None:
    pane = shown_pane(noise())
    pane.set_orientation(Orientation(angle_deg=30))
    wait(10)
    assert pane.mode is ZoomMode.FIT
    assert pane.box.viewRect().adjusted(-1, -1, 1, 1).contains(pane.display_rect)
    pane.zoom_by(4, QPointF(100, 100))
    middle = pane.map_to_image(pane.middle)
    pane.set_orientation(pane.orientation.mirrored_horizontally().turned(17))
    np.testing.assert_allclose(pane.map_to_image(pane.middle), middle, atol=1 / pane.zoom)


class Recorder(PaneTool):
    """A tool that writes down what it is told."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self) -> None:
        self.told: list[tuple[str, float, float]] = []

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        self.told.append(("press", pointer.x, pointer.y))

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        assert pointer.buttons == Qt.MouseButton.LeftButton
        self.told.append(("move", pointer.x, pointer.y))

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        self.told.append(("release", pointer.x, pointer.y))

    def hover(self, pane: ImagePane, pointer: Pointer) -> None:
        self.told.append(("hover", pointer.x, pointer.y))

    def cancel(self, pane: ImagePane) -> None:
        self.told.append(("cancel", 0, 0))


@pytest.mark.parametrize("orientation", [Orientation(), Orientation(angle_deg=77, is_mirrored=True)])
def test_a_tool_is_told_every_gesture_in_image_coordinates(orientation: Orientation) -> None:
    pane = shown_pane(noise())
    pane.set_orientation(orientation)
    tool = Recorder()
    pane.set_tool(tool)
    assert pane.graphics.viewport().cursor().shape() is Qt.CursorShape.CrossCursor
    before = pane.box.viewRect()
    viewport = pane.graphics.viewport()
    at, to = QPoint(210, 300), QPoint(250, 320)
    QTest.mouseMove(viewport, QPoint(5, 5))  # it may rest there from the test before
    QTest.mouseMove(viewport, at)
    wait(5)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    QTest.mouseMove(viewport, to)
    wait(5)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, to)
    told = {name: (x, y) for name, x, y in tool.told}
    assert [name for name, _, _ in tool.told if name != "hover"] == ["press", "move", "release"]
    np.testing.assert_allclose(told["press"], pane.map_to_image(QPointF(at)), atol=1e-9)
    np.testing.assert_allclose(told["release"], pane.map_to_image(QPointF(to)), atol=1e-9)
    np.testing.assert_allclose(told["hover"], pane.map_to_image(QPointF(at)), atol=1e-9)
    assert pane.box.viewRect() == before


def test_whatever_the_tool_the_right_button_windows_the_middle_one_pans_and_another_tool_cancels() -> None:
    pane = shown_pane(noise())
    tool = Recorder()
    pane.set_tool(tool)
    windows: list[float] = []
    pane.window_dragged.connect(lambda dx, dy: windows.append(dx))
    drag(pane, Qt.MouseButton.RightButton, 30, 0)
    assert sum(windows) == pytest.approx(30)
    before = pane.center
    drag(pane, Qt.MouseButton.MiddleButton, 30, 0)
    assert pane.center.x() < before.x()
    assert "press" not in {name for name, _, _ in tool.told}
    QTest.mousePress(pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    pane.set_tool(Tool.PAN)
    assert tool.told[-1][0] == "cancel"
    QTest.mouseRelease(pane.graphics.viewport(), Qt.MouseButton.LeftButton)
    assert tool.told[-1][0] == "cancel"


def test_the_rotate_tool_turns_with_the_mouse_and_snaps_with_shift() -> None:
    pane = shown_pane(noise())
    pane.set_tool(Tool.ROTATE)
    pane.turned_by.connect(lambda by: pane.set_orientation(pane.orientation.turned(by)))
    viewport, middle = pane.graphics.viewport(), pane.middle.toPoint()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle + QPoint(150, 0))
    for step in range(1, 11):
        turn = np.radians(4 * step)
        offset = QPoint(round(150 * np.cos(turn)), round(150 * np.sin(turn)))
        QTest.mouseMove(viewport, middle + offset)
        wait(1)
    assert pane.orientation.angle_deg == pytest.approx(40, abs=0.5)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton)
    assert pane.orientation.angle_deg == pytest.approx(40, abs=0.5)


def test_the_zoom_tool_enlarges_around_the_point_where_the_drag_began() -> None:
    pane = shown_pane(noise())
    pane.set_tool(Tool.ZOOM)
    before, under = pane.zoom, pane.map_to_image(QPointF(pane.graphics.viewport().rect().center()))
    drag(pane, Qt.MouseButton.LeftButton, 0, -100)
    assert pane.zoom == pytest.approx(before * 1.01**100, rel=0.01)
    after = pane.map_to_image(QPointF(pane.graphics.viewport().rect().center()))
    np.testing.assert_allclose(after, under, atol=10 / pane.zoom)  # whole screen pixels, once for each step


@pytest.mark.parametrize("orientation", [Orientation(), Orientation(angle_deg=-60, is_mirrored=True)])
def test_an_overlay_lies_where_the_image_point_is(orientation: Orientation) -> None:
    pane = shown_pane(StoredImage(pixels=np.zeros((400, 500), np.uint16)))
    mark = QGraphicsRectItem(QRectF(100, 50, 20, 10))
    mark.setBrush(QColor("white"))
    mark.setPen(QPen(Qt.PenStyle.NoPen))
    pane.add_overlay(mark)
    pane.set_orientation(orientation)
    pane.zoom_by(1.4)
    wait(20)
    screen = grabbed(pane)
    at = pane.map_from_image(110, 55)
    assert screen[round(at.y()), round(at.x())] == 255
    rows, cols = np.nonzero(screen > 128)
    assert cols.mean() + 0.5 == pytest.approx(at.x(), abs=0.6)
    assert rows.mean() + 0.5 == pytest.approx(at.y(), abs=0.6)
    pane.remove_overlay(mark)
    wait(20)
    assert not (grabbed(pane) > 128).any()


def test_the_loupe_shows_the_original_pixels_enlarged_around_the_cursor() -> None:
    pixels = np.zeros((1200, 1000), np.uint16)
    pixels[600:610, 500:504] = 4095
    pane = shown_pane(StoredImage(pixels=pixels))
    for orientation in (Orientation(), Orientation(angle_deg=90, is_mirrored=True)):
        pane.set_orientation(orientation)
        pane.loupe.is_on = True
        pane.point_out(pane.map_from_image(502, 605))
        assert pane.loupe.isVisible()
        picture = pane.loupe.picture().convertToFormat(QImage.Format.Format_Grayscale8)
        lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
        rows, cols = np.nonzero(lines > 128)
        assert cols.mean() == pytest.approx(picture.width() / 2, abs=1.5)
        assert rows.mean() == pytest.approx(picture.height() / 2, abs=1.5)
        scale = pane.zoom * pane.loupe.factor
        extent = sorted((np.ptp(cols) + 1, np.ptp(rows) + 1))
        assert extent == pytest.approx([4 * scale, 10 * scale], abs=2.5)
    pane.loupe.enlarge(100)
    assert pane.loupe.factor == 4.0
    pane.point_out(None)
    assert not pane.loupe.isVisible()


@pytest.mark.parametrize("angle_deg", [0.0, 90.0, -50.0])
def test_a_part_of_the_image_stays_in_its_pane_wherever_it_is_moved(angle_deg: float) -> None:
    pane = shown_pane(noise(600, 200))
    pane.set_orientation(Orientation(angle_deg=angle_deg))
    for direction in ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1)):
        pane.fit()
        for _ in range(5):
            pane.pan_by(400 * direction[0], 400 * direction[1])
        seen = QRectF(pane.graphics.viewport().rect())
        outline = pane.to_viewport().map(QPolygonF(pane.item.boundingRect()))
        rest = outline.intersected(QPolygonF(seen)).boundingRect()
        assert min(rest.width(), rest.height()) >= KEPT_PX - 2
        if angle_deg in (0.0, 90.0):  # the edge of a radiograph is as black as the pane: a quarter of that holds more
            bounds = outline.boundingRect()
            assert rest.width() >= min(seen.width() / 4, bounds.width()) - 2
            assert rest.height() >= min(seen.height() / 4, bounds.height()) - 2
        before = pane.center
        pane.pan_by(-30 * direction[0], -30 * direction[1])  # back at once, by all of the way
        assert (pane.center - before).manhattanLength() > 20 * pane.box.viewPixelSize()[0]


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
