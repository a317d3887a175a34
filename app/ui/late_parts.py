"""Parts of the window that nobody sees at first: connected in short steps once the first case is on the screen.

The first case needs the worklist, the panes and little else. What is behind docks and commands is imported and made
after it has been painted, a few milliseconds at a time, and at once when somebody presses a key or a button.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from app.core.errors import UserError
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.project import CaseContent

FIRST_MS = 20  # after the first case was swapped in: it is painted before anything else is done
PATIENCE_MS = 800  # … or when no case is there by then: an index is made, or the demo project
PRESSES = frozenset({QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick,
                     QEvent.Type.TouchBegin, QEvent.Type.TabletPress, QEvent.Type.DragEnter})  # fmt: skip


class LateParts(QObject):
    """Connects the late parts of the window, each in its turn.

    Args:
        wirings: the parts of the window; those that are not late have been connected.
        window: the window, with its project and its viewer.

    Signals:
        finished: every part is connected.
    """

    finished = Signal()

    def __init__(self, wirings: Iterable[Wiring], window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._waiting = sorted((each for each in wirings if each.is_late), key=lambda each: each.late_turn)
        self._modules = [name for wiring in self._waiting for name in wiring.late_imports]
        self._unprepared = list(self._waiting)
        self._soon = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._soon.timeout.connect(self._step)
        self._soon.start()
        window.settled.connect(self._begin)
        self._screen = window.windowHandle()  # what comes from the person comes this way; a filter of the application
        if self._screen is not None:  # would see every object of Qt, and make PySide6 look for the class of each
            self._screen.installEventFilter(self)

    @property
    def is_finished(self) -> bool:
        """Whether every part is connected."""
        return not self._waiting

    def finish(self) -> None:
        """Connect at once what is left."""
        while self._waiting:
            self._connect(self._waiting[0])

    def want_for(self, content: CaseContent) -> None:
        """Connect what belongs to the image of a case that is about to be shown, and what comes before that."""
        wanted = [number for number, wiring in enumerate(self._waiting) if wiring.is_wanted_for(content)]
        for wiring in self._waiting[: max(wanted, default=-1) + 1]:
            self._connect(wiring)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whoever presses something finds everything there."""
        if event.type() in PRESSES:
            self.finish()
        return False

    def _begin(self) -> None:
        if self._waiting:
            self._soon.start(FIRST_MS)

    def _step(self) -> None:
        """Do one short thing, and let the event loop run before the next."""
        if not self._waiting:
            return
        self._soon.start(0)
        wiring = self._waiting[0]
        name = next((name for name in wiring.late_imports if name in self._modules), None)
        if name is not None:
            self._modules.remove(name)
            importlib.import_module(name)
        elif wiring in self._unprepared:
            self._prepare(wiring)
        else:
            self._connect(wiring)

    def _prepare(self, wiring: Wiring) -> None:
        if wiring in self._unprepared:
            self._unprepared.remove(wiring)
            wiring.prepare()

    def _connect(self, wiring: Wiring) -> None:
        self._waiting.remove(wiring)
        self._prepare(wiring)
        wiring.connect_rest()
        wiring.is_connected = True
        if self._window.project is not None and self._window.project.is_open:
            try:
                wiring.catch_up()
            except UserError as error:  # the folder may just have gone
                self._window.project.failed.emit(error)
        if not self._waiting:
            self._end()

    def _end(self) -> None:
        self._soon.stop()
        self._window.settled.disconnect(self._begin)
        if self._screen is not None:
            self._screen.removeEventFilter(self)
        self._window.enable()
        self.finished.emit()


def effects_of(wiring: Wiring) -> dict[str, Callable[[bool], object]]:
    """What the commands of a part do; a late part is connected first."""
    effects = wiring.effects()
    return {name: _when_there(wiring, effect) for name, effect in effects.items()} if wiring.is_late else effects


def _when_there(wiring: Wiring, effect: Callable[[bool], object]) -> Callable[[bool], object]:
    def call(is_on: bool) -> object:
        wiring.window.finish()
        return effect(is_on)

    return call
