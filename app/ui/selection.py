"""What is shown: the case that was asked for and the case on the screen, which may lag behind it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Selection(QObject):
    """The current case.

    Signals:
        leaving: the case on the screen is about to be left: what is being entered is stored now.
        requested: id of the case that the user asked for; empty = none.
        shown: id of the case whose images are on the screen now; empty = none.
    """

    leaving = Signal()
    requested = Signal(str)
    shown = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted = ""
        self._on_screen = ""

    @property
    def wanted(self) -> str:
        """The case that was asked for last."""
        return self._wanted

    @property
    def on_screen(self) -> str:
        """The case whose images are on the screen."""
        return self._on_screen

    def open_case(self, case_id: str) -> None:
        """Ask for a case. Asking for the same one again shows it afresh."""
        if case_id != self._wanted:
            self.leaving.emit()
        self._wanted = case_id
        self.requested.emit(case_id)

    def forget(self) -> None:
        """The project was closed: no case is wanted, and none is on the screen."""
        self._wanted = self._on_screen = ""

    def note_shown(self, case_id: str) -> None:
        """The viewer has swapped."""
        self._on_screen = case_id
        self.shown.emit(case_id)
