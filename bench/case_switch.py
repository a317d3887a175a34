"""From the wish for a case to its two painted images: decoded ahead, not decoded ahead, and from JPEG-lossless files.

    QT_QPA_PLATFORM=offscreen python -m bench.case_switch [CASES] [--files | --heartbeat]

1. The real window on a project of 2688² 12-bit pairs. A switch is the worklist's own step; it ends when both panes have
   been repainted. `first time` also computes the SHA-256 of both images and, once in the project's life, the automatic
   windows. One np.copyto of the pair is timed in the same rounds.
2. A pair of JPEG-lossless (SV1) files until painted: Coxa's reader in two threads, preparation, two panes; against
   pydicom with pylibjpeg and two stock ImageItems.
3. Frames of real drags in the real window, with texts and marks, the windows of both panes linked: from the mouse event
   until the event loop has painted both panes; against two stock views of the same size.
4. The gaps of a 2 ms timer in the window while images are decoded without a pause, against the idle window, by turns:
   a JPEG-lossless pair read from its files in two threads, its automatic windows known or searched, and uncompressed
   images of the project, which come so fast that the window has an image handed over in every third gap.

With --files only part 2, with --heartbeat only part 4.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.store.derived import DerivedCache
from app.store.reading import syntaxes
from app.store.reading.dicom import Reading
from app.store.reading.files import FileOpener, read_buffer
from app.ui.image_pane import ImagePane
from app.ui.loader import ImageKey, ImageLoader, PreparedImage, prepare
from app.ui.main_window import MainWindow
from app.ui.start import SWITCH_INTERVAL_S
from app.ui.threads import keep_freed_memory
from app.ui.window_level import first_shown, table_for
from bench.viewer_images import SIZE_PX, make_radiograph_project, radiograph
from tests.support.foreign_files import dicom_bytes
from tests.support.window import application, open_window, wait, wait_until

HEARTBEAT_ROUNDS = 4


def summary(name: str, times_ms: list[float], copies_ms: list[float]) -> None:
    """Print median and p95, and how many copies of the pair that is."""
    found = sorted(times_ms)
    median, p95 = statistics.median(found), found[min(len(found) - 1, int(0.95 * len(found)))]
    copy = statistics.median(copies_ms)
    print(
        f"{name:46} median {median:7.1f} ms · p95 {p95:7.1f} ms · {median / copy:5.1f}× one np.copyto of the pair "
        f"({copy:.2f} ms), {len(found)} switches",
        flush=True,
    )


def switch(window: MainWindow, step: int) -> float:
    """Milliseconds from the step in the worklist until both panes are painted."""
    viewer = window.viewer
    assert viewer is not None
    viewports = [place.pane.graphics.viewport() for place in viewer.places]
    paints = Paints(viewports)
    start = time.perf_counter()
    window.case_list.step(step)
    if not viewer.is_settled:
        wait_until(lambda: viewer.is_settled)
    for viewport in viewports:
        if viewport not in paints.done:  # the first repaint paints whatever else in the window has changed
            viewport.repaint()
    taken = (time.perf_counter() - start) * 1e3
    assert len(paints.done) == len(viewports)
    return taken


class Paints(QObject):
    """Which of some widgets have been painted, to the end, since they were asked about."""

    def __init__(self, widgets: list[QWidget]) -> None:
        super().__init__()
        self.done: list[QWidget] = []
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched not in self.done:
            self.done.append(watched)
        return False


def is_quiet(window: MainWindow) -> bool:
    """Whether everything that was to be decoded ahead is at hand."""
    return is_at_rest(window.viewer.loader)


def is_at_rest(loader: ImageLoader) -> bool:
    """Whether everything that it was asked for is at hand."""
    return not (loader._ahead or loader._ahead_now or loader._under_way or loader._pending)


def walk(window: MainWindow, steps: Iterable[int], *, is_ahead: bool) -> tuple[list[float], list[float]]:
    """Switch case by case; also time a copy of a pair each time."""
    pair = [np.zeros((SIZE_PX, SIZE_PX), np.uint16) for _ in range(4)]
    viewer = window.viewer
    if not is_ahead:
        viewer.decode_ahead = lambda contents: None
    times, copies = [], []
    for step in steps:
        if is_ahead:
            wait_until(lambda: is_quiet(window))
        else:
            viewer.loader._cache.clear()
        wait(30)
        times.append(switch(window, step))
        wait(30)
        start = time.perf_counter()
        np.copyto(pair[2], pair[0])
        np.copyto(pair[3], pair[1])
        copies.append((time.perf_counter() - start) * 1e3)
    return times, copies


def switches(folder: Path, cases: int) -> None:
    """Part 1."""
    forth = [1] * (cases - 1)
    for name, is_ahead, is_forgotten in (
        ("first time, windows not known", False, True),
        ("first time in this session, windows known", False, False),
    ):
        if is_forgotten:
            for file in (folder / "cache").glob("derived.db*"):
                file.unlink()
        window = open_window(folder, size=(1920, 1080))
        summary(name, *walk(window, forth, is_ahead=is_ahead))
        if not is_forgotten:
            summary("again, not at hand", *walk(window, [-1] * (cases - 1), is_ahead=False))
        window.close()
    window = open_window(folder, size=(1920, 1080))
    summary("decoded ahead, next case", *walk(window, forth, is_ahead=True))
    summary("decoded ahead, back and forth", *walk(window, [-1, -1, 1, 1, -1, 1] * 4, is_ahead=True))
    window.close()


def write_pair(folder: Path) -> list[Path]:
    """Two JPEG-lossless files."""
    paths = [folder / f"{number}.dcm" for number in range(2)]
    for number, path in enumerate(paths):
        path.write_bytes(dicom_bytes(radiograph(number + 1).pixels, syntaxes.JPEG_LOSSLESS_SV1))
    return paths


def read_file(path: Path) -> Reading:
    """One file through Coxa's reader."""
    buffer = FileOpener().open(path, "")
    return read_buffer(buffer, whitelist=frozenset(), frame=None, is_header_only=False, scratch=path.parent)


