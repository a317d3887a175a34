"""When a terminal (Ctrl+C) or the system (log-out) ends the program, the window is closed, without a question.

Python would raise KeyboardInterrupt somewhere in the window's code, or end at once: what is being typed would be lost,
and the interpreter would take a living window apart.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Ending(QObject):
    """Hears of the signals that end a program, until `stop`.

    The first is answered by the window; a second one of the same kind ends the program at once, whatever it does.

    Args:
        end: closes the window, in its own thread and between two events; gets the number of the signal.
    """

    def __init__(self, end: Callable[[int], object], parent: QObject) -> None:
        super().__init__(parent)
        self._end = end
        self._reader, self._writer = socket.socketpair()
        for each in (self._reader, self._writer):
            each.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._forget) for number in SIGNALS}

    def stop(self) -> None:
        """Leave the signals as they were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    @staticmethod
    def _forget(number: int, frame: FrameType | None) -> None:
        """The byte in the socket says it all; Python only needs to know that it shall do nothing else."""
        signal.signal(number, signal.SIG_DFL)

    def _on_signal(self) -> None:
        for number in self._reader.recv(16):
            if number in SIGNALS:  # the bytes of every signal that Python handles come here
                self._end(number)
