"""What fills the middle of the window while there is nothing to read: why, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.ui.theme import GAP_L, GAP_M, GAP_XL

COLUMN_PX = 560

PageButton = tuple[str, Callable[[], None]]


class StartPage(QWidget):
    """A heading, a few sentences, buttons, and a command to copy."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QWidget(self)
        column.setFixedWidth(COLUMN_PX)
        self._layout = QVBoxLayout(column)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP_L)
        self.heading = QLabel(column)
        self.heading.setObjectName("heading")
        self.heading.setWordWrap(True)
        self.words = QLabel(column)
        self.words.setObjectName("muted")
        self.words.setWordWrap(True)
        self.bar = QProgressBar(column)
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.step = QLabel(column)
        self.step.setObjectName("muted")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GAP_M)
        self._command = QWidget(column)
        command_row = QHBoxLayout(self._command)
        command_row.setContentsMargins(0, 0, 0, 0)
        command_row.setSpacing(GAP_M)
        self.command = QLabel(self._command)
        self.command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.command.setStyleSheet("font-family: monospace;")
        self.command.setWordWrap(True)
        copy = QPushButton("Copy", self._command)
        copy.setToolTip("Copy the command")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.command.text()))
        command_row.addWidget(self.command, 1)
        command_row.addWidget(copy)
        for widget in (self.heading, self.words, self.bar, self.step, self._command):
            self._layout.addWidget(widget)
        self._layout.addLayout(self._buttons)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(GAP_XL, GAP_XL, GAP_XL, GAP_XL)
        outer.addStretch(1)
        outer.addWidget(column, 0, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)
        self.say("Starting", "")

    def say(
        self,
        heading: str,
        words: str,
        *,
        buttons: Sequence[PageButton] = (),
        command: str = "",
        is_busy: bool = False,
    ) -> None:
        """Replace everything on the page; the first button is the one most people want."""
        self.heading.setText(heading)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.bar.setRange(0, 0)
        self.bar.setVisible(is_busy)
        self.step.setVisible(False)
        self.command.setText(command)
        self._command.setVisible(bool(command))
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for number, (text, effect) in enumerate(buttons):
            button = QPushButton(text, self)
            if number == 0:
                button.setObjectName("primary")
            button.clicked.connect(_calling(effect))
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)

    def show_step(self, done: int, total: int, text: str) -> None:
        """Tell how far the work is: steps done, steps in all, and what is being done."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.step.setText(f"{text}: {done} of {total}")
        self.step.setVisible(True)


def _calling(effect: Callable[[], None]) -> Callable[[], None]:
    return lambda: effect()
