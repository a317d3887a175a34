"""What a mapping file would do, before anything is done: what matched, what is missing, what is not kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.store.fracatlas import read_fracatlas
from app.store.mapping import ImageMapping, MappingRow, read_mapping
from app.ui import theme
from app.ui.background import Ticket
from app.ui.dialog_size import open_at
from app.ui.language import say, tr, trn, whole
from app.ui.privacy import private
from app.ui.theme import GAP_L, GAP_M, GAP_S

SHOWN_ROWS = 200
COLUMNS = ("File", "Found", "Patient", "Side", "Projection", "Labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPreview:
    """A mapping and what of it is there.

    Args:
        mapping: the table.
        missing: paths of rows whose file is not there.
        patient_count: different patients.
        label_names: columns that become labels, with how many rows have a value.
    """

    mapping: ImageMapping
    missing: frozenset[str]
    patient_count: int
    label_names: dict[str, int]


def is_table(path: Path) -> bool:
    """Whether a file is offered as a mapping."""
    return path.suffix.lower() in (".csv", ".tsv") and path.is_file()


def is_fracatlas(path: Path) -> bool:
    """Whether a folder looks like FracAtlas as it was published."""
    return any((root / "dataset.csv").is_file() and (root / "images").is_dir() for root in (path, path / "FracAtlas"))


def read_preview(path: Path, ticket: Ticket) -> MappingPreview:
    """Read a table, or the folder of FracAtlas, and look which of its files are there. Runs in a thread.

    Raises:
        UserError: `mapping`: it cannot be used, with row and column.
    """
    mapping = read_fracatlas(path) if path.is_dir() else read_mapping(path)
    missing = set()
    labels: dict[str, int] = {}
    total = len(mapping.rows)
    for number, row in enumerate(mapping.rows.values()):
        if not (mapping.root / row.path).is_file():
            missing.add(row.path)
        for name in row.labels:
            labels[name] = labels.get(name, 0) + 1
        if number % 100 == 0:
            ticket.note(number, total)
    return MappingPreview(
        mapping=mapping,
        missing=frozenset(missing),
        patient_count=len({row.patient for row in mapping.rows.values()}),
        label_names=labels,
    )


class MappingDialog(QDialog):
    """Shows a preview; accepted when the user wants it applied.

    Args:
        preview: what the table says.
        project_name: where it would go; empty when that is asked next.
    """

    def __init__(self, preview: MappingPreview, *, project_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preview = preview
        self.setWindowTitle(tr("Import with a table"))
        open_at(self, 860, 560)
        mapping, missing = preview.mapping, len(preview.missing)
        found = len(mapping.rows) - missing
        heading = QLabel(tr("{n} of {total} images are there", n=whole(found), total=whole(len(mapping.rows))), self)
        heading.setObjectName("title")
        self.words = QLabel("\n".join(self._sentences(project_name)), self)
        self.words.setObjectName("muted")
        self.words.setWordWrap(True)
        self.table = QTableWidget(min(len(mapping.rows), SHOWN_ROWS), len(COLUMNS), self)
        self.table.setHorizontalHeaderLabels([tr(name) for name in COLUMNS])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.setWordWrap(False)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(5, QHeaderView.ResizeMode.Stretch)
        ordered = sorted(mapping.rows.values(), key=lambda row: row.path not in preview.missing)  # the odd ones first
        for number, row in enumerate(ordered[:SHOWN_ROWS]):
            for column, text in enumerate(self._cells(row)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if row.path in preview.missing:
                    item.setForeground(QColor(theme.colours().caution))
                self.table.setItem(number, column, item)
        for column in (1, 2, 3, 4):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.apply_button = QPushButton(trn("Import 1 image", "Import {count} images", found), self)
        self.apply_button.setObjectName("primary")
        self.apply_button.setDefault(True)
        self.apply_button.setEnabled(found > 0)
        self.apply_button.clicked.connect(self.accept)
        cancel = QPushButton(tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        if len(mapping.rows) > SHOWN_ROWS:
            more = QLabel(tr("The first {n} rows are shown.", n=SHOWN_ROWS), self)
            more.setObjectName("muted")
            buttons.addWidget(more)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.apply_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(heading)
        layout.addWidget(self.words)
        layout.addSpacing(GAP_S)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)

    def _sentences(self, project_name: str) -> list[str]:
        preview = self.preview
        sentences = [
            trn("1 patient, who gets a pseudonym.", "{count} patients; each gets a pseudonym.", preview.patient_count)
        ]
        if preview.label_names:
            labels = ", ".join(f"{name} ({count})" for name, count in sorted(preview.label_names.items()))
            sentences.append(tr("Labels: {labels}.", labels=labels))
        else:
            sentences.append(tr("The table holds no labels."))
        if preview.missing:
            left = len(preview.missing)
            sentences.append(
                trn(
                    "1 file is missing; the report names it.", "{count} files are missing; the report names them.", left
                )
            )
        sentences += [say(note) for note in preview.mapping.notes]
        sentences.append(
            tr("Labels that a case has already are kept; images that are there already get the labels that they lack.")
        )
        if project_name:
            sentences.append(tr("Everything goes into the project “{name}”.", name=project_name))
        return sentences

    def _cells(self, row: MappingRow) -> tuple[str, ...]:
        return (
            private(row.path),
            tr("missing") if row.path in self.preview.missing else tr("yes"),
            private(row.patient),
            tr(row.side.value) if row.side is not None else "–",
            tr(row.projection.value) if row.projection is not None else "–",
            ", ".join(f"{name}: {value}" for name, value in sorted(row.labels.items())),
        )
