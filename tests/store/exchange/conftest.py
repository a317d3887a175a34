"""One labelled project for all tests of data sets; nothing in it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.project import ProjectStore
from tests.support.data_sets import make_labelled_project


@pytest.fixture(scope="session")
def labelled_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "project"
    make_labelled_project(path)
    return path


@pytest.fixture
def project(labelled_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.open(labelled_path, is_read_only=True) as store:
        yield store
