"""Making the demo project in a process of its own, so that the window stays alive meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, Signal

from app.core.errors import UserError

PATIENCE_MS = 3000
PROGRESS = "progress"  # first word of a line that tells how far the command is


class DemoTask(QObject):
    """Runs the command that makes the demo project.

    Args:
        command: program and arguments.

    Signals:
        progressed: steps done, steps in all, what is being done.
        finished: the project is there.
        failed: a UserError why it is not.
    """

    progressed = Signal(int, int, str)
    finished = Signal()
    failed = Signal(object)

    def __init__(self, command: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command)
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    @property
    def is_running(self) -> bool:
        """Whether it is at work."""
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def start(self) -> None:
        """Start; does nothing while it is at work."""
        if not self.is_running:
            self._process.start(self._command[0], self._command[1:])

    def stop(self) -> None:
        """End the process, politely first. What it made so far is thrown away by the next run."""
        was_blocked = self._process.blockSignals(True)
        if self.is_running:
            self._process.terminate()
            if not self._process.waitForFinished(PATIENCE_MS):
                self._process.kill()
                self._process.waitForFinished(PATIENCE_MS)
        self._process.blockSignals(was_blocked)

    def _on_output(self) -> None:
        while self._process.canReadLine():
            words = bytes(self._process.readLine().data()).decode("utf-8", "replace").split(maxsplit=3)
            if len(words) == 4 and words[0] == PROGRESS and words[1].isdigit() and words[2].isdigit():
                self.progressed.emit(int(words[1]), int(words[2]), words[3].strip())

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if status is QProcess.ExitStatus.NormalExit and code == 0:
            self.finished.emit()
            return
        said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
        reason = said[-1].removeprefix("coxa: ") if said and code == 3 else f"The program ended with code {code}."
        self.failed.emit(
            UserError(
                "The demo project could not be made.",
                reason=reason,
                remedy="Free some disk space and try again, or open a project of your own.",
                kind="demo-failed",
            )
        )

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.failed.emit(
                UserError(
                    "The demo project could not be made.",
                    reason="The program that makes it did not start.",
                    remedy="Set Coxa up again, or open a project of your own.",
                    kind="demo-failed",
                )
            )
