"""Images are made ready while the network computes on those before them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")


class Ahead(Generic[S, T]):
    """Calls a function for some items in other threads, and gives the results in order.

    Args:
        make: the function; the same item must give the same result in any thread.
        items: what it is called with.
        threads: at a time.
        depth: results that may wait to be taken.
    """

    def __init__(self, make: Callable[[S], T], items: Iterable[S], *, threads: int = 1, depth: int = 2) -> None:
        self._make, self._items = make, items
        self._threads, self._depth = threads, max(depth, threads)
        self.waited_s = 0.0

    def __iter__(self) -> Iterator[T]:
        waiting: deque[Future[T]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="ahead") as pool:
            try:
                for item in self._items:
                    waiting.append(pool.submit(self._make, item))
                    if len(waiting) > self._depth:
                        yield self._take(waiting)
                while waiting:
                    yield self._take(waiting)
            finally:
                for future in waiting:
                    future.cancel()

    def _take(self, waiting: deque[Future[T]]) -> T:
        begun = time.perf_counter()
        result = waiting.popleft().result()
        self.waited_s += time.perf_counter() - begun
        return result
