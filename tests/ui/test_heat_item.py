"""What a heatmap over an image paints: its own colours at the right place, and never those of before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPixmap, QRegion, QTransform
from PySide6.QtWidgets import QWidget

from app.core.pyramid import build_pyramid
from app.core.shutter import Shutter
from app.ui import heat_item
from app.ui.heat_item import HeatItem, premultiplied
from app.ui.image_pane import ImagePane
from tests.support.window import application
from tests.ui.test_image_item import table

WIDE, HIGH = 400, 300  # of the image, px
CELL_PX = 5.0  # image px per px of the map
RAMP = np.stack([np.arange(256)] * 3 + [np.full(256, 128)], axis=1).astype(np.uint8)  # grey, half transparent
SIZE = (260, 220)


def ramp(rows: int = 60, cols: int = 80) -> npt.NDArray[np.uint16]:
    """More to the right and downwards."""
    y, x = np.mgrid[:rows, :cols]
    return np.rint(65535 * (x / (cols - 1) * 0.6 + y / (rows - 1) * 0.4)).astype(np.uint16)


class Bench:
    """A pane with a black image and a heatmap over it."""

    def __init__(self) -> None:
        application()
        self.pane = ImagePane()
        self.pane.graphics.setParent(None)
        self.pane.graphics.setFixedSize(*SIZE)
        self.pane.graphics.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        self.pane.set_image(build_pyramid(np.zeros((HIGH, WIDE), np.uint16)), table())
        self.pane.graphics.show()
        self.pane.text.hide()
        self.item = HeatItem()
        self.pane.add_overlay(self.item)

    def look_at(self, left: float, top: float, zoom: float) -> None:
        self.pane.box.setRange(QRectF(left, top, SIZE[0] / zoom, SIZE[1] / zoom), padding=0)

    def screen(self) -> npt.NDArray[np.int64]:
        """(H, W) grey level of each pixel of the screen."""
        target = QPixmap(*SIZE)
        target.fill(Qt.GlobalColor.black)
        self.pane.graphics.viewport().render(target, QPoint(), QRegion(), QWidget.RenderFlag.DrawWindowBackground)
        picture = target.toImage().convertToFormat(QImage.Format.Format_RGB32)
        lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
        return lines[:, : picture.width(), 0].astype(np.int64)

    def expected(self, values: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """What a half-transparent ramp over black gives, and which pixels of the screen lie well inside the map."""
        inverse = self.item.sceneTransform().inverted()[0]
        y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
        u = inverse.m11() * x + inverse.m21() * y + inverse.dx()
        v = inverse.m12() * x + inverse.m22() * y + inverse.dy()
        rows, cols = values.shape
        is_inside = (u > 1.5) & (v > 1.5) & (u < cols - 1.5) & (v < rows - 1.5)
        # the ramp is linear, so it is known between the map's pixels
        share = (u - 0.5) / (cols - 1) * 0.6 + (v - 0.5) / (rows - 1) * 0.4
        return share * 255 * 128 / 255, is_inside


WHERES = {
    "upright": QTransform(CELL_PX, 0, 0, CELL_PX, 10, 6),
    "mirrored": QTransform(-CELL_PX, 0, 0, CELL_PX, 390, 6),
    "slanted": QTransform().translate(130, 20).rotate(25).scale(2.5, 3.0),
}


@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("zoom", [0.6, 3.0])
def test_colours_lie_where_the_map_says(where: str, zoom: float) -> None:
    bench, values = Bench(), ramp()
    bench.item.set_heat(values, WHERES[where])
    bench.item.set_rgba(RAMP)
    bench.look_at(90.3, 60.8, zoom)
    screen = bench.screen()  # pyqtgraph moves its items when it paints
    expected, is_inside = bench.expected(values)
    assert is_inside.mean() > 0.05
    assert np.abs(screen - expected)[is_inside].max() <= 3  # eight bits, twice


def test_a_new_map_colours_place_or_opacity_is_seen_at_once() -> None:
    bench = Bench()
    half = np.full((60, 80), 32768, np.uint16)
    bench.item.set_heat(half, WHERES["upright"])
    bench.look_at(100, 60, 1)
    assert (bench.screen() == 0).all()  # no colours yet
    bench.item.set_rgba(RAMP)
    assert set(np.unique(bench.screen())) == {64}
    bench.item.set_rgba(np.stack([RAMP[:, 0]] * 3 + [np.full(256, 255)], axis=1).astype(np.uint8))
    assert set(np.unique(bench.screen())) == {128}
    bench.item.set_heat(np.full((60, 80), 65535, np.uint16), WHERES["upright"])
    assert set(np.unique(bench.screen())) == {255}
    bench.item.setOpacity(0.5)
    assert set(np.unique(bench.screen())) <= {127, 128}
    bench.item.setOpacity(1)
    bench.item.set_heat(np.full((60, 80), 65535, np.uint16), QTransform(1, 0, 0, 1, 1000, 1000))
    assert (bench.screen() == 0).all()
    bench.item.set_heat(None)
    assert (bench.screen() == 0).all()


@pytest.mark.parametrize("where", WHERES)
def test_a_dragged_map_is_the_same_as_one_painted_afresh(where: str) -> None:
    values = ramp()
    bench = Bench()
    bench.item.set_heat(values, WHERES[where])
    bench.item.set_rgba(RAMP)
    bench.look_at(100, 60, 1.7)
    bench.screen()
    for dx, dy in ((3, 0), (0, -5), (-40, 17), (-7, 0), (90, 80), (-200, -150)):
        bench.pane.box.translateBy(x=dx / 1.7, y=dy / 1.7)
        moved = bench.screen()
        fresh = Bench()
        fresh.item.set_heat(values, WHERES[where])
        fresh.item.set_rgba(RAMP)
        fresh.pane.box.setRange(bench.pane.box.viewRect(), padding=0)
        assert np.abs(moved - fresh.screen()).max() <= 2


def test_the_map_is_sampled_once_while_window_and_image_are_dragged() -> None:
    bench = Bench()
    bench.item.set_heat(ramp(), WHERES["upright"])
    bench.item.set_rgba(RAMP)
    bench.look_at(100, 60, 1)
    bench.screen()
    first_s = bench.item._sampled.sampled_s
    for step in range(10):
        bench.pane.set_table(table(0, 1000 + step))
        bench.pane.pan_by(5, -3)
        bench.screen()
    assert bench.item._sampled.sampled_s == first_s


ON_IMAGE = {"upright": QTransform(4.5, 0, 0, 4.5, 10, 6), "mirrored": QTransform(-4.5, 0, 0, 4.5, 390, 6)}


class Colours:
    """A pane with a picture of noise, and a map in colours over part of it."""

    def __init__(self, where: QTransform) -> None:
        self.bench = Bench()
        noise = np.random.default_rng(3).integers(0, 4096, (HIGH, WIDE), dtype=np.uint16)
        self.bench.pane.set_image(build_pyramid(noise), table())
        steps = np.arange(256)
        rgba = np.stack([steps, 255 - steps, 40 + steps // 2, np.where(steps < 60, 0, steps // 2)], axis=1)
        self.bench.item.set_heat(ramp(), where)
        self.bench.item.set_rgba(rgba.astype(np.uint8))

    def shown(self) -> npt.NDArray[np.uint8]:
        """(H, W, 4)"""
        target = QImage(*SIZE, QImage.Format.Format_RGB32)
        target.fill(Qt.GlobalColor.black)
        self.bench.pane.graphics.viewport().render(target, QPoint(), QRegion(), QWidget.RenderFlag.DrawWindowBackground)
        return np.frombuffer(target.constBits(), np.uint8).reshape(SIZE[1], SIZE[0], 4).copy()


@pytest.mark.parametrize("where", ON_IMAGE)
@pytest.mark.parametrize("zoom", [0.6, 1.0, 3.3])
def test_the_image_paints_colours_over_itself_exactly_as_qt_blends_them(
    where: str, zoom: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through one look-up for each pixel, with the image; and blended by Qt, as what does not lie on one image."""
    colours = Colours(ON_IMAGE[where])
    item = colours.bench.item
    colours.bench.look_at(90.3, 60.8, zoom)
    together = colours.shown()
    assert item._is_carried()
    for is_dense in (True, False):  # looked up together, and blended by Qt once it is painted again
        monkeypatch.setattr(heat_item, "DENSE", 0.0 if is_dense else 1.1)
        item._is_dense = False
        np.testing.assert_array_equal(colours.shown(), together)
        assert (item._picture is None) == is_dense
    item.lie_on(None, None)
    assert not item._is_carried()
    alone = colours.shown()
    np.testing.assert_array_equal(together, alone)
    item.hide()
    assert (colours.shown() != alone).any()


