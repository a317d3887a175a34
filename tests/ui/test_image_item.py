"""What the radiograph item paints, pixel by pixel: at every scale of the screen, turned, moved, and never stale."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap, QRegion, QTransform
from PySide6.QtWidgets import QWidget

from app.core.grey import DisplayTable, GreyScale, Photometric, Window, WindowFunction
from app.core.grey_tables import display_table
from app.core.pyramid import ImagePyramid, build_pyramid
from app.ui.image_item import RadiographItem
from tests.support.window import application

SIZE = (300, 260)  # of the view, logical px
GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
ROWS, COLS = 700, 600
Levels = npt.NDArray[np.uint8]


def table(low: float = 0, high: float = 4095) -> DisplayTable:
    """A window between two values."""
    voi = Window(center=(low + high) / 2, width=high - low, function=WindowFunction.LINEAR_EXACT)
    return display_table(GREY, voi)


def analytic(u: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Stored values 200 … 3900 without fine detail."""
    return 2000 + 900 * np.sin(u / 23) + 900 * np.cos(v / 31)


@pytest.fixture(scope="module")
def smooth() -> ImagePyramid:
    v, u = np.mgrid[:ROWS, :COLS] + 0.5
    return build_pyramid(np.rint(analytic(u, v)).astype(np.uint16))


@pytest.fixture(scope="module")
def noise() -> ImagePyramid:
    return build_pyramid(np.random.default_rng(3).integers(0, 4096, (ROWS, COLS)).astype(np.uint16))


