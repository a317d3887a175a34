"""The grey-value battery from the file to the picture: written, read in a worker process, shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.case import ViewFlag
from app.core.grey_tables import display_table, to_display
from app.core.voi import choose_voi
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source
from tests.support.grey_cases import BATTERY, GreyCase
from tests.support.grey_oracle import oracle_levels


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReaderPool]:
    with ReaderPool(scratch=tmp_path_factory.mktemp("scratch"), workers=1) as readers:
        yield readers


@pytest.mark.parametrize("case", BATTERY, ids=lambda case: case.name)
def test_file_to_picture_equals_the_oracle(case: GreyCase, pool: ReaderPool, tmp_path: Path) -> None:
    read = pool.read(Source(path=case.write(tmp_path)))
    image = pool.pixels(read)
    table = display_table(read.grey, choose_voi(image, read.grey, "file"), offset=image.offset)
    ours = to_display(image, table).pixels.astype(float)
    assert np.abs(ours - np.array(oracle_levels(case.dataset()))).max() <= 0.5 + 1e-6
    assert (image.pixels.astype(int) + image.offset == case.stored_values()).all()


@pytest.mark.parametrize("name", ["no_bitsstored", "no_pixelrep", "width0"])
def test_what_was_assumed_is_said(name: str, pool: ReaderPool, tmp_path: Path) -> None:
    (case,) = (case for case in BATTERY if case.name == name)
    read = pool.read(Source(path=case.write(tmp_path)))
    pool.discard(read)
    assert read.notices
    assert (ViewFlag.ASSUMED_ENCODING.value in read.flags) == (name != "width0")
