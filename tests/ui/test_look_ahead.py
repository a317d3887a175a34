"""What is decoded ahead in the real window: the way the user goes, and never instead of what is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.collimation import CollimatedArea
from app.core.grey import GreyScale, StoredImage
from app.store import windows
from app.ui.main_window import MainWindow
from tests.support.window import make_project, open_window, wait, wait_until


def settle(window: MainWindow) -> None:
    """Wait for the wanted case, and for what is decoded ahead."""
    viewer = window.viewer
    assert viewer is not None
    wait_until(lambda: viewer.is_settled)
    wait(20)
    loader = viewer.loader
    wait_until(lambda: not (loader._pending or loader._under_way or loader._ahead or loader._ahead_now))


def test_neighbours_are_at_hand_in_the_direction_in_which_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(make_project(tmp_path / "p", cases=9))
    viewer = window.viewer
    assert viewer is not None
    asked: list[list[str]] = []
    look_ahead = viewer.decode_ahead

    def watch(contents: object) -> None:
        found = list(contents)  # type: ignore[call-overload]
        asked.append([content.case.patient_id for content in found])
        look_ahead(found)

    monkeypatch.setattr(viewer, "decode_ahead", watch)
    settle(window)
    shown = []
    for step in (1, 1, 1, 1, -1, -1, 1):
        window.case_list.step(step)
        settle(window)
        assert viewer.content is not None
        shown.append(int(viewer.content.case.patient_id[2:]))
    ahead = [[int(name[2:]) - at for name in names] for names, at in zip(asked[-7:], shown, strict=True)]
    way = shown[1] - shown[0]  # the list may run either way
    assert ahead == [[way, 2 * way, -way]] * 4 + [[-way, -2 * way, way]] * 2 + [[way, 2 * way, -way]]
    window.close()


def test_a_case_that_was_decoded_ahead_is_shown_at_once(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=5))
    viewer = window.viewer
    assert viewer is not None
    settle(window)
    for step in (1, 1, 1, -1, -1):
        window.case_list.step(step)
        assert viewer.is_settled  # without any waiting
        settle(window)
    window.close()


def test_windows_are_searched_once_in_the_life_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(tmp_path / "p", cases=2)
    searched: list[object] = []
    original = windows.collimated_area

    def search(image: StoredImage, grey: GreyScale) -> CollimatedArea:
        searched.append(grey)
        return original(image, grey)

    monkeypatch.setattr(windows, "collimated_area", search)
    shown = []
    for is_first in (True, False):
        window = open_window(folder)
        settle(window)
        assert window.viewer is not None
        assert bool(searched) == is_first
        shown.append([place.shown for place in window.viewer.places if place.image is not None])
        assert shown[-1]
        window.close()
        searched.clear()
    assert shown[0] == shown[1]
