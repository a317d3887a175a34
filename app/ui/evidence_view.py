"""What speaks for which value: a readable list, or several side by side where the evidence disagrees."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.core.case import Certainty, Evidence
from app.core.questions import AnyAssessment, evidence_by_value
from app.ui.language import tr
from app.ui.theme import GAP_L

VALUES = {
    "frontal": "Frontal", "lateral": "Lateral", "frog-leg": "Frog-leg", "cross-table": "Cross-table",
    "oblique": "Oblique", "left": "Left", "right": "Right", "both": "Both hips",
}  # fmt: skip
MOST_PIECES = 3  # of one value; the rest is in the tooltip


class EvidenceView(QWidget):
    """The evidence for one property of a view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_L)
        self._grid.setVerticalSpacing(0)
        self.texts: list[str] = []

    def show_evidence(self, assessment: AnyAssessment) -> None:
        """Replace what is shown; strongest first, what only hints last and marked."""
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        self.texts = []
        groups = evidence_by_value(assessment)
        if not groups:
            self._add(0, 0, tr("Nothing in the file says."), "muted")
            return
        for column, (value, pieces) in enumerate(groups):
            is_deciding = not all(piece.is_advisory for piece in pieces)
            name = "dispute" if assessment.certainty is Certainty.CONTRADICTORY and is_deciding else "strong"
            self._add(0, column, tr("For {value}", value=tr(VALUES[value])), name)
            for row, piece in enumerate(pieces[:MOST_PIECES], 1):
                self._add(row, column, piece_text(piece), "muted" if piece.is_advisory else "piece")
            if len(pieces) > MOST_PIECES:
                more = self._add(
                    MOST_PIECES + 1, column, tr("and {count} more", count=len(pieces) - MOST_PIECES), "muted"
                )
                more.setToolTip("\n".join(piece_text(piece) for piece in pieces))

    def _add(self, row: int, column: int, text: str, name: str) -> QLabel:
        label = QLabel(text, self)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        self._grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
        self._grid.setColumnStretch(column, 1)
        self.texts.append(text)
        return label


def piece_text(piece: Evidence) -> str:
    """One piece of evidence: where it was found, what, and whether it only hints."""
    words = f"{piece.source}: {tr('“{name}”', name=piece.found)}"
    return f"{words} · {tr('hint only')}" if piece.is_advisory else words
