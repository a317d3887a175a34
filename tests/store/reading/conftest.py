"""A reader pool shared by the tests of a module, and a way to read bytes without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from app.store.reading.dicom import Reading
from app.store.reading.files import read_buffer
from app.store.reading.pool import ReaderPool
from app.store.reading.whitelist import load_whitelist

Read = Callable[..., Reading]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReaderPool]:
    with ReaderPool(scratch=tmp_path_factory.mktemp("scratch"), workers=2) as readers:
        yield readers


@pytest.fixture(scope="session")
def whitelist() -> frozenset[int]:
    return load_whitelist()


@pytest.fixture
def read(tmp_path: Path, whitelist: frozenset[int]) -> Read:
    """Read bytes in this process, as the worker does."""

    def read_bytes(data: bytes, *, frame: int | None = None, is_header_only: bool = False) -> Reading:
        return read_buffer(data, whitelist=whitelist, frame=frame, is_header_only=is_header_only, scratch=tmp_path)

    return read_bytes


def stored(reading: Reading) -> npt.NDArray[np.int64]:
    """The stored values of a reading, (H, W)."""
    assert reading.image is not None
    return reading.image.pixels.astype(np.int64) + reading.image.offset
