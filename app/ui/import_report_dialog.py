"""What an import came to, file by file: refused ones first, grouped by reason, searchable, to copy and to save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import UserError
from app.store.fs import atomic_write
from app.store.import_report import ImportItem, ImportReport, Outcome
from app.store.import_table import ReportGroup, first_open_case, grouped, matching, report_csv
from app.ui import theme
from app.ui.dialog_size import open_at
from app.ui.fields import ChoiceBox
from app.ui.language import say, tr, trn, whole
from app.ui.privacy import private
from app.ui.theme import GAP_L, GAP_M, GAP_S

SEARCH_MS = 150
SHOWN_FILES = 2000  # of one group; the table that is saved holds all
UNFOLDED = 3  # groups of refused files that are open at first
GROUP = Qt.ItemDataRole.UserRole


def outcome_words(outcome: Outcome) -> str:
    """An outcome in the language of the window."""
    return {
        Outcome.IMPORTED: tr("Imported"),
        Outcome.DUPLICATE: tr("Already known"),
        Outcome.REFUSED: tr("Refused"),
    }[outcome]


def summary_of(report: ImportReport) -> str:
    """One sentence of counts."""
    counts = {outcome: report.count(outcome) for outcome in Outcome}
    parts = [trn("1 view imported", "{count} views imported", counts[Outcome.IMPORTED])]
    if counts[Outcome.DUPLICATE]:
        parts.append(tr("{n} already known", n=whole(counts[Outcome.DUPLICATE])))
    if counts[Outcome.REFUSED]:
        parts.append(tr("{n} refused", n=whole(counts[Outcome.REFUSED])))
    return ", ".join(parts)


def decisions_of(report: ImportReport) -> str:
    """What a person has to do next; empty when nothing."""
    waiting = sum(bool(entry.case.questions) and not entry.case.blocked_reason for entry in report.cases)
    blocked = sum(bool(entry.case.blocked_reason) for entry in report.cases)
    parts = []
    if waiting:
        parts.append(trn("1 case needs a decision.", "{count} cases need a decision.", waiting))
    if blocked:
        parts.append(
            trn(
                "1 case is blocked until a person has looked.",
                "{count} cases are blocked until a person has looked.",
                blocked,
            )
        )
    return " ".join(parts)


class ImportReportDialog(QDialog):
    """The reports of this session; the latest first.

    Signals:
        case_chosen: id of a case to go to.
    """

    case_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        open_at(self, 860, 560)
        self._reports: list[tuple[str, ImportReport]] = []
        self._report = ImportReport(items=(), cases=())
        self._which = ChoiceBox(self)
        self._heading = QLabel(self)
        self._heading.setObjectName("title")
        self._words = QLabel(self)
        self._words.setObjectName("muted")
        self._words.setWordWrap(True)
        self.search = QLineEdit(self)
        self.search.setClearButtonEnabled(True)
        self.filters: dict[Outcome, QPushButton] = {}
        row = QHBoxLayout()
        row.setSpacing(GAP_S)
        for outcome in (Outcome.REFUSED, Outcome.DUPLICATE, Outcome.IMPORTED):
            button = QPushButton(self)
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.toggled.connect(self._fill)
            self.filters[outcome] = button
            row.addWidget(button)
        row.addSpacing(GAP_M)
        row.addWidget(self.search, 1)
        self.tree = QTreeWidget(self)
        self.tree.setColumnCount(2)
        self.tree.setRootIsDecorated(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.header().setStretchLastSection(True)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.tree.setColumnWidth(0, 380)
        self.tree.itemExpanded.connect(self._unfold)
        self.decide = QPushButton(self)
        self.decide.setObjectName("primary")
        self.decide.setAutoDefault(False)
        self.copy_button, self.save_button, close = QPushButton(self), QPushButton(self), QPushButton(self)
        self._close = close
        for button in (self.copy_button, self.save_button, close):
            button.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addWidget(self.decide)
        buttons.addStretch(1)
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        buttons.addWidget(close)
        top = QHBoxLayout()
        top.addWidget(self._heading, 1)
        top.addWidget(self._which)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addLayout(top)
        layout.addWidget(self._words)
        layout.addLayout(row)
        layout.addWidget(self.tree, 1)
        layout.addLayout(buttons)
        self._pause = QTimer(self, singleShot=True, interval=SEARCH_MS)
        self._pause.timeout.connect(self._fill)
        self.search.textChanged.connect(lambda: self._pause.start())
        self._which.currentIndexChanged.connect(self._on_chosen)
        self.decide.clicked.connect(self._on_decide)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(report_csv(self._report)))
        self.save_button.clicked.connect(self._save)
        close.clicked.connect(self.close)

    def show_reports(self, reports: Sequence[tuple[str, ImportReport]]) -> None:
        """Show the latest of some reports, each with what to call it; the others can be chosen."""
        self._reports = list(reports)
        self._which.blockSignals(True)
        self._which.clear()
        self._which.addItems([title for title, _ in reversed(self._reports)])
        self._which.blockSignals(False)
        self._which.setVisible(len(self._reports) > 1)
        self._on_chosen(0)

    def showEvent(self, event: QShowEvent) -> None:
        """Rows have the height of the style that they are painted in."""
        super().showEvent(event)
        self.tree.doItemsLayout()

    def changeEvent(self, event: QEvent) -> None:
        """Other colours, another language: say everything anew."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.LanguageChange) and self._reports:
            self._on_chosen(max(self._which.currentIndex(), 0))

    def _on_chosen(self, index: int) -> None:
        _, self._report = self._reports[len(self._reports) - 1 - index]
        self.setWindowTitle(tr("Import report"))
        report = self._report
        self._heading.setText(summary_of(report))
        lines = [decisions_of(report)]
        if report.is_cancelled:
            lines.append(tr("It was stopped before the end; what is in is kept. Import the same files again to go on."))
        lines += [say(note) for note in report.notes]
        self._words.setText("\n".join(line for line in lines if line))
        self._words.setVisible(bool(self._words.text()))
        has_refused = bool(report.count(Outcome.REFUSED))
        for outcome, button in self.filters.items():
            count = report.count(outcome)
            button.setText(f"{outcome_words(outcome)} ({whole(count)})")
            button.blockSignals(True)
            button.setChecked(outcome is Outcome.REFUSED or not has_refused)
            button.setEnabled(bool(count))
            button.blockSignals(False)
        self.search.setPlaceholderText(tr("Search file names and reasons"))
        self.tree.setHeaderLabels([tr("File"), tr("What is special about it")])
        self.decide.setText(tr("Go to the first decision"))
        self.decide.setVisible(bool(first_open_case(report)))
        self.copy_button.setText(tr("Copy as CSV"))
        self.save_button.setText(tr("Save as CSV…"))
        self._close.setText(tr("Close"))
        self._fill()

    def _fill(self) -> None:
        chosen = {outcome for outcome, button in self.filters.items() if button.isChecked()}
        items = [item for item in matching(self._report.items, self.search.text()) if item.outcome in chosen]
        self.tree.clear()
        for number, group in enumerate(grouped(items)):
            row = _GroupRow(group)
            self.tree.addTopLevelItem(row)
            row.setFirstColumnSpanned(True)
            if self.search.text().strip() or (group.outcome is Outcome.REFUSED and number < UNFOLDED):
                row.setExpanded(True)
        if not items:
            nothing = QTreeWidgetItem([tr("No file matches."), ""])
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.tree.addTopLevelItem(nothing)

    def _unfold(self, row: QTreeWidgetItem) -> None:
        if isinstance(row, _GroupRow):
            row.unfold()

    def _on_decide(self) -> None:
        self.case_chosen.emit(first_open_case(self._report))

    def _save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, tr("Save the report"), "import.csv", tr("Tables (*.csv)"))
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, path: Path) -> None:
        """Write the report as CSV; a failure is said in place of the counts."""
        try:
            atomic_write(path, [report_csv(self._report).encode("utf-8-sig")])
        except OSError as error:
            reason = f"The system says: {(error.strerror or type(error).__name__).lower()}."
            problem = UserError("The report could not be written.", reason=reason)
            self._words.setText(f"{say(problem.title)} {say(problem.reason)}")
            self._words.setVisible(True)


