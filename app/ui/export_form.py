"""What is to be exported, as somebody chooses it: which cases, what of them, how it is written, where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, SplitRequest
from app.core.worklist import EVERYTHING, Query
from app.ui.export_words import CONTENT_TIPS, CONTENT_WORDS, FORMAT_TIPS, FORMAT_WORDS
from app.ui.fields import ChoiceBox, NumberBox, typed_folder
from app.ui.language import tr, trn
from app.ui.privacy import are_names_hidden
from app.ui.theme import GAP_L, GAP_M, GAP_S

CHOOSE_PX = 36
LISTED, SELECTED, ALL = "listed", "selected", "all"
FIRST_CONTENTS = frozenset({Content.IMAGES, Content.LABELS, Content.MEASUREMENTS, Content.ALIGNMENTS})
FIRST_FORMATS = frozenset({ExportFormat.TABLES, ExportFormat.PNG})
SHARES = ((0.7, 0.15, 0.15), (0.8, 0.1, 0.1), (0.8, 0.2, 0.0), (0.6, 0.2, 0.2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportScope:
    """Which cases there are to choose from.

    Args:
        query: of the list as it is filtered now.
        listed: how many cases that finds.
        selected: the cases that are marked in the list.
        total: cases of the project.
        labels: fields that can give a class, with their names.
        runs: training runs whose parts can be used.
    """

    query: Query = EVERYTHING
    listed: int = 0
    selected: tuple[str, ...] = ()
    total: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    runs: tuple[str, ...] = ()


class ExportForm(QWidget):
    """The choices.

    Signals:
        changed: something else is chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scope = ExportScope()
        self.titles = {name: _strong(self) for name in ("cases", "what", "how", "parts", "about", "where")}
        self.cases = {name: QRadioButton(self) for name in (LISTED, SELECTED, ALL)}
        self.cases[LISTED].setChecked(True)
        self.excluded = QCheckBox(self)
        self.contents = {each: QCheckBox(self) for each in Content}
        self.formats = {each: QCheckBox(self) for each in ExportFormat}
        for content, box in self.contents.items():
            box.setChecked(content in FIRST_CONTENTS)
        for wanted, box in self.formats.items():
            box.setChecked(wanted in FIRST_FORMATS)
        self.label = ChoiceBox(self)
        self.split = ChoiceBox(self)
        self.seed = NumberBox(self)
        self.seed.setRange(0, 999_999)
        self.words = {name: QLabel(self) for name in ("label", "split", "seed", "title", "licence", "folder")}
        self.unapproved, self.texts, self.names = (QCheckBox(self) for _ in range(3))
        self.texts.setChecked(True)
        self.names.setChecked(True)
        self.leaks = QCheckBox(self)
        self.title, self.licence, self.folder = (QLineEdit(self) for _ in range(3))
        self.choose = QPushButton(self)
        self._lay_out()
        self._connect()
        self.retranslate()

    @property
    def comfort_px(self) -> int:
        """Width in which no column lies below the other, logical px."""
        return max(self.minimumSizeHint().width(), *(columns.beside_px for columns in self._columns))

    # --- what is chosen ---

    def request(self) -> ExportRequest:
        """What is chosen, as a request."""
        which = self._which()
        kind, _, value = str(self.split.currentData() or "").partition(":")
        split = SplitRequest()
        if kind == "seed":
            split = SplitRequest(kind=SplitKind.SEED, seed=self.seed.value(), shares=SHARES[int(value)])
        elif kind == "run":
            split = SplitRequest(kind=SplitKind.RUN, run=value)
        return ExportRequest(
            query=self.scope.query if which == LISTED else EVERYTHING,
            case_ids=self.scope.selected if which == SELECTED else (),
            contents=frozenset(each for each, box in self.contents.items() if box.isChecked()),
            formats=frozenset(each for each, box in self.formats.items() if box.isChecked()),
            split=split,
            label=str(self.label.currentData() or ""),
            has_excluded=self.excluded.isChecked(),
            has_unapproved_crops=self.unapproved.isChecked(),
            has_free_text=self.texts.isChecked(),
            has_reader_names=self.names.isChecked(),
            is_leak_accepted=self.leaks.isChecked(),
            title=self.title.text().strip(),
            licence=self.licence.text().strip(),
        )

    @property
    def goal(self) -> Path:
        """The folder that it goes to."""
        return typed_folder(self.folder.text().strip())

    def show_scope(self, scope: ExportScope) -> None:
        """Other cases are listed or marked now, or another project is open."""
        before, self.scope = self.scope, scope
        if before.labels != scope.labels or before.runs != scope.runs:
            self._fill_lists()
        self._say_cases()

    def show_goal(self, folder: Path) -> None:
        """Propose a folder."""
        self.folder.setText(str(folder))

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        titles = {
            "cases": tr("Which cases"),
            "what": tr("What of them"),
            "how": tr("How it is written"),
            "parts": tr("Classes and parts"),
            "about": tr("What others may read"),
            "where": tr("Where to"),
        }
        for name, words in titles.items():
            self.titles[name].setText(words)
        for content, box in self.contents.items():
            box.setText(tr(CONTENT_WORDS[content]))
            box.setToolTip(tr(CONTENT_TIPS[content]))
        for wanted, box in self.formats.items():
            box.setText(tr(FORMAT_WORDS[wanted]))
            box.setToolTip(tr(FORMAT_TIPS[wanted]))
        self.excluded.setText(tr("Also excluded cases"))
        self.unapproved.setText(tr("Also crops that nobody has approved"))
        self.texts.setText(tr("Comments and free texts"))
        self.texts.setToolTip(tr("What people wrote may name somebody"))
        self.names.setText(tr("Names of readers"))
        self.names.setToolTip(tr("Without it readers are reader-1, reader-2 …"))
        self.leaks.setText(tr("Export although the parts leak"))
        for name, words in (("label", tr("Class from")), ("split", tr("Parts")), ("seed", tr("Seed")),
                            ("title", tr("Title")), ("licence", tr("Licence")), ("folder", tr("Folder"))):  # fmt: skip
            self.words[name].setText(words)
        self.title.setPlaceholderText(tr("the project's name"))
        self.licence.setPlaceholderText(tr("such as CC BY 4.0"))
        hidden, shown = QLineEdit.EchoMode.Password, QLineEdit.EchoMode.Normal
        self.folder.setEchoMode(hidden if are_names_hidden() else shown)  # a path may name somebody
        self.choose.setText("…")
        self.choose.setToolTip(tr("Choose…"))
        self.choose.setAccessibleName(tr("Choose…"))
        self._fill_lists()
        self._say_cases()

    # --- how it is made ---

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)

        def part(name: str, *rows: QWidget) -> None:
            if layout.count():
                layout.addSpacing(GAP_M)
            layout.addWidget(self.titles[name])
            for row in rows:
                layout.addWidget(row)

        part("cases", *self.cases.values(), self.excluded)
        self._columns = [_TwoColumns(self, list(boxes.values())) for boxes in (self.contents, self.formats)]
        part("what", self._columns[0], self.unapproved)
        part("how", self._columns[1])
        grid = QWidget(self)
        lines = QGridLayout(grid)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setHorizontalSpacing(GAP_M)
        lines.setVerticalSpacing(GAP_S)
        lines.setColumnStretch(1, 1)
        for row, (name, field) in enumerate((("label", self.label), ("split", self.split), ("seed", self.seed))):
            lines.addWidget(self.words[name], row, 0)
            lines.addWidget(field, row, 1)
        part("parts", grid, self.leaks)
        part("about", self.texts, self.names)
        goal = QWidget(self)
        lines = QGridLayout(goal)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setHorizontalSpacing(GAP_M)
        lines.setVerticalSpacing(GAP_S)
        for row, (name, line) in enumerate((("title", self.title), ("licence", self.licence), ("folder", self.folder))):
            lines.addWidget(self.words[name], row, 0)
            lines.addWidget(line, row, 1)
        self.choose.setFixedWidth(CHOOSE_PX)
        lines.addWidget(self.choose, 2, 2)
        part("where", goal)

    def _connect(self) -> None:
        boxes = (*self.contents.values(), *self.formats.values(), self.excluded, self.unapproved, self.texts,
                 self.names, self.leaks)  # fmt: skip
        for box in boxes:
            box.toggled.connect(lambda _: self.changed.emit())
        for radio in self.cases.values():
            radio.toggled.connect(lambda is_on: self.changed.emit() if is_on else None)
        self.label.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.split.currentIndexChanged.connect(self._on_split)
        self.seed.valueChanged.connect(lambda _: self.changed.emit())
        self.title.editingFinished.connect(self.changed)
        self.licence.editingFinished.connect(self.changed)
        self.folder.editingFinished.connect(self.changed)
        self.choose.clicked.connect(self._choose)

    def _which(self) -> str:
        return next(name for name, radio in self.cases.items() if radio.isChecked())

    def _say_cases(self) -> None:
        scope = self.scope
        listed = trn("1 listed case", "{count} listed cases", scope.listed)
        self.cases[LISTED].setText(listed if not scope.query.is_everything else tr("{n}, no filter", n=listed))
        self.cases[SELECTED].setText(trn("1 marked case", "{count} marked cases", len(scope.selected)))
        self.cases[ALL].setText(trn("The only case of the project", "All {count} cases of the project", scope.total))
        self.cases[SELECTED].setEnabled(bool(scope.selected))
        if not scope.selected and self.cases[SELECTED].isChecked():
            self.cases[LISTED].setChecked(True)

    def _fill_lists(self) -> None:
        """The classes and parts that can be chosen; what was chosen stays."""
        parts = [(tr("None"), "")]
        parts += [
            (" / ".join(f"{round(100 * share)} %" for share in shares if share), f"seed:{number}")
            for number, shares in enumerate(SHARES)
        ]
        parts += [(tr("Those of the run {name}", name=name), f"run:{name}") for name in self.scope.runs]
        _fill(self.split, parts)
        _fill(self.label, [(tr("First required question"), ""), *((text, name) for name, text in self.scope.labels)])
        self._show_seed()

    def _on_split(self) -> None:
        self._show_seed()
        self.changed.emit()

    def _show_seed(self) -> None:
        is_seed = str(self.split.currentData() or "").startswith("seed:")
        self.seed.setEnabled(is_seed)
        self.words["seed"].setEnabled(is_seed)
        self.leaks.setEnabled(self.split.currentIndex() > 0)

    def _choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Choose the folder that the data set goes into"))
        if name:
            self.folder.setText(str(Path(name) / self.goal.name))
            self.changed.emit()


