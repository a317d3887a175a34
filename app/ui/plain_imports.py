"""Imports without PySide's own `import`."""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401  # which puts its own `import` in the place of Python's


def import_plainly() -> None:
    """Use Python's `import` again.

    PySide's reads the source of every module that is imported, to see whether it opts into `snake_case` names; nothing
    here does, and it takes a tenth of the time until the first case is on the screen.
    """
    original = getattr(builtins, "__orig_import__", None)  # where PySide keeps it; without it everything stays
    if original is not None:
        builtins.__import__ = original
