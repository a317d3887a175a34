"""Under a pane whose case has open questions: the evidence, and a button for every answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from app.core.case import Assessment, Projection, Side, View
from app.ui.captions import evidence_text
from app.ui.commands.resolve import EXCLUSION_REASONS, RESOLVE_COMMANDS
from app.ui.theme import GAP_M, GAP_S

PROJECTIONS = (
    (Projection.FRONTAL, "Frontal"), (Projection.LATERAL, "Lateral"), (Projection.FROG_LEG, "Frog-leg"),
    (Projection.CROSS_TABLE, "Cross-table"), (Projection.OBLIQUE, "Oblique"),
)  # fmt: skip
SIDES = ((Side.LEFT, "Left"), (Side.RIGHT, "Right"), (Side.BOTH, "Both"))


class QuestionStrip(QFrame):
    """Asks what one view shows.

    Signals:
        answered: id of the command that the user pressed, one of the Resolve menu.
    """

    answered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.evidence: dict[str, QLabel] = {}
        self.buttons: dict[str, QPushButton] = {}
        self._title = QLabel(self)
        self._title.setObjectName("caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._exclude_button())
        layout.addLayout(head)
        for what, choices in (("Projection", PROJECTIONS), ("Side", SIDES)):
            row = _Row()
            for value, text in choices:
                row.addWidget(self._button(value.value, text))
            label = QLabel(self)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            self.evidence[what] = label
            layout.addWidget(label)
            layout.addLayout(row)
        self.hide()

    def ask(self, view: View, *, is_writable: bool) -> None:
        """Show the questions about a view; buttons are dead while the project cannot be written."""
        self._title.setText(f"View {view.id}")
        for what, assessment in (("Projection", view.projection), ("Side", view.side)):
            self.evidence[what].setText(f"{what} {_state(assessment)}. {evidence_text(assessment)}")
        decided = {str(view.projection.value), str(view.side.value)}
        for name, button in self.buttons.items():
            button.setChecked(name in decided)
            button.setEnabled(is_writable)
        self.show()

    def _button(self, name: str, text: str) -> QPushButton:
        command = next(command for command in RESOLVE_COMMANDS if command.id == name)
        keys = QKeySequence(command.shortcuts[0]).toString(QKeySequence.SequenceFormat.NativeText)
        button = QPushButton(f"{text} {keys}", self)
        button.setToolTip(f"{command.tip} ({keys})")
        button.setCheckable(True)
        button.clicked.connect(lambda: self.answered.emit(name))
        self.buttons[name] = button
        return button

    def _exclude_button(self) -> QPushButton:
        button = QPushButton("Exclude view", self)
        button.setToolTip("Take this view out of its cases, with a reason")
        menu = QMenu(button)
        for reason in EXCLUSION_REASONS:
            action = menu.addAction(reason[0].upper() + reason[1:])
            action.triggered.connect(lambda _=False, name=f"exclude:{reason}": self.answered.emit(name))
        button.setMenu(menu)
        self.buttons["exclude"] = button
        return button


class _Row(QHBoxLayout):
    def __init__(self) -> None:
        super().__init__()
        self.setSpacing(GAP_S)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft)


def _state(assessment: Assessment[Projection] | Assessment[Side]) -> str:
    if assessment.value is not None:
        return f"{assessment.certainty.value}: {assessment.value.value}"
    return assessment.certainty.value
