"""What a model says about the aligned crop, in the space of two lines."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from app.core.finding import Verdict, finding_probability, verdict
from app.core.geometry import Crop
from app.core.model_card import ModelCard
from app.ui.dotted_label import DottedLabel
from app.ui.finding_words import class_name, percent, verdict_words
from app.ui.language import number, say, tr
from app.ui.probability_bar import ProbabilityBar
from app.ui.theme import GAP_M, GAP_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropOpinion:
    """A model's opinion of the crop.

    Args:
        card: of the model.
        probabilities: as of `Finding`; None while it looks, or where it failed.
        distance: as of `Finding`.
        failure: why there is none; empty while there is hope.
        automated: probability of the same finding by a model that looks at the whole view; None without one.
        heat: premultiplied colours over what it was shown; None without.
        cut: what it was shown.
        mark: what is written on the heatmap, if it must not be believed.
    """

    card: ModelCard
    probabilities: tuple[float, ...] | None = None
    distance: float | None = None
    failure: str = ""
    automated: float | None = None
    heat: QImage | None = None
    cut: Crop | None = None
    mark: str = ""


class OpinionLine(QWidget):
    """Verdict, bar, probability, and the automated pathway beside it (paper 004)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: CropOpinion | None = None
        self.words, self.automated = DottedLabel(self, least_px=1), DottedLabel(self, least_px=1)
        self.figure = QLabel(self)
        self.figure.setObjectName("title")
        self.figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.automated.setObjectName("caption")
        self.bar = ProbabilityBar(self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(GAP_S)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.words, 0, 0)
        grid.addWidget(self.figure, 0, 1)
        grid.addWidget(self.bar, 1, 0, 1, 2)
        grid.addWidget(self.automated, 2, 0, 1, 2)

    @property
    def shown(self) -> CropOpinion | None:
        """What is on show."""
        return self._shown

    def show_opinion(self, opinion: CropOpinion | None) -> None:
        """Show what a model says, or nothing."""
        self._shown = opinion
        self.retranslate()

    def sizeHint(self) -> QSize:
        """The same height whatever is said, so that nothing jumps while the mouse moves."""
        line = self.words.fontMetrics().height()
        return QSize(200, 2 * line + self.bar.sizeHint().height() + 4 * GAP_S)

    def retranslate(self) -> None:
        """Say everything anew."""
        shown = self._shown
        if shown is None:
            return
        card = shown.card
        self.setToolTip(say(card.title))
        name = class_name(card, card.finding)
        if shown.probabilities is None:
            self.words.setText(shown.failure or f"{name}: …")
            self.figure.setText("")
            self.bar.show_value(None, threshold=card.threshold, band=card.unsure_band)
            self.automated.setText("")
            return
        probability = finding_probability(card, shown.probabilities)
        found = verdict(card, shown.probabilities, shown.distance)
        is_outside = found is Verdict.OUTSIDE
        self.words.setText(verdict_words(card, found))
        self.figure.setText("" if is_outside else percent(probability))
        self.bar.show_value(
            None if is_outside else probability,
            threshold=None if is_outside else card.threshold,
            band=None if is_outside else card.unsure_band,
        )
        self.automated.setText(_beside(probability, shown.automated) if not is_outside else "")


def _beside(probability: float, automated: float | None) -> str:
    """The automated pathway and how far the two are apart."""
    if automated is None:
        return ""
    apart = 100 * (probability - automated)
    sign = "+" if apart > 0 else "−" if apart < 0 else "±"
    return tr("whole view: {percent} · Δ {apart}", percent=percent(automated), apart=f"{sign}{number(abs(apart), 0)}")
