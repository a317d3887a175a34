"""Images on their way to the screen: decoded in threads, kept for a while, never mixed up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, SignalInstance

from app.core.errors import UserError
from app.core.grey import GreyScale, ModalityTable, StoredImage, Window
from app.core.grey_tables import modality_table
from app.core.pyramid import ImagePyramid, build_pyramid
from app.core.voi import auto_window

CACHE_BYTES = 768 << 20
DECODERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageKey:
    """What makes a prepared image what it is; a late result cannot be taken for another image's.

    Args:
        sha256: address of the stored values.
        grey: how they are read (the same values may come from two objects that read them differently).
    """

    sha256: str
    grey: GreyScale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedImage:
    """An image ready to be painted.

    Args:
        key: which image this is.
        image: its stored values.
        pyramid: the same values, and smaller.
        modality: modality value of every index.
        span: smallest and largest index in the image.
        auto: window from the collimated area.
    """

    key: ImageKey
    image: StoredImage
    pyramid: ImagePyramid
    modality: ModalityTable
    span: tuple[int, int]
    auto: Window


def prepare(key: ImageKey, load: Callable[[str], StoredImage]) -> PreparedImage:
    """Load and prepare one image. Runs in a decoding thread; touches no Qt."""
    image = load(key.sha256)
    pyramid = build_pyramid(image.pixels)
    return PreparedImage(
        key=key,
        image=image,
        pyramid=pyramid,
        modality=modality_table(key.grey, offset=image.offset),
        span=(int(image.pixels.min()), int(image.pixels.max())),
        auto=auto_window(image, key.grey),
    )


class _Wire(QObject):
    """Carries results from a thread to the window's thread."""

    done = Signal(object, object)


class ImageLoader(QObject):
    """Decodes in a thread pool and keeps the most recently used images.

    Args:
        load: gives the stored values of an address; called in threads.
        prepare_image: replaces `prepare` in tests that need to control timing.

    Signals:
        ready: an ImageKey, and its PreparedImage or the UserError why there is none.
    """

    ready = Signal(object, object)

    def __init__(
        self,
        load: Callable[[str], StoredImage],
        parent: QObject | None = None,
        *,
        prepare_image: Callable[[ImageKey, Callable[[str], StoredImage]], PreparedImage] = prepare,
    ) -> None:
        super().__init__(parent)
        self._load = load
        self._prepare = prepare_image
        self._cache: OrderedDict[ImageKey, PreparedImage] = OrderedDict()
        self._pending: list[ImageKey] = []
        self._under_way: set[ImageKey] = set()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(DECODERS)
        self._wire = _Wire(self)
        self._wire.done.connect(self._on_done, Qt.ConnectionType.QueuedConnection)

    def cached(self, key: ImageKey) -> PreparedImage | None:
        """The prepared image if it is at hand."""
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
        return found

    def want(self, keys: Iterable[ImageKey]) -> None:
        """Prepare these images in this order and report `ready` for each; forget what was asked for before.

        What is being decoded already is finished. An image that is at hand is not reported again.
        """
        self._pending = [key for key in keys if key not in self._cache and key not in self._under_way]
        self._feed()

    def ensure(self, keys: Iterable[ImageKey]) -> None:
        """Prepare these images too, if they are neither at hand nor on their way."""
        on_their_way = {*self._pending, *self._under_way, *self._cache}
        self._pending += [key for key in keys if key not in on_their_way]
        self._feed()

    def _feed(self) -> None:
        while self._pending and len(self._under_way) < DECODERS:
            key = self._pending.pop(0)
            self._under_way.add(key)
            self._pool.start(_task(key, self._prepare, self._load, self._wire.done))

    def close(self) -> None:
        """Drop what is queued and wait for what is running. A waiting result is not reported any more."""
        self._pending.clear()
        self._wire.done.disconnect(self._on_done)
        self._pool.clear()
        self._pool.waitForDone()
        self._cache.clear()
        self._under_way.clear()

    def _on_done(self, key: ImageKey, result: PreparedImage | UserError | Exception) -> None:
        self._under_way.discard(key)
        self._feed()
        if isinstance(result, PreparedImage):
            self._cache[key] = result
            self._shrink()
        elif not isinstance(result, UserError):
            raise result  # a bug: reported where bugs are reported
        self.ready.emit(key, result)

    def _shrink(self) -> None:
        used = sum(entry.pyramid.nbytes for entry in self._cache.values())
        while used > CACHE_BYTES and len(self._cache) > 2:
            used -= self._cache.popitem(last=False)[1].pyramid.nbytes


def _task(
    key: ImageKey,
    prepare_image: Callable[[ImageKey, Callable[[str], StoredImage]], PreparedImage],
    load: Callable[[str], StoredImage],
    done: SignalInstance,
) -> Callable[[], None]:
    def run() -> None:
        try:
            result: PreparedImage | Exception = prepare_image(key, load)
        except Exception as error:  # reported by the window's thread, whatever it is
            result = error
        done.emit(key, result)

    return run
