"""Images on their way to the screen: decoded in threads, kept for a while, never mixed up.

What the user waits for has two threads of its own. What may be wanted next is decoded by a third one that yields to
everything else, and is given up as soon as the user wants another case.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import TypeAlias

import cv2
from PySide6.QtCore import QObject, Qt, QThread, QThreadPool, Signal, SignalInstance

from app.core.collimation import CollimatedArea, collimated_area
from app.core.errors import UserError
from app.core.grey import DisplayTable, GreyScale, ModalityTable, StoredImage, Window
from app.core.grey_tables import display_table, modality_table
from app.core.pyramid import ImagePyramid, build_pyramid
from app.core.record import record
from app.core.shutter import Shutter, found_shutter
from app.core.voi import computed_windows
from app.store.derived import DerivedCache
from app.store.windows import area_of, windows_of
from app.ui.threads import NICE_AHEAD, NICE_WANTED, answer_at_once, keep_freed_memory, stand_back

CACHE_BYTES = 512 << 20  # about thirteen pairs of 2688² images
DECODERS = 2

LoadImage: TypeAlias = Callable[[str], StoredImage]


@record(frozen=True, slots=True, kw_only=True)
class ImageKey:
    """What makes a prepared image what it is; a late result cannot be taken for another image's.

    Args:
        sha256: address of the stored values.
        grey: how they are read (the same values may come from two objects that read them differently).
    """

    sha256: str
    grey: GreyScale


@record(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedImage:
    """An image ready to be painted.

    Args:
        key: which image this is.
        image: its stored values.
        pyramid: the same values, and smaller.
        modality: modality value of every index.
        span: smallest and largest index in the image.
        auto: window from the collimated area.
        table: what it is shown through at first, the automatic window.
        presets: the other windows that are computed from the pixels, by name.
        shutter: the one around what the beam reached; None if nothing outside it blinds, or nobody has looked.
    """

    key: ImageKey
    image: StoredImage
    pyramid: ImagePyramid
    modality: ModalityTable
    span: tuple[int, int]
    auto: Window
    table: DisplayTable
    presets: Mapping[str, Window] = field(default_factory=dict)
    shutter: Shutter | None = None

    @property
    def nbytes(self) -> int:
        """Memory, bytes."""
        tables = (self.modality.values, self.modality.is_image, self.table.levels)
        return self.pyramid.nbytes + sum(table.nbytes for table in tables)


PrepareImage: TypeAlias = Callable[[ImageKey, LoadImage], PreparedImage]


def prepare(key: ImageKey, load: LoadImage, derived: DerivedCache | None = None) -> PreparedImage:
    """Load and prepare one image. Runs in a decoding thread; touches no Qt.

    Args:
        key: which image.
        load: gives the stored values of an address.
        derived: where computed windows are kept; None computes them.
    """
    image = load(key.sha256)
    if derived is not None:
        windows = windows_of(derived, key.sha256, image, key.grey)
        area = area_of(derived, key.sha256, image, key.grey)
    else:
        area = collimated_area(image, key.grey)
        windows = computed_windows(image, key.grey, area)
    return made_ready(key, image, auto=windows.pop("auto"), presets=windows, area=area)


def made_ready(
    key: ImageKey,
    image: StoredImage,
    *,
    auto: Window,
    presets: Mapping[str, Window] | None = None,
    area: CollimatedArea | None = None,
) -> PreparedImage:
    """What painting needs of an image of which the windows are known; see `PreparedImage`."""
    low, high, _, _ = cv2.minMaxLoc(image.pixels)
    span = (int(low), int(high))
    modality = modality_table(key.grey, offset=image.offset)
    rows, cols = image.pixels.shape
    return PreparedImage(
        key=key,
        image=image,
        pyramid=build_pyramid(image.pixels),
        modality=modality,
        span=span,
        auto=auto,
        table=display_table(key.grey, auto, offset=image.offset, modality=modality, span=span),
        presets=presets or {},
        shutter=found_shutter(area, rows=rows, cols=cols),
    )


class _GivenUpError(Exception):
    """Nobody wants this image any more."""


class _Wire(QObject):
    """Carries results from a thread to the window's thread."""

    done = Signal(object, object)
    done_ahead = Signal(object, object)


