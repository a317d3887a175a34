"""An image that is being zoomed is sampled by a short cut; what stands still is exact, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QTransform

from app.core.orientation import Orientation
from app.core.pyramid import ImagePyramid, build_pyramid
from app.ui import image_item
from app.ui.heat_item import HeatItem
from app.ui.image_pane import ImagePane
from app.ui.theme import OVER_IMAGE
from tests.support.window import application, wait, wait_until
from tests.ui.test_image_item import table

ROWS, COLS = 900, 800
SIZE = (420, 380)
STEPS = np.linspace(0, 1, 64)
RGBA = np.stack([255 * STEPS, 80 * STEPS, 255 - 255 * STEPS, 140 * STEPS], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def noise() -> ImagePyramid:
    return build_pyramid(np.random.default_rng(7).integers(600, 4096, (ROWS, COLS)).astype(np.uint16))


def make_pane(noise: ImagePyramid) -> ImagePane:
    """A pane with an image and nothing written over it."""
    pane = ImagePane()
    pane.resize(*SIZE)
    pane.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    pane.show()
    pane.set_image(noise, table())
    pane.text.hide()
    wait(20)  # everything has its size
    return pane


@pytest.fixture
def pane(noise: ImagePyramid) -> Iterator[ImagePane]:
    application()
    pane = make_pane(noise)
    yield pane
    pane.close()


def screen(pane: ImagePane) -> npt.NDArray[np.uint32]:
    """What the pane shows now, (H, W)."""
    picture = pane.graphics.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), picture.width()).copy()


def zoom_in_steps(pane: ImagePane, last: float) -> npt.NDArray[np.uint32]:
    """Paint several zooms, one right after the other; the last picture."""
    shown = screen(pane)
    for zoom in (0.61, 0.73, 0.87, last):
        pane.zoom_to(zoom)
        shown = screen(pane)
    return shown


def exactly(pane: ImagePane) -> npt.NDArray[np.uint32]:
    """What the pane shows once everything is sampled anew."""
    pane.item.set_image(pane.item.pyramid, pane.table)
    screen(pane)
    return screen(pane)


def heat() -> HeatItem:
    """Half-transparent colours over all of the image."""
    y, x = np.mgrid[:100, :100] / 100
    item = HeatItem()
    item.set_heat((60000 * np.exp(-((x - 0.4) ** 2 + (y - 0.5) ** 2) / 0.05)).astype(np.uint16),
                  QTransform.fromScale(COLS / 100, ROWS / 100))  # fmt: skip
    item.set_rgba(RGBA)
    return item


@pytest.mark.parametrize("last", [0.93, 1.43])
def test_what_stands_still_after_a_zoom_is_painted_again_exactly(
    pane: ImagePane, last: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_item, "STILL_AFTER_S", 60.0)  # a slow machine must not stand still between two steps
    moving = zoom_in_steps(pane, last)
    assert pane.item._stored.is_quick
    monkeypatch.setattr(image_item, "STILL_AFTER_S", 0.01)
    pane.item._still.start(0)
    wait_until(lambda: not pane.item._still.isActive())
    still = screen(pane)
    np.testing.assert_array_equal(still, exactly(pane))
    off = np.abs((moving & 255).astype(int) - (still & 255).astype(int))
    assert off.max() <= 255 / 14  # noise: a 32nd of a pixel either way may be a 16th of the whole range


def test_the_timer_brings_the_exact_picture_by_itself(pane: ImagePane) -> None:
    painted: list[bool] = []
    wait_until(lambda: zoom_in_steps(pane, 0.93) is not None and pane.item._stored.is_quick)
    wait_until(lambda: painted.append(pane.item._stored.is_quick) or not painted[-1])  # type: ignore[func-returns-value]
    assert not pane.item._still.isActive()
    np.testing.assert_array_equal(screen(pane), exactly(pane))


def test_one_step_of_the_wheel_and_a_turn_are_exact_at_once(pane: ImagePane) -> None:
    screen(pane)
    pane.item._stored.sampled_s -= 1.0  # it has stood still for a while
    pane.zoom_to(0.93)
    np.testing.assert_array_equal(screen(pane), exactly(pane))
    pane.set_orientation(Orientation().turned(180))
    screen(pane)
    pane.set_orientation(Orientation())
    np.testing.assert_array_equal(screen(pane), exactly(pane))


def test_colours_over_an_image_are_quick_while_it_is_zoomed_and_then_exact(
    pane: ImagePane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_item, "STILL_AFTER_S", 60.0)
    item = heat()
    item._still.setInterval(60_000)
    pane.add_overlay(item)
    zoom_in_steps(pane, 0.93)
    assert item._sampled.is_quick
    assert item._still.isActive()
    pane.item._stored.forget()  # from here on the colours are all that differs
    moving = screen(pane)
    item._still.start(0)
    wait_until(lambda: not item._still.isActive())
    still = screen(pane)
    assert not item._sampled.is_quick
    for shift in (0, 8, 16):
        one, other = ((shown >> shift & 255).astype(int) for shown in (moving, still))
        assert np.abs(one - other).max() <= 4
    item.set_rgba(RGBA)  # forgets what is kept
    np.testing.assert_array_equal(screen(pane), still)


def test_nothing_is_left_where_the_image_was(pane: ImagePane) -> None:
    black = QColor(OVER_IMAGE.image).rgba()
    pane.zoom_to(1.0)
    assert (screen(pane) != black).all()
    pane.zoom_to(0.2)
    small = screen(pane)
    rows, cols = np.nonzero(small != black)
    assert [int(np.ptp(rows)) + 1, int(np.ptp(cols)) + 1] == [180, 160]
    pane.pan_by(150, -90)
    moved = screen(pane)
    rows, cols = np.nonzero(moved != black)
    assert 0 < np.ptp(rows) + 1 <= 180
    assert 0 < np.ptp(cols) + 1 <= 160
    pane.item.setVisible(False)
    assert (screen(pane) == black).all()
    pane.item.setVisible(True)
    pane.set_orientation(Orientation().turned(30))
    slanted = screen(pane)
    assert (slanted[0] == black).all()
    assert (slanted[:, 0] == black).all()
