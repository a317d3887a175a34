"""The gate: the model of a run beside the one that answers now, on the same held-out cases."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.core.promotion import FEWEST_LETTERS, Comparison, Flip
from app.ui.language import number, tr, trn
from app.ui.theme import GAP_M, GAP_S

ID = int(Qt.ItemDataRole.UserRole)
BUSY_PX = 6


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{number(abs(value), 3)}"


class PromotionView(QWidget):
    """Comparison, flipped cases, a reason, and the decision.

    Signals:
        promote_wanted: let it answer; the text is the reason.
        closed: leave everything as it is.
        case_wanted: a flipped case shall be opened.
    """

    promote_wanted = Signal(str)
    closed = Signal()
    case_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sheet")
        self._title = ""
        self._comparison: Comparison | None = None
        self._problem = ""
        self._is_waiting = False
        self._names: Mapping[str, str] = {}
        self.heading, self.words, self.flips_title = QLabel(self), QLabel(self), QLabel(self)
        self.heading.setObjectName("strong")
        self.flips_title.setObjectName("muted")
        for label in (self.heading, self.words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)  # how long two models take is not known
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(BUSY_PX)
        self._figures = QWidget(self)
        self._grid = QGridLayout(self._figures)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_M)
        self._grid.setColumnStretch(0, 1)
        self.flips = QListWidget(self)
        self.flips.itemClicked.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        self.flips.itemActivated.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        self.reason_title, self.reason = QLabel(self), QLineEdit(self)
        self.reason_title.setBuddy(self.reason)
        self.reason_title.setWordWrap(True)
        self.reason.textChanged.connect(lambda _: self._enable())
        self.promote, self.leave = QPushButton(self), QPushButton(self)
        self.promote.setObjectName("primary")
        self.promote.clicked.connect(lambda: self.promote_wanted.emit(self.reason.text()))
        self.leave.clicked.connect(self.closed)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.leave)
        buttons.addWidget(self.promote)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        for widget in (self.heading, self.words, self.busy, self._figures, self.flips_title):
            layout.addWidget(widget)
        layout.addWidget(self.flips, 1)
        layout.addWidget(self.reason_title)
        layout.addWidget(self.reason)
        self._rest = QWidget(self)  # takes the room of the list while there is none
        layout.addWidget(self._rest, 1)
        layout.addSpacing(GAP_S)
        layout.addLayout(buttons)
        self.retranslate()

    @property
    def needs_reason(self) -> bool:
        """Whether it is worse, or nobody knows."""
        return self._comparison is None or self._comparison.is_worse

    def wait(self, title: str) -> None:
        """Both models look at the held-out cases."""
        self._title, self._comparison, self._problem, self._is_waiting = title, None, "", True
        self.reason.clear()
        self._show()

    def show_comparison(self, comparison: Comparison | None, names: Mapping[str, str], problem: str = "") -> None:
        """Show what came of it.

        Args:
            comparison: None where there is nothing to compare on.
            names: pseudonyms of the flipped cases.
            problem: why there is none.
        """
        self._comparison, self._names, self._problem, self._is_waiting = comparison, names, problem, False
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        self.promote.setText(tr("Promote"))
        self.leave.setText(tr("Leave as it is"))
        self._show()

    def _show(self) -> None:
        comparison = self._comparison
        self.heading.setText(tr("Promote {title}?", title=self._title) if self._title else tr("Promote"))
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.flips.clear()
        if self._is_waiting:
            self.words.setText(tr("Both models look at the held-out cases. You can go on labelling."))
        elif comparison is None:
            self.words.setText(self._problem or tr("There is nothing to compare with: promote it only with a reason."))
        else:
            cases = trn("1 held-out case", "{count} held-out cases", comparison.cases)
            patients = trn("1 patient", "{count} patients", comparison.patients)
            self.words.setText(tr("On {cases} of {patients}:", cases=cases, patients=patients))
            self._fill(comparison)
        is_seen = comparison is not None
        self._figures.setVisible(is_seen)
        self.flips_title.setVisible(is_seen)
        self.flips.setVisible(is_seen and self.flips.count() > 0)
        self._rest.setVisible(self.flips.isHidden())
        self.busy.setVisible(self._is_waiting)
        needs = self.needs_reason and not self._is_waiting
        self.reason_title.setText(
            tr("Why it shall answer all the same ({count} letters or more)", count=FEWEST_LETTERS)
            if needs
            else tr("Why (may be left empty)")
        )
        for part in (self.reason_title, self.reason):
            part.setVisible(not self._is_waiting)
        self._enable()

    def _fill(self, comparison: Comparison) -> None:
        rows = (
            (tr("AUC, new model"), number(comparison.new_auc, 3)),
            (tr("AUC, answers now"), number(comparison.active_auc, 3)),
            (tr("Difference"), _signed(comparison.gain)),
            (tr("95 % interval (DeLong)"), f"{_signed(comparison.low)} … {_signed(comparison.high)}"),
            (tr("Decisions: McNemar's p"), number(comparison.decisions_p, 3)),
        )
        for row, (what, value) in enumerate(rows):
            left, right = QLabel(what, self._figures), QLabel(value, self._figures)
            left.setWordWrap(True)
            left.setObjectName("muted")
            right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(left, row, 0)
            self._grid.addWidget(right, row, 1)
        better = sum(flip.is_better for flip in comparison.flips)
        self.flips_title.setText(
            tr("Decided differently: {better} better, {worse} worse", better=better,
               worse=len(comparison.flips) - better)
        )  # fmt: skip
        for flip in sorted(comparison.flips, key=lambda each: each.is_better):
            item = QListWidgetItem(self._flip_words(flip), self.flips)
            item.setData(ID, flip.case_id)

    def _flip_words(self, flip: Flip) -> str:
        name = self._names.get(flip.case_id, flip.case_id)
        before, after = number(flip.before, 2), number(flip.after, 2)
        words = tr("{case}: p {before} → {after}", case=name, before=before, after=after)
        return f"{words}, {tr('better') if flip.is_better else tr('worse')}"

    def _enable(self) -> None:
        is_enough = not self.needs_reason or len(" ".join(self.reason.text().split())) >= FEWEST_LETTERS
        self.promote.setEnabled(not self._is_waiting and is_enough)
