"""One person, one window, mouse and keys: import by drop, look, decide, search, command palette, language, again.

It runs twice: without a screen, and on a real X server with a window manager where both are installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.core.case import Projection, Side
from app.store.project import ProjectStore
from app.ui.main_window import MainWindow
from tests.support.coded import coded_image, number_in, on_screen
from tests.support.dicom_files import write_dicom
from tests.support.dropping import drop
from tests.support.window import open_window, strict_qt, wait, wait_until
from tests.support.xvfb import run, what_is_missing

ROOT = Path(__file__).resolve().parents[2]
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    with strict_qt():
        yield


def radiographs(folder: Path) -> Path:
    """Three pairs of left hips, and a pair of which the files say nothing; view n carries the number n."""
    for study in range(4):
        for step, position in enumerate(("AP", "LL")):
            number = 2 * study + step
            said = {"ViewPosition": position, "ImageLaterality": "L"} if study < 3 else {"BodyPartExamined": None}
            write_dicom(folder / f"{study}" / f"{step}", coded_image(number).pixels, study=study, instance=number,
                        patient=f"PID-{study}", AcquisitionTime=f"10{number:02d}00", **said)  # fmt: skip
    return folder


def press(window: MainWindow, keys: str) -> None:
    """Press keys where the keyboard is."""
    QTest.keySequence(QApplication.focusWidget() or window, QKeySequence(keys))
    settle(window)


def settle(window: MainWindow) -> None:
    wait(30)
    assert window.viewer is not None
    viewer = window.viewer
    wait_until(lambda: viewer.is_settled or viewer.content is None)


def numbers(window: MainWindow) -> list[int | None]:
    """What the panes paint."""
    assert window.viewer is not None
    wait(20)
    return [None if place.image is None else number_in(on_screen(place.pane)) for place in window.viewer.places]


def drag(widget: QWidget, button: Qt.MouseButton, start: QPoint, by: QPoint) -> None:
    """Press, move in steps, let go."""
    QTest.mousePress(widget, button, pos=start)
    for step in range(1, 6):
        QTest.mouseMove(widget, start + by * step / 5)
        wait(5)
    QTest.mouseRelease(widget, button, pos=start + by)
    wait(20)


def roll(widget: QWidget, at: QPoint, notches: int) -> None:
    """Turn the wheel over a point."""
    event = QWheelEvent(QPointF(at), QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
                        False)  # fmt: skip
    QApplication.sendEvent(widget, event)
    wait(20)


@pytest.mark.slow
def test_a_morning(tmp_path: Path) -> None:
    ProjectStore.create(tmp_path / "hips", name="Hips").close()
    window = open_window(tmp_path / "hips")
    assert window.start_page.isVisible()

    # import by drop
    drop(window, [radiographs(tmp_path / "in")])
    wait_until(lambda: len(window.importing.reports) == 1 and not window.importing.is_running)
    wait_until(lambda: bool(window.selection.on_screen))
    settle(window)
    assert window.case_list.model.rowCount() == 4
    assert window.viewer is not None
    viewer = window.viewer

    # from case to case, by key and by mouse
    window.case_list.table.selectRow(0)
    settle(window)
    window.activateWindow()
    window.case_list.table.setFocus()
    seen = [numbers(window)]
    for _ in range(3):
        press(window, "PgDown")
        seen.append(numbers(window))
    assert sorted(map(tuple, seen)) == [(0, 1), (2, 3), (4, 5), (6, 7)]
    press(window, "PgUp")
    assert numbers(window) == seen[2]
    first = window.case_list.table.visualRect(window.case_list.model.index(0, 0)).center()
    QTest.mouseClick(window.case_list.table.viewport(), LEFT, pos=first)
    settle(window)
    assert numbers(window) == seen[0]

    # window by dragging, zoom by wheel, and back
    place = viewer.places[0]
    viewport = place.pane.graphics.viewport()
    middle = viewport.rect().center()
    before, fitted = place.shown, place.pane.zoom
    drag(viewport, RIGHT, middle, QPoint(60, -40))
    assert place.shown != before
    roll(viewport, middle, 3)
    assert place.pane.zoom > fitted * 1.2
    press(window, "Ctrl+0")
    assert place.pane.zoom == pytest.approx(fitted, rel=0.02)

    # decide
    press(window, "N")
    assert numbers(window) == [6, 7]
    assert window.resolving.panel.isVisible()
    press(window, "C")
    press(window, "Shift+A")
    QTest.mouseClick(window.resolving.panel.buttons["left"], LEFT)
    settle(window)
    assert not window.resolving.may_decide

    # search
    press(window, "/")
    wanted = viewer.content.case.patient_id if viewer.content is not None else ""
    QTest.keyClicks(QApplication.focusWidget(), wanted)
    wait_until(lambda: window.case_list.model.rowCount() == 1)
    for _ in range(2):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    window.actions_by_id["show_all"].trigger()
    wait_until(lambda: window.case_list.model.rowCount() == 4)

    # any command by a few letters; the other language at once
    window.case_list.table.setFocus()
    for words, is_so in (
        ("invert", lambda: viewer.places[0].shown is not None and viewer.places[0].shown.is_inverted),
        ("deutsch", lambda: window.menuBar().actions()[0].text().replace("&", "") == "Datei"),
    ):
        press(window, "Ctrl+K")
        QTest.keyClicks(QApplication.focusWidget(), words)
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        wait_until(is_so)
    window.actions_by_id["language:en"].trigger()

    # and again: what was decided is there
    window.close()
    window = open_window(tmp_path / "hips")
    assert window.viewer is not None
    assert window.case_list.model.rowCount() == 4
    assert window.project is not None
    store = window.project.look()
    decided = [view for view in store.views.all() if store.events.of(f"view:{view.id}")[-1].author == "tester"]
    assert {(view.projection.value, view.side.value) for view in decided} == {
        (Projection.FRONTAL, Side.LEFT),
        (Projection.LATERAL, Side.LEFT),
    }
    assert store.cases.next_open() == ""


@pytest.mark.slow
def test_a_morning_on_a_real_screen() -> None:
    if QGuiApplication.platformName() == "xcb":
        pytest.skip("this is the real screen already")
    if reason := what_is_missing():
        pytest.skip(f"no screen can be made here: {reason}")
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::test_a_morning"],
               ROOT, timeout_s=240)  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 passed" in done.stdout
