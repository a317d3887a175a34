"""The engine: a process that reads requests from its standard input and writes replies to its standard output.

One thread reads, so that a cancellation or a more urgent case is known at once; the main thread computes. When the
standard input ends, the window is gone and so is the engine.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO

import msgspec

from app.core.engine_messages import (
    ENGINE_PROTOCOL,
    Cancel,
    Cancelled,
    EngineReply,
    EngineRequest,
    Failed,
    Hello,
    Locate,
    Predict,
    Unload,
)
from app.core.errors import UserError
from app.engine.queue import JobQueue
from app.engine.replies import refusal

IDLE_S = 600.0  # after so long without work all memory is given back
_DECODER = msgspec.json.Decoder(EngineRequest)
_ENCODER = msgspec.json.Encoder()


class Replies:
    """Writes replies, one a line; both threads may."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, reply: EngineReply) -> None:
        """Write one reply. A window that is gone ends the process."""
        with self._lock:
            try:
                self._stream.write(_ENCODER.encode(reply) + b"\n")
                self._stream.flush()
            except OSError:
                os._exit(0)


def main() -> int:
    """Serve until the standard input ends, then end the process."""
    code = _serve()
    # the reading thread may be waiting inside the standard input, which an orderly end would wait for
    sys.stderr.flush()
    os._exit(code)


def _serve() -> int:
    replies = Replies(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    # before torch is imported: waiting threads must not burn a core (performance.md §0.3)
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    from app.store.reading.limits import die_with_parent

    die_with_parent()
    queue = JobQueue()
    first = sys.stdin.buffer.readline()
    hello = _decoded(first, replies)
    if not isinstance(hello, Hello):
        if hello is not None:
            replies.send(Failed(job=-1, kind="protocol", title="The engine was not greeted."))
        return 1
    if hello.protocol != ENGINE_PROTOCOL:
        replies.send(
            Failed(
                job=-1,
                kind="protocol",
                title="The engine and the window are of different versions.",
                remedy="Install Coxa again.",
            )
        )
        return 1
    threading.Thread(target=_read, args=(sys.stdin.buffer, queue, replies), daemon=True).start()
    try:
        from app.engine.predictor import Predictor

        predictor = Predictor(hello, replies.send)
    except UserError as error:
        replies.send(refusal(-1, error))
        return 1
    except ImportError as error:
        replies.send(
            Failed(
                job=-1,
                kind="no-engine",
                title="The AI engine is not installed.",
                reason=f"{error.name or 'a package'} is missing.",
                remedy="Run the set-up again, without --review-only.",
            )
        )
        return 1
    replies.send(predictor.ready)
    while not queue.is_closed:
        jobs = queue.take(predictor.batch, idle_s=IDLE_S)
        if queue.was_asked_to_unload():
            predictor.unload()
        if jobs:
            predictor.answer(jobs)
    return 0


def _read(stream: BinaryIO, queue: JobQueue, replies: Replies) -> None:
    for line in stream:
        request = _decoded(line, replies)
        match request:
            case Predict() | Locate():
                queue.put(request)
            case Cancel():
                for job in queue.forget(request.jobs):
                    replies.send(Cancelled(job=job))
            case Unload():
                queue.ask_to_unload()
            case Hello():
                replies.send(Failed(job=-1, kind="protocol", title="The engine was greeted twice."))
    queue.close()


def _decoded(line: bytes, replies: Replies) -> EngineRequest | None:
    try:
        request: EngineRequest = _DECODER.decode(line)
    except msgspec.DecodeError as error:
        replies.send(Failed(job=-1, kind="protocol", title="A request was not understood.", reason=f"{error}."))
        return None
    return request
