"""Every test of the window runs without a screen, unless one is asked for, and under strict Qt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    """Qt's warnings are errors, and nothing lives on after a test."""
    from tests.support.window import strict_qt

    with strict_qt():
        yield
