"""From the start of the process to the first paint and to the first case on the screen, against a bare PySide6 window.

    QT_QPA_PLATFORM=offscreen python -m bench.startup [ROUNDS]

Every figure is of a process of its own; the kinds take turns. Coxa is started as a person starts it, through the
command line, and imports everything in its own order; its figures are noted by a listener that is connected when it has
imported Qt. `eager` is the same with everything imported first that Coxa imports later. Byte code is compiled
beforehand for all of them, as on any installation. Both the time on the clock and the processor time are given: the
latter hardly depends on what else the machine does. What counts as viewer ready is the first case of the project on
the screen, laid out, both images decoded and painted. All are later starts, for looking only: windows, thumbnails and
the index of the worklist are known. `writing` opens the project for writing; `new` does so with nothing known, and no
settings (the first start on a project that was just imported).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from app.cli.demo import make_demo

BARE = """
import json, sys, time
start = float(sys.argv[1])
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def event(self, event):
        result = super().event(event)
        if event.type() == QEvent.Type.Paint:
            print(json.dumps({"frame": [time.time() - start, time.process_time()]}), flush=True)
            QTimer.singleShot(0, app.quit)
        return result
app = QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
app.exec()
"""

COXA = """
import json, sys, time
start = float(sys.argv[1])
times = {}
def note(name):
    times.setdefault(name, [time.time() - start, time.process_time()])
def listen():
    from PySide6.QtWidgets import QApplication
    run = QApplication.exec
    def settled():
        window = QApplication.topLevelWidgets()[0].window()
        QApplication.sendPostedEvents()  # the panes are laid out, and painted
        window.repaint()
        note("case")
        times["torch"] = "torch" in sys.modules
        print(json.dumps(times), flush=True)
        QApplication.quit()
    def listening(*_):
        (window,) = (widget for widget in QApplication.topLevelWidgets() if hasattr(widget, "first_painted"))
        window.first_painted.connect(lambda: note("frame"))
        window.shell_painted.connect(lambda: note("shell"))
        window.settled.connect(settled)
        return run()
    QApplication.exec = listening
class Listener:
    def find_spec(self, name, path, target=None):
        if name == "app.ui.start_plan" and self in sys.meta_path:  # Coxa has imported Qt by then
            sys.meta_path.remove(self)
            listen()
sys.meta_path.insert(0, Listener())
if "eager" in sys.argv:
    import app.ui.start, app.ui.shell, app.ui.viewer, app.ui.project, pydicom
from app.cli.main import main
words = [] if "writing" in sys.argv else ["--read-only"]
main(["gui", "--project", sys.argv[2], *words, "--size", "1280x800"])
"""

WORDS = (
    ("bare", "frame", "bare PySide6 window, first paint"),
    ("coxa", "frame", "Coxa, first paint (frame)"),
    ("coxa", "shell", "Coxa, shell painted (menus, worklist)"),
    ("coxa", "case", "Coxa, first case on the screen"),
    ("writing", "case", "Coxa for writing, first case"),
    ("new", "case", "Coxa for the first time, first case"),
    ("eager", "frame", "Coxa with eager imports, first paint"),
)


KINDS = {"coxa": (), "writing": ("writing",), "new": ("writing",), "eager": ("eager",)}


def run(code: str, environment: dict[str, str], *words: str) -> dict[str, list[float]]:
    """One process; its times on the clock (since just before it was started) and of the processor, s."""
    launcher = (
        "import subprocess, sys, time;"
        "subprocess.run([sys.executable, '-c', sys.argv[1], str(time.time()), *sys.argv[2:]], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", launcher, code, *words], capture_output=True, text=True, check=True,
                          env=environment)  # fmt: skip
    result: dict[str, list[float]] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        make_demo(demo, studies=4)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "byte-code"),
            "XDG_CONFIG_HOME": str(Path(folder) / "config"),
            "XDG_DATA_HOME": str(Path(folder) / "data"),
            "XDG_STATE_HOME": str(Path(folder) / "state"),
        }
        found: dict[tuple[str, str], list[list[float]]] = {(kind, mark): [] for kind, mark, _ in WORDS}
        for number in range(rounds + 2):  # the first two compile, and keep windows and thumbnails
            for kind in ("bare", "coxa", "writing", "new", "eager"):
                if kind == "new":
                    for known in (
                        Path(folder) / "config",
                        Path(folder) / "data",
                        Path(folder) / "state",
                        demo / "cache",
                    ):
                        shutil.rmtree(known, ignore_errors=True)
                code, words = (BARE, ()) if kind == "bare" else (COXA, (str(demo), *KINDS[kind]))
                times = run(code, environment, *words)
                assert not times.pop("torch", False)
                for mark, pair in times.items():
                    if number >= 2 and (kind, mark) in found:
                        found[kind, mark].append(pair)
    base = [statistics.median(pair[which] for pair in found["bare", "frame"]) for which in (0, 1)]
    print(f"{rounds} rounds, load average {os.getloadavg()[0]:.1f}")
    for kind, mark, words in WORDS:
        parts = []
        for which, name in ((0, "clock"), (1, "processor")):
            values = [pair[which] * 1e3 for pair in found[kind, mark]]
            median = statistics.median(values)
            parts.append(f"{name} {median:6.0f} ms (min {min(values):5.0f}) {median / base[which] / 1e3:5.2f}×")
        print(f"{words:40}" + "   ".join(parts))


if __name__ == "__main__":
    main()
