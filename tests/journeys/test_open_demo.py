"""Make the demo project → open the window → next case by key → both panes painted with the right case."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.cli.demo import VERSION
from app.core.case import Case, Side
from app.core.grey import StoredImage, Window
from app.core.grey_tables import to_display
from app.store.project import ProjectStore
from app.ui.image_pane import ImagePane
from app.ui.loader import ImageKey, PreparedImage, made_ready
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
from app.ui.window_level import table_for
from tests.support.window import make_project, open_window, strict_qt, wait, wait_until


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    with strict_qt():
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The demo project, made by the command, and the lines that the command printed meanwhile."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = coxa("demo", "--out", str(folder), "--cases", "8", "--json", "--progress")
    assert done.returncode == 0, done.stderr
    steps = [line for line in done.stdout.splitlines() if line.startswith("progress ")]
    said = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("progress "))
    assert json.loads(said) == {"version": VERSION, "cases": 9, "images": 16}
    return folder, steps


@pytest.fixture(scope="module")
def demo(made: tuple[Path, list[str]]) -> Path:
    """The demo project."""
    return made[0]


def coxa(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", "-m", "app", *words], capture_output=True, encoding="utf-8",
                          timeout=280, env={**os.environ, **environment}, check=False)  # fmt: skip


def cases_of(folder: Path) -> list[Case]:
    with ProjectStore.open(folder, is_read_only=True) as store:
        return store.cases.all()


def grabbed(pane: ImagePane) -> np.ndarray:
    picture = pane.graphics.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return lines[:, : picture.width()].copy()


def test_the_demo_holds_pairs_a_pelvis_for_two_hips_and_one_case_of_open_questions(demo: Path) -> None:
    cases = cases_of(demo)
    assert sum(bool(case.frontal_id and case.lateral_id) for case in cases) == 7
    (silent,) = (case for case in cases if case.side is None)
    assert len(silent.unassigned_ids) == 2
    assert len(silent.questions) == 4
    shared = [case for case in cases if [other.frontal_id for other in cases].count(case.frontal_id) == 2]
    assert {case.side for case in shared if case.side} == {Side.LEFT, Side.RIGHT}
    assert not any(case.blocked_reason for case in cases)
    database = b"".join(path.read_bytes() for path in demo.rglob("*") if path.is_file() and path.name != "demo.json")
    assert b"SYNTHETIC^" not in database
    assert b"ALDER" not in database


def test_the_demo_says_in_the_project_which_cases_are_held_out(demo: Path) -> None:
    truth = json.loads((demo / "demo-truth.json").read_text(encoding="utf-8"))
    with ProjectStore.open(demo, is_read_only=True) as store:
        marked = {case for case in truth if store.events.current(f"case:{case}", "label.hold-out") == "yes"}
    assert marked == {case for case, known in truth.items() if known["is_hold_out"]}
    assert 0 < len(marked) < len(truth)


def test_next_case_by_key_paints_both_panes_with_the_right_case(demo: Path) -> None:
    cases = cases_of(demo)
    window = open_window(demo)
    assert window.viewer is not None
    viewer = window.viewer
    for number, case in enumerate(cases):
        if number:
            QTest.keySequence(window, QKeySequence("PgDown"))
            wait_until(lambda: viewer.is_settled)
        wait(20)
        assert window.selection.on_screen == case.id
        for place, view_id in zip(viewer.places, (case.frontal_id, case.lateral_id), strict=True):
            if view_id is not None:
                assert place.hanging.view is not None
                assert place.hanging.view.id == view_id
            if place.hanging.view is None:
                continue
            assert place.pane.text.corners.top_left[0].text == case.patient_id
            assert_painted(window, place.pane, place.hanging.view.image_sha256)


def assert_painted(window: MainWindow, pane: ImagePane, sha256: str) -> None:
    """At one to one, what is on the screen is the display image of the stored file, text aside."""
    assert window.project is not None
    assert window.viewer is not None
    place = next(place for place in window.viewer.places if place.pane is pane)
    assert place.image is not None
    assert place.shown is not None
    pane.one_to_one()
    wait(20)
    pane.text.hide()
    screen = grabbed(pane)
    pane.text.show()
    stored: StoredImage = window.project.load_image(sha256)
    rect = pane.box.viewRect()
    left, top = round(rect.left()), round(rect.top())
    expected = to_display(stored, table_for(place.image, place.shown)).pixels
    expected = expected[max(top, 0) : top + screen.shape[0], left : left + screen.shape[1]]
    inside = screen[max(-top, 0) : max(-top, 0) + expected.shape[0]]
    np.testing.assert_array_equal(inside, expected)
    pane.fit()


def test_the_pane_shows_what_coxa_render_writes(demo: Path, tmp_path: Path) -> None:
    """The frontal view of the first demo patient, from its file and in the window."""
    from app.cli.demo_files import write_demo_files

    path = next(iter(write_demo_files(tmp_path, cases=1)))
    done = coxa("render", str(path), "-o", str(tmp_path / "out.png"))
    assert done.returncode == 0, done.stderr
    import cv2

    rendered = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    window = open_window(demo)
    assert window.viewer is not None
    viewer = window.viewer
    found = []
    for number in range(window.case_list.model.rowCount()):
        if number:
            QTest.keySequence(window, QKeySequence("PgDown"))
            wait_until(lambda: viewer.is_settled)
        for place in viewer.places:
            if place.image is not None and place.shown is not None and place.image.image.pixels.shape == rendered.shape:
                picture = to_display(place.image.image, table_for(place.image, place.shown)).pixels
                found.append(bool(np.array_equal(picture, rendered)))
    assert found.count(True) == 1


@pytest.mark.slow
def test_five_hundred_interleavings_of_load_and_switch_never_mix_cases_up(tmp_path: Path) -> None:
    """Images come early, late and out of order; the words, the pixels and the case on the screen always agree.

    Many more interleavings, of scripted threads: `test_never_the_wrong_case`.
    """
    rng = random.Random(20)
    window = open_window(make_project(tmp_path / "p", cases=12))
    assert window.viewer is not None
    assert window.project is not None
    viewer, rows = window.viewer, window.case_list.model.rowCount()

    def in_its_own_time(key: ImageKey, load: Callable[[str], StoredImage]) -> PreparedImage:
        """As `prepare`, with a fixed window in the place of the automatic one, which takes longer than all the rest."""
        time.sleep(rng.choice((0.0, 0.001, 0.004, 0.012)))
        return made_ready(key, load(key.sha256), auto=Window(center=300, width=400))

    viewer.loader._prepare = in_its_own_time
    swaps: list[str] = []
    viewer.swapped.connect(swaps.append)
    seen = set()
    for step in range(500):
        window.case_list.table.selectRow(rng.randrange(rows))
        if rng.random() < 0.3:
            viewer.loader._cache.clear()
        wait(rng.choice((0, 1, 4, 20, 60)))
        seen.add(assert_consistent(window))
        if step % 25 == 0:
            wait_until(lambda: viewer.is_settled)
            assert window.selection.on_screen == window.case_list.current_case
            assert_consistent(window, is_looking=True)
    assert len(seen) == rows
    assert 40 < len(swaps) < 500  # some switches were overtaken, and none of those was shown


def assert_consistent(window: MainWindow, *, is_looking: bool = False) -> str:
    """What is on the screen is one case: its name, its views and its pixels. Returns its id."""
    assert window.viewer is not None
    content = window.viewer.content
    assert content is not None
    number = int(content.case.patient_id.removeprefix("P-"))
    for step, place in enumerate(window.viewer.places):
        pyramid = place.pane.item.pyramid
        assert pyramid is not None
        assert int(pyramid.levels[0][0, 0]) == 200 + 2 * number + step
        assert place.pane.text.corners.top_left[0].text == content.case.patient_id
        if is_looking:
            assert place.image is not None
            assert place.shown is not None
            wait(5)
            screen = grabbed(place.pane)
            level = table_for(place.image, place.shown).levels[200 + 2 * number + step]
            assert screen[screen.shape[0] // 2, screen.shape[1] // 2] == level
    return content.case.id


@pytest.mark.slow
def test_a_broken_demo_is_put_aside_and_made_again_by_the_window(demo: Path, tmp_path: Path) -> None:
    """What the first start does, here on a demo project that cannot be opened."""
    picture = tmp_path / "window.png"
    folder = tmp_path / "coxa" / "demo"
    shutil.copytree(demo, folder)
    with (folder / "project.db").open("r+b") as file:
        file.write(b"this is no database any more")
    done = coxa("gui", "--demo", "--demo-cases", "2", "--screenshot", str(picture), "--size", "1000x700",
                XDG_DATA_HOME=str(tmp_path))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert QImage(str(picture)).size().toTuple() == (1000, 700)
    assert len(cases_of(folder)) == 2
    assert (tmp_path / "coxa" / "demo.replaced").is_dir()
    assert [path.name for path in (tmp_path / "coxa").iterdir() if path.name.endswith(".new")] == []


def test_a_demo_of_which_only_a_part_was_made_is_not_taken_for_one(tmp_path: Path) -> None:
    from app.cli.demo_place import is_demo_ready

    folder = make_project(tmp_path / "p", cases=1)
    assert not is_demo_ready(folder)
    assert not is_demo_ready(tmp_path / "nothing")
    done = coxa("demo", "--out", str(folder))
    assert done.returncode == 3
    assert "something in this folder already" in done.stderr


def test_the_window_stays_alive_while_the_demo_is_made_and_closing_it_stops_the_work(tmp_path: Path) -> None:
    window = MainWindow(
        Start(
            demo=tmp_path / "demo",
            demo_command=(sys.executable, "-c", "import time; time.sleep(60)"),
            is_demo=True,
            is_demo_ready=lambda: False,
        )
    )
    window.show()
    wait_until(lambda: window.is_built and window.demo_task.is_running)
    wait(50)
    assert "Making the demo project" in window.start_page.heading.text()
    window.close()
    assert not window.demo_task.is_running


def test_making_the_demo_tells_how_far_it_is_and_can_be_cancelled(tmp_path: Path) -> None:
    says = "import time; print('noise'); print('progress 30 132 Computing radiographs', flush=True); time.sleep(60)"
    window = MainWindow(
        Start(
            demo=tmp_path / "demo",
            demo_command=(sys.executable, "-c", says),
            is_demo=True,
            is_demo_ready=lambda: False,
        )
    )
    window.show()
    wait_until(lambda: window.is_built and window.start_page.bar.value() == 30)
    assert window.start_page.bar.maximum() == 132
    assert window.start_page.step.text() == "Computing radiographs: 30 of 132"
    cancel = next(button for button in window.start_page.findChildren(QPushButton) if button.text() == "Cancel")
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert not window.demo_task.is_running
    assert window.start_page.is_home
    assert not window.banners.texts


def test_the_demo_command_prints_every_step(made: tuple[Path, list[str]]) -> None:
    steps = [line.split(maxsplit=3)[1:] for line in made[1]]
    for action in ("Computing radiographs", "Importing radiographs"):
        numbers = [int(done) for done, of, what in steps if what == action and of == "16"]
        assert numbers == sorted(numbers)
        assert numbers[-1] == 16
    assert [int(done) for done, _, what in steps if what == "Computing radiographs"] == list(range(1, 17))
    assert steps[0] == ["1", "16", "Computing radiographs"]
    assert steps[-1] == ["16", "16", "Importing radiographs"]


def test_a_demo_that_cannot_be_made_is_said_and_the_window_goes_on(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; print('coxa: The disk is full.', file=sys.stderr); sys.exit(3)")
    window = MainWindow(Start(demo=tmp_path / "demo", demo_command=command, is_demo=True, is_demo_ready=lambda: False))
    window.show()
    wait_until(lambda: window.is_built and "error" in window.banners.texts)
    assert "The disk is full." in window.banners.texts["error"]
    assert window.start_page.is_home


def test_without_a_screen_there_is_a_sentence_and_no_crash(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")}  # fmt: skip
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux runs without a screen")
    done = subprocess.run([sys.executable, "-P", "-m", "app", "gui"], capture_output=True, encoding="utf-8", timeout=60,
                          env=environment, check=False)  # fmt: skip
    assert done.returncode == 3
    assert "no screen" in done.stderr
