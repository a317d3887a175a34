"""Frames of the viewer against pyqtgraph's own ImageItem (and napari, when installed), by turns in one process.

    QT_QPA_PLATFORM=offscreen python -m bench.viewer_frames [ROUNDS] [--4k] [--interleaved] [--napari]

A frame is: change what is shown, then repaint both views synchronously. Two views of 2688² 16-bit images, 900×1000 px
each (--4k: 1900×2000). Both sides live in a pyqtgraph ViewBox; the measured side is the product's pane with its texts
hidden (the baseline has none) and its display table made anew for each frame, as in a drag. With an overlay a 512² map
in half-transparent colours lies on either side's images: a pyqtgraph ImageItem, and the product's `HeatItem`. Both
sides take turns in blocks of twenty frames, since one stock frame moves tens of megabytes through the processor's
cache, which no real drag would find there; with --interleaved they take turns frame by frame. One np.copyto of one
image is timed in the same rounds. `still after zoom` is the frame that paints a zoomed image exactly once it rests,
which the stock side does not have. The last lines compare what is painted with the area-averaged truth.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QTransform
from PySide6.QtWidgets import QApplication, QWidget

from app.core.grey import StoredImage, Window, WindowFunction
from app.core.grey_tables import display_table
from app.ui.heat_item import HeatItem
from app.ui.image_pane import ImagePane
from app.ui.loader import ImageKey, PreparedImage, prepare
from app.ui.window_level import Shown, table_for
from bench.viewer_images import GREY, SIZE_PX, radiograph

KINDS = ("window, fitted", "window, zoomed 4", "drag, whole px", "pan, fractions", "zoom")
LOW, HIGH = 700.0, 2400.0  # the window in which errors are measured
SETTLING = 3  # frames at the beginning of a block that do not count
SUB = 12  # points a screen pixel and direction that the truth averages


class Ours:
    """Two panes of the product."""

    name = "Coxa"

    def __init__(self, images: list[PreparedImage], size: tuple[int, int]) -> None:
        self.images = images
        self.panes = [ImagePane() for _ in images]
        for pane, image in zip(self.panes, images, strict=True):
            pane.graphics.setParent(None)
            pane.graphics.setFixedSize(*size)
            pane.set_image(image.pyramid, table_for(image, Shown(voi=image.auto)))
            for child in pane.graphics.viewport().findChildren(QWidget):
                child.hide()
        self.views = [pane.graphics for pane in self.panes]
        self.boxes = [pane.box for pane in self.panes]

    def set_window(self, low: float, high: float) -> None:
        voi = Window(center=(low + high) / 2, width=high - low, function=WindowFunction.LINEAR_EXACT)
        for pane, image in zip(self.panes, self.images, strict=True):
            pane.item.set_table(table_for(image, Shown(voi=voi)))

    def turn(self, transform: QTransform) -> None:
        for pane in self.panes:
            pane.item.setTransform(transform)


class Stock:
    """Two pyqtgraph views with an ImageItem."""

    name = "stock"

    def __init__(self, images: list[PreparedImage], size: tuple[int, int]) -> None:
        self.views, self.boxes, self.items = [], [], []
        for image in images:
            view = pg.GraphicsView()
            box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
            view.setCentralItem(box)
            item = pg.ImageItem(image.image.pixels, levels=(500, 1800), axisOrder="row-major")
            box.addItem(item)
            view.setFixedSize(*size)
            self.views.append(view)
            self.boxes.append(box)
            self.items.append(item)

    def set_window(self, low: float, high: float) -> None:
        for item in self.items:
            item.setLevels((low, high))

    def turn(self, transform: QTransform) -> None:
        for item in self.items:
            item.setTransform(transform)


Side = Ours | Stock


def add_overlay(side: Side) -> None:
    """The same half-transparent colours over both images: as pyqtgraph shows them, and as the product does."""
    y, x = np.mgrid[:512, :512] / 512
    heat = np.exp(-((x - 0.3) ** 2 + (y - 0.42) ** 2) / 0.05)
    if isinstance(side, Ours):
        steps = np.linspace(0, 1, 256)
        for pane in side.panes:
            item = HeatItem()
            item.set_heat(np.rint(65535 * heat).astype(np.uint16), QTransform.fromScale(SIZE_PX / 512, SIZE_PX / 512))
            item.set_rgba(_colours(steps))
            pane.add_overlay(item)
        return
    for box in side.boxes:
        item = pg.ImageItem(_colours(heat), axisOrder="row-major")
        item.setRect(QRectF(0, 0, SIZE_PX, SIZE_PX))
        box.addItem(item)


def _colours(heat: np.ndarray) -> np.ndarray:
    return np.stack([255 * heat, 255 * (1 - heat), 60 + 0 * heat, 110 * heat], axis=-1).astype(np.uint8)


def look_at(side: Side, left: float, top: float, size: float) -> None:
    for box in side.boxes:
        box.setRange(QRectF(left, top, size, size), padding=0)


def frame(kind: str, side: Side, number: int) -> float:
    """Milliseconds of one frame of both views."""
    start = time.perf_counter()
    if kind.startswith("window"):
        side.set_window(500 + 13 * number % 700, 1800 + 29 * number % 900)
    elif kind.startswith("drag"):
        for box in side.boxes:
            step_x, step_y = box.viewPixelSize()
            back = -1 if number % 40 < 20 else 1
            box.translateBy(x=back * 7 * step_x, y=back * 3 * step_y)
    elif kind.startswith("pan"):
        look_at(side, number % 40 * 5, number % 40 * 3, SIZE_PX / 2)
    else:
        look_at(side, 600, 600, SIZE_PX / (1 + 3 * (number % 30) / 30))
    for view in side.views:
        view.viewport().repaint()
    return (time.perf_counter() - start) * 1e3


def compare(ours: Ours, stock: Stock, rounds: int, block: int, settle: Callable[[], None]) -> None:
    """Print one line for each kind of frame.

    Args:
        ours: the measured side.
        stock: the baseline.
        rounds: frames of each kind and side.
        block: frames of one side before the other takes its turn.
        settle: lets the event loop run.
    """
    copy = np.empty_like(ours.images[0].image.pixels)
    for kind in KINDS:
        for side in (ours, stock):
            is_whole = kind.startswith(("window, fitted", "zoom"))
            look_at(side, *((0, 0, SIZE_PX) if is_whole else (700, 700, SIZE_PX / 4)))
        settle()
        times: dict[str, list[float]] = {"stock": [], "ours": [], "copy": []}
        for first in range(0, rounds, block):
            for name, side in (("stock", stock), ("ours", ours)):
                for number in range(first - SETTLING if block > 1 else first, first + block):
                    taken = frame(kind, side, number)
                    settle()
                    if number >= first:
                        times[name].append(taken)
            for _ in range(block):
                start = time.perf_counter()
                np.copyto(copy, ours.images[0].image.pixels)
                times["copy"].append((time.perf_counter() - start) * 1e3)
        found = {name: sorted(values) for name, values in times.items()}
        medians = {name: statistics.median(values) for name, values in found.items()}
        p95 = {name: values[int(0.95 * len(values))] for name, values in found.items()}
        ratio = statistics.median(
            a / b for a, b in zip(times["stock"][SETTLING:], times["ours"][SETTLING:], strict=True)
        )
        print(
            f"{kind:17} stock {medians['stock']:6.2f} ms (p95 {p95['stock']:6.2f}) · "
            f"Coxa {medians['ours']:6.2f} ms (p95 {p95['ours']:6.2f}) · {ratio:5.1f}× faster · "
            f"{medians['ours'] / medians['copy']:.1f}× one np.copyto",
            flush=True,
        )


def print_stills(ours: Ours, rounds: int, settle: Callable[[], None]) -> None:
    """Print what the exact frame costs that follows the last frame of a zoom."""
    times = []
    for number in range(rounds):
        for step in range(3):
            frame("zoom", ours, number + step)
            settle()
        for pane in ours.panes:
            pane.item._stored.forget()
        start = time.perf_counter()
        for view in ours.views:
            view.viewport().repaint()
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    print(
        f"still after zoom  Coxa {statistics.median(times):6.2f} ms (p95 {times[int(0.95 * rounds)]:6.2f})", flush=True
    )


def screen(side: Side) -> np.ndarray:
    picture = side.views[0].viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return lines[:, : picture.width()].astype(float)


def error_to_truth(side: Side, image: StoredImage, part: tuple[slice, slice]) -> float:
    """RMSE, grey levels, to the display levels of what lies under each screen pixel, averaged over `SUB`² points."""
    shown = screen(side)[part]
    item = side.panes[0].item if isinstance(side, Ours) else side.items[0]
    inverse = item.sceneTransform().inverted()[0]
    y, x = np.mgrid[part[0], part[1]].astype(float)
    total = np.zeros(shown.shape)
    for step in range(SUB * SUB):
        sx, sy = x + (step % SUB + 0.5) / SUB, y + (step // SUB + 0.5) / SUB
        u = inverse.m11() * sx + inverse.m21() * sy + inverse.dx()
        v = inverse.m12() * sx + inverse.m22() * sy + inverse.dy()
        total += image.pixels[v.astype(int).clip(0, SIZE_PX - 1), u.astype(int).clip(0, SIZE_PX - 1)]
    voi = Window(center=(LOW + HIGH) / 2, width=HIGH - LOW, function=WindowFunction.LINEAR_EXACT)
    truth = display_table(GREY, voi).levels[np.rint(total / SUB**2).astype(int)].astype(float)
    return float(np.sqrt(np.mean((shown - truth) ** 2)))


def compare_errors(
    ours: Ours, stock: Stock, image: StoredImage, size: tuple[int, int], settle: Callable[[], None]
) -> None:
    """Print how far either side is from the area average, at several zooms, upright and turned."""
    part = (slice(size[1] // 2 - 150, size[1] // 2 + 150), slice(size[0] // 2 - 150, size[0] // 2 + 150))
    for turn_deg in (0, 13):
        middle = SIZE_PX / 2
        turn = QTransform().translate(middle, middle).rotate(turn_deg).translate(-middle, -middle)
        for zoom in (0.2, 0.335, 0.45, 0.6, 0.8):
            for side in (ours, stock):
                side.turn(turn)
                wide = size[0] / zoom
                look_at(side, middle - wide / 2 + 0.3, middle - wide / 2 + 0.3, wide)
                side.set_window(LOW, HIGH)
            settle()
            errors = [error_to_truth(side, image, part) for side in (ours, stock)]
            print(
                f"RMSE to the area average, zoom {zoom:5.3f}, turned {turn_deg:2}°: Coxa {errors[0]:5.2f} · "
                f"stock {errors[1]:5.2f} grey levels ({errors[1] / errors[0]:.1f}×)"
            )


def compare_napari(images: list[PreparedImage], rounds: int, settle: Callable[[], None]) -> None:
    """Print napari's own window frame for two layers on one canvas, when it is installed."""
    try:
        import napari
    except ImportError:
        print("napari is not installed: not compared")
        return
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1900, 1100)
    viewer.grid.enabled = True
    layers = [viewer.add_image(image.image.pixels, contrast_limits=(500, 1800)) for image in images]
    canvas = viewer.window._qt_viewer.canvas
    settle()
    times = []
    for number in range(rounds + 5):
        start = time.perf_counter()
        for layer in layers:
            layer.contrast_limits = (500 + 13 * number % 700, 1800 + 29 * number % 900)
        canvas.native.repaint()
        times.append((time.perf_counter() - start) * 1e3)
        settle()
    found = sorted(times[5:])
    print(
        f"napari {napari.__version__}, two layers side by side on one canvas {canvas.size}, OpenGL without a graphics "
        f"card: median {statistics.median(found):.1f} ms (p95 {found[int(0.95 * rounds)]:.1f})"
    )
    viewer.close()


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    rounds = int(words[0]) if words else 60
    block = 1 if "--interleaved" in sys.argv else 20
    size = (1900, 2000) if "--4k" in sys.argv else (900, 1000)
    app = QApplication.instance() or QApplication([])
    stored = [radiograph(1), radiograph(2)]
    images = [prepare(ImageKey(sha256=str(n), grey=GREY), lambda _, n=n: stored[n]) for n in range(2)]
    print(f"Qt platform {app.platformName()}, views {size[0]}×{size[1]}, {rounds} rounds in blocks of {block}, "
          f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())}")  # fmt: skip
    for what in ("images alone", "with an ARGB overlay"):
        ours, stock = Ours(images, size), Stock(images, size)
        for side in (ours, stock):
            if "overlay" in what:
                add_overlay(side)
            for view in side.views:
                view.show()
        app.processEvents()
        print(f"{what}:")
        compare(ours, stock, rounds, block, app.processEvents)
        print_stills(ours, rounds, app.processEvents)
        if what == "images alone" and "--4k" not in sys.argv:
            compare_errors(ours, stock, stored[0], size, app.processEvents)
        for side in (ours, stock):
            for view in side.views:
                QWidget.close(view)
    if "--napari" in sys.argv:
        compare_napari(images, rounds, app.processEvents)


if __name__ == "__main__":
    main()
