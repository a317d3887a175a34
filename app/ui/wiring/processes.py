"""Commands of Coxa as processes beside the window, for what needs torch or takes long."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QProcess

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

PROGRAM = ("-P", "-m", "app")  # -P: a folder of the user's must not be searched for modules
PATIENCE_MS = 1000


def coxa_process(window: MainWindow, words: list[str]) -> QProcess:
    """A command of Coxa, not started yet."""
    process = QProcess(window)
    process.setProgram(sys.executable)
    process.setArguments([*PROGRAM, *words])
    return process


def end_process(process: QProcess | None) -> None:
    """End a command; nothing of it is heard any more."""
    if process is not None and process.state() is not QProcess.ProcessState.NotRunning:
        process.blockSignals(True)
        process.kill()
        process.waitForFinished(PATIENCE_MS)


def document_of(process: QProcess) -> dict[str, Any] | None:
    """What a command has printed as JSON; None where it failed."""
    if process.exitStatus() is not QProcess.ExitStatus.NormalExit or process.exitCode() != 0:
        return None
    try:
        found = json.loads(bytes(process.readAllStandardOutput().data()))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def names_of(window: MainWindow, case_ids: list[str]) -> dict[str, str]:
    """Those of some cases that are still in the project; they are called by their ids, which name nobody."""
    project = window.project
    if project is None or not project.is_open or not case_ids:
        return {}
    marks = ", ".join("?" * len(case_ids))
    rows = project.look().database.rows(f'SELECT id FROM "case" WHERE id IN ({marks})', tuple(case_ids))  # noqa: S608
    return {str(row[0]): str(row[0]) for row in rows}
