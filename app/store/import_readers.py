"""Reading for an import that may be cancelled at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from app.core.errors import UserError
from app.core.messages import ReadImage
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source

CANCEL_POLL_SECONDS = 0.1


@contextmanager
def closed_when(is_cancelled: Callable[[], bool], pool: ReaderPool) -> Iterator[None]:
    """End the readers as soon as the import is cancelled, so that a slow file does not delay the end."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(CANCEL_POLL_SECONDS):
            if is_cancelled():
                pool.close()
                return

    watcher = threading.Thread(target=watch, name="import-cancel", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def until_stopped(
    is_stopped: Callable[[], bool], replies: Iterator[tuple[Source, ReadImage | UserError]]
) -> Generator[tuple[Source, ReadImage | UserError], None, None]:
    """The same answers; the end of them when the readers were ended because the import was cancelled."""
    try:
        yield from replies
    except RuntimeError:
        if not is_stopped():
            raise
