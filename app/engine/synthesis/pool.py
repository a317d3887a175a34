"""Writing many synthetic studies, on one processor or on several."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from app.core.errors import UserError
from app.engine.synthesis.study import Series, write_case


def write_cases(series: Series, numbers: Sequence[int], folder: Path, *, jobs: int) -> Generator[int]:
    """Write studies; each is there whole or not at all, and its bytes do not depend on `jobs`.

    Args:
        series: what they belong to.
        numbers: 0-based numbers.
        folder: existing folder of the series.
        jobs: processes; 1 works in this one.

    Yields:
        the number of each study once it is written, in the order in which they finish.

    Raises:
        UserError: a worker ended, for want of memory for example.
    """
    workers = min(jobs, len(numbers))
    if workers <= 1:
        for number in numbers:
            write_case(series, number, folder)
            yield number
        return
    with worker_pool(workers) as pool:
        try:
            waiting = {pool.submit(write_case, series, number, folder): number for number in numbers}
            for future in as_completed(waiting):
                future.result()
                yield waiting[future]
        except BrokenProcessPool as error:
            raise UserError(
                "The work was interrupted.",
                reason="A process that made synthetic hips ended, perhaps for want of memory.",
                remedy="Run the command again, with fewer --jobs; finished studies are kept.",
                kind="worker-ended",
            ) from error


@contextlib.contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for long work of a command. Ctrl+C in a terminal reaches them too: they end at once and say nothing.

    Args:
        workers: how many.
    """
    # spawn: the caller may hold threads and locks, and a forked child would inherit them
    context = multiprocessing.get_context("spawn")
    is_main = threading.current_thread() is threading.main_thread()
    others = set(multiprocessing.active_children())
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None  # inherited until they have begun
    try:
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)
        for _ in range(workers):
            pool.submit(os.getpid)  # each starts a process
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    started = set(multiprocessing.active_children()) - others
    try:
        yield pool
    except BaseException:  # nobody waits for what they have begun
        for process in started:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """A worker must not outlive a command that was killed: the pool's own pipes would not tell it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
