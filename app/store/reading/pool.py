"""The parent's side of reading foreign files: worker processes that may die, and answers that always come."""

from __future__ import annotations

import contextlib
import queue
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np

from app.core.errors import UserError
from app.core.grey import StoredImage
from app.core.messages import ReadFailed, ReadImage, ReadReply, ReadRequest
from app.store.reading.process import WorkerProcess
from app.store.reading.sources import Source

_LOOK_AHEAD = 3  # requests in flight and images waiting on disk, for each worker


class ReaderPool:
    """Reads foreign files in worker processes with limits on memory and time.

    Thread-safe. A worker that hangs, crashes or runs out of memory costs one sentence and is replaced.

    Args:
        scratch: folder for decoded images on their way; the pool makes its own folder in it and removes that again.
        workers: number of processes.
        memory_bytes: address space of a worker.
        timeout_s: wall time that one file may take.
        is_background: the processes give way to whoever else wants to compute.
    """

    def __init__(
        self,
        *,
        scratch: Path,
        workers: int = 2,
        memory_bytes: int = 2 << 30,
        timeout_s: float = 10.0,
        is_background: bool = False,
    ) -> None:
        if workers < 1:
            raise ValueError("a pool has at least one worker")
        scratch.mkdir(parents=True, exist_ok=True)
        self._folder = scratch / f"reading-{secrets.token_hex(8)}"
        self._folder.mkdir(mode=0o700)
        self._workers = workers
        # Processes are started by one thread that lives as long as the pool: Linux ends a child that asked for it
        # when the *thread* that started it ends, not the process.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="reader-starter")
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="reader")
        self._processes = [
            WorkerProcess(
                self._starter,
                self._folder,
                memory_bytes=memory_bytes,
                timeout_s=timeout_s,
                is_background=is_background,
            )
            for _ in range(workers)
        ]
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._lock = threading.Lock()
        self._next_job = 0
        self._is_closed = False

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and remove what is left in the scratch folder."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        for process in self._processes:
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.close()
        self._starter.shutdown(wait=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def processes(self) -> tuple[WorkerProcess, ...]:
        """The workers, for reports and tests."""
        return tuple(self._processes)

    def read(self, source: Source, *, frame: int | None = None) -> ReadImage:
        """Read one image.

        Args:
            source: the file.
            frame: frame index of a multi-frame object; None refuses those.

        Raises:
            UserError: it was refused, with the reason.
        """
        return _image_or_error(self._run(self._request(source, frame, is_header_only=False)))

    def read_header(self, source: Source) -> ReadImage:
        """Read what a file says about itself, without its pixels.

        Raises:
            UserError: it was refused, with the reason.
        """
        return _image_or_error(self._run(self._request(source, None, is_header_only=True)))

    def read_many(
        self, sources: Iterable[Source], *, frame: int | None = None, is_header_only: bool = False
    ) -> Iterator[tuple[Source, ReadImage | UserError]]:
        """Read many files side by side, and give the answers in their order.

        The look-ahead is bounded, so that neither answers nor images pile up. Images that are not fetched with `pixels`
        are removed when the pool is closed, or with `discard`.
        """
        pending: deque[tuple[Source, Future[ReadReply]]] = deque()
        upcoming = iter(sources)
        is_exhausted = False
        try:
            while True:
                while not is_exhausted and len(pending) < self._workers * _LOOK_AHEAD:
                    source = next(upcoming, None)
                    if source is None:
                        is_exhausted = True
                        break
                    request = self._request(source, frame, is_header_only=is_header_only)
                    pending.append((source, self._threads.submit(self._run, request)))
                if not pending:
                    return
                source, future = pending.popleft()
                reply = future.result()
                yield source, reply if isinstance(reply, ReadImage) else _to_error(reply)
        finally:  # the caller stopped early
            for _, future in pending:
                if not future.cancel():
                    with contextlib.suppress(Exception):
                        self._output(future.result().job).unlink(missing_ok=True)

    def pixels(self, image: ReadImage) -> StoredImage:
        """The stored values of an image that was read; they can be fetched once.

        Raises:
            UserError: they were fetched before, or the pool's scratch folder has been tampered with.
        """
        path = self._output(image.job)
        try:
            values = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(
                "The decoded image is no longer there.", remedy="Read the file again.", kind="missing"
            ) from error
        finally:
            path.unlink(missing_ok=True)
        if values.dtype != np.uint16 or values.shape != (image.rows, image.cols):
            raise UserError("The decoded image does not fit its description.", kind="unreadable")
        return StoredImage(pixels=values, offset=image.offset)

    def discard(self, image: ReadImage) -> None:
        """Remove the stored values of an image that is not wanted."""
        self._output(image.job).unlink(missing_ok=True)

    def _request(self, source: Source, frame: int | None, *, is_header_only: bool) -> ReadRequest:
        with self._lock:
            job = self._next_job
            self._next_job += 1
        return ReadRequest(
            job=job,
            path=str(source.path.absolute()),
            member=source.member,
            frame=frame,
            output=str(self._output(job)),
            is_header_only=is_header_only,
        )

    def _run(self, request: ReadRequest) -> ReadReply:
        process = self._idle.get()
        try:
            if self._is_closed:
                raise RuntimeError("the pool is closed")
            reply = process.ask(request)
        finally:
            self._idle.put(process)
        if isinstance(reply, ReadFailed):
            self._output(request.job).unlink(missing_ok=True)
        return reply

    def _output(self, job: int) -> Path:
        return self._folder / f"{job}.npy"


def _image_or_error(reply: ReadReply) -> ReadImage:
    if isinstance(reply, ReadFailed):
        raise _to_error(reply)
    return reply


def _to_error(reply: ReadFailed) -> UserError:
    return UserError(reply.title, reason=reply.reason, remedy=reply.remedy, kind=reply.kind)
