"""What the process of the window loads and how it treats Python's own objects, after real work in the real window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.window import make_project

ROOT = Path(__file__).resolve().parents[2]
TORCH = {"torch", "torchvision", "timm", "pytorch_grad_cam", "openvino", "onnxruntime"}
CASES = 10
SCRIPT = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from tests.support.window import application, open_window, wait, wait_until

application()
window = open_window(Path(sys.argv[1]))
viewer = window.viewer
seen = {window.selection.on_screen}
for _ in range(int(sys.argv[2]) - 1):
    window.actions_by_id["next"].trigger()
    wait_until(lambda: viewer.is_settled)
    seen.add(window.selection.on_screen)
pane = viewer.places[0].pane
def pan(times):
    for number in range(times):
        pane.pan_by(3.0 if number % 2 else -3.0, 1.0 if number % 2 else -1.0)
        if number % 4 == 0:
            window.actions_by_id["invert"].trigger()
        viewer.active_changed.emit()
        if number % 20 == 0:
            wait(0)
pan(100)
before = sys.getrefcount(True), sys.getrefcount(False), sys.getrefcount(None)
pan(1000)
after = sys.getrefcount(True), sys.getrefcount(False), sys.getrefcount(None)
print(json.dumps({
    "seen": len(seen),
    "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
    "drift": [new - old for new, old in zip(after, before)],
}))
window.close()
"""
SHELL = """
import json, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.ui import theme
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
qt = QApplication([])
theme.apply(qt)
window = MainWindow(Start(demo=Path("none"), demo_command=("none",), is_demo_ready=lambda: False))
def told():
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), flush=True)
    qt.quit()
window.shell_painted.connect(told)
window.show()
qt.exec()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process says that went through ten cases and panned a thousand times."""
    project = make_project(tmp_path_factory.mktemp("process") / "p", cases=CASES)
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(project), str(CASES)], capture_output=True, cwd=ROOT,
                          encoding="utf-8", timeout=240, env=environment, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["seen"] == CASES
    return found


def test_ten_cases_later_the_window_still_knows_nothing_of_networks(told: dict[str, Any]) -> None:
    assert not TORCH & set(map(str, told["loaded"]))
    assert "pyqtgraph" in told["loaded"]
    assert not {"pandas", "pyarrow", "cuda"} & set(told["loaded"])  # libraries would import them where they are


def test_what_shows_images_is_imported_after_the_shell_is_painted() -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SHELL], capture_output=True, cwd=ROOT, encoding="utf-8",
                          timeout=60, env=environment, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    early = set(json.loads(done.stdout.splitlines()[-1]))
    assert "PySide6" in early
    assert not early & {*TORCH, "numpy", "cv2", "pyqtgraph", "pydicom", "msgspec", "sqlite3", "sqlite_utils"}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True, False and None are immortal from Python 3.12 on")
def test_a_thousand_pans_and_signals_keep_the_count_of_true_false_and_none(told: dict[str, Any]) -> None:
    """PySide6 6.12.0 drops one reference to True at every emit; a loop of pans ends Python 3.11 with `bool_dealloc`."""
    true, false, none = told["drift"]
    assert abs(true) < 200
    assert abs(false) < 200
    # a repaint after a change of tones leaves a dozen references to None behind (PySide 6.11, cause not found): what
    # ends the process is a count that falls
    assert none > -200
