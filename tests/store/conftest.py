"""Fixtures of the storage tests: real SQLite in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from app.store.project import ProjectStore
from app.store.reading.pool import ReaderPool
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


class LentReaders:
    """Stands for `ReaderPool` in an import: real readers that outlive it, so that the next one finds them started."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.pool: ReaderPool | None = None

    def __call__(self, **_: object) -> AbstractContextManager[ReaderPool]:
        if self.pool is None or self.pool._is_closed:  # an import that was cancelled has ended them
            self.pool = ReaderPool(scratch=self._scratch, workers=1)
        return nullcontext(self.pool)


@pytest.fixture(scope="session")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LentReaders]:
    lent = LentReaders(tmp_path_factory.mktemp("readers"))
    yield lent
    if lent.pool is not None:
        lent.pool.close()


@pytest.fixture
def lent_readers(readers: LentReaders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports do not start and end readers of their own. (That they do: the tests of the pool and the journeys.)"""
    monkeypatch.setattr("app.store.importer.ReaderPool", readers)