class OurView:
    """Two panes of the product, and its reader."""

    def __init__(self) -> None:
        self.panes = [ImagePane() for _ in range(2)]
        for pane in self.panes:
            pane.graphics.setParent(None)
            pane.graphics.setFixedSize(900, 1000)
            pane.graphics.show()
        self.pool = ThreadPoolExecutor(2)

    def load(self, path: Path) -> PreparedImage:
        reading = read_file(path)
        return prepare(ImageKey(sha256=path.name, grey=reading.grey), lambda _: reading.image)

    def show(self, paths: list[Path]) -> None:
        for pane, image in zip(self.panes, self.pool.map(self.load, paths), strict=True):
            pane.set_image(image.pyramid, table_for(image, first_shown(image)))
            pane.graphics.viewport().repaint()


class StockView:
    """Two pyqtgraph views, and pydicom with pylibjpeg."""

    def __init__(self) -> None:
        self.views, self.items = [], []
        for _ in range(2):
            view = pg.GraphicsView()
            box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
            view.setCentralItem(box)
            item = pg.ImageItem(axisOrder="row-major")
            box.addItem(item)
            view.setFixedSize(900, 1000)
            view.show()
            box.setRange(QRectF(0, 0, SIZE_PX, SIZE_PX), padding=0)
            self.views.append(view)
            self.items.append(item)

    def show(self, paths: list[Path]) -> None:
        for view, item, path in zip(self.views, self.items, paths, strict=True):
            dataset = pydicom.dcmread(path)
            dataset.pixel_array_options(decoding_plugin="pylibjpeg")
            item.setImage(dataset.pixel_array, levels=(500, 1800))
            view.viewport().repaint()


def files(folder: Path, rounds: int) -> None:
    """Part 2."""
    paths = write_pair(folder)
    ours, stock = OurView(), StockView()
    times: dict[str, list[float]] = {"ours": [], "stock": []}
    for _ in range(rounds + 1):
        for name, side in (("stock", stock), ("ours", ours)):
            wait(20)
            start = time.perf_counter()
            side.show(paths)
            times[name].append((time.perf_counter() - start) * 1e3)
    ratio = statistics.median(a / b for a, b in zip(times["stock"][1:], times["ours"][1:], strict=True))
    worst = sorted(times["ours"][1:])[int(0.95 * rounds)]
    print(
        f"unseen JPEG-lossless pair, file to painted: pydicom + pylibjpeg + stock "
        f"{statistics.median(times['stock'][1:]):.0f} ms · Coxa {statistics.median(times['ours'][1:]):.0f} ms "
        f"(p95 {worst:.0f}) · {ratio:.1f}× faster",
        flush=True,
    )


def drags(folder: Path, rounds: int) -> None:
    """Part 3."""
    window = open_window(folder, size=(1920, 1080))
    wait_until(lambda: is_quiet(window))
    panes = [place.pane for place in window.viewer.places]
    stock = StockView()
    for view, item, place in zip(stock.views, stock.items, window.viewer.places, strict=True):
        view.setFixedSize(panes[0].graphics.size())
        item.setImage(place.image.image.pixels, levels=(500, 1800))
        item.getViewBox().setRange(QRectF(0, 0, SIZE_PX, SIZE_PX), padding=0)
    wait(100)  # the stock window has become the active one
    window.activateWindow()  # a drag ends where another window of the program gets the keyboard
    wait_until(window.isActiveWindow)
    viewport = panes[0].graphics.viewport()
    middle = QPointF(viewport.rect().center())
    for button, name in ((Qt.MouseButton.RightButton, "window"), (Qt.MouseButton.MiddleButton, "pan")):
        send(viewport, QEvent.Type.MouseButtonPress, middle, button)
        times: dict[str, list[float]] = {"ours": [], "stock": []}
        for number in range(rounds):
            wait(5)
            at = middle + QPointF(5 + number % 40 * 2, number % 30)
            start = time.perf_counter()
            send(viewport, QEvent.Type.MouseMove, at, button)
            QApplication.processEvents()  # paints what has to be painted, each pane once
            times["ours"].append((time.perf_counter() - start) * 1e3)
            assert panes[0].graphics.is_dragging
            wait(5)
            start = time.perf_counter()
            for item in stock.items[: 2 if name == "window" else 1]:
                if name == "window":
                    item.setLevels((500 + number, 1800 + 2 * number))
                else:
                    step = item.getViewBox().viewPixelSize()[0]
                    item.getViewBox().translateBy(x=(1 - number % 3) * step, y=0)
            QApplication.processEvents()
            times["stock"].append((time.perf_counter() - start) * 1e3)
        send(viewport, QEvent.Type.MouseButtonRelease, middle, button)
        found = {key: sorted(values[3:]) for key, values in times.items()}
        ratio = statistics.median(a / b for a, b in zip(times["stock"][3:], times["ours"][3:], strict=True))
        print(
            f"real drag of the {name:6} with texts and marks: Coxa median {statistics.median(found['ours']):.1f} ms, "
            f"p95 {found['ours'][int(0.95 * rounds) - 3]:.1f} · stock {statistics.median(found['stock']):.1f} ms · "
            f"{ratio:.1f}× faster",
            flush=True,
        )
    window.close()


