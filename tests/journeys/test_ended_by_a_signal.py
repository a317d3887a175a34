"""Ctrl+C in the terminal and a log-out close the window as if by hand: what is being typed is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.store.annotations import Annotations
from app.store.project import ProjectStore
from tests.support.window import make_project

SCRIPT = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from app.ui import start
from app.ui.label_field import LineBox
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
dialogs = []
def type_remark(window):
    window.finish()
    if sys.argv[2] != "question":
        window.project.confirm_author("tester")
    window.labelling.open()
    line, = window.labelling.form.findChildren(LineBox)
    line.setFocus()
    QTest.keyClicks(line, "not yet finished")
    if sys.argv[2] == "dialog":
        QTimer.singleShot(0, window, lambda: (dialogs.append(QMessageBox(window)), dialogs[0].exec()))
    if sys.argv[2] == "question":
        window.close()
        assert window.leaving.question is not None
    QTimer.singleShot(100, window, lambda: print("ready", flush=True))
made = start.MainWindow
def make(plan):
    window = made(plan)
    window.settled.connect(lambda: QTimer.singleShot(300, window, lambda: type_remark(window)))
    return window
start.MainWindow = make
plan = Start(
    project=Path(sys.argv[1]), demo=Path("nowhere"), demo_command=("nothing",), is_demo_ready=lambda: False,
    author="tester",
)
code = start.run_window(plan, start.Automation())
print("left", code, flush=True)
sys.exit(code)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows sends no signals")
@pytest.mark.parametrize(
    ("name", "state"), [("SIGINT", "plain"), ("SIGTERM", "dialog"), ("SIGHUP", "plain"), ("SIGTERM", "question")]
)
def test_a_signal_closes_the_window_and_keeps_what_is_being_typed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, state: str
) -> None:
    path = make_project(tmp_path / "project", cases=2)
    number = getattr(signal, name)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path), state],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()
    process.send_signal(number)
    said, complaints = process.communicate(timeout=60)
    assert (process.returncode, said) == (128 + number, f"left {128 + number}\n"), complaints
    assert "Traceback" not in complaints
    with ProjectStore.open(path) as store:
        labels = [Annotations(store).labels(case.id, "tester") for case in store.cases.all()]
    assert ({"remarks": "not yet finished"} in labels) == (state != "question")  # nobody said whose it is
    assert "not closed properly" not in caplog.text


STARTED = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: (time.sleep(1), print("stored", flush=True), sys.exit(130)))
print("ready", flush=True)
time.sleep(60)
"""
STARTS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
sys.path.insert(0, sys.argv[2])
import bootstrap
sys.exit(bootstrap.wait_for([sys.executable, "-c", sys.argv[1]]))
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows sends no signals")
def test_ctrl_c_leaves_the_window_the_time_to_close() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS, STARTED, "packaging"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == "ready\n"
    os.killpg(starter.pid, signal.SIGINT)  # as a terminal does
    said, _ = starter.communicate(timeout=30)
    assert (starter.returncode, said) == (130, "stored\n")