def test_a_slanted_map_is_painted_from_a_picture_when_it_is_painted_again() -> None:
    colours = Colours(WHERES["slanted"])
    first = colours.shown()
    assert not colours.bench.item._is_carried()
    assert colours.bench.item._picture is None
    again = colours.shown()
    assert colours.bench.item._picture is not None
    assert np.abs(again.astype(int) - first).max() <= 2  # its edges are blended twice
    colours.bench.item.hide()
    assert (np.abs(again.astype(int) - colours.shown()) > 20).any()


def test_a_slanted_map_that_fades_out_needs_no_edges() -> None:
    colours = Colours(WHERES["slanted"])
    y, x = np.mgrid[:60, :80]
    spot = (60000 * np.exp(-((x - 40) ** 2 + (y - 30) ** 2) / 60)).astype(np.uint16)
    colours.bench.item.set_heat(spot, WHERES["slanted"])
    shown = [colours.shown() for _ in range(2)]
    np.testing.assert_array_equal(*shown)
    colours.bench.item._seen.is_soft = False  # type: ignore[union-attr]
    colours.bench.item._sampled.forget()
    np.testing.assert_array_equal(colours.shown(), shown[0])
    colours.bench.item.hide()
    beside = np.abs(colours.shown().astype(int) - shown[0]).max(axis=2) > 0
    assert 0.01 < beside.mean() < 0.3