def send(target: QWidget, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton) -> None:
    """One mouse event."""
    changed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else button
    held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, at, target.mapToGlobal(at), changed, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, event)


def gaps(seconds: float, work: Callable[[], None]) -> list[float]:
    """Gaps of a 2 ms timer, ms, while `work` is called at every tick."""
    found: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        found.append((now - last[0]) * 1e3)
        last[0] = now
        work()

    timer = QTimer(interval=2, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start()
    wait(round(seconds * 1000))
    timer.stop()
    return sorted(found[5:])


def decode_on(loader: ImageLoader, keys: list[ImageKey], count: list[int]) -> None:
    """Decode everything anew as soon as it is decoded: two images that are wanted, the others ahead."""
    if is_at_rest(loader):
        dropped = list(loader._cache.values())
        loader._cache.clear()
        loader._pool.start(dropped.clear)  # as the loader itself lets images go: not in the window's thread
        loader.want(keys[:2])
        loader.look_ahead(keys[2:])
        count[0] += len(keys)


def heartbeat(folder: Path, scratch: Path) -> None:
    """Part 4."""
    window = open_window(folder, size=(1920, 1080))
    stored = window.viewer.loader
    wait(200)  # until the neighbours have been asked for
    wait_until(lambda: is_quiet(window))
    greys = {str(path): read_file(path).grey for path in write_pair(scratch)}
    pair = [ImageKey(sha256=name, grey=grey) for name, grey in greys.items()]
    derived = DerivedCache(scratch)
    files = ImageLoader(lambda name: read_file(Path(name)).image, window, derived=derived)
    new_files = ImageLoader(lambda name: read_file(Path(name)).image, window)
    kinds: list[tuple[str, ImageLoader, list[ImageKey]]] = [
        ("JPEG-lossless pair, its windows known", files, pair),
        ("JPEG-lossless pair, windows searched", new_files, pair),
        ("six images of the project, as fast as it goes", stored, list(stored._cache)),
    ]
    for name, loader, keys in kinds:
        decode_on(loader, keys, [0])  # once, so that what is known is known
        ratios, lines = [], []
        for _ in range(HEARTBEAT_ROUNDS):
            wait_until(lambda loader=loader: is_at_rest(loader))
            count = [0]
            idle = gaps(4, lambda: None)
            busy = gaps(4, lambda loader=loader, keys=keys, count=count: decode_on(loader, keys, count))
            ratios.append(p95_of(busy) / p95_of(idle))
            lines.append((p95_of(idle), p95_of(busy), busy[int(0.99 * len(busy))], busy[-1], count[0] / 4))
        idle_ms, busy_ms, p99_ms, most_ms, rate = (statistics.median(column) for column in zip(*lines, strict=True))
        print(
            f"timer of 2 ms, p95 · idle {idle_ms:.2f} · {name} ({rate:.0f} images/s) {busy_ms:.2f} "
            f"(p99 {p99_ms:.1f}, max {most_ms:.1f}) · {statistics.median(ratios):.2f}× "
            f"({min(ratios):.2f}–{max(ratios):.2f})",
            flush=True,
        )
    for loader in (files, new_files):
        loader.close()
    derived.close()
    window.close()


def p95_of(found: list[float]) -> float:
    """Of sorted values."""
    return found[int(0.95 * len(found))]


def main() -> None:
    warnings.simplefilter("ignore")
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as the program does
    keep_freed_memory()
    numbers = [word for word in sys.argv[1:] if not word.startswith("-")]
    cases = int(numbers[0]) if numbers else 12
    app = application()
    print(f"Qt platform {app.platformName()}, load {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    with tempfile.TemporaryDirectory() as place:
        is_heartbeat_only = "--heartbeat" in sys.argv
        if not is_heartbeat_only:
            files(Path(place), 15)
        if "--files" in sys.argv:
            return
        folder = make_radiograph_project(Path(place) / "project", cases=cases)
        if not is_heartbeat_only:
            switches(folder, cases)
            drags(folder, 60)
        heartbeat(folder, Path(place))


if __name__ == "__main__":
    main()
