"""What the window opens with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from pathlib import Path

from app.core.record import record
from app.store.settings import SettingsFile


@record(frozen=True, slots=True, kw_only=True)
class Start:
    """What the window opens with.

    Args:
        project: folder of the project to open; None shows how to begin.
        is_read_only: open it for looking only.
        demo: where the demo project is or shall be made.
        demo_command: program and arguments that make it.
        is_demo: open the demo project, making it first if need be.
        is_demo_ready: tells whether the demo project is there, whole and of this version.
        author: recorded with decisions.
        settings: what the person has set, and where it is kept.
        engine_command: program and arguments of the AI engine; empty = there is none.
        models: folder of the bundled models; None = those that Coxa ships with.
        geometry: file that keeps size and place of the window; None = a new window looks like the first.
        recent: file with the projects that were open lately; None = they are forgotten with the window.
    """

    project: Path | None = None
    is_read_only: bool = False
    demo: Path
    demo_command: Sequence[str]
    is_demo: bool = False
    is_demo_ready: Callable[[], bool]
    author: str = ""
    recent: Path | None = None
    settings: SettingsFile = field(default_factory=lambda: SettingsFile(None))
    engine_command: Sequence[str] = ()
    models: Path | None = None
    geometry: Path | None = None
