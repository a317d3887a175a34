"""Marks the repetitions of a held key that Qt under X11 takes for new presses.

A key that is held comes up and goes down again at one and the same time, says the X server. Qt marks these pairs as
repetitions only if the second half is in its queue already when it handles the first, which on a busy computer it
often is not (ADR 0293). A command that must not repeat was then done up to thirty times a second, and the loupe
closed under a key that was held.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMainWindow

PLATFORM = "xcb"  # the plugin that has the fault
LATE_MS = 20  # how long the second half of a pair may take to come
KINDS = frozenset({QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease})
MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr})
NEVER = (0, 0)

Stamp = tuple[int, int]


class HeldKeys(QObject):
    """Sees every key of a window before any of its widgets.

    Args:
        window: it must be on the screen; its actions say which keys may repeat.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._released: Stamp = NEVER  # the key that came up last, and when
        self._stopped: Stamp = NEVER  # a repetition that no shortcut may have
        self._kept: QKeyEvent | None = None  # a key that came up, until it is clear whether it is still held
        self._is_sending = False
        self._patience = QTimer(self, singleShot=True, interval=LATE_MS)
        self._patience.timeout.connect(self._let_go)
        window.windowHandle().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold a key that came up back for a moment; mark what follows it at the same time."""
        kind = event.type()
        if kind not in KINDS or self._is_sending or not isinstance(event, QKeyEvent):
            return False
        stamp = (event.nativeScanCode(), event.timestamp())
        if event.isAutoRepeat() or not event.timestamp():
            self._let_go()
            return False
        if kind == QEvent.Type.KeyRelease:
            self._let_go()
            if event.key() in MODIFIERS:
                return False
            self._released, self._kept = stamp, _copy(event, is_repeated=False)
            self._patience.start()
            return True
        if stamp != self._released:
            self._let_go()
            return False
        if self._kept is not None:
            self._let_go(is_repeated=True)
        if kind == QEvent.Type.KeyPress and stamp == self._stopped:
            return True
        marked = _copy(event, is_repeated=True)
        marked.setAccepted(event.isAccepted())
        self._send(marked)
        event.setAccepted(marked.isAccepted())
        if kind == QEvent.Type.ShortcutOverride and not event.isAccepted() and self._is_single(event):
            self._stopped = stamp
            event.accept()  # else Qt would look for the shortcut
        return True

    def _let_go(self, *, is_repeated: bool = False) -> None:
        """Tell the widgets of the key that came up, if there is still one to tell of."""
        kept, self._kept = self._kept, None
        self._patience.stop()
        if kept is not None:
            self._send(_copy(kept, is_repeated=is_repeated))

    def _send(self, event: QKeyEvent) -> None:
        if not self._window.isVisible():  # it was closed in this moment
            return
        self._is_sending = True
        try:
            QCoreApplication.sendEvent(self._window.windowHandle(), event)
        finally:
            self._is_sending = False

    def _is_single(self, event: QKeyEvent) -> bool:
        """Whether a key belongs to a command that must not be done again and again."""
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        for modifiers in (held, held & ~Qt.KeyboardModifier.ShiftModifier):  # `?` is a key with Shift on most keyboards
            keys = QKeySequence(modifiers.value | event.key())
            for action in self._window.actions():
                if keys in action.shortcuts():
                    return action.isEnabled() and not action.autoRepeat()
        return False


def mark_held_keys(window: QMainWindow) -> None:
    """Look after the keys of a window on the screen, where that is needed."""
    if QGuiApplication.platformName() == PLATFORM and window.windowHandle() is not None:
        HeldKeys(window)


def _copy(event: QKeyEvent, *, is_repeated: bool) -> QKeyEvent:
    made = QKeyEvent(
        event.type(), event.key(), event.modifiers(), event.nativeScanCode(), event.nativeVirtualKey(),
        event.nativeModifiers(), event.text(), is_repeated, event.count(),
    )  # fmt: skip
    made.setTimestamp(event.timestamp())
    return made
