"""What runs in the background, one line each, at the bottom of the window: how far it is, and how to stop it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.core.record import record
from app.ui.dotted_label import DottedLabel
from app.ui.focus import holds_focus
from app.ui.theme import GAP_L, GAP_M, GAP_S

TITLE_MIN_PX = 110
BAR_PX, BAR_MIN_PX = 220, 90

JobButton = tuple[str, Callable[[], object]]


@record(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One line, in the language of the window.

    Args:
        title: what runs.
        detail: how far it is, in words.
        done: steps done.
        total: steps in all; 0 = not known yet; None = it is over, no bar.
        buttons: texts and effects.
    """

    title: str
    detail: str = ""
    done: int = 0
    total: int | None = 0
    buttons: tuple[JobButton, ...] = ()


class JobsStrip(QWidget):
    """Lines by key, oldest on top; hidden while there are none.

    Signals:
        focus_left: what the keyboard was on goes away.
    """

    focus_left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, _Row] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP_S)
        self.setVisible(False)

    @property
    def texts(self) -> dict[str, str]:
        """What is on show, by key."""
        return {key: row.text for key, row in self._rows.items()}

    def buttons(self, key: str) -> list[QPushButton]:
        """The buttons of one line, for keyboards and tests."""
        return self._rows[key].buttons if key in self._rows else []

    def show_job(self, key: str, line: JobLine) -> None:
        """Show a line, or bring it up to date; its buttons keep the focus while their texts stay."""
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row(self)
            self._layout.addWidget(row)
        if row.is_changing(line) and any(map(holds_focus, row.buttons)):
            self.focus_left.emit()  # else Qt would go to the next button, which keys would then press
        row.show_line(line)
        self.setVisible(True)

    def remove(self, key: str) -> None:
        """Take a line away, if it is there."""
        row = self._rows.pop(key, None)
        if row is not None:
            if holds_focus(row):
                self.focus_left.emit()
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.setVisible(bool(self._rows))


class _Row(QFrame):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("job")
        self._title = DottedLabel(self, least_px=TITLE_MIN_PX)
        self._title.setObjectName("strong")
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setMinimumWidth(BAR_MIN_PX)  # in a narrow window the words go first
        self._bar.setMaximumWidth(BAR_PX)
        self._detail = DottedLabel(self)
        self._detail.setObjectName("muted")
        self.buttons: list[QPushButton] = []
        self._effects: list[Callable[[], object]] = []
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(GAP_L, GAP_S, GAP_M, GAP_S)
        self._layout.setSpacing(GAP_L)
        self._layout.addWidget(self._title)
        self._layout.addWidget(self._bar, 1)
        self._layout.addWidget(self._detail, 3)

    @property
    def text(self) -> str:
        return f"{self._title.text()}: {self._detail.text()}"

    def is_changing(self, line: JobLine) -> bool:
        """Whether it gets other buttons."""
        return [button.text() for button in self.buttons] != [text for text, _ in line.buttons]

    def show_line(self, line: JobLine) -> None:
        self._title.setText(line.title)
        self._detail.setText(line.detail)
        self._bar.setVisible(line.total is not None)
        if line.total is not None:
            self._bar.setRange(0, line.total)
            self._bar.setValue(line.done)
            self._bar.setAccessibleName(line.title)
        if self.is_changing(line):
            self._remake_buttons(line)
        self._effects = [effect for _, effect in line.buttons]

    def _remake_buttons(self, line: JobLine) -> None:
        for button in self.buttons:
            self._layout.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = []
        for number, (text, _) in enumerate(line.buttons):
            button = QPushButton(text, self)
            button.clicked.connect(self._calling(number))
            self._layout.addWidget(button)
            self.buttons.append(button)

    def _calling(self, number: int) -> Callable[[], None]:
        def call() -> None:
            self._effects[number]()

        return call
