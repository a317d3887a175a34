"""Draw the window again for the documentation: only synthetic hips, the same size, the same states.

    QT_QPA_PLATFORM=offscreen PYTHONPATH=. python packaging/screenshots.py DEMO [--many PROJECT] [--only NAME …]

DEMO is a demo project (`coxa demo --out DEMO`); it is copied, so that nothing in it changes. `--many` is one of many
cases (`python -m tests.support.many_cases PROJECT 100000 DEMO`). Pictures are made smaller by `pngquant` where it is
installed. The picture at 200 % is made by a process of its own, since Qt reads the scale once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui import theme
from app.ui.language import use_language
from app.ui.main_window import MainWindow
from tests.support.annotating_window import click
from tests.support.dicom_files import write_dicom
from tests.support.dropping import drop
from tests.support.window import application, open_window, wait, wait_until

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
COLOURS = "160"


def press(window: MainWindow, keys: str) -> None:
    """Press keys where the keyboard is, and wait for what follows."""
    QTest.keySequence(QApplication.focusWidget() or window, QKeySequence(keys))
    settle(window)


def settle(window: MainWindow) -> None:
    """Wait until images and small radiographs are there."""
    wait(100)
    viewer = window.viewer
    assert viewer is not None
    wait_until(lambda: viewer.is_settled or viewer.content is None)
    wait(1500)


def choose(window: MainWindow, *commands: str) -> None:
    """Run commands."""
    for name in commands:
        window.actions_by_id[name].trigger()
        settle(window)


def demo(window: MainWindow) -> None:
    """The demo project as it opens."""
    settle(window)


def light(window: MainWindow) -> None:
    """Light colours."""
    choose(window, "theme:light", "next")


def german(window: MainWindow) -> None:
    """In German, with a question."""
    choose(window, "language:de", "next_question")


def resolve(window: MainWindow) -> None:
    """Views of which the files say nothing."""
    choose(window, "next_question", "confirm", "same_answer")


def palette(window: MainWindow) -> None:
    """The command palette."""
    settle(window)
    choose(window, "palette")
    QTest.keyClicks(QApplication.focusWidget(), "mir")
    wait(200)


def annotate(window: MainWindow) -> None:
    """Two clicks, the aligned crop and the label form."""
    choose(window, "show_labels", "align")
    assert window.viewer is not None
    pane = window.viewer.active_pane
    for share_x, share_y in ((0.42, 0.47), (0.33, 0.9)):
        assert pane.item.pyramid is not None
        click(pane, (pane.item.pyramid.cols * share_x, pane.item.pyramid.rows * share_y))
    choose(window, "pan")
    press(window, "1")


def shortcuts(window: MainWindow) -> None:
    """The shortcut sheet."""
    settle(window)
    choose(window, "shortcut_sheet")


def report(window: MainWindow) -> None:
    """An import in which some files were refused."""
    settle(window)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, position in enumerate(("AP", "LL")):
            write_dicom(folder / f"IM{number}.dcm", patient="1", study=1, instance=number, ViewPosition=position,
                        ImageLaterality="L")  # fmt: skip
        (folder / "letter.txt").write_text("no image")
        (folder / "cut.dcm").write_bytes((folder / "IM0.dcm").read_bytes()[:600])
        drop(window, [folder])
        wait_until(lambda: len(window.importing.reports) == 1 and not window.importing.is_running)
    wait(300)
    choose(window, "show_report")


PICTURES: dict[str, Callable[[MainWindow], None]] = {
    "demo": demo,
    "light": light,
    "german": german,
    "resolve": resolve,
    "annotate": annotate,
    "palette": palette,
    "shortcuts": shortcuts,
    "import-report": report,
    "worklist-100k": demo,
    "scale-200": demo,
    "start": lambda window: wait(300),
}


def shoot(name: str, project: Path | None, size: tuple[int, int]) -> None:
    """Draw one picture, dark and in English at first."""
    app = application()
    theme.apply(app, "dark")
    use_language(app, "en")
    window = open_window(project, size=size)
    PICTURES[name](window)
    top = next((widget for widget in QApplication.topLevelWidgets()
                if widget is not window and widget.isVisible() and widget.isWindow() and widget.height() > 300),
               window)  # fmt: skip
    path = FOLDER / f"{name}.png"
    top.grab().save(str(path), "PNG")
    for widget in QApplication.topLevelWidgets():
        widget.close()
    window.deleteLater()
    wait(100)
    if quantise := shutil.which("pngquant"):
        subprocess.run([quantise, "--force", "--skip-if-larger", "--ext", ".png", COLOURS, str(path)], check=False)


def main() -> None:
    """Draw the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("demo", type=Path)
    parser.add_argument("--many", type=Path)
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES))
    args = parser.parse_args()
    if args.only != ["scale-200"] and "scale-200" in args.only:
        command = [sys.executable, __file__, str(args.demo), "--only", "scale-200"]
        subprocess.run(command, env=os.environ | {"QT_SCALE_FACTOR": "2"}, check=True)
    application()
    FOLDER.mkdir(exist_ok=True)
    for name in args.only:
        if name == "worklist-100k":
            if args.many is not None:
                shoot(name, args.many, (1920, 1080))
        elif name == "start":
            shoot(name, None, (1280, 800))
        elif name != "scale-200" or args.only == ["scale-200"]:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "Demo"
                shutil.copytree(args.demo, copy)
                shoot(name, copy, (960, 600) if name == "scale-200" else (1280, 800))


if __name__ == "__main__":
    main()
