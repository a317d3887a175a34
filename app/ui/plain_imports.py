"""Imports without what only costs time."""

from __future__ import annotations

import builtins
import os

import PySide6.QtCore  # noqa: F401  # which puts its own `import` in the place of Python's

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"


def import_plainly() -> None:
    """Use Python's `import` again.

    PySide's reads the source of every module that is imported, to see whether it opts into `snake_case` names; nothing
    here does, and it takes a tenth of the time until the first case is on the screen.
    """
    original = getattr(builtins, "__orig_import__", None)  # where PySide keeps it; without it everything stays
    if original is not None:
        builtins.__import__ = original


def import_numpy() -> None:
    """Import numpy with one thread for its linear algebra, of which the window has next to none.

    OpenBLAS would start a thread for every processor, which then looks for work for a tenth of a second without
    sleeping, while the first images are decoded. Processes that the window starts decide for themselves.
    """
    before = os.environ.get(_BLAS_THREADS)
    os.environ[_BLAS_THREADS] = "1"  # read once, when the library is loaded
    try:
        import numpy  # noqa: F401
    finally:
        if before is None:
            del os.environ[_BLAS_THREADS]
        else:
            os.environ[_BLAS_THREADS] = before