def test_colours_are_blended_by_qt_where_something_else_lies_between() -> None:
    colours = Colours(ON_IMAGE["upright"])
    bench, item = colours.bench, colours.bench.item
    assert item._is_carried()
    shut = np.array([(0, 0), (150, 0), (150, HIGH), (0, HIGH)], np.float64)
    bench.pane.shutter.use(Shutter(polygons_xy=(shut,), is_stated=True), bench.pane.item.boundingRect())
    assert not item._is_carried()
    bench.look_at(100, 60, 1.0)
    behind = colours.shown()[20:, 80:]  # where the shutter is quite black
    assert behind.any()  # colours are seen over the shutter
    bench.pane.shutter.hide()
    assert item._is_carried()
    item.setOpacity(0.5)
    assert not item._is_carried()
    item.setOpacity(1)
    bench.pane.item.setTransform(QTransform().rotate(3))
    assert not item._is_carried()
    bench.pane.item.setTransform(QTransform())
    item.set_heat(ramp(), WHERES["upright"])  # sticks out of the image
    assert not item._is_carried()


def test_colours_are_premultiplied_and_reach_both_ends() -> None:
    colours = premultiplied(np.array([[10, 20, 30, 0], [255, 128, 0, 128]], np.uint8)).view(np.uint32)
    assert colours.shape == (65536,)
    assert colours[0] == 0
    assert colours[-1] == 0x80804000
    assert (colours[:32768] == 0).all()
    assert (colours[32768:] == colours[-1]).all()
