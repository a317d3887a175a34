"""An asymmetric pattern in all eight orientations: DICOM file → import → window → pixels of the screen.

Wherever the patient's left comes to lie on the screen, the letter there is L, however the image was stored, hung,
turned or mirrored; a frontal view whose orientation is known has the patient's left on the viewer's right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from app.store.project import ProjectStore
from app.ui.main_window import MainWindow
from tests.support.coded import BARS, on_screen, sided_image, sides_in
from tests.support.dicom_files import write_dicom
from tests.support.imports import import_paths
from tests.support.window import open_window, strict_qt, wait, wait_until

EIGHT = [(row, column) for row in "LRHF" for column in "LRHF" if (row in "LR") != (column in "LR")]
PLAIN = {"left": "R", "right": "L", "top": "H", "bottom": "F"}


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    with strict_qt():
        yield


def make(folder: Path, **tags: str) -> Path:
    """A project of eight left hips, each imported from a DICOM file of another orientation."""
    for number, patient in enumerate(EIGHT):
        write_dicom(folder / "in" / f"{number}.dcm", sided_image(patient), patient=f"PID-{number}", study=number,
                    instance=number, PatientOrientation=list(patient), ImageLaterality="L", **tags)  # fmt: skip
    with ProjectStore.create(folder / "p") as store:
        import_paths(store, folder / "in")
    return folder / "p"


def seen(window: MainWindow) -> tuple[dict[str, str], dict[str, str]]:
    """What the pixels and what the letters say about the four edges of the active pane."""
    assert window.viewer is not None
    pane = window.viewer.active_pane
    wait(20)
    corners = pane.text.corners
    return sides_in(on_screen(pane)), {edge: str(getattr(corners, edge)) for edge in PLAIN}


def press(window: MainWindow, keys: str) -> None:
    assert window.viewer is not None
    viewer = window.viewer
    QTest.keySequence(window, QKeySequence(keys))
    wait(10)
    wait_until(lambda: viewer.is_settled)


def marker_edge(window: MainWindow) -> str:
    """The edge towards which the side marker of a left hip stands."""
    assert window.viewer is not None
    marker = window.viewer.active_pane.text.corners.marker
    assert marker is not None
    assert marker.letter == "L"
    assert marker.towards is not None
    x, y = marker.towards
    return ("right" if x > 0 else "left") if abs(x) > abs(y) else ("bottom" if y > 0 else "top")


def orientations_stored(path: Path) -> set[tuple[str, ...]]:
    with ProjectStore.open(path, is_read_only=True) as store:
        return {tuple(view.orientation) for view in store.views.all()}


def test_the_pattern_can_be_read_in_every_orientation() -> None:
    """The test's own eyes: eight stored images, eight different answers, each the one that was drawn."""
    answers = set()
    for row, column in EIGHT:
        levels = (sided_image((row, column)) > 2000).astype("uint8") * 255
        found = sides_in(levels)
        assert (found["right"], found["bottom"]) == (row, column)
        assert set(found.values()) == set(BARS)
        answers.add(tuple(found.items()))
    assert len(answers) == 8


def test_frontal_views_of_every_orientation_hang_alike_and_true(tmp_path: Path) -> None:
    path = make(tmp_path, ViewPosition="AP")
    assert orientations_stored(path) == set(EIGHT)
    window = open_window(path)
    for number in range(len(EIGHT)):
        if number:
            press(window, "PgDown")
        pixels, letters = seen(window)
        assert pixels == letters == PLAIN
        assert marker_edge(window) == "right"


def test_views_that_hang_as_stored_carry_true_letters(tmp_path: Path) -> None:
    window = open_window(make(tmp_path, SeriesDescription="Lauenstein"))
    found = set()
    for number in range(len(EIGHT)):
        if number:
            press(window, "PgDown")
        pixels, letters = seen(window)
        assert pixels == letters
        assert pixels[marker_edge(window)] == "L"
        found.add(tuple(pixels.items()))
    assert len(found) == 8


def test_letters_and_marker_move_along_when_the_image_is_turned_and_mirrored(tmp_path: Path) -> None:
    window = open_window(make(tmp_path, ViewPosition="AP"))
    window.resize(1000, 720)
    found = set()
    for keys in ("Ctrl+Right", "Ctrl+Right", "Ctrl+Right", "Shift+H", "Ctrl+Left", "Shift+V", "Ctrl+Left", "Shift+H"):
        press(window, keys)
        pixels, letters = seen(window)
        assert pixels == letters, keys
        assert pixels[marker_edge(window)] == "L"
        found.add(tuple(pixels.items()))
    assert len(found) >= 6
    press(window, "Ctrl+Home")
    assert seen(window) == (PLAIN, PLAIN)
