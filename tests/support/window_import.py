"""A window that imports what is dropped on it, to be killed: says on standard output what it has promised.

`python -m tests.support.window_import PROJECT ARCHIVE` opens the real window without a screen, drops the archive, and
records a decision every 50 ms meanwhile. Lines: `stored N` (views that the window says are in) and `decided N`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QTimer

from tests.support.dropping import drop
from tests.support.window import application, open_window, wait_until

DECISION_MS = 50
FIELD = "note"


def main(project: Path, archive: Path) -> int:
    """Import until the end, or until the process is killed."""
    application()
    window = open_window(project)
    task, decided = window.importing.task, [0]
    task.stored.connect(lambda: print("stored", task.state.imported, flush=True))

    def decide() -> None:
        number = decided[0] + 1
        assert window.project is not None
        done = window.project.record(
            lambda store, author: store.events.append(target="case:test", field=FIELD, after=number, author=author)
        )
        assert done is not None
        decided[0] = number
        print("decided", number, flush=True)

    timer = QTimer(window, interval=DECISION_MS)
    timer.timeout.connect(decide)
    timer.start()
    print("ready", flush=True)
    drop(window, [archive])
    wait_until(lambda: bool(window.importing.reports), timeout_s=300)
    timer.stop()
    window.close()
    print("closed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
