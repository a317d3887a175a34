"""Images come late, out of order and again; cases are switched, decided, filtered and arranged meanwhile.

Every image carries its own number, which is read back from what is painted: no image may ever stand under another
case's name, neither in a pane nor in the worklist, and the words over it are those of its case.

The number of interleavings is `COXA_INTERLEAVINGS` (2,000 in the suite, 10,000 before a release).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.case import Projection, Side
from app.core.pyramid import ImagePyramid, build_pyramid
from app.store.project import ProjectStore
from app.ui.main_window import MainWindow
from app.ui.place import Place
from app.ui.window_level import table_for
from tests.support.coded import coded_image, levels_of, number_in, on_screen
from tests.support.scripted_loader import ScriptedLoader
from tests.support.window import add_study, open_window, strict_qt, wait, wait_until

CASES = 16
STEPS = int(os.environ.get("COXA_INTERLEAVINGS", "2000"))
LOOKS = 40  # one step in so many is looked at through the pixels of the screen


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    with strict_qt():
        yield


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("viewer", "first_case"):
        monkeypatch.setattr(f"app.ui.{module}.ImageLoader", ScriptedLoader)


def make(folder: Path) -> Path:
    """Patient n has the views 4n … 4n + 3: frontal and lateral of a hip; some a pelvis, some of unknown projection."""
    with ProjectStore.create(folder) as store:
        for number in range(CASES):
            kinds: list[tuple[Projection | None, Side]] = [
                (Projection.FRONTAL, Side.BOTH if number % 4 == 1 else Side.LEFT),
                (Projection.LATERAL, Side.LEFT),
            ]
            if number % 3 == 0:
                kinds.append((None, Side.LEFT))
            if number % 5 == 0:
                kinds.append((Projection.FRONTAL, Side.RIGHT))
            codes = range(4 * number, 4 * number + len(kinds))
            add_study(
                store, number, [(f"V-{c:04d}", coded_image(c), *kind) for c, kind in zip(codes, kinds, strict=True)]
            )
    return folder


def assert_consistent(window: MainWindow, *, is_looking: bool) -> str:
    """What is on the screen is one case: name, views, images, questions. Returns its patient, empty = nothing is."""
    viewer = window.viewer
    assert viewer is not None
    content = viewer.content
    if content is None:
        assert not viewer.has_image
        return ""
    patient = content.case.patient_id
    hung = [content.frontal.view, content.lateral.view]
    assert [place.hanging.view for place in viewer.places] == hung
    for place in viewer.all_places:
        view, pyramid = place.hanging.view, place.pane.item.pyramid
        assert (pyramid is None) == (view is None)
        if view is None or pyramid is None:
            assert place.pane.text.corners.top_left == ()
            continue
        assert int(view.id.removeprefix("V-")) == number_of(pyramid)
        assert number_of(pyramid) // 4 == int(patient.removeprefix("P-"))
        assert place.pane.text.corners.top_left[0].text == patient
        if is_looking and place.pane.isVisible():
            assert_seen(place, number_of(pyramid))
    asked = window.resolving.panel.asked.view
    if not window.resolving.panel.isHidden() and viewer.is_settled and asked is not None:
        assert asked in hung
    if not viewer.is_settled:
        assert not any(window.actions_by_id[name].isEnabled() for name in ("frontal", "left", "swap", "exclude"))
    return patient


def number_of(pyramid: ImagePyramid) -> int:
    return number_in((pyramid.levels[0] > 2000).astype("uint8") * 255)


def assert_seen(place: Place, number: int) -> None:
    """The pane paints this very image, if all of it is in sight."""
    pane = place.pane
    inside = pane.graphics.viewport().rect()
    assert pane.item.pyramid is not None
    rows, cols = pane.item.pyramid.levels[0].shape
    if all(inside.contains(pane.map_from_image(x, y).toPoint()) for x, y in ((1, 1), (cols - 1, rows - 1))):
        levels = np.rot90(on_screen(pane), round(pane.orientation.angle_deg / 90) % 4)  # as it is stored
        levels = levels[:, ::-1] if pane.orientation.is_mirrored else levels
        assert place.shown is not None
        assert number_in(255 - levels if place.shown.is_inverted else levels) == number


def assert_thumbnails(window: MainWindow) -> int:
    """Every small radiograph that was made shows the view it is kept for."""
    thumbnails = window.cases._thumbnails
    assert thumbnails is not None
    for (view_id, _), kept in thumbnails._kept.items():
        assert number_in(levels_of(kept.image)) == int(view_id.removeprefix("V-"))
    return len(thumbnails._kept)


def actions_of(window: MainWindow, choose: random.Random) -> list[tuple[int, Callable[[], object]]]:
    """What a person or a disk may do, with how often."""
    viewer, cases = window.viewer, window.case_list
    assert viewer is not None
    loader = viewer.loader
    assert isinstance(loader, ScriptedLoader)

    def select() -> None:
        row = choose.randrange(max(cases.model.rowCount(), 1))
        index = cases.model.index(row, 0)
        if choose.random() < 0.5 and cases.table.visualRect(index).isValid():
            at = cases.table.visualRect(index).center()
            QTest.mouseClick(cases.table.viewport(), Qt.MouseButton.LeftButton, pos=at)
        else:
            cases.table.setCurrentIndex(index)

    def trigger(*names: str) -> Callable[[], object]:
        return lambda: window.actions_by_id[choose.choice(names)].trigger()

    def deliver_some() -> None:
        for _ in range(choose.randrange(1, 5)):
            loader.deliver(choose)

    return [
        (22, select),
        (10, trigger("next", "previous")),
        (24, lambda: loader.deliver(choose)),
        (10, deliver_some),
        (12, lambda: loader.drop(choose)),
        (5, trigger("switch_pane", "next_unplaced", "next_question", "ask")),
        (4, trigger("layout:pair", "layout:single", "layout:stacked", "layout:both-hips")),
        (3, trigger("frontal", "lateral", "left", "swap", "confirm", "take_back")),
        (3, window.cases.refresh),
        (3, trigger("invert", "turn_right", "mirror_horizontally", "fit", "reset")),
        (4, lambda: wait(choose.choice((0, 1, 3)))),
    ]


def run(window: MainWindow, steps: int, seed: int) -> tuple[set[str], int]:
    """Do this many random things. Returns the patients that were seen and how often the case changed."""
    choose = random.Random(seed)
    weights, effects = zip(*actions_of(window, choose), strict=True)
    seen: set[str] = set()
    swaps: list[str] = []
    assert window.viewer is not None
    window.viewer.swapped.connect(swaps.append)
    for step in range(steps):
        choose.choices(effects, weights)[0]()
        seen.add(assert_consistent(window, is_looking=step % LOOKS == 0))
    return seen, len(swaps)


@pytest.mark.slow
def test_no_interleaving_shows_an_image_under_another_name(tmp_path: Path) -> None:
    folder = make(tmp_path / "p")
    window = open_window_delivering(folder)
    seen, swaps = run(window, STEPS, seed=20261121)
    assert len(seen - {""}) == CASES
    assert swaps > STEPS // 20
    viewer = window.viewer
    assert viewer is not None
    loader, choose = viewer.loader, random.Random(1)
    assert isinstance(loader, ScriptedLoader)
    while loader.waiting or not viewer.is_settled:
        loader.deliver(choose)
        wait(0)
    wait_until(lambda: assert_thumbnails(window) >= 8)
    assert_consistent(window, is_looking=True)


def open_window_delivering(folder: Path) -> MainWindow:
    """The window on a project whose first case has been delivered."""
    from PySide6.QtCore import QTimer

    from tests.support import window as support

    choose = random.Random(0)
    timer = QTimer()
    windows: list[MainWindow] = []

    def feed() -> None:
        for widget in support.application().topLevelWidgets():
            if isinstance(widget, MainWindow) and widget.viewer is not None and widget.viewer._loader is not None:
                loader = widget.viewer.loader
                assert isinstance(loader, ScriptedLoader)
                loader.deliver(choose)

    timer.timeout.connect(feed)
    timer.start(1)
    try:
        windows.append(open_window(folder, size=(1000, 700)))
    finally:
        timer.stop()
    return windows[0]


def test_the_test_would_see_a_wrong_image(tmp_path: Path) -> None:
    """Put another case's image under this name by force: it is noticed."""
    window = open_window_delivering(make(tmp_path / "p"))
    assert window.viewer is not None
    place = window.viewer.places[0]
    assert place.image is not None
    assert place.shown is not None
    wrong = build_pyramid(coded_image(4 * 9).pixels)
    place.pane.set_image(wrong, table_for(place.image, place.shown), aspect=1.0, orientation=place.pane.orientation)
    with pytest.raises(AssertionError):
        assert_consistent(window, is_looking=False)
