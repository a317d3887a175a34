"""What every part of the wiring has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.project import CaseContent, Project
    from app.ui.viewer import Viewer


class Wiring:
    """One part of the window: what its commands do, and what follows from what.

    Args:
        window: the window; its widgets exist, the project and the viewer do not yet.

    Attributes:
        late_turn: when it is connected after the first case (`app.ui.late_parts`), smaller first; 0 = before.
        late_imports: what a late part imports, in an order in which each takes a few milliseconds.
        is_connected: whether `connect_rest` has been called.
    """

    late_turn = 0
    late_imports: tuple[str, ...] = ()
    is_connected = False

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What each command of this part does, by id; called with the checked state."""
        return {}

    def connect_shell(self) -> None:
        """Connect what is there before the first paint; nothing heavier than PySide6 may be imported."""

    def prepare(self) -> None:
        """A late part: make what takes longest of `connect_rest`, so that the window stands still for half as long."""

    def connect_rest(self) -> None:
        """Connect the project and the viewer, which are there now."""

    def reserve(self) -> None:
        """A late part: show what stands around its images from the start, as an empty dock."""

    def is_wanted_for(self, content: CaseContent) -> bool:
        """A late part: whether the first case cannot be shown without it."""
        return False

    def promised(self) -> set[str]:
        """A late part: which `needs` of the commands will be met when it is connected, as far as that is known."""
        return set()

    def catch_up(self) -> None:
        """A late part: do what follows from the project and the case that are there already."""

    def present(self) -> set[str]:
        """Which `needs` of the commands are met."""
        return set()

    def retranslate(self) -> None:
        """Another language, or names are hidden: say anew what this part said. Also called once before the start."""

    def close(self) -> None:
        """The window closes: leave no work behind. Called before the project is closed."""

    @property
    def is_late(self) -> bool:
        """Whether nobody sees it before the first case is on the screen."""
        return self.late_turn > 0

    @property
    def project(self) -> Project:
        """The project; only after the first paint."""
        assert self.window.project is not None, "commands that need a project are disabled without one"
        return self.window.project

    @property
    def viewer(self) -> Viewer:
        """The viewer; only after the first paint."""
        assert self.window.viewer is not None, "commands that need an image are disabled without one"
        return self.window.viewer
