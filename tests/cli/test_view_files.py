"""Files as the views of a model: which of them is at fault is said, and one radiograph is not taken for two."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.cli.view_files import Shown, notices_of, read_views
from app.core.case import Projection, ViewRole
from app.core.errors import UserError
from app.store.images import ImageStore
from tests.support.grey_cases import BATTERY
from tests.support.window_files import pair

PAIR = (ViewRole.FRONTAL, ViewRole.LATERAL)
PLAIN = next(case for case in BATTERY if case.name == "mono2_linear")


def read(tmp_path: Path, *files: Path) -> list[Shown]:
    return read_views(files, PAIR[: len(files)], ImageStore(tmp_path / "images"), tmp_path)


def test_the_file_that_was_refused_is_named_where_there_are_two(tmp_path: Path) -> None:
    words = tmp_path / "letter.txt"
    words.write_text("Dear colleague")
    image = PLAIN.write(tmp_path)
    with pytest.raises(UserError, match=r"^letter\.txt: This is not an image"):
        read(tmp_path, image, words)
    with pytest.raises(UserError, match=r"^This is not an image"):
        read(tmp_path, words)


def test_one_radiograph_is_not_taken_for_two_views(tmp_path: Path) -> None:
    image = PLAIN.write(tmp_path)
    copy = tmp_path / "a copy.dcm"
    shutil.copy(image, copy)
    with pytest.raises(UserError) as caught:
        read(tmp_path, image, copy)
    assert caught.value.kind == "same-image"


def test_views_in_the_wrong_order_are_told(tmp_path: Path) -> None:
    pair(tmp_path, 1)
    frontal, lateral = tmp_path / "001" / "AP.dcm", tmp_path / "001" / "LL.dcm"
    right, wrong = read(tmp_path, frontal, lateral), read(tmp_path, lateral, frontal)
    assert [view.projection for view in right] == [Projection.FRONTAL, Projection.LATERAL]
    assert not any("is taken for" in text for view in right for text in notices_of(view))
    told = [text for view in wrong for text in notices_of(view) if "is taken for" in text]
    assert told == [
        "the header of LL.dcm says lateral, and it is taken for the frontal view.",
        "the header of AP.dcm says frontal, and it is taken for the lateral view.",
    ]
