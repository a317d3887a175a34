"""What a merge would bring, or has brought: counts, agreement of readers, what they disagree about, what was kept."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.label_set import LabelField, LabelSet
from app.store.merge.report import MergeReport
from app.ui.dialog_size import open_at
from app.ui.language import number, say, tr, trn, whole
from app.ui.merge_words import conflict_words, opinion_text, summary_of
from app.ui.privacy import private, private_id
from app.ui.theme import GAP_L, GAP_M

CASE = Qt.ItemDataRole.UserRole
SHOWN_ROWS = 2000  # of one group


class MergeDialog(QDialog):
    """The report of one merge; the window stays usable beside it.

    Signals:
        accepted_merge: the rehearsal is to be carried out.
        adjudication_wanted: the cases on which readers disagree are to be decided.
        case_chosen: id of a case to go to.
    """

    accepted_merge = Signal()
    adjudication_wanted = Signal()
    case_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        open_at(self, 880, 600)
        self._report = MergeReport()
        self._label_set: LabelSet | None = None
        self._name = ""
        self._heading = QLabel(self)
        self._heading.setObjectName("title")
        self._heading.setWordWrap(True)
        self._words = QLabel(self)
        self._words.setObjectName("muted")
        self._words.setWordWrap(True)
        self.tree = QTreeWidget(self)
        self.tree.setColumnCount(4)
        self.tree.setUniformRowHeights(True)
        self.tree.setAllColumnsShowFocus(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.tree.header()
        header.setStretchLastSection(True)
        for column, width in enumerate((220, 190, 160)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.tree.setColumnWidth(column, width)
        self.tree.itemActivated.connect(self._on_activated)
        self.go = QPushButton(self)
        self.go.setObjectName("primary")
        self.go.clicked.connect(self._on_go)
        self.copy_button, self._close = QPushButton(self), QPushButton(self)
        for button in (self.go, self.copy_button, self._close):
            button.setAutoDefault(False)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.as_text()))
        self._close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addWidget(self.go)
        buttons.addStretch(1)
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self._heading)
        layout.addWidget(self._words)
        layout.addWidget(self.tree, 1)
        layout.addLayout(buttons)

    def show_report(self, report: MergeReport, label_set: LabelSet, *, name: str) -> None:
        """Show what a merge would do, or has done.

        Args:
            report: of the merge or its rehearsal.
            label_set: names of questions and answers.
            name: what the other project is called.
        """
        self._report, self._label_set, self._name = report, label_set, name
        self.retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self._label_set is not None:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        report = self._report
        self.setWindowTitle(tr("Merge {name}", name=private(self._name)))
        self._heading.setText(summary_of(report))
        notes = [say(note) for note in report.notes]
        if report.is_cancelled:
            notes.append(tr("It was stopped; what is in is kept. Merge the same project again to go on."))
        elif report.is_rehearsal and not report.changes_nothing:
            notes.append(tr("Nothing is written yet. A backup is made before the merge."))
        self._words.setText("\n".join(notes))
        self._words.setVisible(bool(notes))
        self.tree.setHeaderLabels([tr("What"), tr("Who"), tr("Cases"), tr("Result")])
        self.go.setText(tr("Merge") if report.is_rehearsal else tr("Decide disagreements"))
        is_useful = not report.changes_nothing if report.is_rehearsal else bool(report.disagreements)
        self.go.setVisible(is_useful)
        self.copy_button.setText(tr("Copy"))
        self._close.setText(tr("Cancel") if report.is_rehearsal and is_useful else tr("Close"))
        self._fill()

    def as_text(self) -> str:
        """Everything in it as a table with tabs, for a spreadsheet."""
        lines = [self._heading.text(), self._words.text()]
        for index in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(index)
            assert group is not None
            lines.append(group.text(0))
            for row in range(group.childCount()):
                child = group.child(row)
                if child is not None:
                    lines.append("\t".join(child.text(column) for column in range(4)))
        return "\n".join(filter(None, lines)) + "\n"

    def _fill(self) -> None:
        report = self._report
        self.tree.clear()
        self._group(tr("Agreement"), self._agreement_rows())
        self._group(
            trn("1 disagreement", "{count} disagreements", len(report.disagreements)),
            (
                (
                    self._question(each.field),
                    "",
                    private_id(each.case_id),
                    "; ".join(
                        f"{private(who)}: {opinion_text(self._field(each.field), value)}"
                        for who, value in each.values.items()
                    ),
                    each.case_id,
                )
                for each in report.disagreements
            ),
        )
        self._group(
            tr("Two opinions of one reader, kept side by side"),
            (
                (private(each.reader), private(each.kept_as), private_id(each.case_id), "", each.case_id)
                for each in report.kept_apart
            ),
        )
        self._group(
            tr("Kept as it is here; the other value is in the history"),
            ((*conflict_words(each), each.case_id) for each in report.conflicts),
        )
        self._group(tr("Left out"), ((study, "", "", say(reason), "") for study, reason in report.left_out))
        if not self.tree.topLevelItemCount():
            row = QTreeWidgetItem([tr("No reader has answered the same question as another one."), "", "", ""])
            row.setFlags(Qt.ItemFlag.NoItemFlags)
            self.tree.addTopLevelItem(row)
            row.setFirstColumnSpanned(True)

    def _group(self, title: str, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        listed = list(rows)
        if not listed:
            return
        group = QTreeWidgetItem([title, "", "", ""])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        self.tree.addTopLevelItem(group)
        group.setFirstColumnSpanned(True)
        for *texts, case_id in listed[:SHOWN_ROWS]:
            row = QTreeWidgetItem(group, texts)
            row.setData(0, CASE, case_id)
            for column, text in enumerate(texts):
                row.setToolTip(column, text)
        if len(listed) > SHOWN_ROWS:
            more = tr("… and {n} more", n=whole(len(listed) - SHOWN_ROWS))
            group.addChild(QTreeWidgetItem([more, "", "", ""]))
        group.setExpanded(True)

    def _agreement_rows(self) -> Iterable[tuple[str, str, str, str, str]]:
        for each in self._report.agreement:
            kappa = each.kappa
            if kappa.value is None:
                words = tr("κ undefined")  # both always said the same one thing
            elif kappa.low is None or kappa.high is None:
                words = f"κ {number(kappa.value, 2)}"
            else:
                words = tr("κ {value} (95 %: {low} to {high})", value=number(kappa.value, 2),
                           low=number(kappa.low, 2), high=number(kappa.high, 2))  # fmt: skip
            counted = tr("{same} of {all} alike", same=whole(each.agreeing), all=whole(each.cases))
            who = f"{private(each.first)} · {private(each.second)}"
            yield self._question(each.field), who, counted, words, ""

    def _question(self, field_id: str) -> str:
        field = self._field(field_id)
        return say(field.text) if field is not None else field_id

    def _field(self, field_id: str) -> LabelField | None:
        return self._label_set.field(field_id) if self._label_set is not None else None

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        case_id = str(item.data(0, CASE) or "")
        if case_id:
            self.case_chosen.emit(case_id)

    def _on_go(self) -> None:
        (self.accepted_merge if self._report.is_rehearsal else self.adjudication_wanted).emit()
