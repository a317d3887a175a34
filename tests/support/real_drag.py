"""A drag by the real window system: `python -m tests.support.real_drag PROJECT FOLDER`, on an X server with xdotool.

A small window beside Coxa's starts the drag; xdotool moves the mouse. Prints `veil` when the veil was seen, and the
sentence of the banner.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QLabel

from tests.support.dropping import files
from tests.support.window import application, open_window, wait, wait_until

MOVES = (
    "sleep 0.5; xdotool mousemove 100 100 mousedown 1; sleep 0.3; xdotool mousemove 150 150; sleep 0.3; "
    "xdotool mousemove 400 300; sleep 0.3; xdotool mousemove 420 320; sleep 0.5; xdotool mousemove 700 400; "
    "sleep 0.5; xdotool mouseup 1"
)


class Source(QLabel):
    """Something that can be dragged: a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__("drag me")
        self._folder = folder

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start the drag."""
        drag = QDrag(self)
        drag.setMimeData(files([self._folder]))
        drag.exec(Qt.DropAction.CopyAction)


def main(project: Path, folder: Path) -> int:
    """Drag the folder over the window and let go."""
    application()
    window = open_window(project, size=(1000, 700))
    window.move(300, 0)
    source = Source(folder)
    source.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    source.setGeometry(0, 0, 200, 200)
    source.show()
    wait(300)
    seen: list[str] = []
    timer = QTimer(window, interval=30)
    overlay = window.importing.drop_area.overlay
    timer.timeout.connect(lambda: seen.append(overlay.offer.title) if overlay.isVisible() else None)
    timer.start()
    mover = subprocess.Popen(["bash", "-c", MOVES])
    wait_until(lambda: bool(window.importing.reports), timeout_s=60)
    mover.wait()
    timer.stop()
    print("veil", *sorted(set(seen)))
    print(window.banners.texts["import"])
    source.close()
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
