"""The engine's process as the window sees it: started, greeted, listened to, and killed when it does not answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.core.engine_messages import EngineReply, EngineRequest, Hello

NOISE_LINES = 50
NOISE_LETTERS = 400  # of one line
WATCH_MS = 500
STANDSTILL_S = 60.0
SILENCE_S = 600.0  # also of a process that computes: loading torch on a very busy machine takes minutes
STEP_S = 0.02  # of processor time; a process that has used so much stands not still
KILL_WAIT_MS = 3000
LONGEST_LINE = 1 << 20  # bytes; no reply is nearly as long
_DECODER = msgspec.json.Decoder(EngineReply)
_ENCODER = msgspec.json.Encoder()


class EngineProcess(QObject):
    """One engine process at a time.

    Args:
        command: program and arguments.
        is_awaited: whether an answer to a job is awaited; a silence counts only then.

    Attributes:
        standstill_s: longest time without a word and without computing, while an answer is awaited.
        silence_s: longest time without a word, whatever it does.

    Signals:
        replied: an `EngineReply`.
        ended: the process is gone; a word that says how: `crashed`, `silent`, `exited`, `not-started`, `garbled`.
    """

    replied = Signal(object)
    ended = Signal(str)

    def __init__(self, command: Sequence[str], is_awaited: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command)
        self._is_awaited = is_awaited
        self.standstill_s, self.silence_s = STANDSTILL_S, SILENCE_S
        self._noise: deque[str] = deque(maxlen=NOISE_LINES)
        self._process: QProcess | None = None
        self._has_replied = False
        self._why = ""
        self._said_at = self._moved_at = self._used_s = 0.0
        self._watch = QTimer(self, interval=WATCH_MS)
        self._watch.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Its number; 0 while there is none."""
        return int(self._process.processId()) if self._process is not None else 0

    @property
    def is_owing(self) -> bool:
        """Whether an answer is awaited."""
        return self._process is not None and self._is_awaited()

    @property
    def standing_s(self) -> float:
        """How long it has neither said nor computed anything although an answer is awaited, s."""
        return time.monotonic() - self._moved_at if self.is_owing else 0.0

    @property
    def noise(self) -> tuple[str, ...]:
        """The last lines that libraries have written to standard error, of this process and those before it."""
        return tuple(self._noise)

    def start(self, hello: Hello) -> None:
        """Start and greet; does nothing while there is a process."""
        if self._process is not None:
            return
        process = self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("GOMP_SPINCOUNT", "0")
        environment.insert("PYTHONUNBUFFERED", "1")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_noise)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._has_replied, self._why = False, ""
        self._said_at = self._moved_at = time.monotonic()
        self._used_s = 0.0
        process.start(self._command[0], self._command[1:])
        self._watch.start()
        self.send(hello)

    def send(self, *requests: EngineRequest) -> None:
        """Send requests in one piece; nothing happens while there is no process."""
        if self._process is not None and requests:
            self._process.write(b"".join(_ENCODER.encode(request) + b"\n" for request in requests))

    def kill(self, why: str) -> None:
        """End the process at once; `ended` follows."""
        if self._process is not None:
            self._why = self._why or why
            self._process.kill()

    def stop(self) -> None:
        """End the process and wait until it is gone; nothing is reported."""
        process, self._process = self._process, None
        self._watch.stop()
        if process is not None:
            process.blockSignals(True)
            process.kill()  # it has nothing to lose: findings are written by the window
            process.waitForFinished(KILL_WAIT_MS)
            process.deleteLater()

    def _on_output(self) -> None:
        process = self._process
        while process is not None and process is self._process and process.canReadLine():
            line = process.readLine().data()
            self._said_at = self._moved_at = time.monotonic()
            self._has_replied = True
            try:
                reply: EngineReply = _DECODER.decode(line)
            except msgspec.DecodeError:
                self.kill("garbled")
                return
            self.replied.emit(reply)
        if process is not None and process is self._process and process.bytesAvailable() > LONGEST_LINE:
            self.kill("garbled")

    def _on_noise(self) -> None:
        if self._process is not None:
            said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
            self._noise.extend(line[:NOISE_LETTERS] for line in said.splitlines() if line.strip())

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._end("not-started")

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._on_output()  # what it said before it ended
        self._on_noise()
        is_exit = status is QProcess.ExitStatus.NormalExit and code == 1
        self._end(self._why or ("exited" if is_exit else "crashed"))

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        self._watch.stop()
        if process is not None:
            process.deleteLater()
            self.ended.emit(how)

    def _look(self) -> None:
        """Kill a process that stands still, or has been silent for very long, although an answer is awaited."""
        now = time.monotonic()
        if self._has_replied and not self._is_awaited():
            self._said_at = self._moved_at = now
            return
        used_s = self._processor_s()
        if used_s >= self._used_s + STEP_S:
            self._used_s, self._moved_at = used_s, now
        if now - self._moved_at > self.standstill_s or now - self._said_at > self.silence_s:
            self.kill("silent")

    def _processor_s(self) -> float:
        """Processor time that the process has used, s."""
        import psutil

        try:
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)
        except (psutil.Error, ValueError):
            return 0.0
