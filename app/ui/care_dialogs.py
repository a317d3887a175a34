"""What a project is (properties) and how it is (the result of a check)."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication
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
from app.ui.dialog_size import open_at
from app.ui.language import moment, present_language, say, tr, whole
from app.ui.lock_words import read_only_words
from app.ui.privacy import private
from app.ui.theme import GAP_L, GAP_M, GAP_S

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
        self.setWindowTitle(tr("Project properties"))
        open_at(self, 620, 560)
        heading = QLabel(private(facts.name), self)
        heading.setObjectName("title")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP_L)
        self._grid.setVerticalSpacing(GAP_S)
        self._grid.setColumnStretch(1, 1)
        self.rows: dict[str, str] = {}
        self._add(tr("Place"), private(str(facts.path)))
        self._add(tr("Cases"), whole(facts.cases))
        self._add(tr("Radiographs"), whole(facts.views))
        self._add(tr("Patients"), whole(facts.patients))
        self._add(tr("Studies"), whole(facts.studies))
        self._add(tr("Recorded changes"), whole(facts.events))
        self._add(
            tr("On the disk"),
            tr(
                "{all}: images {images}, backups {backups}; {free} free",
                all=size_words(facts.disk_bytes),
                images=size_words(facts.image_bytes),
                backups=size_words(facts.backup_bytes),
                free=size_words(facts.free_bytes),
            ),
        )
        self._add(tr("Writing"), read_only_words(read_only_reason) or tr("Open for writing here"))
        backups = QTreeWidget(self)
        backups.setRootIsDecorated(False)
        backups.setColumnCount(3)
        backups.setHeaderLabels([tr("Backup"), tr("Size"), tr("Kept for")])
        backups.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for backup in facts.backups:
            label = backup.label or tr("rotation")
            backups.addTopLevelItem(QTreeWidgetItem([moment(backup.made_at), size_words(backup.size_bytes), label]))
        self.backups = backups
        words = QLabel(
            tr("Backups hold everything but the images, which never change. Copy the whole folder to be safe from a "
               "lost disk.") if facts.backups else tr("There is no backup yet."), self
        )  # fmt: skip
        words.setObjectName("muted")
        words.setWordWrap(True)
        copy = QPushButton(tr("Copy path"), self)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(str(facts.path)))
        back_up = QPushButton(tr("Back up now"), self)
        back_up.clicked.connect(self.back_up_chosen)
        check = QPushButton(tr("Check project"), self)
        check.clicked.connect(self.check_chosen)
        close = QPushButton(tr("Close"), self)
        close.setObjectName("primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        for button in (copy, back_up, check):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(heading)
        layout.addLayout(self._grid)
        layout.addSpacing(GAP_S)
        layout.addWidget(backups, 1)
        layout.addWidget(words)
        layout.addLayout(buttons)

    def _add(self, name: str, text: str) -> None:
        row = self._grid.rowCount()
        label, value = QLabel(name, self), QLabel(text, self)
        label.setObjectName("muted")
        value.setWordWrap(True)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self.rows[name] = text


class CheckDialog(QDialog):
    """Every part of a check, what it came to, and what to do about it."""

    def __init__(self, report: HealthReport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Project check"))
        open_at(self, 760, 480)
        self.heading = QLabel(tr("Something is damaged.") if report.is_damaged else tr("The project is intact."), self)
        self.heading.setObjectName("title")
        self.tree = QTreeWidget(self)
        self.tree.setRootIsDecorated(False)
        self.tree.setColumnCount(3)
        self.tree.setWordWrap(True)
        self.tree.setHeaderLabels([tr("Part"), tr("State"), tr("What was found")])
        self.tree.header().setStretchLastSection(True)
        colours = theme.colours()
        marks = {State.FINE: tr("Intact"), State.NOTICE: tr("Notice"), State.DAMAGED: tr("Damaged")}
        tones = {State.FINE: colours.text, State.NOTICE: colours.caution, State.DAMAGED: colours.danger}
        for item in report.items:
            text = " ".join(
                say(part) for part in (item.text, item.remedy if item.state is not State.FINE else "") if part
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
        self.tree.resizeColumnToContents(0)
        self.tree.resizeColumnToContents(1)
        copy = QPushButton(tr("Copy"), self)
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        close = QPushButton(tr("Close"), self)
        close.setObjectName("primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.heading)
        layout.addWidget(self.tree, 1)
        layout.addLayout(buttons)

    @property
    def text(self) -> str:
        """The whole of it, to copy."""
        rows = [self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount())]
        lines = ["\t".join(row.text(column) for column in range(3)) for row in rows if row is not None]
        return "\n".join((self.heading.text(), *lines))
