"""One piece of work in a thread, whose end the window hears of: a backup, a check, a look at a table."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import UserError

LOOK_MS = 60
PATIENCE_S = 30.0


class BackgroundCall(QObject):
    """Runs a function that needs neither Qt nor the project's own connection.

    The function gets a `Ticket`, on which it notes how far it is and reads whether it shall stop.

    Signals:
        progressed: steps done and steps in all.
        finished: what the function returned.
        failed: the `UserError` it raised.
    """

    progressed = Signal(int, int)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._ticket = Ticket()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        """Whether it is at work."""
        return self._thread is not None

    def start(self, work: Callable[[Ticket], Any], *, name: str) -> bool:
        """Start; False while it is at work."""
        if self._thread is not None:
            return False
        ticket = self._ticket = Ticket()
        self._thread = threading.Thread(target=ticket.carry_out, args=(work,), name=name, daemon=True)
        self._thread.start()
        self._timer.start()
        return True

    def cancel(self) -> None:
        """Tell it to stop; what it came to so far is given up."""
        self._ticket.is_stopped = True

    def stop(self) -> None:
        """Stop and wait; nothing is reported."""
        thread, self._thread = self._thread, None
        self._timer.stop()
        if thread is not None:
            self._ticket.is_stopped = True
            thread.join(PATIENCE_S)

    def _look(self) -> None:
        ticket, thread = self._ticket, self._thread
        if thread is not None and thread.is_alive():
            if ticket.total:
                self.progressed.emit(ticket.done, ticket.total)
            return
        self._thread = None
        self._timer.stop()
        if ticket.is_stopped:
            return
        if isinstance(ticket.error, UserError):
            self.failed.emit(ticket.error)
        elif ticket.error is not None:
            self.failed.emit(
                UserError("This could not be finished.", reason="A fault in Coxa stopped it.", kind="fault")
            )
            raise ticket.error  # the crash reporter shows it
        else:
            self.finished.emit(ticket.result)


class Ticket:
    """What a thread and the window tell each other."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.is_stopped = False
        self.result: Any = None
        self.error: BaseException | None = None

    def carry_out(self, work: Callable[[Ticket], Any]) -> None:
        """Run in the thread: nothing is raised."""
        try:
            self.result = work(self)
        except StoppedError:
            self.is_stopped = True
        except BaseException as error:
            self.error = error

    def note(self, done: int, total: int) -> None:
        """How far the work is; ends it when it was told to stop.

        Raises:
            StoppedError: it was told to stop.
        """
        self.done, self.total = done, total
        if self.is_stopped:
            raise StoppedError


class StoppedError(Exception):
    """The work was told to stop."""
