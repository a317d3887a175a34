"""What the window opens with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """

    project: Path | None = None
    is_read_only: bool = False
    demo: Path
    demo_command: Sequence[str]
    is_demo: bool = False
    is_demo_ready: Callable[[], bool]
    author: str = ""
