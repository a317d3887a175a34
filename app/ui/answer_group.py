"""One question of the resolve panel: what is known, why, and a button for every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from app.core.case import Certainty, View
from app.core.questions import AnyAssessment, QuestionKind, assessment_of
from app.ui.evidence_view import VALUES, EvidenceView
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import tr
from app.ui.theme import GAP_S

LISTED = 6  # views that are named; of more only the number is said


class AnswerGroup(QWidget):
    """Projection or side of one view.

    Args:
        kind: PROJECTION or SIDE.
        values: the answers; each is also the id of its command.

    Signals:
        answered: the value whose button was pressed.
    """

    answered = Signal(str)

    def __init__(self, kind: QuestionKind, values: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self._alike: tuple[View, ...] = ()
        self._view_id = ""
        self._key = ""
        self.title = QLabel(self)
        self.title.setObjectName("strong")
        self.evidence = EvidenceView(self)
        self.same = QCheckBox(self)
        self.same.toggled.connect(lambda _: self._say_same())
        self.preview = QLabel(self)
        self.preview.setObjectName("muted")
        self.preview.setWordWrap(True)
        self.buttons: dict[str, KeyButton] = {}
        flow = FlowLayout()
        for value in values:
            button = KeyButton(value, self)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, value=value: self.answered.emit(value))
            self.buttons[value] = button
            flow.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.title)
        layout.addWidget(self.evidence)
        layout.addLayout(flow)
        layout.addWidget(self.same)
        layout.addWidget(self.preview)

    @property
    def is_same(self) -> bool:
        """Whether the answer is meant for the views that are alike, too."""
        return bool(self._alike) and self.same.isChecked()

    @property
    def alike(self) -> tuple[View, ...]:
        """The views that are alike."""
        return self._alike

    def flip_same(self) -> None:
        """Mean, or no longer mean, the views that are alike, too."""
        if self._alike:
            self.same.toggle()

    def ask(self, view: View, *, alike: Sequence[View], is_writable: bool, keys: Mapping[str, str]) -> None:
        """Show what is known about a view. The wish to answer for others never outlives the view it was made at."""
        assessment = assessment_of(view, self._kind)
        self._alike = tuple(alike)
        if view.id != self._view_id or not self._alike:
            self.same.setChecked(False)
        self._view_id = view.id
        self.title.setText(_state(self._kind, assessment))
        self.title.setObjectName("dispute" if assessment.is_open else "strong")
        self.title.style().polish(self.title)
        self.evidence.show_evidence(assessment)
        for value, button in self.buttons.items():
            words = tr(VALUES[value])
            button.say(words, key=keys.get(value, ""), tip=tr("Record that this view shows: {value}", value=words))
            button.setChecked(assessment.value is not None and assessment.value.value == value)
            button.setEnabled(is_writable)
        self.same.setEnabled(is_writable)
        self._key = keys.get("same_answer", "")
        self._say_same()

    def _say_same(self) -> None:
        count = len(self._alike)
        words = (
            tr("The same for the other view with this evidence")
            if count == 1
            else tr("The same for {count} other views with this evidence", count=count)
        )
        self.same.setText(f"{words} ({self._key})" if self._key else words)
        self.same.setVisible(count > 0)
        names = ", ".join(view.id for view in self._alike[:LISTED])
        more = tr(" and {count} more", count=count - LISTED) if count > LISTED else ""
        self.preview.setText(tr("Also answered then: {views}", views=names + more))
        self.preview.setVisible(self.is_same)


def _state(kind: QuestionKind, assessment: AnyAssessment) -> str:
    is_side = kind is QuestionKind.SIDE
    if assessment.certainty is Certainty.CONTRADICTORY:
        return tr("Side: the evidence disagrees") if is_side else tr("Projection: the evidence disagrees")
    if assessment.value is None:
        return tr("Side: unknown") if is_side else tr("Projection: unknown")
    value = tr(VALUES[assessment.value.value])
    if assessment.certainty is Certainty.CONFIRMED:
        return (
            tr("Side: {value}, confirmed", value=value)
            if is_side
            else tr("Projection: {value}, confirmed", value=value)
        )
    return tr("Side: {value}", value=value) if is_side else tr("Projection: {value}", value=value)
