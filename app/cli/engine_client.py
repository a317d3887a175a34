"""The engine's process for commands: the same program and messages as the window's, without Qt."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self

import msgspec

from app.core.engine_messages import EngineReply, EngineRequest, Hello

COMMAND = (sys.executable, "-P", "-m", "app", "engine")
NOISE_LINES = 50
SILENCE_S = 600.0  # on a very busy machine loading alone takes minutes
_DECODER = msgspec.json.Decoder(EngineReply)
_ENCODER = msgspec.json.Encoder()


class EngineEndedError(Exception):
    """The engine is gone, or did not answer and was ended."""


class EngineClient:
    """One engine process; use it with `with`.

    Args:
        hello: what is wished of it.
    """

    def __init__(self, hello: Hello) -> None:
        self._replies: queue.Queue[bytes] = queue.Queue()
        self.noise: deque[str] = deque(maxlen=NOISE_LINES)
        self._process = subprocess.Popen(  # this program itself
            list(COMMAND),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "GOMP_SPINCOUNT": "0"},
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        for stream, take in ((self._process.stdout, self._replies.put), (self._process.stderr, self._note)):
            threading.Thread(target=_pump, args=(stream, take), daemon=True).start()
        self.send(hello)

    def send(self, *requests: EngineRequest) -> None:
        """Send requests; an engine that is gone is noticed by `reply`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"".join(_ENCODER.encode(request) + b"\n" for request in requests))
            self._process.stdin.flush()

    def reply(self, limit_s: float = SILENCE_S) -> EngineReply:
        """The next reply.

        Raises:
            EngineEndedError: there will be none.
        """
        try:
            reply: EngineReply = _DECODER.decode(self._replies.get(timeout=limit_s))
            return reply
        except (queue.Empty, msgspec.DecodeError):
            self.close()
            raise EngineEndedError from None

    def close(self) -> None:
        """End it; it has nothing to lose."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]  # it was asked for

    def _note(self, line: bytes) -> None:
        if line.strip():
            self.noise.append(line.decode("utf-8", "replace").rstrip()[:400])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _pump(stream: IO[bytes], take: Callable[[bytes], None]) -> None:
    """Hand a stream over line by line; an empty line at its end is no reply."""
    with stream:
        for line in stream:
            take(line)
    take(b"")
