"""From the start of the process to the first paint, and to the first case on the screen, against a bare PySide6 window.

    QT_QPA_PLATFORM=offscreen python -m bench.startup [ROUNDS]

Every figure is of a process of its own; the three kinds take turns. `eager` is the same window with everything that
it imports later imported first.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from app.cli.demo import make_demo

BARE = """
import sys, time
start = float(sys.argv[1])
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def event(self, event):
        result = super().event(event)
        if event.type() == QEvent.Type.Paint:
            print('{"painted": %f}' % (time.time() - start), flush=True)
            QTimer.singleShot(0, app.quit)
        return result
app = QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
app.exec()
"""

COXA = """
import sys, time
start = float(sys.argv[1])
if "eager" in sys.argv:
    import app.ui.viewer, app.ui.project, pydicom
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.ui import theme
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
qt = QApplication([])
theme.apply(qt)
window = MainWindow(Start(project=Path(sys.argv[2]), is_read_only=True, demo=Path("none"), demo_command=("none",),
                          is_demo_ready=lambda: False))
times = {}
def settled():
    window.repaint()
    times["case"] = time.time() - start
    times["torch"] = "torch" in sys.modules
    import json
    print(json.dumps(times), flush=True)
    qt.quit()
window.first_painted.connect(lambda: times.setdefault("painted", time.time() - start))
window.settled.connect(settled)
window.resize(1280, 800)
window.show()
qt.exec()
window.close()
"""


def run(code: str, *words: str) -> dict[str, float]:
    """One process; its times in seconds since just before it was started."""
    launcher = (
        "import subprocess, sys, time;"
        "subprocess.run([sys.executable, '-c', sys.argv[1], str(time.time()), *sys.argv[2:]], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", launcher, code, *words], capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        make_demo(demo, studies=4)
        found: dict[str, list[float]] = {"bare": [], "shell": [], "case": [], "eager": []}
        for _ in range(rounds):
            found["bare"].append(run(BARE)["painted"])
            coxa = run(COXA, str(demo))
            assert not coxa["torch"]
            found["shell"].append(coxa["painted"])
            found["case"].append(coxa["case"])
            found["eager"].append(run(COXA, str(demo), "eager")["painted"])
    medians = {name: statistics.median(values) * 1e3 for name, values in found.items()}
    for name, words in (
        ("bare", "bare PySide6 window, first paint"), ("shell", "Coxa, first paint"),
        ("case", "Coxa, first case on the screen"), ("eager", "Coxa with eager imports, first paint"),
    ):  # fmt: skip
        print(f"{words:38} median {medians[name]:7.0f} ms  min {min(found[name]) * 1e3:7.0f} ms  "
              f"{medians[name] / medians['bare']:.2f}× bare")  # fmt: skip


if __name__ == "__main__":
    main()
