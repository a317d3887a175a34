"""Whose turn it is to write: threads of one process that share the right to write a project take turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WriteTurn:
    """One writer at a time; a person's change goes before the next batch of background work.

    Re-entrant within a thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._urgent = 0
        self._changed = threading.Condition()

    @property
    def has_urgent(self) -> bool:
        """Whether somebody waits who must not."""
        return self._urgent > 0

    @contextmanager
    def taken(self, *, is_patient: bool = False) -> Iterator[None]:
        """Hold the turn.

        Args:
            is_patient: let everybody go first who is not.
        """
        if is_patient:
            self._take_patiently()
        else:
            with self._changed:
                self._urgent += 1
            self._lock.acquire()
            with self._changed:
                self._urgent -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            self._lock.release()

    def _take_patiently(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._urgent == 0)
            self._lock.acquire()
            with self._changed:
                if self._urgent == 0:
                    return
            self._lock.release()  # somebody came in between
