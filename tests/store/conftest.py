"""Fixtures of the storage tests: real SQLite in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.project import ProjectStore
from tests.support.projects import make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectStore]:
    """A new, open project."""
    with ProjectStore.create(tmp_path / "project", name="Test") as store:
        yield store


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The folder of a closed project with six studies and some decisions."""
    path = tmp_path / "closed"
    make_project(path)
    return path