class ImageLoader(QObject):
    """Decodes in threads and keeps the most recently used images.

    Args:
        load: gives the stored values of an address; called in threads.
        derived: where windows that were computed before are kept.
        prepare_image: replaces `prepare` in tests that need to control timing.
        cache_bytes: memory for images that are not wanted at the moment.

    Signals:
        ready: an ImageKey, and its PreparedImage or the UserError why there is none.
    """

    ready = Signal(object, object)

    def __init__(
        self,
        load: LoadImage,
        parent: QObject | None = None,
        *,
        derived: DerivedCache | None = None,
        prepare_image: PrepareImage | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        super().__init__(parent)
        answer_at_once()
        keep_freed_memory()
        self._load = load
        self._prepare = prepare_image or functools.partial(prepare, derived=derived)
        self._cache_bytes = cache_bytes
        self._cache: OrderedDict[ImageKey, PreparedImage] = OrderedDict()
        self._wanted: set[ImageKey] = set()  # never dropped from the cache
        self._pending: list[ImageKey] = []
        self._under_way: set[ImageKey] = set()
        self._ahead: list[ImageKey] = []
        self._ahead_now: ImageKey | None = None
        self._give_up = threading.Event()
        self._pool, self._ahead_pool = QThreadPool(self), QThreadPool(self)
        self._pool.setMaxThreadCount(DECODERS)
        self._ahead_pool.setMaxThreadCount(1)
        self._ahead_pool.setThreadPriority(QThread.Priority.LowPriority)
        self._wire = _Wire(self)
        self._wire.done.connect(self._on_done, Qt.ConnectionType.QueuedConnection)
        self._wire.done_ahead.connect(self._on_done_ahead, Qt.ConnectionType.QueuedConnection)

    @property
    def used_bytes(self) -> int:
        """Memory of the images at hand."""
        return sum(entry.nbytes for entry in self._cache.values())

    def cached(self, key: ImageKey) -> PreparedImage | None:
        """The prepared image if it is at hand."""
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
        return found

    def want(self, keys: Iterable[ImageKey]) -> None:
        """Prepare these images in this order and report `ready` for each; forget what was asked for before.

        What is being decoded already is finished; what is decoded ahead is given up unless it is wanted now. An image
        that is at hand is not reported again.
        """
        keys = list(keys)
        self._wanted = set(keys)
        self._ahead.clear()
        if self._ahead_now is not None and self._ahead_now not in self._wanted:
            self._give_up.set()
        self._pending = [key for key in keys if not self._is_on_its_way(key)]
        self._feed()

    def ensure(self, keys: Iterable[ImageKey]) -> None:
        """Prepare these images too, if they are neither at hand nor on their way."""
        for key in keys:
            self._wanted.add(key)
            if key not in self._pending and not self._is_on_its_way(key):
                self._pending.append(key)
        self._feed()

    def look_ahead(self, keys: Iterable[ImageKey]) -> None:
        """Prepare these images, the likeliest first, while nothing is wanted; forget what was to be prepared ahead."""
        keys = list(dict.fromkeys(keys))
        for key in reversed(keys):
            if key in self._cache:
                self._cache.move_to_end(key)  # the likeliest are dropped last
        for key in self._wanted & self._cache.keys():
            self._cache.move_to_end(key)
        self._ahead = [key for key in keys if key not in self._pending and not self._is_on_its_way(key)]
        self._feed()

    def close(self) -> None:
        """Drop what is queued and wait for what is running. A waiting result is not reported any more."""
        self._pending.clear()
        self._ahead.clear()
        self._give_up.set()
        self._wire.done.disconnect(self._on_done)
        self._wire.done_ahead.disconnect(self._on_done_ahead)
        for pool in (self._pool, self._ahead_pool):
            pool.clear()
            pool.waitForDone()
        self._cache.clear()
        self._under_way.clear()
        self._wanted.clear()
        _give_memory_back()

    def _is_on_its_way(self, key: ImageKey) -> bool:
        is_coming_ahead = key == self._ahead_now and not self._give_up.is_set()
        return key in self._cache or key in self._under_way or is_coming_ahead

    def _feed(self) -> None:
        while self._pending and len(self._under_way) < DECODERS:
            key = self._pending.pop(0)
            self._under_way.add(key)
            self._pool.start(_task(key, self._prepare, self._load, self._wire.done, nice=NICE_WANTED))
        if self._ahead and self._ahead_now is None and not self._under_way:
            self._ahead_now = self._ahead.pop(0)
            self._give_up = threading.Event()
            load = functools.partial(_load_unless, self._give_up, self._load)
            self._ahead_pool.start(_task(self._ahead_now, self._prepare, load, self._wire.done_ahead, nice=NICE_AHEAD))

    def _on_done(self, key: ImageKey, result: PreparedImage | Exception) -> None:
        self._under_way.discard(key)
        self._take(key, result)

    def _on_done_ahead(self, key: ImageKey, result: PreparedImage | Exception) -> None:
        self._ahead_now = None
        if isinstance(result, _GivenUpError):
            self._feed()
        else:
            self._take(key, result)

    def _take(self, key: ImageKey, result: PreparedImage | Exception) -> None:
        if isinstance(result, PreparedImage):
            self._cache[key] = result
            self._shrink()
        self._feed()
        if not isinstance(result, PreparedImage | UserError):
            raise result  # a bug: reported where bugs are reported
        self.ready.emit(key, result)

    def _shrink(self) -> None:
        used, dropped = self.used_bytes, []
        for key in list(self._cache):
            if used <= self._cache_bytes:
                break
            if key not in self._wanted:
                dropped.append(self._cache.pop(key))
                used -= dropped[-1].nbytes
        if dropped:
            self._pool.start(
                dropped.clear
            )  # unmapping tens of megabytes takes milliseconds: not in the window's thread


def _load_unless(given_up: threading.Event, load: LoadImage, sha256: str) -> StoredImage:
    """Load an image, unless nobody wants it before or after."""
    if given_up.is_set():
        raise _GivenUpError
    image = load(sha256)
    if given_up.is_set():
        raise _GivenUpError
    return image


def _task(
    key: ImageKey,
    prepare_image: PrepareImage,
    load: LoadImage,
    done: SignalInstance,
    *,
    nice: int,
) -> Callable[[], None]:
    def run() -> None:
        stand_back(nice)
        try:
            result: PreparedImage | Exception = prepare_image(key, load)
        except Exception as error:  # reported by the window's thread, whatever it is
            result = error
        done.emit(key, result)

    return run


def _give_memory_back() -> None:
    """glibc keeps what threads have freed for later; half a gigabyte of it is too much to keep for nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
