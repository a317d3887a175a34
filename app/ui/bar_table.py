"""Probabilities on one scale below each other: name, bar, figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.ui.finding_words import percent
from app.ui.probability_bar import ProbabilityBar
from app.ui.theme import GAP_M, GAP_S

BAR_HEIGHT_PX = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class BarLine:
    """One row.

    Args:
        name: what the probability is of.
        value: 0 … 1; None while it is not known, or must not be told.
        threshold: where it begins to count as found; None draws no tick.
        unknown: what stands for the figure while it is not known.
    """

    name: str
    value: float | None = None
    threshold: float | None = None
    unknown: str = ""


class BarTable(QWidget):
    """Some rows; the widgets of a row are kept, so that nothing flickers while figures arrive."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_M)
        self._grid.setVerticalSpacing(GAP_S)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, ProbabilityBar, QLabel]] = []

    @property
    def bars(self) -> list[ProbabilityBar]:
        """The bars on show."""
        return [bar for _, bar, _ in self._rows if not bar.isHidden()]

    def show_lines(self, lines: Sequence[BarLine]) -> None:
        """Draw these and no others."""
        while len(self._rows) < len(lines):
            self._add_row()
        for number, row in enumerate(self._rows):
            for widget in row:
                widget.setVisible(number < len(lines))
        for (name, bar, figure), line in zip(self._rows, lines, strict=False):
            name.setText(line.name)
            bar.show_value(line.value, threshold=line.threshold)
            figure.setText(line.unknown if line.value is None else percent(line.value))

    def _add_row(self) -> None:
        name, bar, figure = QLabel(self), ProbabilityBar(self, height_px=BAR_HEIGHT_PX), QLabel(self)
        for label in (name, figure):
            label.setObjectName("caption")
            label.setTextFormat(Qt.TextFormat.PlainText)
        figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column, widget in enumerate((name, bar, figure)):
            self._grid.addWidget(widget, len(self._rows), column)
        self._rows.append((name, bar, figure))