def _fill(box: ChoiceBox, choices: Sequence[tuple[str, str]]) -> None:
    """Offer choices and keep the present one."""
    now = box.currentData()
    box.blockSignals(True)
    box.clear()
    for text, data in choices:
        box.addItem(text, data)
    box.setCurrentIndex(max(box.findData(now), 0))
    box.blockSignals(False)


class _TwoColumns(QWidget):
    """Boxes in two columns, read down; in one, where there is no room for two."""

    def __init__(self, parent: QWidget, boxes: Sequence[QWidget]) -> None:
        super().__init__(parent)
        half = (len(boxes) + 1) // 2
        self._columns = (boxes[:half], boxes[half:])
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for column in self._columns:
            side = QVBoxLayout()
            side.setSpacing(GAP_S)
            for box in column:
                side.addWidget(box)
            side.addStretch(1)
            self._row.addLayout(side, 1)
        self._arrange()

    @property
    def beside_px(self) -> int:
        """Width of two columns, logical px."""
        return sum(max(box.minimumSizeHint().width() for box in column) for column in self._columns) + GAP_L

    def minimumSizeHint(self) -> QSize:
        """The widest box."""
        widest = max(box.minimumSizeHint().width() for column in self._columns for box in column)
        return QSize(widest, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One column or two."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        is_beside = self.width() >= self.beside_px
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if is_beside else QBoxLayout.Direction.TopToBottom)
        self._row.setSpacing(GAP_L if is_beside else GAP_S)


def _strong(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setObjectName("strong")
    return label
