"""A fault in Coxa: a report to copy that holds nothing about patients, and no dialog that comes again and again."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app import __version__
from app.ui.dialog_size import open_at
from app.ui.icon_label import IconLabel
from app.ui.language import tr, trn
from app.ui.theme import GAP_L, GAP_M

LIMIT = 20  # different faults that are written and shown; a window with more of them has been understood


def crash_report(kind: type[BaseException], trace: TracebackType | None) -> str:
    """What a developer needs to find a fault, and nothing about patients.

    Messages, values and file paths of the user are left out: only types, functions and line numbers stay.
    """
    import platform  # hardly ever

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
    """Says that Coxa has a fault and offers the report to copy.

    Args:
        report: what to copy.
        parent: the window.
    """

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        open_at(self, 680, 440)
        self.report = report
        self._count = 1
        self._head = QLabel(self)
        self._head.setObjectName("title")
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._repeats = QLabel(self)
        self._repeats.setObjectName("caution")
        self._text = QPlainTextEdit(report, self)
        self._text.setReadOnly(True)
        self._copy = QPushButton(self)
        self._copy.setObjectName("primary")
        self._copy.clicked.connect(self._on_copy)
        self._close = QPushButton(self)
        self._close.clicked.connect(self.accept)
        title = QHBoxLayout()
        title.setSpacing(GAP_M)
        title.addWidget(IconLabel("error", "danger", self))
        title.addWidget(self._head, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addWidget(self._repeats, 1)
        buttons.addWidget(self._close)
        buttons.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addLayout(title)
        layout.addWidget(self._words)
        layout.addWidget(self._text, 1)
        layout.addLayout(buttons)
        self.retranslate()
        self._copy.setFocus()

    def set_count(self, count: int) -> None:
        """Say how often it happened."""
        self._count = count
        self._repeats.setText(trn("", "It happened {count} times.", count) if count > 1 else "")

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.setWindowTitle(tr("A fault in Coxa"))
        self._head.setText(tr("Something went wrong inside Coxa."))
        self._words.setText(
            tr("What was saved is safe. You can go on, but closing and opening the window again is wiser. This report "
               "holds no patient data; please send it to the people who look after Coxa.")
        )  # fmt: skip
        self._text.setAccessibleName(tr("Report"))
        self._copy.setText(tr("Copy report"))
        self._close.setText(tr("Close"))
        self.set_count(self._count)

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report)
        self._copy.setText(tr("Copied"))


class CrashReporter(QObject):
    """Turns an exception that nobody caught into a dialog: one at a time, and each fault once.

    A fault that comes again only counts, so that one in a paint event or a timer cannot keep the dialog coming.

    Args:
        parent: the window; the dialog belongs to it.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._counts: dict[str, int] = {}
        self.dialog: CrashDialog | None = None
        self._waiting = QTimer(self, singleShot=True, interval=0)
        self._waiting.timeout.connect(self._show)
        self._previous = sys.excepthook

    def install(self) -> None:
        """Take over `sys.excepthook`."""
        sys.excepthook = self._on_exception

    def remove(self) -> None:
        """Give `sys.excepthook` back."""
        sys.excepthook = self._previous
        self._waiting.stop()

    def count(self, report: str) -> int:
        """How often a fault happened."""
        return self._counts.get(report, 0)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        report = crash_report(kind, trace)
        is_new = report not in self._counts
        if is_new and len(self._counts) >= LIMIT:
            return
        self._counts[report] = self._counts.get(report, 0) + 1
        if is_new:
            print(report, file=sys.stderr)
            self._pending = report
            self._waiting.start()  # not from inside a paint event
        elif self.dialog is not None and self.dialog.isVisible() and self.dialog.report == report:
            self._waiting.start()

    _pending = ""

    def _show(self) -> None:
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.set_count(self._counts.get(self.dialog.report, 1))
            return
        if not self._pending:
            return
        report, self._pending = self._pending, ""
        self.dialog = CrashDialog(report, self._window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.dialog.set_count(self._counts.get(report, 1))
        self.dialog.open()
