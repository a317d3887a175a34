"""A mouse that behaves otherwise than in a demonstration: lost releases, quick strokes, a wheel pushed sideways."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.core.grey import GreyScale, Photometric, StoredImage, Window
from app.core.grey_tables import display_table
from app.core.pyramid import build_pyramid
from app.ui.image_pane import ImagePane
from app.ui.pane_tools import PaneTool, Pointer
from tests.support.window import flat_image, wait

GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
NONE, LEFT, RIGHT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PLAIN = Qt.KeyboardModifier.NoModifier


class Recorder(PaneTool):
    """A tool that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        self.told.append("press")

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        self.told.append("move")

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        self.told.append("release")

    def cancel(self, pane: ImagePane) -> None:
        self.told.append("cancel")


def shown_pane() -> ImagePane:
    image: StoredImage = flat_image(7, rows=600, cols=500)
    pane = ImagePane()
    pane.resize(505, 605)
    pane.show()
    pane.set_image(build_pyramid(image.pixels), display_table(GREY, Window(center=2000, width=3000)))
    pane.one_to_one()
    wait(20)
    return pane


def move(port: QWidget, to: QPoint, buttons: Qt.MouseButton = NONE) -> None:
    """The mouse is here now, with these buttons down."""
    at = QPointF(to)
    QApplication.sendEvent(
        port, QMouseEvent(QEvent.Type.MouseMove, at, QPointF(port.mapToGlobal(to)), NONE, buttons, PLAIN)
    )


@pytest.mark.parametrize("button", [LEFT, Qt.MouseButton.MiddleButton, RIGHT])
def test_a_mouse_that_comes_back_without_its_button_drags_nothing(button: Qt.MouseButton) -> None:
    pane = shown_pane()
    port = pane.graphics.viewport()
    dragged: list[float] = []
    pane.window_dragged.connect(lambda dx, _dy: dragged.append(dx))
    QTest.mousePress(port, button, PLAIN, QPoint(200, 200))
    move(port, QPoint(220, 210), button)
    before, steps = pane.center, len(dragged)
    move(port, QPoint(300, 260))  # the button came up over a dialog
    assert (pane.center, len(dragged)) == (before, steps)
    assert not pane.graphics.is_dragging
    assert port.cursor().shape() is Qt.CursorShape.OpenHandCursor
    QTest.mouseRelease(port, button, PLAIN, QPoint(300, 260))


def test_what_a_tool_had_begun_is_given_up_and_the_next_press_begins_anew() -> None:
    pane = shown_pane()
    tool = Recorder()
    pane.set_tool(tool)
    port = pane.graphics.viewport()
    QTest.mousePress(port, LEFT, PLAIN, QPoint(200, 200))
    move(port, QPoint(220, 210), LEFT)
    QTest.mousePress(port, LEFT, PLAIN, QPoint(240, 220))  # pressed again: it must have come up
    QTest.mouseRelease(port, LEFT, PLAIN, QPoint(240, 220))
    assert tool.told == ["press", "move", "cancel", "press", "release"]


def test_another_button_pressed_on_the_way_changes_nothing() -> None:
    pane = shown_pane()
    tool = Recorder()
    pane.set_tool(tool)
    port = pane.graphics.viewport()
    QTest.mousePress(port, LEFT, PLAIN, QPoint(200, 200))
    QApplication.sendEvent(
        port,
        QMouseEvent(
            QEvent.Type.MouseButtonPress, QPointF(210, 200), QPointF(210, 200), RIGHT, LEFT | RIGHT, PLAIN
        ),
    )  # fmt: skip
    move(port, QPoint(220, 210), LEFT | RIGHT)
    move(port, QPoint(230, 210), LEFT)
    QTest.mouseRelease(port, LEFT, PLAIN, QPoint(230, 210))
    assert tool.told == ["press", "move", "move", "release"]


@pytest.mark.parametrize("button", [RIGHT, Qt.MouseButton.MiddleButton])
def test_the_second_of_two_quick_strokes_drags_too(button: Qt.MouseButton) -> None:
    pane = shown_pane()
    port = pane.graphics.viewport()
    at, on_screen = QPointF(200, 200), QPointF(port.mapToGlobal(QPoint(200, 200)))
    dragged: list[float] = []
    pane.window_dragged.connect(lambda dx, _dy: dragged.append(dx))
    before = pane.center
    QApplication.sendEvent(
        port, QMouseEvent(QEvent.Type.MouseButtonDblClick, at, on_screen, button, button, PLAIN)
    )  # fmt: skip
    move(port, QPoint(240, 200), button)
    QTest.mouseRelease(port, button, PLAIN, QPoint(240, 200))
    assert dragged == [40] or pane.center != before
    assert not pane.graphics.is_dragging


@pytest.mark.parametrize(
    ("turned", "keys", "is_zoom"),
    [
        (QPoint(0, 15), PLAIN, True),  # an eighth of a notch
        (QPoint(15, 0), PLAIN, False),  # sideways on a trackpad, a tilted wheel
        (QPoint(15, 0), Qt.KeyboardModifier.AltModifier, True),  # Qt turns the wheel's axis by this key
        (QPoint(15, 0), Qt.KeyboardModifier.ShiftModifier, True),  # and macOS by this one
    ],
)
def test_only_a_wheel_turned_up_and_down_zooms(turned: QPoint, keys: Qt.KeyboardModifier, is_zoom: bool) -> None:
    pane = shown_pane()
    port = pane.graphics.viewport()
    at, before = QPointF(200, 200), pane.zoom
    event = QWheelEvent(
        at, QPointF(port.mapToGlobal(QPoint(200, 200))), QPoint(), turned, NONE, keys, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(port, event)
    assert (pane.zoom > before) is is_zoom
    assert event.isAccepted()
