"""A loader of images whose timing a test decides: everything is slow until it is delivered, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from app.store.derived import DerivedCache
from app.ui.loader import ImageKey, LoadImage, PreparedImage, prepare


class ScriptedLoader(QObject):
    """Stands in for `ImageLoader`; the same promises, no threads.

    Signals:
        ready: as the loader's.
    """

    ready = Signal(object, object)

    def __init__(self, load: LoadImage, parent: QObject | None = None, *, derived: DerivedCache | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._at_hand: dict[ImageKey, PreparedImage] = {}
        self._made: dict[ImageKey, PreparedImage] = {}  # so that a long test decodes each image once
        self._on_the_way: list[ImageKey] = []
        self._is_closed = False

    def cached(self, key: ImageKey) -> PreparedImage | None:
        """The image if it has been delivered."""
        return self._at_hand.get(key)

    def want(self, keys: Iterable[ImageKey]) -> None:
        """Ask for images; what is on its way already still comes, as in the real loader."""
        self.ensure(keys)

    def ensure(self, keys: Iterable[ImageKey]) -> None:
        """Ask for more."""
        for key in keys:
            if key not in self._at_hand and key not in self._on_the_way:
                self._on_the_way.append(key)

    def look_ahead(self, keys: Iterable[ImageKey]) -> None:
        """Ask for what may be wanted."""
        self.ensure(keys)

    def close(self) -> None:
        """Nothing is reported any more."""
        self._is_closed = True
        self._on_the_way.clear()

    # --- what the test decides ---

    @property
    def waiting(self) -> int:
        """Number of images on their way."""
        return len(self._on_the_way)

    def deliver(self, choose: random.Random) -> None:
        """Let one image come, any of those on their way."""
        if self._on_the_way and not self._is_closed:
            key = self._on_the_way.pop(choose.randrange(len(self._on_the_way)))
            if key not in self._made:
                self._made[key] = prepare(key, self._load)
            self._at_hand[key] = self._made[key]
            self.ready.emit(key, self._at_hand[key])

    def drop(self, choose: random.Random) -> None:
        """Forget one image, any of those at hand: the cache was full."""
        if self._at_hand:
            del self._at_hand[choose.choice(list(self._at_hand))]
