"""One worker process: started when needed, asked, watched, replaced."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psutil

import app
from app.core.messages import ReadFailed, ReadReply, ReadRequest
from app.store.reading.limits import HAS_ADDRESS_LIMIT, resident_bytes
from app.store.reading.worker import OUT_OF_MEMORY_EXIT, READY

_START_TIMEOUT_S = 60.0
_EXIT_TIMEOUT_S = 5.0
_WATCH_INTERVAL_S = 0.1
_MAX_JOBS = 1000  # a worker is replaced now and then, whatever its libraries may have left behind
_CHECK_EVERY = 50  # jobs between two looks at its memory
_MAX_REPLY_BYTES = 16 << 20
_BACKGROUND_PRIORITY = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 10)

# Isolated: neither the working directory nor environment variables decide what is imported.
_BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from app.store.reading.worker import main; sys.exit(main(sys.argv[1:]))"
)
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")
_QUIET_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # every thread of it reserves address space
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
}


class WorkerProcess:
    """A worker process and everything that may happen to it. Used by one thread at a time, except `kill`.

    Args:
        starter: the thread that starts processes; it must outlive them.
        folder: working directory of the process.
        memory_bytes: address space, or resident memory where the system does not limit the former.
        timeout_s: wall time of one job.
        is_background: it gives way to whoever else wants to compute.
    """

    def __init__(
        self,
        starter: ThreadPoolExecutor,
        folder: Path,
        *,
        memory_bytes: int,
        timeout_s: float,
        is_background: bool = False,
    ) -> None:
        self._is_background = is_background
        self._starter = starter
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._jobs = 0
        self.starts = 0  # how often a process had to be started
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(ReadReply)

    def ask(self, request: ReadRequest) -> ReadReply:
        """Have one file read. Whatever happens to the process, there is a reply."""
        process = self._process
        if process is None or process.poll() is not None or self._is_worn_out(process):
            self.close()
            process = self._start()
            if process is None:
                return _failed(
                    request, "The reader cannot be started.", "The system does not let it start.", "no-reader"
                )
        self._jobs += 1
        try:
            line = self._encoder.encode(request)
        except UnicodeEncodeError:  # bytes of an older system's alphabet in the name
            return ReadFailed(
                job=request.job,
                title="The file's name cannot be read.",
                reason="It, or the name of a folder above it, has letters that are not valid here.",
                remedy="Rename it.",
                kind="bad-name",
            )
        try:
            if process.stdin is None:
                raise BrokenPipeError
            process.stdin.write(line + b"\n")
            process.stdin.flush()
        except OSError:
            return self._obituary(request, process)
        deadline = time.monotonic() + self._timeout_s
        while True:
            rest_s = deadline - time.monotonic()
            if rest_s <= 0:
                self.close()
                return _failed(
                    request,
                    "The file takes too long to read.",
                    f"Reading was stopped after {self._timeout_s:g} seconds.",
                    "timeout",
                )
            try:
                line = self._lines.get(timeout=rest_s if HAS_ADDRESS_LIMIT else min(rest_s, _WATCH_INTERVAL_S))
            except queue.Empty:
                if not HAS_ADDRESS_LIMIT and resident_bytes(process.pid) > self._memory_bytes:
                    self.close()
                    return _out_of_memory(request, self._memory_bytes)
                continue
            if not line:
                return self._obituary(request, process)
            with contextlib.suppress(msgspec.MsgspecError):
                reply: ReadReply = self._decoder.decode(line)
                if reply.job == request.job:
                    return reply
            self.close()
            return _failed(request, "The file cannot be read.", "The reader gave an answer without sense.", "crashed")

    def kill(self) -> None:
        """End the process at once. May be called from any thread."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def close(self) -> None:
        """End the process and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_EXIT_TIMEOUT_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start a process and wait until it is ready; None when it does not get ready."""
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        try:
            process = self._starter.submit(self._spawn).result()
        except (OSError, RuntimeError):
            return None
        self._process, self._lines, self._jobs = process, lines, 0
        self.starts += 1
        threading.Thread(target=_pump, args=(process, lines), name="reader-replies", daemon=True).start()
        try:
            is_ready = lines.get(timeout=_START_TIMEOUT_S) == READY
        except queue.Empty:
            is_ready = False
        if not is_ready:
            self.close()
            return None
        return process

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-c",
                _BOOT,
                str(Path(app.__file__).resolve().parents[1]),
                str(self._memory_bytes),
                str(self._timeout_s),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries quote the values they stumble over, which identify patients
            cwd=self._folder,
            env=environment | _QUIET_ENVIRONMENT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        if self._is_background:
            with contextlib.suppress(psutil.Error, OSError):
                psutil.Process(process.pid).nice(_BACKGROUND_PRIORITY)
        return process

    def _is_worn_out(self, process: subprocess.Popen[bytes]) -> bool:
        if self._jobs >= _MAX_JOBS:
            return True
        return self._jobs % _CHECK_EVERY == _CHECK_EVERY - 1 and resident_bytes(process.pid) > self._memory_bytes // 2

    def _obituary(self, request: ReadRequest, process: subprocess.Popen[bytes]) -> ReadFailed:
        """The sentence for a process that ended while it was reading."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_EXIT_TIMEOUT_S)
        code = process.returncode
        self.close()
        if code == OUT_OF_MEMORY_EXIT:
            return _out_of_memory(request, self._memory_bytes)
        return _failed(
            request,
            "The file cannot be read.",
            "The decoder crashed on it; it is damaged or was made to do harm.",
            "crashed",
        )


def _pump(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass the lines of a process on; an empty one when it has ended."""
    stream = process.stdout
    try:
        while stream is not None and (line := stream.readline(_MAX_REPLY_BYTES)):
            lines.put(line)
    except (OSError, ValueError):
        pass  # closed while reading
    lines.put(b"")


def _failed(request: ReadRequest, title: str, reason: str, kind: str) -> ReadFailed:
    remedy = "Export the image again from where it came from." if kind != "no-reader" else "Restart Coxa."
    return ReadFailed(job=request.job, title=title, reason=reason, remedy=remedy, kind=kind)


def _out_of_memory(request: ReadRequest, memory_bytes: int) -> ReadFailed:
    return _failed(
        request,
        "The image needs more memory than a radiograph may.",
        f"Reading was stopped at {memory_bytes / (1 << 30):g} GB.",
        "memory",
    )
