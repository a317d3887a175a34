"""Whatever mouse, keys and questions do in between: afterwards nothing is held, and what is drawn is what is stored."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit

from app.ui.drawing import alignment_handles, drawing_of, measurement_handles, region_handles
from app.ui.image_pane import ImagePane
from app.ui.main_window import MainWindow
from app.ui.viewer import Viewer
from tests.support.annotating_window import NONE, act, align, case_id, click, drag, pane, place, textured
from tests.support.window import make_project, open_window, wait, wait_until

BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)
TOOLS = ("align", "box", "measure:length", "measure:angle", "landmark:head-centre", "calibrate:length", "pan", "window",
         "zoom", "rotate")  # fmt: skip
PLACES = ((30, 30), (250, 30), (30, 370), (250, 370), (150, 200))
ROUNDS = 6  # more were tried when this was written: 2,400 with other dice
KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Right, Qt.Key.Key_2, Qt.Key.Key_Tab)
COMMANDS = ("next", "previous", "switch_pane", "layout:single", "layout:pair", "layout:stacked", "type_window", "undo",
            "turn_right", "loupe", "show_crop")  # fmt: skip


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("tests.support.window.flat_image", textured)
    window = open_window(make_project(tmp_path / "project", cases=2, rows=400, cols=300))
    align(window, 0)
    align(window, 1, (120, 200), (100, 320))
    yield window
    assert window.project is not None
    window.project.drop_waiting()
    window.close()


class Hand:
    """A mouse whose buttons are pressed and let go of through the window system, which knows who hears of it."""

    def __init__(self, window: MainWindow, dice: random.Random) -> None:
        assert window.viewer is not None
        self.window, self.dice, self.viewer = window, dice, window.viewer
        self.down: list[Qt.MouseButton] = []
        self.at = QPoint(5, 5)

    def act(self) -> str:
        """Do one thing; says what."""
        dice = self.dice
        match dice.randrange(8):
            case 0 | 1:
                free = [each for each in BUTTONS if each not in self.down]
                if free:
                    button = dice.choice((*free, free[0]))
                    self.down.append(button)
                    self.tell("mousePress", button)
                    return f"press {button.name}"
            case 2:
                if self.down:
                    self.let_go(dice.choice(self.down))
                    return "release"
            case 3 | 4:
                self.go()
                return f"move {self.at.toTuple()}"
            case 5:
                if not self.down:
                    self.tell("mouseDClick", BUTTONS[0])
                    return "double click"
            case 6:
                name = dice.choice((*TOOLS, *COMMANDS))
                action = self.window.actions_by_id[name]
                if action.isEnabled() and QApplication.activeModalWidget() is None:
                    action.trigger()
                    return name
            case _:
                return self.type()
        return ""

    def drag(self) -> str:
        """Take hold of something that is drawn and pull at it."""
        if self.down or QApplication.activePopupWidget() or QApplication.activeModalWidget():
            return ""
        self.window.actions_by_id[self.dice.choice(TOOLS[:4])].trigger()
        self.go()
        self.down.append(BUTTONS[0])
        self.tell("mousePress", BUTTONS[0])
        self.go()
        self.go()
        return f"drag with {type(self.viewer.active_pane.tool).__name__}"

    def type(self) -> str:
        """A key, or something that takes the mouse away."""
        what = self.dice.choice((*KEYS, "reader", "dialog", "close"))
        if isinstance(what, Qt.Key):
            QTest.keyClick(QApplication.activePopupWidget() or QApplication.focusWidget() or self.window, what)
            return what.name
        if what == "reader":
            self.window.annotating.ask_reader()
        elif what == "dialog" and QApplication.activePopupWidget() is None:
            dialog = QDialog(self.window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            QLineEdit(dialog).setFocus()
            dialog.open()
        else:
            self.close()
        return what

    def go(self) -> None:
        """Move over an image: somewhere, or to what can be dragged."""
        pane = self.viewer.active_pane if self.down else self.dice.choice(self.panes())
        drawing = self.window.annotating.board.on(pane)
        at = QPoint(*(self.dice.randrange(10, 200) for _ in range(2)))
        if drawing is not None and not self.down and self.dice.random() < 0.6:
            handles = [*alignment_handles(drawing), *region_handles(drawing), *measurement_handles(drawing)]
            at = place(pane, self.dice.choice(handles).xy) if handles else at
        there, most = pane.graphics.viewport().mapTo(self.window, at), self.window.rect().bottomRight()
        self.at = QPoint(min(max(there.x(), 0), most.x()), min(max(there.y(), 0), most.y()))
        self.tell("mouseMove")

    def panes(self) -> list[ImagePane]:
        """What shows an image."""
        return [each.pane for each in self.viewer.shown_places]

    def let_go(self, button: Qt.MouseButton) -> None:
        self.down.remove(button)
        self.tell("mouseRelease", button)

    def tell(self, what: str, button: Qt.MouseButton | None = None) -> None:
        handle = self.window.windowHandle()
        assert handle is not None
        if button is None:
            QTest.mouseMove(handle, self.at)
        else:
            getattr(QTest, what)(handle, button, NONE, self.at)

    def settle(self) -> None:
        """Pass over every image, no button down."""
        for each in self.panes():
            self.at = each.graphics.viewport().mapTo(self.window, QPoint(3, 3))
            self.tell("mouseMove")

    def close(self) -> None:
        """Leave every question."""
        while (popup := QApplication.activePopupWidget() or QApplication.activeModalWidget()) is not None:
            popup.close()


def check_nothing_is_held(window: MainWindow, viewer: Viewer) -> None:
    assert QApplication.mouseButtons() == Qt.MouseButton.NoButton
    for each in viewer.all_places:
        graphics, scene = each.pane.graphics, each.pane.graphics.scene()
        assert not graphics.is_dragging
        assert getattr(each.pane.tool, "_pane", None) is None
        assert (scene.dragButtons, scene.clickEvents, scene.lastDrag, scene.dragItem) == ([], [], None, None)
        assert scene.mouseGrabberItem() is None
        assert graphics.viewport().cursor().shape() in (each.pane.tool.cursor, Qt.CursorShape.SizeAllCursor)


def check_drawn_is_stored(window: MainWindow, viewer: Viewer) -> None:
    assert window.project is not None
    values = window.project.annotations.values(case_id(window), window.project.author)
    for each in viewer.places:
        drawing = window.annotating.board.on(each.pane)
        assert drawing is not None
        stored = drawing_of(drawing.view, values)
        stored.active = drawing.active
        assert drawing == stored


def check_mouse_works(window: MainWindow) -> None:
    """A click is a click, and a drag a drag."""
    board = window.annotating.board
    for name in ("layout:pair", "reset", "align"):
        act(window, name)
    drawing = board.on(pane(window, 1))
    assert drawing is not None
    handles = [handle.xy for handle in alignment_handles(drawing)]
    free = (xy for xy in PLACES if all(math.dist(xy, handle) > 60 for handle in handles))
    click(pane(window, 1), next(free))
    drawings = [board.on(pane(window, number)) for number in (0, 1)]
    assert [len(each.pending) for each in drawings if each is not None] == [0, 1]
    act(window, "pan")
    act(window, "one_to_one")
    before = pane(window, 1).center
    drag(pane(window, 1), (60, 60), (80, 70))
    assert pane(window, 1).center != before


def test_nothing_is_held_afterwards(window: MainWindow) -> None:
    dice = random.Random(10)
    viewer = window.viewer
    assert viewer is not None
    assert window.project is not None
    for _ in range(ROUNDS):
        window.project._is_author_confirmed = dice.random() < 0.6
        hand, done = Hand(window, dice), []
        for step in range(dice.randrange(3, 12)):
            done.append(hand.drag() if step % 5 == 2 else hand.act())
            if dice.random() < 0.3:
                wait(0)
        while hand.down:
            hand.let_go(hand.down[0])
        hand.close()
        wait_until(lambda: viewer.is_settled)
        window.annotating.board.flush()
        hand.close()
        wait(0)
        hand.settle()
        print(*filter(None, done), sep=", ")
        check_nothing_is_held(window, viewer)
        viewer.set_tool(viewer.active_pane.tool)  # a first click is given up
        check_drawn_is_stored(window, viewer)
    check_mouse_works(window)
