"""Starts the window: the application, its looks, and what documentation and tests need."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QApplication

from app.core.errors import UserError
from app.core.record import record
from app.ui import theme
from app.ui.collecting import Collector
from app.ui.language import use_language
from app.ui.main_window import MainWindow
from app.ui.privacy import hide_names
from app.ui.start_plan import Start

if TYPE_CHECKING:
    from app.ui.ending import Ending

SCREENSHOT_PATIENCE_MS = 600_000  # the first start makes the demo project, on a busy machine too
SETTLE_MS = 400
COLLECT_AFTER_MS = 5000
SIGNALLED = 128  # what a shell adds to the number of the signal that ended a program
SWITCH_INTERVAL_S = 0.001  # the longest that Python code in a decoding thread keeps the window's thread waiting


@record(frozen=True, slots=True, kw_only=True)
class Automation:
    """What happens without a person at the keyboard.

    Args:
        screenshot: PNG to write once the first case is on the screen (or it is clear that there is none).
        size: size of the window, px, or None.
        commands: ids of commands to run, in this order, once the first case is on the screen.
        quit_after_s: close the window after this time, or None.
    """

    screenshot: Path | None = None
    size: tuple[int, int] | None = None
    commands: tuple[str, ...] = ()
    quit_after_s: float | None = None


def run_window(start: Start, automation: Automation) -> int:
    """Show the window until it is closed, by hand or by a signal (Ctrl+C in the terminal, log-out).

    Returns:
        0, or 128 and the number of the signal.

    Raises:
        UserError: `no-screenshot`: the picture could not be written.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app, has_style = QApplication.instance(), False
    if not isinstance(app, QApplication):
        app = QApplication([sys.argv[0], *theme.STYLE_WORDS])
        has_style = True
    app.setApplicationName("Coxa")
    app.setOrganizationName("Coxa")
    chosen = start.settings.settings.theme
    is_waiting = chosen in theme.SCHEMES and sys.platform == "linux"
    if is_waiting:
        # the frames of windows, which are the window manager's, are told when there is time
        theme.wear(app, chosen, has_style=has_style)
    else:
        theme.apply(app, chosen)
    use_language(app, start.settings.settings.language)
    hide_names(app, start.settings.settings.hide_names)
    window = MainWindow(start)
    window.catch_faults(is_on=True)
    if is_waiting:
        window.shell_painted.connect(lambda: theme.apply(app, start.settings.settings.theme))
    _later(Collector(window).start, after_ms=COLLECT_AFTER_MS, owner=window)
    if automation.size is not None:
        window.resize(QSize(*automation.size))
    pictures: list[bool] = []
    if automation.commands:
        _arrange_commands(window, automation.commands)
    if automation.screenshot is not None:
        _arrange_screenshot(window, automation.screenshot, pictures)
    if automation.quit_after_s is not None:
        _later(window.close, after_ms=round(automation.quit_after_s * 1000), owner=window)
    endings: list[Ending] = []
    window.shell_painted.connect(lambda: endings.append(_heed_signals(app, window)))
    window.show()
    try:
        code = app.exec()
    finally:
        for ending in endings:
            ending.stop()
        window.catch_faults(is_on=False)
        gc.enable()
    if automation.screenshot is not None and pictures != [True]:
        raise UserError(
            "The screenshot was not written.",
            reason="The file cannot be written here, or the window was closed first.",
            remedy="Choose another place for the file.",
            kind="no-screenshot",
        )
    return code


def _heed_signals(app: QApplication, window: MainWindow) -> Ending:
    from app.ui.ending import Ending  # not before the first paint

    def end(number: int) -> None:
        for dialog in app.topLevelWidgets():
            if dialog.isModal() and dialog.isVisible():
                dialog.close()
        window.end()
        app.exit(SIGNALLED + number)

    return Ending(end, window)


def _arrange_commands(window: MainWindow, commands: tuple[str, ...]) -> None:
    waiting = list(commands)

    def run() -> None:
        while waiting:
            window.actions_by_id[waiting.pop(0)].trigger()

    window.settled.connect(lambda: QTimer.singleShot(0, window, run))  # when everybody has heard of the case


def _arrange_screenshot(window: MainWindow, path: Path, pictures: list[bool]) -> None:
    def shoot() -> None:
        if window.late is not None and not window.late.is_finished:
            window.finish()
            timer.start(SETTLE_MS)  # what was made now is laid out first
            return
        pictures.append(window.grab().save(str(path), "PNG"))
        window.close()

    # after the last `settled`, so that images decoded meanwhile are in the picture
    timer = _later(shoot, after_ms=SCREENSHOT_PATIENCE_MS, owner=window)
    window.settled.connect(lambda: timer.start(SETTLE_MS))


def _later(effect: Callable[[], object], *, after_ms: int, owner: MainWindow) -> QTimer:
    """Call something once, unless the owner is gone by then."""
    timer = QTimer(owner, singleShot=True, interval=after_ms)
    timer.timeout.connect(effect)
    timer.start()
    return timer
