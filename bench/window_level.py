"""A window/level frame, a pan frame and a zoom frame of two 900×1000 panes on 2688² 16-bit images against pyqtgraph's
own ImageItem, interleaved in one process; and how near each is to the area-averaged truth.

    QT_QPA_PLATFORM=offscreen python -m bench.window_level [ROUNDS]

A frame is: change what is shown, then repaint both views synchronously. Both sides live in a pyqtgraph ViewBox. The
measured side is the product's pane with its corner text hidden (the baseline has none) and its table made anew for
each frame, as in a drag. The baseline is `ImageItem(uint16, levels)`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from app.core.grey import GreyScale, Photometric, StoredImage, Window, WindowFunction
from app.core.grey_tables import display_table
from app.ui.image_pane import ImagePane
from app.ui.loader import ImageKey, PreparedImage, prepare
from app.ui.window_level import Shown, table_for

SIZE_PX = 2688
VIEW_PX = (900, 1000)
GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)


def radiograph(seed: int) -> StoredImage:
    """Smooth structures, fine lines and noise in 12 bits."""
    rng = np.random.default_rng(seed)
    small = cv2.resize(rng.normal(1200, 500, (24, 24)).astype(np.float32), (SIZE_PX, SIZE_PX))
    lines = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    for _ in range(200):
        ends = rng.integers(0, SIZE_PX, 4).tolist()
        cv2.line(lines, (ends[0], ends[1]), (ends[2], ends[3]), 400, 1)
    image = small + lines + rng.normal(0, 60, (SIZE_PX, SIZE_PX))
    return StoredImage(pixels=image.clip(0, 4095).astype(np.uint16))


class Ours:
    """Two panes of the product."""

    def __init__(self, images: list[PreparedImage]) -> None:
        self.images = images
        self.panes = [ImagePane() for _ in images]
        for pane, image in zip(self.panes, images, strict=True):
            pane.graphics.setParent(None)
            pane.graphics.setFixedSize(*VIEW_PX)
            pane.text.hide()
            pane.set_image(image.pyramid, table_for(image, Shown(voi=image.auto)))
            pane.text.hide()
        self.views = [pane.graphics for pane in self.panes]
        self.boxes = [pane.box for pane in self.panes]

    def set_window(self, low: float, high: float) -> None:
        voi = Window(center=(low + high) / 2, width=high - low, function=WindowFunction.LINEAR_EXACT)
        for pane, image in zip(self.panes, self.images, strict=True):
            pane.item.set_table(table_for(image, Shown(voi=voi)))


class Stock:
    """Two pyqtgraph views with an ImageItem."""

    def __init__(self, images: list[PreparedImage]) -> None:
        self.views, self.boxes, self.items = [], [], []
        for image in images:
            view = pg.GraphicsView()
            box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
            view.setCentralItem(box)
            item = pg.ImageItem(image.image.pixels, levels=(500, 1800), axisOrder="row-major")
            box.addItem(item)
            view.setFixedSize(*VIEW_PX)
            self.views.append(view)
            self.boxes.append(box)
            self.items.append(item)

    def set_window(self, low: float, high: float) -> None:
        for item in self.items:
            item.setLevels((low, high))


Side = Ours | Stock


def look_at(side: Side, left: float, top: float, size: float) -> None:
    for box in side.boxes:
        box.setRange(QRectF(left, top, size, size), padding=0)


def frame(kind: str, side: Side, number: int) -> float:
    """Milliseconds of one frame of both views."""
    start = time.perf_counter()
    if kind.startswith("window"):
        side.set_window(500 + 13 * number % 700, 1800 + 29 * number % 900)
    elif kind == "pan":
        look_at(side, number % 40 * 5, number % 40 * 3, SIZE_PX)
    else:
        look_at(side, 600, 600, SIZE_PX / (1 + 3 * (number % 30) / 30))
    for view in side.views:
        view.viewport().repaint()
    return (time.perf_counter() - start) * 1e3


def screen(side: Side) -> np.ndarray:
    picture = side.views[0].viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return lines[:, : picture.width()].astype(float)


def error_to_truth(side: Side, image: StoredImage) -> float:
    """RMSE, grey levels, of the fitted picture to the display levels of the area-averaged image."""
    rect = side.boxes[0].viewRect()
    scale = VIEW_PX[0] / rect.width()
    left, top = round(-rect.left() * scale), round(-rect.top() * scale)
    size = round(SIZE_PX * scale)
    average = cv2.resize(image.pixels, (size, size), interpolation=cv2.INTER_AREA)
    voi = Window(center=1550, width=1700, function=WindowFunction.LINEAR_EXACT)
    truth = cv2.LUT(average, display_table(GREY, voi).levels).astype(float)
    part = screen(side)[top : top + size, left : left + size]
    return float(np.sqrt(np.mean((part - truth[: part.shape[0], : part.shape[1]]) ** 2)))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    app = QApplication.instance() or QApplication([])
    stored = [radiograph(1), radiograph(2)]
    images = [prepare(ImageKey(sha256=str(n), grey=GREY), lambda _, n=n: stored[n]) for n in range(2)]
    ours, stock = Ours(images), Stock(images)
    for side in (ours, stock):
        for view in side.views:
            view.show()
    app.processEvents()
    report(ours, stock, rounds, app.processEvents)
    for side in (ours, stock):
        look_at(side, 0, 0, SIZE_PX)
        side.set_window(700, 2400)
    app.processEvents()
    print(f"RMSE to the area-averaged truth, fitted: ours {error_to_truth(ours, stored[0]):.2f}, "
          f"stock {error_to_truth(stock, stored[0]):.2f} grey levels")  # fmt: skip
    for side in (ours, stock):
        for view in side.views:
            QWidget.close(view)


def report(ours: Ours, stock: Stock, rounds: int, settle: Callable[[], None]) -> None:
    copy = np.empty_like(ours.images[0].image.pixels)
    for kind in ("window, fitted", "window, zoomed 4", "pan", "zoom"):
        for side in (ours, stock):
            look_at(side, *((700, 700, SIZE_PX / 4) if kind.endswith("4") else (0, 0, SIZE_PX)))
        settle()
        times: dict[str, list[float]] = {"stock": [], "ours": [], "copy": []}
        for number in range(rounds + 5):
            times["stock"].append(frame(kind, stock, number))
            settle()
            times["ours"].append(frame(kind, ours, number))
            settle()
            start = time.perf_counter()
            np.copyto(copy, ours.images[0].image.pixels)
            times["copy"].append((time.perf_counter() - start) * 1e3)
        found = {name: sorted(values[5:]) for name, values in times.items()}
        medians = {name: statistics.median(values) for name, values in found.items()}
        p95 = found["ours"][int(0.95 * rounds)]
        ratio = statistics.median(a / b for a, b in zip(times["stock"][5:], times["ours"][5:], strict=True))
        print(
            f"{kind:17} stock {medians['stock']:6.2f} ms · ours {medians['ours']:6.2f} ms (p95 {p95:.2f}) · "
            f"{ratio:5.1f}× faster · {medians['ours'] / medians['copy']:.1f}× one np.copyto"
        )


if __name__ == "__main__":
    main()
