"""A key that is held, as X11 and Qt tell of it: pairs of release and press at one time, not marked as repetitions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMainWindow

from app.ui.held_keys import HeldKeys
from app.ui.wiring import images
from tests.support.window import application, wait, wait_until

Kind, Key = QEvent.Type, Qt.Key


class Heard(QObject):
    """Notes the keys that come to a widget."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.keys: list[tuple[QEvent.Type, bool]] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Only look."""
        if isinstance(event, QKeyEvent) and event.type() in (Kind.KeyPress, Kind.KeyRelease):
            self.keys.append((event.type(), event.isAutoRepeat()))
        return False


@pytest.fixture
def window() -> Iterator[QMainWindow]:
    """A window with a command that may repeat, one that must not, and a box for text."""
    application()
    made = QMainWindow()
    for key, is_repeating in (("PgDown", True), ("I", False), ("Return", False), ("?", False)):
        action = QAction(key, made)
        action.setShortcut(key)
        action.setAutoRepeat(is_repeating)
        made.addAction(action)
    made.setCentralWidget(QLineEdit(made))
    made.show()
    wait_until(lambda: made.windowHandle() is not None and made.isActiveWindow())
    yield made
    made.close()


def send(window: QMainWindow, kind: QEvent.Type, key: Qt.Key, time_ms: int, *,
         keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> bool:  # fmt: skip
    """Send what the X11 plugin would; whether it was accepted, which for an override means: no shortcut."""
    text = chr(key.value).lower() if key.value < 128 else ""
    event = QKeyEvent(kind, key, keys, int(key.value) % 200, 0, 0, text, False, 1)
    event.setTimestamp(time_ms)
    if kind == Kind.ShortcutOverride:
        event.ignore()
    QCoreApplication.sendEvent(window.windowHandle(), event)
    return event.isAccepted()


def focus_nothing(window: QMainWindow) -> Heard:
    window.setFocus()
    heard = Heard(window)
    window.installEventFilter(heard)
    return heard


@pytest.mark.parametrize(
    ("key", "keys"),
    [(Key.Key_I, Qt.KeyboardModifier.NoModifier), (Key.Key_Return, Qt.KeyboardModifier.NoModifier),
     (Key.Key_Return, Qt.KeyboardModifier.KeypadModifier), (Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)],
)  # fmt: skip
def test_a_command_that_must_not_repeat_is_done_once_while_its_key_is_held(
    window: QMainWindow, key: Qt.Key, keys: Qt.KeyboardModifier
) -> None:
    HeldKeys(window)
    heard = focus_nothing(window)
    assert not send(window, Kind.ShortcutOverride, key, 1000, keys=keys), "the first press is the shortcut's"
    for time_ms in (1660, 1700, 1740):
        send(window, Kind.KeyRelease, key, time_ms, keys=keys)
        assert send(window, Kind.ShortcutOverride, key, time_ms, keys=keys), "Qt must not look for the shortcut again"
        send(window, Kind.KeyPress, key, time_ms, keys=keys)
    send(window, Kind.KeyRelease, key, 1790, keys=keys)
    wait_until(lambda: heard.keys[-1:] == [(Kind.KeyRelease, False)])
    assert heard.keys == [(Kind.KeyRelease, True)] * 3 + [(Kind.KeyRelease, False)], "it comes up once"


def test_a_key_that_is_pressed_twice_quickly_is_two_presses(window: QMainWindow) -> None:
    HeldKeys(window)
    heard = focus_nothing(window)
    for time_ms in (1000, 1080):
        assert not send(window, Kind.ShortcutOverride, Key.Key_I, time_ms)
        send(window, Kind.KeyRelease, Key.Key_I, time_ms + 60)
    assert not send(window, Kind.ShortcutOverride, Key.Key_J, 1141)
    assert heard.keys == [(Kind.KeyRelease, False)] * 2, "another key does not overtake it"


def test_stepping_goes_on_while_its_key_is_held(window: QMainWindow) -> None:
    HeldKeys(window)
    focus_nothing(window)
    send(window, Kind.ShortcutOverride, Key.Key_PageDown, 1000)
    send(window, Kind.KeyRelease, Key.Key_PageDown, 1660)
    assert not send(window, Kind.ShortcutOverride, Key.Key_PageDown, 1660)


def test_a_held_letter_is_typed_again_and_again(window: QMainWindow) -> None:
    HeldKeys(window)
    box = window.centralWidget()
    assert isinstance(box, QLineEdit)
    box.setFocus()
    wait(0)
    heard = Heard(window)
    box.installEventFilter(heard)
    assert send(window, Kind.ShortcutOverride, Key.Key_I, 1000)
    send(window, Kind.KeyPress, Key.Key_I, 1000)
    for time_ms in (1660, 1700):
        send(window, Kind.KeyRelease, Key.Key_I, time_ms)
        assert send(window, Kind.ShortcutOverride, Key.Key_I, time_ms)
        send(window, Kind.KeyPress, Key.Key_I, time_ms)
    assert box.text() == "iii"
    assert [is_repeated for kind, is_repeated in heard.keys if kind == Kind.KeyPress] == [False, True, True]


def test_what_lasts_while_a_key_is_held_lasts_until_it_comes_up(
    window: QMainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "HELD_S", -1.0)
    HeldKeys(window)
    focus_nothing(window)
    ended: list[bool] = []
    images._ReleaseWatch(lambda: ended.append(True), window)
    send(window, Kind.ShortcutOverride, Key.Key_I, 1000)
    for time_ms in (1660, 1700):
        send(window, Kind.KeyRelease, Key.Key_I, time_ms)
        send(window, Kind.ShortcutOverride, Key.Key_I, time_ms)
        send(window, Kind.KeyPress, Key.Key_I, time_ms)
    assert ended == []
    send(window, Kind.KeyRelease, Key.Key_I, 1740)
    wait_until(lambda: ended == [True])
