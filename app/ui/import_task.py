"""An import under way in a thread of its own, as the window sees it.

The thread never touches Qt: it leaves what it has done in `_Notes`, and a timer of the window looks there ten times a
second. Reading and decoding happen in processes of their own; the thread writes through its own connection, in turns
with the window, whose changes go first (ADR 0130).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import UserError
from app.store.import_report import ImportItem, ImportProgress, ImportReport, Outcome, Phase, refused
from app.store.importer import import_sources, mapping_sources
from app.store.mapping import ImageMapping
from app.store.project import ProjectStore
from app.store.reading.sources import Source, find_sources

LOOK_MS = 100
LOOKING_PATIENCE_S = 1.0  # for a search for files; a share that does not answer may keep it for minutes


class Stage(StrEnum):
    """What an import is doing."""

    LOOKING = "looking"
    HEADERS = "headers"
    IMAGES = "images"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import.

    Args:
        paths: files and folders.
        mapping: what a table says about them; then only the files that it lists are imported.
    """

    paths: tuple[Path, ...] = ()
    mapping: ImageMapping | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportState:
    """How far an import is.

    Args:
        stage: what it is doing.
        done: files done in this stage.
        total: files in all; None while they are being looked for.
        imported: files that are in the project now because of it.
        refused: files that were refused.
        elapsed_s: since the stage began.
        is_stopping: whether it was told to stop.
    """

    stage: Stage = Stage.LOOKING
    done: int = 0
    total: int | None = None
    imported: int = 0
    refused: int = 0
    elapsed_s: float = 0.0
    is_stopping: bool = False


class ImportTask(QObject):
    """One import at a time.

    Signals:
        progressed: an `ImportState`.
        stored: files are in the project that were not there before.
        finished: an `ImportReport`.
        failed: a `UserError` why it ended early; what was acknowledged is kept.
    """

    progressed = Signal(object)
    stored = Signal()
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._notes = _Notes()
        self._seen = 0
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        """Whether an import is under way."""
        return self._thread is not None

    @property
    def state(self) -> ImportState:
        """How far it is."""
        return self._notes.state()

    def start(self, store: ProjectStore, request: ImportRequest, *, author: str) -> bool:
        """Start an import; False when one is under way.

        Args:
            store: open for writing; it must stay open until the import has ended (`stop`).
            request: what to import.
            author: recorded with what is imported.
        """
        if self.is_running:
            return False
        notes = self._notes = _Notes()
        self._seen = 0
        self._thread = threading.Thread(
            target=_import, args=(store, request, author, notes), name="import", daemon=True
        )
        self._thread.start()
        self._timer.start()
        self.progressed.emit(notes.state())
        return True

    def cancel(self) -> None:
        """Tell it to stop; it does so within a moment, keeps what is in, and `finished` follows."""
        self._notes.stop.set()
        if self.is_running:
            self.progressed.emit(self._notes.state())

    def stop(self) -> None:
        """Stop, and wait until nothing is written any more: the project is about to be closed."""
        thread = self._thread
        if thread is None:
            return
        thread.join(None if self._notes.halt() else LOOKING_PATIENCE_S)
        self._look()
        if self._thread is not None:  # it still looks for files; it will find that nobody wants them
            self._thread = None
            self._timer.stop()

    def _look(self) -> None:
        thread, notes = self._thread, self._notes
        is_over = thread is not None and not thread.is_alive()
        state = notes.state()
        if state.imported > self._seen:
            self._seen = state.imported
            self.stored.emit()
        if not is_over:
            self.progressed.emit(state)
            return
        self._thread = None
        self._timer.stop()
        if notes.report is not None:
            self.finished.emit(notes.report)
        elif notes.error is not None:
            self.failed.emit(notes.error)
        elif notes.fault is not None:
            self.failed.emit(
                UserError(
                    "The import ended early.",
                    reason="A fault in Coxa stopped it; what is in the project is kept.",
                    remedy="Import the same files again to go on.",
                    kind="fault",
                )
            )
            raise notes.fault  # the crash reporter shows it


@dataclass(slots=True)
class _Notes:
    """What the thread has done so far; written by the thread, read by the window."""

    stop: threading.Event = field(default_factory=threading.Event)
    report: ImportReport | None = None
    error: UserError | None = None
    fault: BaseException | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stage: Stage = Stage.LOOKING
    _since: float = field(default_factory=time.monotonic)
    _done: int = 0
    _total: int | None = None
    _imported: int = 0
    _refused: int = 0

    def halt(self) -> bool:
        """Tell the thread to stop; returns whether it may be writing, or is about to."""
        with self._guard:
            self.stop.set()
            return self._stage is not Stage.LOOKING

    def begin(self, total: int) -> bool:
        """The files are found; False when they are not wanted any more. From here on the thread may write."""
        with self._guard:
            if self.stop.is_set():
                return False
            self._stage, self._total, self._done, self._since = Stage.HEADERS, total, 0, time.monotonic()
            return True

    def found(self, count: int) -> None:
        with self._guard:
            self._done = count

    def note(self, progress: ImportProgress) -> None:
        with self._guard:
            if progress.phase is Phase.IMAGES and self._stage is not Stage.IMAGES:
                self._stage, self._since = Stage.IMAGES, time.monotonic()
            self._done = progress.done
            self._total = progress.total if progress.total is not None else self._total
            self._imported += sum(item.outcome is Outcome.IMPORTED for item in progress.items)
            self._refused += sum(item.outcome is Outcome.REFUSED for item in progress.items)

    def state(self) -> ImportState:
        with self._guard:
            return ImportState(
                stage=self._stage,
                done=self._done,
                total=self._total,
                imported=self._imported,
                refused=self._refused,
                elapsed_s=time.monotonic() - self._since,
                is_stopping=self.stop.is_set(),
            )


def _import(store: ProjectStore, request: ImportRequest, author: str, notes: _Notes) -> None:
    """The thread: everything that it has to say goes into the notes."""
    try:
        sources, missing = _sources(request, notes)
        if not notes.begin(len(sources)):
            notes.report = ImportReport(items=tuple(missing), cases=(), is_cancelled=True)
            return
        with store.beside() as own:
            report = import_sources(
                own,
                sources,
                author=author,
                mapping=request.mapping,
                on_progress=notes.note,
                is_cancelled=notes.stop.is_set,
                is_background=True,
            )
        notes.report = ImportReport(
            items=(*missing, *report.items), cases=report.cases, is_cancelled=report.is_cancelled, notes=report.notes
        )
    except UserError as error:
        notes.error = error
    except BaseException as error:
        notes.fault = error


def _sources(request: ImportRequest, notes: _Notes) -> tuple[list[Source], list[ImportItem]]:
    """Every file; and items for what is not there any more."""
    if request.mapping is not None:
        return mapping_sources(request.mapping), []
    missing: list[ImportItem] = []
    paths: list[Path] = []
    for path in request.paths:
        if path.exists():
            paths.append(path)
        else:
            error = UserError("It is not there any more.", remedy="Check where it is now.", kind="missing")
            missing.append(refused(path.name, error))
    sources: list[Source] = []
    for source in find_sources(paths):
        if notes.stop.is_set():
            break
        sources.append(source)
        notes.found(len(sources))
    return sources, missing


def remaining_s(state: ImportState) -> float | None:
    """How long this stage will still take at the rate so far; None while that cannot be said."""
    if state.total is None or state.done < 8 or state.elapsed_s < 2.0:
        return None
    return (state.total - state.done) * state.elapsed_s / state.done
