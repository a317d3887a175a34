"""One thread that looks things up for the window: the most urgent question first, answers in the window's thread."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from app.core.errors import UserError
from app.ui.threads import NICE_AHEAD, stand_back

PATIENCE_S = 10.0


class _Wire(QObject):
    """Carries answers from the thread to the window's thread."""

    answered = Signal(object, object)


class Desk(QObject):
    """Questions about a project that may take longer than a paint, in one patient thread.

    Args:
        name: of the thread.
        at_end: called in the thread before it ends, to close what it has opened.

    Signals:
        failed: a question had no answer; the `UserError` why. Who asked does not hear of it.
    """

    failed = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None, *, at_end: Callable[[], None] = lambda: None) -> None:
        super().__init__(parent)
        self._at_end = at_end
        self._order = count()
        self._waiting: list[tuple[int, int, Callable[[], Any], Callable[[Any], None]]] = []
        self._changed = threading.Condition()
        self._is_over = False
        self._wire = _Wire(self)
        self._wire.answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[], Any], answered: Callable[[Any], None], *, urgency: int = 0) -> None:
        """Have a question answered.

        Args:
            question: called in the thread; needs no Qt.
            answered: called with its answer in the window's thread; an exception of the question is raised there.
            urgency: larger goes first.
        """
        with self._changed:
            heapq.heappush(self._waiting, (-urgency, next(self._order), question, answered))
            self._changed.notify()

    def close(self, *, finished: int | None = None) -> None:
        """Answer nothing more, and wait for the question that is being answered.

        Args:
            finished: questions of this urgency and above are worked on before the end; nobody hears their answers.
        """
        with self._changed:
            self._is_over = True
            self._waiting = [] if finished is None else [each for each in self._waiting if -each[0] >= finished]
            heapq.heapify(self._waiting)
            self._changed.notify()
        self._wire.answered.disconnect(self._on_answered)
        self._thread.join(PATIENCE_S)

    def _work(self) -> None:
        stand_back(NICE_AHEAD)
        while True:
            with self._changed:
                while not self._waiting and not self._is_over:
                    self._changed.wait()
                if not self._waiting:
                    break
                _, _, question, answered = heapq.heappop(self._waiting)
            try:
                result = question()
            except Exception as error:  # judged in the window's thread
                result = error
            self._wire.answered.emit(answered, result)
            del question, answered, result
        self._at_end()

    def _on_answered(self, answered: Callable[[Any], None], result: Any) -> None:
        if isinstance(result, UserError):
            self.failed.emit(result)
            return
        if isinstance(result, Exception):
            raise result  # a bug: reported where bugs are reported
        answered(result)