class _GroupRow(QTreeWidgetItem):
    """One reason; what to do about it and its files are listed when it is unfolded."""

    def __init__(self, group: ReportGroup) -> None:
        reason = say(group.reason) or outcome_words(group.outcome)
        text = trn("1 file: {reason}", "{count} files: {reason}", len(group.items), reason=reason)
        super().__init__([text, ""])
        self._group: ReportGroup | None = group
        font = self.font(0)
        font.setBold(True)
        self.setFont(0, font)
        self.setToolTip(0, reason)
        self.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)

    def unfold(self) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        if group.remedy:
            remedy = QTreeWidgetItem(self, [f"→ {say(group.remedy)}", ""])
            remedy.setFirstColumnSpanned(True)
            remedy.setForeground(0, QColor(theme.colours().accent))
            remedy.setToolTip(0, say(group.remedy))
        self.addChildren([_file_row(item, group) for item in group.items[:SHOWN_FILES]])
        rest = len(group.items) - SHOWN_FILES
        if rest > 0:
            self.addChild(QTreeWidgetItem([tr("… and {n} more; the saved table lists all.", n=whole(rest)), ""]))


def _file_row(item: ImportItem, group: ReportGroup) -> QTreeWidgetItem:
    own = item.reason if item.reason != group.reason else ""
    said = " ".join(say(part) for part in (own, *item.notices) if part)
    name = private(item.label)
    row = QTreeWidgetItem([name, said])
    row.setToolTip(0, name)
    row.setToolTip(1, " ".join(say(part) for part in (item.reason, item.remedy, *item.notices) if part))
    return row
