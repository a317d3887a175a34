"""One model's opinion of the case on the screen: what it says, how surely, and what it looked at."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.core.finding import Consultation, ConsultationState, Verdict, finding_probability
from app.core.model_card import ModelCard
from app.ui import theme
from app.ui.ablation_strip import Ablation, AblationStrip
from app.ui.bar_table import BarLine, BarTable
from app.ui.dotted_label import DottedLabel
from app.ui.finding_words import (
    GAP_COMMANDS,
    calibration_words,
    class_name,
    looked_at,
    said,
    threshold_words,
)
from app.ui.icon_label import IconLabel
from app.ui.key_button import KeyButton
from app.ui.language import say, tr
from app.ui.probability_bar import ProbabilityBar
from app.ui.theme import GAP_M, GAP_S

ICON_PX = 18


class FindingRow(QFrame):
    """Shows one `Consultation`.

    Signals:
        chosen: the user wants this model's heatmap on the images.
        card_wanted: the user wants to read the card.
        command_wanted: id of the command that fills the gap.
        retry_wanted: ask again.
        ablation_wanted: whether each view alone shall be shown.
    """

    chosen = Signal()
    card_wanted = Signal()
    command_wanted = Signal(str)
    retry_wanted = Signal()
    ablation_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("field")
        self.consultation: Consultation | None = None
        self._key_text = ""
        self._is_active = False
        self.title = DottedLabel(self)
        self.title.setObjectName("strong")
        self.card_button = QToolButton(self)
        self.card_button.setObjectName("plain")
        self.card_button.setIcon(theme.icon("model-card"))
        self.card_button.setIconSize(QSize(ICON_PX, ICON_PX))
        self.card_button.clicked.connect(self.card_wanted)
        self._icon = IconLabel("waiting", "muted", self)
        self.headline = QLabel(self)
        self.headline.setWordWrap(True)
        self.headline.setTextFormat(Qt.TextFormat.PlainText)
        self.figure = QLabel(self)
        self.figure.setObjectName("title")
        self.figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.bar = ProbabilityBar(self)
        self.classes = BarTable(self)
        self.facts = _caption(self)
        self.notes = _caption(self, name="small_caution")
        self.fix = KeyButton("fix", self)
        self.fix.clicked.connect(self._on_fix)
        self.alone = KeyButton("alone", self)
        self.alone.setCheckable(True)
        self.alone.clicked.connect(self.ablation_wanted)
        self.strip = AblationStrip(self)
        self._lay_out()
        self.strip.hide()

    def _lay_out(self) -> None:
        head, line = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(GAP_S)
        head.addWidget(self.title, 1)
        head.addWidget(self.card_button)
        line.setSpacing(GAP_M)
        line.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self.headline, 1)
        line.addWidget(self.figure)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        layout.addLayout(line)
        for widget in (self.bar, self.classes, self.facts, self.notes):
            layout.addWidget(widget)
        for button in (self.fix, self.alone):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.strip)

    def show_consultation(
        self, shown: Consultation, *, is_active: bool, key_text: str = "", ablation: Ablation | None = None
    ) -> None:
        """Show what a model says.

        Args:
            shown: its opinion, or why there is none.
            is_active: whether its heatmap is the one on the images.
            key_text: key of the command that fills its gap.
            ablation: what it makes of each view alone; None while nobody wants to know.
        """
        self.consultation, self._key_text = shown, key_text
        if is_active != self._is_active:
            self._is_active = is_active
            self.setProperty("active", is_active)
            self.style().unpolish(self)
            self.style().polish(self)
        card, words = shown.card, said(shown)
        self.title.setText(say(card.title))
        self.title.setToolTip(say(card.task))
        self._icon.show_icon(*words.icon)
        self.headline.setText(words.headline)
        self.figure.setText(words.figure)
        self.figure.setToolTip(calibration_words(card))
        self._show_bars(shown)
        is_answered = shown.state is ConsultationState.ANSWERED
        facts = [*words.lines]
        if is_answered and shown.verdict is not Verdict.OUTSIDE:
            facts.insert(0, threshold_words(card))
        if is_answered:
            facts.insert(0, say(card.task))
        if is_answered or shown.state is ConsultationState.WAITING:
            facts.append(looked_at(shown))
        self.facts.setText("\n".join(line for line in facts if line))
        self.facts.setVisible(bool(self.facts.text()))
        notes = _notes(card) if is_answered else ""
        self.notes.setText(notes)
        self.notes.setVisible(bool(notes))
        self._show_buttons(shown, card, ablation)
        self.setAccessibleName(f"{say(card.title)}: {words.headline} {words.figure}".strip())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click anywhere chooses the model."""
        super().mousePressEvent(event)
        if event.button() is Qt.MouseButton.LeftButton:
            self.chosen.emit()

    def _show_bars(self, shown: Consultation) -> None:
        """One bar for the finding; one for each class where there are more than two."""
        card, finding = shown.card, shown.finding
        is_told = finding is not None and shown.verdict is not Verdict.OUTSIDE
        many = len(card.classes) > 2
        self.bar.setVisible(not many)
        self.classes.setVisible(many)
        value = finding_probability(card, finding.probabilities) if finding is not None and is_told else None
        has_scale = shown.state in (ConsultationState.ANSWERED, ConsultationState.WAITING) and shown.verdict is not (
            Verdict.OUTSIDE
        )
        self.bar.show_value(
            value,
            threshold=card.threshold if has_scale else None,
            band=card.unsure_band if has_scale else None,
        )
        shares = finding.probabilities if finding is not None and is_told else (None,) * len(card.classes)
        tick = card.threshold if has_scale else None
        self.classes.show_lines(
            [
                BarLine(name=class_name(card, row), value=share, threshold=tick if row == card.finding else None)
                for row, share in enumerate(shares)
            ]
            if many
            else []
        )

    def _show_buttons(self, shown: Consultation, card: ModelCard, ablation: Ablation | None) -> None:
        command = GAP_COMMANDS.get(shown.gap) if shown.gap is not None else None
        if shown.state is ConsultationState.FAILED:
            self.fix.say(tr("Try again"), tip=tr("Ask this model again"))
        elif shown.state is ConsultationState.UNKNOWN:
            self.fix.say(tr("Ask"), tip=tr("Ask this model about this case"))
        elif command is not None:
            self.fix.say(tr(command[1]), key=self._key_text)
        self.fix.setVisible(command is not None or shown.state in (ConsultationState.FAILED, ConsultationState.UNKNOWN))
        has_answer = shown.state is ConsultationState.ANSWERED and shown.verdict is not Verdict.OUTSIDE
        is_paired = len(card.input.roles) == 2 and has_answer
        self.alone.setVisible(is_paired)
        self.alone.say(
            tr("Each view alone"),
            tip=tr("What this model makes of the frontal and of the lateral view without the other"),
        )
        self.alone.setChecked(ablation is not None)
        self.strip.setVisible(is_paired and ablation is not None)
        if ablation is not None:
            self.strip.show_ablation(ablation, threshold=card.threshold)
        self.card_button.setToolTip(tr("Model card: what it was trained and measured on, and its limits"))
        self.card_button.setAccessibleName(tr("Model card"))

    def _on_fix(self) -> None:
        shown = self.consultation
        if shown is None:
            return
        if shown.gap in GAP_COMMANDS:
            self.command_wanted.emit(GAP_COMMANDS[shown.gap][0])
        else:
            self.retry_wanted.emit()


def _caption(parent: QWidget, name: str = "caption") -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _notes(card: ModelCard) -> str:
    """What stands beside an answer in the colour of caution."""
    lines = []
    if not card.calibration.made_on:
        lines.append(tr("Not calibrated: the figure is no probability that may be relied on."))
    if card.outlier_limit is None:
        lines.append(tr("It cannot tell cases that are unlike those it knows."))
    return "\n".join(lines)
