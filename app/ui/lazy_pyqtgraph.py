"""pyqtgraph without its own copies of Qt's namespaces.

pyqtgraph copies every name of QtCore, QtGui and QtWidgets into modules of its own, which makes PySide6 build a thousand
classes that nobody uses: a third of the time that it takes to import it. Here these modules look names up when they
are asked for one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import PySide6.QtCore
import PySide6.QtGui
import PySide6.QtWidgets

from app.core.imports import without

COPIED = (PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets)
UNUSED = ("cuda", "cupy", "PySide6.QtTest")  # graphics cards, which no pane uses, and tests of pyqtgraph itself


def import_pyqtgraph() -> None:
    """Import pyqtgraph, which finds nothing to copy; whoever has imported it already keeps what there is."""
    if "pyqtgraph" in sys.modules:
        return
    listed = [_list_nothing(module) for module in COPIED]
    try:
        with without(*UNUSED):
            import pyqtgraph  # noqa: F401
    finally:
        for module, before in zip(COPIED, listed, strict=True):
            if before is None:
                del module.__dict__["__dir__"]
            else:
                module.__dict__["__dir__"] = before


def _list_nothing(module: ModuleType) -> Callable[[], list[str]] | None:
    """Let a module say that it has no names, and its copy look them up; what said so before."""

    def names() -> list[str]:
        copy = sys.modules.get("pyqtgraph.Qt." + module.__name__.rpartition(".")[2])
        if copy is None:
            return list(module.__dict__)
        copy.__dict__.setdefault("__getattr__", lambda name: getattr(module, name))
        return []

    before: Callable[[], list[str]] | None = module.__dict__.get("__dir__")
    module.__dict__["__dir__"] = names
    return before
