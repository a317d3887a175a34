"""A folder that a run can go on in."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.series_folder import SeriesFolder
from app.core.errors import UserError


def place_at(path: Path) -> SeriesFolder:
    return SeriesFolder(path=path, stamp="series.json", what="tests")


def kind_of(caught: pytest.ExceptionInfo[UserError]) -> str:
    return caught.value.kind


def test_the_same_series_goes_on_and_another_one_is_refused(tmp_path: Path) -> None:
    place = place_at(tmp_path / "new" / "deep")
    place.open({"seed": 1, "pair": (1, 2)})
    place.open({"pair": [1, 2], "seed": 1})
    with pytest.raises(UserError) as caught:
        place.open({"seed": 2, "pair": (1, 2)})
    assert kind_of(caught) == "other-series"


def test_a_folder_with_something_else_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(UserError) as caught:
            place_at(path).check()
        assert kind_of(caught) == "folder-in-use"
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_damaged_stamp_is_another_series(tmp_path: Path) -> None:
    (tmp_path / "series.json").write_bytes(b"{")
    with pytest.raises(UserError) as caught:
        place_at(tmp_path).open({"seed": 1})
    assert kind_of(caught) == "other-series"


def test_two_runs_cannot_share_a_folder(tmp_path: Path) -> None:
    place = place_at(tmp_path)
    with place.alone(partial=".x"):
        with pytest.raises(UserError) as caught, place_at(tmp_path).alone(partial=".x"):
            pass
        assert kind_of(caught) == "folder-in-use"
    with place.alone(partial=".x"):
        pass


def test_what_a_killed_run_or_this_one_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".case-000001.4711.partial"
    left.mkdir()
    (left / "1-frontal.dcm").write_bytes(b"half")
    whole = tmp_path / "case-000000"
    whole.mkdir()
    with place_at(tmp_path).alone(partial=".case-*.partial"):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "case-000000"]
        left.mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "case-000000"]
