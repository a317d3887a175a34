"""What every part of the wiring has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.ui.project import Project
    from app.ui.viewer import Viewer


class Wiring:
    """One part of the window: what its commands do, and what follows from what.

    Args:
        window: the window; its widgets exist, the project and the viewer do not yet.
    """

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What each command of this part does, by id; called with the checked state."""
        return {}

    def connect_shell(self) -> None:
        """Connect what is there before the first paint; nothing heavier than PySide6 may be imported."""

    def connect_rest(self) -> None:
        """Connect the project and the viewer, which are there now."""

    def present(self) -> set[str]:
        """Which `needs` of the commands are met."""
        return set()

    def retranslate(self) -> None:
        """Another language, or names are hidden: say anew what this part said. Also called once before the start."""

    def close(self) -> None:
        """The window closes: leave no work behind. Called before the project is closed."""

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
