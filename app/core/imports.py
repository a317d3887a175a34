"""Imports that leave out what they would only support if it were installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While this lasts, packages that are not imported yet cannot be; those who ask for them find them not installed.

    Some libraries import everything that they know how to work with, which takes longer than they do themselves.

    Args:
        names: top-level packages; one that is imported already stays.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # this makes an import raise ImportError
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name, name) is None:
                del sys.modules[name]