class Bench:
    """A view with one item, drawn as a screen of some scale would show it."""

    def __init__(self, pyramid: ImagePyramid, *, size: tuple[int, int] = SIZE) -> None:
        application()
        self.view = pg.GraphicsView(background="k")
        self.view.setFixedSize(*size)
        self.box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0)
        self.box.setBackgroundColor(None)
        self.view.setCentralItem(self.box)
        self.item = RadiographItem()
        self.item.set_image(pyramid, table())
        self.box.addItem(self.item)
        self.view.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        self.view.show()

    def look_at(self, left: float, top: float, zoom: float) -> None:
        """Show a part: `zoom` logical px per image px."""
        width, height = self.view.width() / zoom, self.view.height() / zoom
        self.box.setRange(QRectF(left, top, width, height), padding=0)

    def screen(self, ratio: float = 1.0, offset: QPoint | None = None) -> Levels:
        """The picture on a screen with `ratio` pixels per logical px, (H, W) grey."""
        size = self.view.viewport().size() * ratio
        target = QPixmap(size.width(), size.height())
        target.setDevicePixelRatio(ratio)
        target.fill(Qt.GlobalColor.black)
        self.view.viewport().render(target, QPoint(), QRegion(), QWidget.RenderFlag.DrawWindowBackground)
        picture = target.toImage().convertToFormat(QImage.Format.Format_RGB32)
        lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
        assert (lines[..., 0] == lines[..., 2]).all()
        return lines[:, : picture.width(), 0].copy()

    def positions(
        self, shape: tuple[int, ...], ratio: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Image coordinates of the centres of the screen's pixels, from Qt's own transform."""
        inverse = self.item.sceneTransform().inverted()[0]
        y, x = (np.mgrid[: shape[0], : shape[1]] + 0.5) / ratio
        u = inverse.m11() * x + inverse.m21() * y + inverse.dx()
        v = inverse.m12() * x + inverse.m22() * y + inverse.dy()
        return u, v


TURNS = {
    "upright": QTransform(),
    "quarter": QTransform().translate(300, 350).rotate(90).translate(-300, -350),
    "mirrored": QTransform().translate(300, 0).scale(-1, 1).translate(-300, 0),
    "slanted": QTransform().translate(300, 350).rotate(23).scale(1, -1).translate(-300, -350),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("zoom", [0.3, 1.3])
def test_on_every_screen_a_pixel_shows_what_lies_under_its_centre(
    smooth: ImagePyramid, turn: str, ratio: float, zoom: float
) -> None:
    bench = Bench(smooth)
    bench.item.setTransform(TURNS[turn])
    bench.look_at(100.3, 150.8, zoom)
    screen = bench.screen(ratio)
    assert screen.shape == (math.floor(SIZE[1] * ratio), math.floor(SIZE[0] * ratio))
    u, v = bench.positions(screen.shape, ratio)
    margin = 2 / zoom / ratio + 4
    is_inside = (u > margin) & (v > margin) & (u < COLS - margin) & (v < ROWS - margin)
    assert is_inside.mean() > 0.2
    expected = table().levels[np.rint(analytic(u, v)).clip(0, 4095).astype(int)].astype(int)
    # a step of half an image pixel is 1.5 levels where the image is steepest
    assert np.abs(screen - expected)[is_inside].max() <= 2
    is_outside = (u < -margin) | (v < -margin) | (u > COLS + margin) | (v > ROWS + margin)
    assert (screen[is_outside] == 0).all()


@pytest.mark.parametrize("zoom", [0.37, 1.0, 2.6, 9.0])
@pytest.mark.parametrize("turn", ["upright", "slanted"])
def test_a_dragged_image_is_the_same_as_one_painted_afresh_to_the_last_bit(
    noise: ImagePyramid, zoom: float, turn: str
) -> None:
    bench = Bench(noise)
    bench.item.setTransform(TURNS[turn])
    left, top = 200.0, 240.0
    bench.look_at(left, top, zoom)
    bench.screen()
    for dx, dy in ((3, 0), (0, -5), (-40, 17), (1, 1), (200, -230), (-7, 0), (-1, 90)):
        bench.box.translateBy(x=dx / zoom, y=dy / zoom)  # whole pixels of the screen
        moved = bench.screen()
        fresh = Bench(noise)
        fresh.item.setTransform(TURNS[turn])
        fresh.box.setRange(bench.box.viewRect(), padding=0)
        assert fresh.box.viewRect() == bench.box.viewRect()
        assert np.array_equal(moved, fresh.screen())


def test_dragging_samples_only_what_comes_into_sight(noise: ImagePyramid, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled: list[int] = []
    from app.ui import image_item

    original = image_item.sample
    monkeypatch.setattr(
        image_item, "sample", lambda p, grid, rect, out: (sampled.append(rect.area), original(p, grid, rect, out))
    )
    bench = Bench(noise)
    bench.look_at(100, 100, 1.5)
    bench.screen()
    assert sum(sampled) == SIZE[0] * SIZE[1]
    sampled.clear()
    for _ in range(30):
        bench.box.translateBy(x=4 / 1.5, y=0)
        bench.screen()
    assert len(sampled) == 2  # two strips of 4 + 64 columns, for thirty frames
    assert sum(sampled) == 2 * (4 + 64) * SIZE[1]
    sampled.clear()
    bench.item.set_table(table(500, 900))
    bench.screen()
    assert sampled == []


def test_another_image_or_window_never_leaves_anything_of_the_one_before(noise: ImagePyramid) -> None:
    bench = Bench(noise)
    bench.look_at(100, 100, 1.5)
    bench.screen()
    other = build_pyramid(np.full((ROWS, COLS), 1000, np.uint16))
    bench.item.set_image(other, table(0, 2000))
    assert (bench.screen() == 128).all()
    bench.item.set_table(table(500, 1500))
    assert (bench.screen() == 128).all()
    bench.item.set_table(table(0, 1000))
    assert (bench.screen() == 255).all()
    bench.box.translateBy(x=2 / 1.5, y=0)
    assert (bench.screen() == 255).all()
    bench.item.set_image(None, None)
    assert (bench.screen() == 0).all()
    bench.item.set_image(other, table(0, 2000))
    assert (bench.screen() == 128).all()


def test_nothing_but_the_visible_part_is_sampled_at_great_zoom(noise: ImagePyramid) -> None:
    bench = Bench(noise)
    bench.look_at(300, 300, 32)
    screen = bench.screen()
    u, v = bench.positions(screen.shape, 1.0)
    is_clear = (np.abs(u - np.rint(u)) > 0.05) & (np.abs(v - np.rint(v)) > 0.05)
    expected = table().levels[noise.levels[0][v.astype(int), u.astype(int)]]
    assert (screen == expected)[is_clear].all()


def test_a_slanted_edge_is_smooth_and_an_upright_one_is_sharp() -> None:
    white = build_pyramid(np.full((ROWS, COLS), 4095, np.uint16))
    bench = Bench(white)
    bench.look_at(-100, -100, 0.35)
    upright = bench.screen()
    assert set(np.unique(upright)) == {0, 255}
    bench.item.setTransform(TURNS["slanted"])
    slanted = bench.screen()
    between = (slanted > 20) & (slanted < 235)
    assert 50 < between.sum() < 2500


def test_a_picture_without_a_widget_is_painted_too(smooth: ImagePyramid) -> None:
    bench = Bench(smooth)
    bench.look_at(100, 100, 1)
    on_screen = bench.screen()
    picture = QImage(SIZE[0], SIZE[1], QImage.Format.Format_RGB32)
    picture.fill(0)
    painter = QPainter(picture)
    bench.view.scene().render(painter, QRectF(picture.rect()), QRectF(bench.view.viewport().rect()))
    painter.end()
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(SIZE[1], SIZE[0], 4)
    assert np.array_equal(lines[..., 0], on_screen)


def test_an_item_squeezed_to_nothing_paints_nothing(smooth: ImagePyramid) -> None:
    bench = Bench(smooth)
    bench.item.setTransform(QTransform(0, 0, 0, 1, 0, 0))
    assert (bench.screen() == 0).all()
