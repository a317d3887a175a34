"""Banners for what a person can act on; a report to copy for faults in Coxa."""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import __version__
from app.core.errors import UserError
from app.ui.theme import GAP_L, GAP_M, GAP_S

BannerAction = tuple[str, Callable[[], None]]


class Banner(QFrame):
    """One message: title, reason, remedy, and what can be pressed.

    Args:
        title: what happened, or what the matter is.
        lines: reason, remedy, questions: one sentence each.
        tone: `info`, `caution` or `danger`.
        action: text and effect of a button, if there is something to press.
        more_actions: texts and effects of more buttons.
        is_closable: whether the user may put it away.

    Signals:
        closed: the user put it away.
    """

    closed = Signal()

    def __init__(
        self,
        title: str,
        lines: tuple[str, ...] = (),
        *,
        tone: str = "info",
        action: BannerAction | None = None,
        more_actions: tuple[BannerAction, ...] = (),
        is_closable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setProperty("tone", tone)
        self.text = " ".join((title, *lines))
        words = QVBoxLayout()
        words.setSpacing(2)
        head = QLabel(title, self)
        head.setObjectName("strong")
        for label in (head, *(QLabel(line, self) for line in lines)):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.addWidget(label)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_L)
        layout.addLayout(words, 1)
        for words_on_it, effect in (*((action,) if action is not None else ()), *more_actions):
            button = QPushButton(words_on_it, self)
            button.clicked.connect(_calling(effect))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        if is_closable:
            close = QPushButton("Close", self)
            close.setToolTip("Put this message away")
            close.clicked.connect(self.closed)
            layout.addWidget(close, 0, Qt.AlignmentFlag.AlignVCenter)


def _calling(effect: Callable[[], None]) -> Callable[[], None]:
    return lambda: effect()


class BannerArea(QWidget):
    """The place for banners above the images. Each has a key, so that a newer one replaces the older."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banners: dict[str, Banner] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP_S)

    @property
    def texts(self) -> dict[str, str]:
        """What is on show, by key."""
        return {key: banner.text for key, banner in self._banners.items()}

    def show_banner(self, key: str, banner: Banner) -> None:
        """Show a banner in the place of the one with the same key."""
        self.remove(key)
        self._banners[key] = banner
        self._layout.addWidget(banner)
        banner.closed.connect(lambda: self.remove(key))

    def show_error(self, error: UserError) -> None:
        """Show an error: title, reason, remedy. The user puts it away."""
        lines = tuple(part for part in (error.reason, error.remedy) if part)
        self.show_banner("error", Banner(error.title, lines, tone="danger", is_closable=True))

    def remove(self, key: str) -> None:
        """Take a banner away, if it is there."""
        banner = self._banners.pop(key, None)
        if banner is not None:
            self._layout.removeWidget(banner)
            banner.hide()
            banner.deleteLater()


def crash_report(kind: type[BaseException], trace: TracebackType | None) -> str:
    """What a developer needs to find a fault, and nothing about patients.

    Messages, values and file paths of the user are left out: only types, functions and line numbers stay.
    """
    frames = traceback.extract_tb(trace)
    lines = [f"  {_module(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return "\n".join((f"Coxa {__version__}, {system}", f"{kind.__module__}.{kind.__qualname__}", *lines))


def _module(filename: str) -> str:
    parts = filename.replace("\\", "/").split("/")
    for root in ("app", "site-packages"):
        if root in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(root) :])
    return parts[-1]


class CrashDialog(QDialog):
    """Says that Coxa has a fault and offers the report to copy."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("A fault in Coxa")
        self.resize(640, 400)
        self.report = report
        head = QLabel("Something went wrong inside Coxa.", self)
        head.setObjectName("title")
        words = QLabel(
            "What was saved is safe. You can go on, but closing and opening the window again is wiser. "
            "This report holds no patient data; please send it to the people who look after Coxa.",
            self,
        )
        words.setWordWrap(True)
        text = QPlainTextEdit(report, self)
        text.setReadOnly(True)
        copy = QPushButton("Copy report", self)
        copy.setObjectName("primary")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        close = QPushButton("Close", self)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        for widget in (head, words, text):
            layout.addWidget(widget)
        layout.addLayout(buttons)


class CrashReporter(QObject):
    """Turns an exception that nobody caught into a dialog, once at a time.

    Args:
        parent: the window; the dialog belongs to it.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.dialog: CrashDialog | None = None
        self._previous = sys.excepthook

    def install(self) -> None:
        """Take over `sys.excepthook`."""
        sys.excepthook = self._on_exception

    def remove(self) -> None:
        """Give `sys.excepthook` back."""
        sys.excepthook = self._previous

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        report = crash_report(kind, trace)
        print(report, file=sys.stderr)
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        if self.dialog is None or not self.dialog.isVisible():
            self.dialog = CrashDialog(report, self._window)
            self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
            self.dialog.open()
