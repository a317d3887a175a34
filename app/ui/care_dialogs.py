"""What a project is (properties) and how it is (the result of a check)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.store.health import HealthReport, State
from app.store.project_facts import ProjectFacts
from app.ui import theme
from app.ui.breakable import breakable
from app.ui.dialog_size import open_at
from app.ui.language import moment, present_language, say, tr, whole
from app.ui.lock_words import open_words, read_only_words
from app.ui.privacy import private
from app.ui.theme import GAP_L, GAP_M, GAP_S
from app.ui.wrapped_rows import WrappedRows

MAX_PROBLEMS = 200


def size_words(count: int) -> str:
    """Bytes as people read them."""
    return QLocale(present_language()).formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeTraditionalFormat)


class PropertiesDialog(QDialog):
    """Name, place, counts, disk use, backups.

    Signals:
        back_up_chosen: make a backup now.
        check_chosen: check the project.
    """

    back_up_chosen = Signal()
    check_chosen = Signal()

    def __init__(self, facts: ProjectFacts, *, read_only_reason: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        open_at(self, 620, 560)
        self._facts, self._read_only_reason = facts, read_only_reason
        self._heading = QLabel(self)
        self._heading.setObjectName("title")
        self._heading.setTextFormat(Qt.TextFormat.PlainText)
        self._heading.setWordWrap(True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP_L)
        self._grid.setVerticalSpacing(GAP_S)
        self._grid.setColumnStretch(1, 1)
        self.rows: dict[str, str] = {}
        self._lines = [self._add_line() for _ in self._facts_in_words()]
        self.backups = QTreeWidget(self)
        self.backups.setRootIsDecorated(False)
        self.backups.setColumnCount(3)
        self.backups.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._words = QLabel(self)
        self._words.setObjectName("muted")
        self._words.setWordWrap(True)
        self._copy, self._back_up, self._check, self._close = (QPushButton(self) for _ in range(4))
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(str(facts.path)))
        self._back_up.clicked.connect(self.back_up_chosen)
        self._check.clicked.connect(self.check_chosen)
        self._close.setObjectName("primary")
        self._close.setDefault(True)
        self._close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        for button in (self._copy, self._back_up, self._check):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self._heading)
        layout.addLayout(self._grid)
        layout.addSpacing(GAP_S)
        layout.addWidget(self.backups, 1)
        layout.addWidget(self._words)
        layout.addLayout(buttons)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language, without names while they are hidden."""
        self.setWindowTitle(tr("Project properties"))
        self._heading.setText(breakable(private(self._facts.name)))
        self.rows = self._facts_in_words()
        for (label, value), (name, text) in zip(self._lines, self.rows.items(), strict=True):
            label.setText(name)
            value.setText(breakable(text))
        self.backups.setHeaderLabels([tr("Backup"), tr("Size"), tr("Kept for")])
        self.backups.clear()
        for backup in self._facts.backups:
            texts = [moment(backup.made_at), size_words(backup.size_bytes), backup.label or tr("rotation")]
            self.backups.addTopLevelItem(QTreeWidgetItem(texts))
        self._words.setText(
            tr("Backups hold everything but the images, which never change. Copy the whole folder to be safe from a "
               "lost disk.") if self._facts.backups else tr("There is no backup yet.")
        )  # fmt: skip
        self._copy.setText(tr("Copy path"))
        self._back_up.setText(tr("Back up now"))
        self._check.setText(tr("Check project"))
        self._close.setText(tr("Close"))

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or names are hidden."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def _facts_in_words(self) -> dict[str, str]:
        facts = self._facts
        on_disk = tr(
            "{all}: images {images}, backups {backups}; {free} free",
            all=size_words(facts.disk_bytes),
            images=size_words(facts.image_bytes),
            backups=size_words(facts.backup_bytes),
            free=size_words(facts.free_bytes),
        )
        return {
            tr("Place"): private(str(facts.path)),
            tr("Cases"): whole(facts.cases),
            tr("Radiographs"): whole(facts.views),
            tr("Patients"): whole(facts.patients),
            tr("Studies"): whole(facts.studies),
            tr("Recorded changes"): whole(facts.events),
            tr("On the disk"): on_disk,
            tr("Writing"): read_only_words(self._read_only_reason) or tr("Open for writing here"),
        }

    def _add_line(self) -> tuple[QLabel, QLabel]:
        row = self._grid.rowCount()
        label, value = QLabel(self), QLabel(self)
        label.setObjectName("muted")
        value.setWordWrap(True)
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        return label, value


class CheckDialog(QDialog):
    """Every part of a check, what it came to, and what to do about it."""

    def __init__(self, report: HealthReport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        open_at(self, 760, 480)
        self._report = report
        self.heading = QLabel(self)
        self.heading.setObjectName("title")
        self.tree = QTreeWidget(self)
        self.tree.setRootIsDecorated(False)
        self.tree.setColumnCount(3)
        self.tree.header().setStretchLastSection(True)
        WrappedRows(self.tree)
        self._copy, self._close = QPushButton(self), QPushButton(self)
        self._copy.setAutoDefault(False)
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        self._close.setObjectName("primary")
        self._close.setDefault(True)
        self._close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addStretch(1)
        buttons.addWidget(self._copy)
        buttons.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.heading)
        layout.addWidget(self.tree, 1)
        layout.addLayout(buttons)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language, without names while they are hidden."""
        self.setWindowTitle(tr("Project check"))
        is_damaged = self._report.is_damaged
        self.heading.setText(tr("Something is damaged.") if is_damaged else tr("The project is intact."))
        self._copy.setText(tr("Copy"))
        self._close.setText(tr("Close"))
        self.tree.setHeaderLabels([tr("Part"), tr("State"), tr("What was found")])
        self.tree.clear()
        self._fill(self._report)
        self.tree.resizeColumnToContents(0)
        self.tree.resizeColumnToContents(1)

    def showEvent(self, event: QShowEvent) -> None:
        """Rows have the height of the style that they are painted in."""
        super().showEvent(event)
        self.tree.doItemsLayout()

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or names are hidden."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def _fill(self, report: HealthReport) -> None:
        colours = theme.colours()
        marks = {State.FINE: tr("Intact"), State.NOTICE: tr("Notice"), State.DAMAGED: tr("Damaged")}
        tones = {State.FINE: colours.text, State.NOTICE: colours.caution, State.DAMAGED: colours.danger}
        for item in report.items:
            text = " ".join(
                open_words(part) for part in (item.text, item.remedy if item.state is not State.FINE else "") if part
            )
            row = QTreeWidgetItem([say(item.name), marks[item.state], text])
            row.setForeground(1, QColor(tones[item.state]))
            row.setToolTip(2, text)
            self.tree.addTopLevelItem(row)
        for problem in report.problems[:MAX_PROBLEMS]:
            where = f"{problem.table} {problem.key}".strip()
            self.tree.addTopLevelItem(QTreeWidgetItem([where, marks[State.DAMAGED], say(problem.text)]))
        for name, addresses in (
            (tr("Damaged image"), report.damaged_images),
            (tr("Missing image"), report.missing_images),
        ):
            for address in addresses[:MAX_PROBLEMS]:
                self.tree.addTopLevelItem(QTreeWidgetItem([name, marks[State.DAMAGED], address]))

    @property
    def text(self) -> str:
        """The whole of it, to copy."""
        rows = [self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount())]
        lines = ["\t".join(row.text(column) for column in range(3)) for row in rows if row is not None]
        return "\n".join((self.heading.text(), *lines))
