"""Fixtures that every test can use."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.unclosed import ClosableT, Closing, watch_connections

# Read when torch and numpy are loaded: threads that wait must not spin, for there are other tests beside this one; and
# where a process a processor tests, more threads than one would only wait for each other.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A test must not fail because the machine is busy: properties are judged by what they find, not by their speed.
settings.register_profile("coxa", deadline=None)
settings.load_profile("coxa")

if sys.version_info < (3, 13):
    watch_connections()

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, files with slow ones go first: else one process ends alone with them."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches settings or compiled models of the person who runs it, nor do the processes that it starts."""
    before = {name: os.environ.get(name) for name in ("COXA_CONFIG", "COXA_CACHE")}
    for name in before:
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Once there is a window in this process, garbage is collected as in the program: in its thread, between things."""
    yield
    if not gc.isenabled():
        from app.ui.collecting import collect_due

        collect_due()


@pytest.fixture
def closing() -> Iterator[Closing]:
    """Gives back what it is given, and closes it after the test."""
    with contextlib.ExitStack() as stack:

        def keep(thing: ClosableT) -> ClosableT:
            return stack.enter_context(contextlib.closing(thing))

        yield keep


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real radiographs beside the repository; tests that need them are skipped where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real radiographs in ../shared/data are not on this machine")
    return SHARED_DATA
