"""A sample of what `bench/hostile.py` throws at the reader: every answer is an image or a sentence, in time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.store.reading.nesting import MAX_DEPTH
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import find_sources
from tests.store.reading.conftest import Read
from tests.support import hostile_files as hostile


def outcomes(pool: ReaderPool, folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Label -> `image` or the kind of the error."""
    for name, data in files:
        (folder / name).write_bytes(data)
    found = {}
    for source, answer in pool.read_many(find_sources([folder])):
        if isinstance(answer, UserError):
            assert answer.title.endswith(".")
            assert answer.kind
            found[source.label] = answer.kind
        else:
            assert pool.pixels(answer).pixels.shape == (answer.rows, answer.cols)
            found[source.label] = "image"
    return found


def test_mutants(pool: ReaderPool, tmp_path: Path) -> None:
    found = Counter(outcomes(pool, tmp_path, hostile.mutants(150)).values())
    assert found.total() >= 150
    assert found["image"] > 20  # the mutants are not all beyond recognition
    assert found["damaged"] + found["undecodable"] > 20
    assert found["timeout"] == 0


def test_bombs_are_refused_before_they_go_off(pool: ReaderPool, tmp_path: Path) -> None:
    start = time.monotonic()
    files = [(name, data) for name, data in hostile.bombs(is_small=True) if name != "rle.dcm"]
    found = outcomes(pool, tmp_path, files)
    assert found == {
        "blank.png": "image",
        "claim.tif": "too-large",
        "deflate.dcm": "too-large",
        "frames-claim.dcm": "too-large",
        "j2k-honest.dcm": "too-large",
        "j2k-lying.dcm": "damaged",
        "jpeg-claim.dcm": "too-large",
        "nested.zip/inner.zip": "nested-archive",
        "raw-claim.dcm": "too-large",
        "size-ihdr.png": "too-large",
        "zeros.zip/zeros.dcm": "too-large",
    }
    assert time.monotonic() - start < 120


@pytest.mark.parametrize("kind", ["defined", "undefined", "unknown", "implicit"])
def test_nests_are_refused_by_the_walk(kind: str, read: Read) -> None:
    options = {
        "defined": {"is_undefined": False},
        "undefined": {"is_undefined": True},
        "unknown": {"is_undefined": True, "vr": b"UN"},
        "implicit": {"is_undefined": True, "is_implicit": True},
    }[kind]
    for depth in (MAX_DEPTH + 1, 2500, 20_000):
        with pytest.raises(UserError) as caught:
            read(hostile.nest(depth, **options))  # type: ignore[arg-type]
        assert caught.value.kind == "too-complex"
    assert read(hostile.nest(MAX_DEPTH, **options)).rows == 80  # type: ignore[arg-type]


def test_random_bytes(pool: ReaderPool, tmp_path: Path) -> None:
    found = outcomes(pool, tmp_path, hostile.random_files(42))
    assert "image" not in found.values()


def test_truncated_files(pool: ReaderPool, tmp_path: Path) -> None:
    found = outcomes(pool, tmp_path, islice(hostile.truncated(7), 150))
    assert "timeout" not in found.values()
    assert all(kind != "image" for name, kind in found.items() if "cut00" in name)
