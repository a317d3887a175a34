"""Driving the real window in tests: an application, waiting that lets decoding threads run, and small projects."""

from __future__ import annotations

import gc
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QThread, QThreadPool, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app.core.case import Assessment, Certainty, Patient, Projection, Side, Study, View
from app.core.grey import GreyScale, Photometric, StoredImage
from app.core.spacing import Spacing
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.store.settings import SettingsFile
from app.ui import theme
from app.ui.collecting import collect_due
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start

# what the offscreen plugin says about itself, whatever a program does
HARMLESS = (
    "This plugin does not support propagateSizeHints()",
    "This plugin does not support raise()",
    "This plugin does not support grabbing the keyboard",
)


def application() -> QApplication:
    """The one application of the test process, dressed as the product."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["coxa-tests"])
        theme.apply(app)
        gc.disable()  # from now on it is collected as in the program: by `wait`, and after each test
    return app


def wait(ms: int = 0) -> None:
    """Let the event loop run. (QTest.qWait would keep the interpreter's lock, and decoding threads would stand.)"""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()
    collect_due()


def wait_until(condition: Callable[[], bool], timeout_s: float = 90.0) -> None:
    """Let the event loop run until something is so."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        wait(5)


@contextmanager
def strict_qt() -> Iterator[list[str]]:
    """Collect what Qt complains about and errors in what it calls; afterwards all windows close and nothing lives on.

    The folder of a test has to outlive this: `strict_window` asks for `tmp_path`.
    """
    app = application()
    complaints: list[str] = []

    def on_message(kind: QtMsgType, context: object, text: str) -> None:
        if text not in HARMLESS:
            complaints.append(text)

    def on_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        complaints.append("".join(traceback.format_exception(kind, error, trace)))

    previous, previous_hook = qInstallMessageHandler(on_message), sys.excepthook
    sys.excepthook = on_error
    try:
        yield complaints
        for widget in QApplication.topLevelWidgets():
            if not isValid(widget):
                continue  # it went with the window that was closed before it
            if not widget.close() and isinstance(widget, MainWindow):
                complaints.append("the window stayed open: it asked something")
                widget.end()
            widget.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        wait(0)
        living = [thing for thing in app.findChildren(QObject) if _is_alive(thing)]
        assert living == [], "a timer or thread lives on after the test"
        assert QThreadPool.globalInstance().activeThreadCount() == 0
    finally:
        qInstallMessageHandler(previous)
        sys.excepthook = previous_hook
    assert complaints == [], complaints


def _is_alive(thing: QObject) -> bool:
    return (isinstance(thing, QTimer) and thing.isActive()) or (isinstance(thing, QThread) and thing.isRunning())


def open_window(
    project: Path | None = None,
    *,
    size: tuple[int, int] = (1280, 800),
    is_read_only: bool = False,
    settings: SettingsFile | None = None,
    geometry: Path | None = None,
    engine_command: Sequence[str] = (),
    models: Path | None = None,
    is_whole: bool = True,
) -> MainWindow:
    """The real window on a project, shown and with its first case on the screen (if it has one); without an engine.

    With everything that waits for a quiet moment after that, unless `is_whole` is False.
    """
    window = MainWindow(
        Start(
            project=project,
            is_read_only=is_read_only,
            demo=Path("nowhere"),
            demo_command=("nothing",),
            is_demo_ready=lambda: False,
            author="tester",
            settings=settings or SettingsFile(None),
            geometry=geometry,
            engine_command=engine_command,
            models=models,
        )
    )
    settled: list[bool] = []
    window.settled.connect(lambda: settled.append(True))
    if geometry is None:
        window.resize(*size)
    window.show()
    wait_until(lambda: bool(settled))
    if is_whole:
        window.finish()
    assert window.project is not None
    window.project.confirm_author("tester")  # else the first annotation of the session asks who it is
    return window


def known(value: Projection | Side | None) -> Assessment:  # type: ignore[type-arg]
    """An assessment that is evident, or unknown for None."""
    return Assessment(value=value, certainty=Certainty.UNKNOWN if value is None else Certainty.EVIDENT)


GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)


def flat_image(number: int, *, rows: int = 120, cols: int = 100) -> StoredImage:
    """An image that carries its number: every pixel has the stored value `number`, with a ramp in the last row."""
    pixels = np.full((rows, cols), number, np.uint16)
    pixels[-1] = np.linspace(0, 4095, cols).astype(np.uint16)
    return StoredImage(pixels=pixels)


def add_view(
    store: ProjectStore,
    study: Study,
    view_id: str,
    image: StoredImage,
    *,
    projection: Projection | None,
    side: Side | None,
    grey: GreyScale = GREY,
    spacing: Spacing | None = None,
    header: Mapping[str, object] | None = None,
    **more: object,
) -> View:
    """Store an image and its view."""
    rows, cols = image.pixels.shape
    view = View(
        id=view_id,
        study_id=study.id,
        image_sha256=store.images.put(image),
        rows=rows,
        cols=cols,
        projection=known(projection),
        side=known(side),
        spacing=spacing or Spacing(),
        grey=grey,
        **more,  # type: ignore[arg-type]
    )
    store.views.add(view, header=header or {}, offset=image.offset)
    return view


def add_study(
    store: ProjectStore, number: int, views: Iterable[tuple[str, StoredImage, Projection | None, Side | None]]
) -> None:
    """Another patient with one study, arranged into cases; a view is an id, an image, its projection and its side."""
    study = Study(id=f"2.25.{number + 1}", patient_id=f"P-{number:03d}")
    with store.transaction():
        store.patients.add(Patient(id=study.patient_id))
        store.studies.add(study)
        for view_id, image, projection, side in views:
            add_view(store, study, view_id, image, projection=projection, side=side)
        recompose_study(store, study.id, author="test")


def make_project(folder: Path, *, cases: int = 3, rows: int = 120, cols: int = 100) -> Path:
    """A project of left hips; case k shows the values 200 + 2k (frontal) and 201 + 2k (lateral)."""
    with ProjectStore.create(folder) as store:
        for number in range(cases):
            images = [flat_image(200 + 2 * number + step, rows=rows, cols=cols) for step in range(2)]
            add_study(store, number, left_pair(number, images))
    return folder


def left_pair(number: int, images: Sequence[StoredImage]) -> list[tuple[str, StoredImage, Projection, Side]]:
    """Frontal and lateral view of a left hip."""
    projections = (Projection.FRONTAL, Projection.LATERAL)
    return [
        (f"V-{number:03d}-{step}", image, projection, Side.LEFT)
        for step, (image, projection) in enumerate(zip(images, projections, strict=True))
    ]
