"""The rows of the worklist as Qt sees them: an order of case numbers, and the cases themselves a chunk at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.core.record import record
from app.core.worklist import AI_PREFIX, AI_SCORE, EVERYTHING, LABEL_PREFIX, Field, FieldKind, Query, WorklistRow
from app.ui import case_words
from app.ui.case_source import CaseSource
from app.ui.language import date_figures, tr
from app.ui.privacy import private_id

Index = QModelIndex | QPersistentModelIndex
CHUNK_ROWS = 64  # three screens: reading 256 took longer than painting
CHUNKS_KEPT = 96


@record(frozen=True, slots=True, kw_only=True)
class ListColumn:
    """A column of the worklist.

    Args:
        name: the field that it shows and is sorted by.
        title: heading, English.
        tip: what it shows, English; empty for labels.
        width_px: its width.
    """

    name: str
    title: str
    tip: str = ""
    width_px: int = 96


PATIENT = ListColumn(name="patient", title="Patient", tip="Pseudonym given by this project", width_px=226)
FIXED = (
    PATIENT,
    ListColumn(name="side", title="Side", tip="Side of the patient", width_px=54),
    ListColumn(name="status", title="Status", tip="How far the review has come", width_px=104),
)
WHEN_WIDE = (
    ListColumn(name="date", title="Date", tip="Study date, moved by the patient's constant", width_px=96),
    ListColumn(name="views", title="Views", width_px=76,
               tip="F frontal, L lateral, +n views without a place yet"),
    ListColumn(name="questions", title="Questions", tip="What a person still has to decide", width_px=92),
)  # fmt: skip

LABEL_COLUMN_PX = {FieldKind.NUMBER: 76, FieldKind.CHOICE: 108}


def possible_columns(fields: Sequence[Field]) -> list[ListColumn]:
    """Columns for a wider list, the most useful first: what models say, the date, labels that are numbers, the rest.

    A label that nobody gave has none.

    Args:
        fields: the fields of the project.
    """
    labels = [field for field in fields if field.name.startswith(LABEL_PREFIX) and not field.is_reading]
    labels.sort(key=lambda field: field.kind is not FieldKind.NUMBER)  # scores first
    columns = [ListColumn(name=field.name, title=field.title, width_px=LABEL_COLUMN_PX[field.kind]) for field in labels]
    scores = sum(field.kind is FieldKind.NUMBER for field in labels)
    date, views, questions = WHEN_WIDE
    said = [
        ListColumn(name=field.name, title=field.title, width_px=LABEL_COLUMN_PX[field.kind])
        for field in fields
        if field.name.startswith(AI_SCORE)
    ]
    return [*said, date, *columns[:scores], views, questions, *columns[scores:]]


class CaseListModel(QAbstractTableModel):
    """Rows of the worklist, in the order that was asked for."""

    def __init__(self, source: CaseSource | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source or CaseSource(self)
        self._numbers: Sequence[int] = ()
        self._generation = 0
        self._chunks: OrderedDict[int, dict[int, WorklistRow]] = OrderedDict()
        self.query = EVERYTHING
        self.columns: tuple[ListColumn, ...] = FIXED
        self.total = 0

    # --- what is listed ---

    def begin(self) -> None:
        """The source asks another project, or none, from now on."""
        self.query = EVERYTHING
        self.beginResetModel()
        self._chunks.clear()
        self._numbers = self._asked()
        self.endResetModel()

    def ask(self, query: Query) -> None:
        """Show the cases of a query."""
        self.query = query
        self.refresh()

    def refresh(self) -> bool:
        """Show everything as it is now.

        Returns:
            Whether rows moved, came or went; else they were only painted anew.
        """
        numbers = self._asked()
        self._chunks.clear()
        if len(self._numbers) == len(numbers) and _same(self._numbers, numbers):
            if len(numbers):
                self.dataChanged.emit(self.index(0, 0), self.index(len(numbers) - 1, len(self.columns) - 1))
            return False
        self.beginResetModel()
        self._numbers = numbers
        self.endResetModel()
        return True

    def set_columns(self, columns: tuple[ListColumn, ...]) -> None:
        """Show these columns."""
        if columns == self.columns:
            return
        self.beginResetModel()
        self.columns = columns
        self.endResetModel()

    def _asked(self) -> Sequence[int]:
        numbers = self._source.numbers(self.query)
        self.total = self._source.count()
        self._generation = self._source.generation
        return numbers

    # --- rows ---

    def row_at(self, row: int) -> WorklistRow | None:
        """What is known of the case in a row; None outside, or when it has gone a moment ago."""
        if not 0 <= row < len(self._numbers):
            return None
        first = row // CHUNK_ROWS * CHUNK_ROWS
        chunk = self._chunks.get(first)
        if chunk is None:
            chunk = self._source.rows(self._numbers[first : first + CHUNK_ROWS])
            self._chunks[first] = chunk
            while len(self._chunks) > CHUNKS_KEPT:
                self._chunks.popitem(last=False)
        else:
            self._chunks.move_to_end(first)
        if self._source.generation != self._generation:
            return None  # numbers mean other cases now; the next `refresh` asks again
        return chunk.get(int(self._numbers[row]))

    def case_at(self, row: int) -> str:
        """Id of the case in a row; empty outside."""
        found = self.row_at(row)
        return "" if found is None else found.case_id

    def row_of(self, case_id: str) -> int:
        """Row of a case; −1 when it is not listed."""
        number = self._source.number_of(case_id) if case_id else None
        if number is None or not len(self._numbers):
            return -1
        hits = _places(self._numbers, number)
        return int(hits[0]) if len(hits) else -1

    def case_ids(self, rows: Sequence[int]) -> list[str]:
        """Ids of the cases in some rows."""
        return self._source.case_ids([int(self._numbers[row]) for row in rows])

    @staticmethod
    def patient_words(row: WorklistRow) -> str:
        """What the patient is called here."""
        return private_id(row.patient_id)

    # --- what Qt asks ---

    def rowCount(self, parent: Index | None = None) -> int:
        """Number of cases listed."""
        return 0 if parent is not None and parent.isValid() else len(self._numbers)

    def columnCount(self, parent: Index | None = None) -> int:
        """Number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Column titles and what they mean."""
        if orientation is Qt.Orientation.Vertical or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            if column.name.startswith(AI_PREFIX):
                return tr("AI")
            return case_words.field_title(column.name) if _is_label(column) else tr(column.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            what = tr(column.tip) if column.tip else case_words.field_title(column.name)
            return tr("{what}. Click to sort.", what=what)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """One cell in words; the list itself is painted from `row_at`."""
        if role not in (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole
        ):  # fmt: skip
            return None
        row = self.row_at(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell_words(row, self.columns[index.column()].name)
        return case_words.row_tip(row, patient=self.patient_words(row))

    def cell_words(self, row: WorklistRow, name: str) -> str:
        """What a cell says."""
        match name:
            case "patient":
                return self.patient_words(row)
            case "side":
                return case_words.SIDE_LETTERS[row.side]
            case "status":
                return tr("Blocked") if row.blocked_reason else case_words.value_words("status", row.status)
            case "views":
                return case_words.views_words(row)
            case "questions":
                return str(len(row.questions)) if row.questions else ""
            case "changed":
                return date_figures(row.changed_at)
            case _ if name.startswith(AI_SCORE):
                return case_words.score_words(row, name.removeprefix(AI_SCORE))
        return ", ".join(case_words.value_words(name, value) for value in row.values(name))


def _places(numbers: Any, number: int) -> Sequence[int]:
    return (numbers == number).nonzero()[0]  # type: ignore[no-any-return]


def _same(before: Any, after: Any) -> bool:
    return bool((before == after).all()) if len(before) else True


def _is_label(column: ListColumn) -> bool:
    return column.name.startswith(LABEL_PREFIX)
