"""What a model of two views makes of each view alone, beside what it makes of both (paper 000; ADR 0191)."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.bar_table import BarLine, BarTable
from app.ui.language import tr
from app.ui.theme import GAP_S

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
        self.table = BarTable(self)
        self.note = QLabel(self)
        self.note.setObjectName("caption")
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.table)
        layout.addWidget(self.note)

    def show_ablation(self, shown: Ablation, *, threshold: float) -> None:
        """Draw three probabilities against one threshold."""
        values = {"frontal": shown.frontal, "lateral": shown.lateral, "pair": shown.pair}
        unknown = "–" if shown.failure else "…"
        self.table.show_lines(
            [BarLine(name=tr(name), value=values[key], threshold=threshold, unknown=unknown) for key, name in ROWS]
        )
        self.note.setText(shown.failure)
        self.note.setVisible(bool(shown.failure))
        self.setToolTip(
            tr("The view that is left out is replaced by its own mean grey, so that the model sees nothing in it.")
        )
