"""An image stays where it is on the screen when something comes that nobody asked for, and moves when somebody did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF

from app.ui import surroundings
from app.ui.image_pane import ImagePane
from app.ui.jobs_strip import JobLine
from app.ui.layouts import Layout
from app.ui.linking import Links
from app.ui.main_window import MainWindow
from app.ui.notices import Banner
from tests.support.window import make_project, open_window, wait, wait_until

SETTLED_MS = 150
POINTS = ((0.0, 0.0), (50.0, 60.0), (99.0, 119.0))


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr(surroundings, "SETTLING_MS", SETTLED_MS // 5)
    window = open_window(make_project(tmp_path / "project", cases=2))
    wait(SETTLED_MS)
    yield window
    window.close()


def panes(window: MainWindow) -> list[ImagePane]:
    assert window.viewer is not None
    return [place.pane for place in window.viewer.shown_places]


def lies(window: MainWindow) -> list[tuple[float, float]]:
    """Where image points are in the window, logical px."""
    found: list[tuple[float, float]] = []
    for pane in panes(window):
        corner = QPointF(pane.graphics.viewport().mapTo(window, QPoint()))
        places = [corner + pane.map_from_image(*point) for point in POINTS]
        found += [(place.x(), place.y()) for place in places]
    return found


def come(window: MainWindow, what: str) -> None:
    before = [pane.height() for pane in panes(window)]
    if what == "banner":
        window.banners.show_banner("late", Banner("Something that nobody asked for.", ("It says why.",)))
    else:
        window.jobs.show_job("late", JobLine(title="Something under way", done=1, total=2))
    wait(60)
    assert [pane.height() for pane in panes(window)] != before, "the panes make room"


def go(window: MainWindow, what: str) -> None:
    if what == "banner":
        window.banners.remove("late")
    else:
        window.jobs.remove("late")
    wait(60)


class Frames(QObject):
    """Where image points were in every frame that was painted."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.seen: list[list[tuple[float, float]]] = []
        for pane in panes(window):
            pane.graphics.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.seen.append(lies(self._window))
        return False


def is_whole(pane: ImagePane) -> bool:
    """Whether all of the image is in the pane, as large as it can be."""
    return pane.zoom == pytest.approx(pane.fit_zoom) and not pane.stand.is_aside


@pytest.mark.parametrize(
    ("what", "how"),
    [("banner", "fit"), ("banner", "linked"), ("banner", "free"), ("banner", "stacked"), ("job", "width")],
)
def test_what_comes_by_itself_moves_nothing(window: MainWindow, what: str, how: str) -> None:
    viewer = window.viewer
    assert viewer is not None
    if how == "linked":
        viewer.set_links(Links(zoom=True))
    elif how == "stacked":
        viewer.set_layout(Layout.STACKED)
    elif how == "free":
        panes(window)[0].zoom_by(2.0, QPointF(30.0, 40.0))
    elif how == "width":
        viewer.fit_width()
    wait(SETTLED_MS)
    before, frames = lies(window), Frames(window)
    come(window, what)
    assert lies(window) == [pytest.approx(point, abs=0.01) for point in before]
    go(window, what)
    assert lies(window) == [pytest.approx(point, abs=0.01) for point in before]
    assert len(frames.seen) > 1
    assert all(seen == [pytest.approx(point, abs=0.01) for point in before] for seen in frames.seen), "not even shortly"
    assert not any(pane.stand.is_aside for pane in panes(window))


def test_the_next_case_is_fitted_to_what_is_left(window: MainWindow) -> None:
    come(window, "banner")
    assert all(pane.stand.is_aside for pane in panes(window))
    before = window.selection.on_screen
    window.case_list.step(1)
    wait_until(lambda: window.selection.on_screen != before)
    wait(60)
    assert all(map(is_whole, panes(window)))


def test_a_banner_that_comes_with_its_case_leaves_the_whole_image_in_sight(window: MainWindow) -> None:
    assert window.viewer is not None
    assert window.viewer._surroundings is not None
    window.viewer._surroundings._settling.setInterval(10_000)  # however slow this machine is
    before = window.selection.on_screen
    window.viewer.swapped.connect(lambda _: window.banners.show_banner("late", Banner("It comes with the case.")))
    window.case_list.step(1)
    wait_until(lambda: window.selection.on_screen != before)
    wait(SETTLED_MS)
    assert all(map(is_whole, panes(window)))


def test_a_slow_machine_fits_what_came_with_its_case_too(window: MainWindow) -> None:
    """The time in which things come with a case ends between the new size of the pane and fitting the image to it."""
    assert window.viewer is not None
    assert window.viewer._surroundings is not None
    settling = window.viewer._surroundings._settling
    settling.setInterval(10_000)
    panes(window)[-1].resized.connect(settling.stop)  # all have their new sizes then
    window.viewer.swapped.connect(lambda _: window.banners.show_banner("late", Banner("It comes with the case.")))
    window.case_list.step(1)
    wait_until(lambda: "late" in window.banners.texts and not settling.isActive())
    wait(SETTLED_MS)
    assert not any(pane.stand.is_aside for pane in panes(window))
    assert all(map(is_whole, panes(window)))


@pytest.mark.parametrize("what", ["window", "layout", "panel", "fit", "turn"])
def test_what_somebody_asks_for_fits_the_image_anew(window: MainWindow, what: str) -> None:
    viewer = window.viewer
    assert viewer is not None
    come(window, "banner")
    match what:
        case "window":
            window.resize(1100, 700)
        case "layout":
            viewer.set_layout(Layout.STACKED)
        case "panel":
            window.actions_by_id["ask"].trigger()
        case "fit":
            for number in (0, 1):
                viewer.set_active(number)
                viewer.fit()
        case _:
            for number in (0, 1):
                viewer.set_active(number)
                viewer.turn(lambda lying: lying.turned(90.0))
    wait(60)
    assert all(map(is_whole, panes(window)))


def test_the_pixel_under_a_mouse_that_rests_stays_the_same(window: MainWindow) -> None:
    pane = panes(window)[0]
    pointed: list[object] = []
    pane.pointed_at.connect(pointed.append)
    pane.point_out(pane.map_from_image(50.5, 60.5))
    assert pointed[-1] == (50, 60)
    come(window, "banner")
    assert pointed[-1] == (50, 60)
    go(window, "banner")
    assert pointed[-1] == (50, 60)
