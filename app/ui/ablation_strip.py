"""What a model of two views makes of each view alone, beside what it makes of both (paper 000; ADR 0191)."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.ui.finding_words import percent
from app.ui.language import tr
from app.ui.probability_bar import ProbabilityBar
from app.ui.theme import GAP_M, GAP_S

ROWS = (("frontal", "Frontal alone"), ("lateral", "Lateral alone"), ("pair", "Both views"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Probabilities of the finding.

    Args:
        frontal: with the frontal view only; None while it is being computed.
        lateral: with the lateral view only.
        pair: with both.
        failure: why there is none; empty while there is hope.
    """

    frontal: float | None = None
    lateral: float | None = None
    pair: float | None = None
    failure: str = ""


class AblationStrip(QWidget):
    """Three bars on one scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Ablation()
        self._threshold = 0.5
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(GAP_S)
        grid.setColumnStretch(1, 1)
        self._names: dict[str, QLabel] = {}
        self.bars: dict[str, ProbabilityBar] = {}
        self.figures: dict[str, QLabel] = {}
        for row, (key, _) in enumerate(ROWS):
            name, bar, figure = QLabel(self), ProbabilityBar(self, height_px=14), QLabel(self)
            name.setObjectName("caption")
            figure.setObjectName("caption")
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._names[key], self.bars[key], self.figures[key] = name, bar, figure
            for column, widget in enumerate((name, bar, figure)):
                grid.addWidget(widget, row, column)
        self.note = QLabel(self)
        self.note.setObjectName("caption")
        self.note.setWordWrap(True)
        grid.addWidget(self.note, len(ROWS), 0, 1, 3)
        self.retranslate()

    def show_ablation(self, shown: Ablation, *, threshold: float) -> None:
        """Draw three probabilities against one threshold."""
        self._shown, self._threshold = shown, threshold
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        for key, name in ROWS:
            value = getattr(self._shown, key)
            self._names[key].setText(tr(name))
            self.bars[key].show_value(value, threshold=self._threshold)
            self.figures[key].setText("…" if value is None else percent(value))
        self.note.setText(self._shown.failure)
        self.note.setVisible(bool(self._shown.failure))
        self.setToolTip(
            tr("The view that is left out is replaced by its own mean grey, so that the model sees nothing in it.")
        )
