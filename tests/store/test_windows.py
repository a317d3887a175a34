"""Windows that were computed once are found again, and never those of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.grey import GreyScale, Photometric, StoredImage, Window
from app.core.voi import PRESETS, auto_window, choose_voi, computed_windows
from app.store import windows as module
from app.store.derived import DerivedCache, derived_key
from app.store.windows import KIND, kept_windows, windows_of
from tests.support.borders import Border, as_stored, collimated, rectangle
from tests.support.unclosed import Closing

GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
IMAGE = StoredImage(pixels=np.tile(np.linspace(100, 3900, 300).astype(np.uint16), (200, 1)))


def test_they_are_those_that_a_name_asks_for() -> None:
    windows = computed_windows(IMAGE, GREY)
    assert set(windows) == {"auto", *PRESETS}
    assert all(choose_voi(IMAGE, GREY, name) == window for name, window in windows.items())
    assert windows["auto"] == auto_window(IMAGE, GREY)


def test_they_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closing: Closing) -> None:
    derived = closing(DerivedCache(tmp_path))
    assert kept_windows(derived, "a" * 64, GREY) is None
    first = windows_of(derived, "a" * 64, IMAGE, GREY)
    assert first == computed_windows(IMAGE, GREY)
    computed: list[object] = []
    monkeypatch.setattr(module, "computed_windows", lambda image, grey, area: computed.append(grey) or {})
    assert windows_of(derived, "a" * 64, IMAGE, GREY) == first
    assert kept_windows(closing(DerivedCache(tmp_path)), "a" * 64, GREY) == first
    assert computed == []
    other = replace(GREY, padding=(100, 400))
    assert windows_of(derived, "a" * 64, IMAGE, other) == {}
    assert windows_of(derived, "b" * 64, IMAGE, GREY) == {}
    assert computed == [other, GREY]


def test_an_entry_that_is_none_is_computed_anew(tmp_path: Path, closing: Closing) -> None:
    derived = closing(DerivedCache(tmp_path))
    derived.put(KIND, derived_key("a" * 64, GREY), b"not windows")
    assert windows_of(derived, "a" * 64, IMAGE, GREY) == computed_windows(IMAGE, GREY)
    assert kept_windows(derived, "a" * 64, GREY) == computed_windows(IMAGE, GREY)


def test_the_version_is_that_of_the_algorithm() -> None:
    """When this fails, the windows are not what they were: raise the number in `KIND`, then write the new ones here."""
    shape = (520, 420)
    polygon = rectangle(shape, (0.7, 0.85), 7)
    found = [
        computed_windows(*as_stored(collimated(shape, polygon, border, seed=1), photometric))
        for border in Border
        for photometric in Photometric
    ]
    values = [[(w.center, w.width) for w in windows.values()] for windows in found]
    assert KIND == "windows/2"
    assert np.allclose(values, EXPECTED, atol=3.0)
    assert all(isinstance(window, Window) for windows in found for window in windows.values())


EXPECTED = [
    [(2052.0, 2953.6), (1424.0, 1720.0), (2266.5, 2483.0)],
    [(2043.0, 2953.6), (2671.0, 1720.0), (1828.5, 2483.0)],
    [(2052.5, 2952.6), (1420.0, 1712.0), (2269.5, 2477.0)],
    [(2042.5, 2952.6), (2675.0, 1712.0), (1825.5, 2477.0)],
]
