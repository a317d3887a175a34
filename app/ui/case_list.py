"""The worklist: one row a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QSizePolicy, QTableView, QVBoxLayout, QWidget

from app.ui.theme import DARK, GAP_L, GAP_M

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 36
NARROWEST_PX = 412


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """What the worklist says about a case.

    Args:
        id: the case.
        patient: pseudonym.
        side: `L`, `R`, or `?` while a person has to say.
        views: `F L`, `F –`, `– L` … plus the number of views without a place.
        status: review status in words.
        question_count: what a person still has to decide.
        is_blocked: whether the case must not be read.
        tip: the whole of it in words.
    """

    id: str
    patient: str
    side: str
    views: str
    status: str
    question_count: int = 0
    is_blocked: bool = False
    tip: str = ""


class CaseListModel(QAbstractTableModel):
    """Rows of the worklist, in the order of the project."""

    HEADERS: ClassVar = ("Patient", "Side", "Views", "Status", "")
    TIPS: ClassVar = (
        "Pseudonym given by this project", "Side of the patient", "F frontal, L lateral, +n views without a place yet",
        "How far the review has come", "What a person still has to decide",
    )  # fmt: skip

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._rows: list[CaseRow] = []
        self._row_of: dict[str, int] = {}

    def set_rows(self, rows: Sequence[CaseRow]) -> None:
        """Replace everything; rows whose ids and order stay are only repainted."""
        if [row.id for row in rows] == [row.id for row in self._rows]:
            self._rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.HEADERS) - 1))
            return
        self.beginResetModel()
        self._rows = list(rows)
        self._row_of = {row.id: number for number, row in enumerate(rows)}
        self.endResetModel()

    def case_at(self, row: int) -> str:
        """Id of the case in a row; empty outside."""
        return self._rows[row].id if 0 <= row < len(self._rows) else ""

    def row_of(self, case_id: str) -> int:
        """Row of a case; −1 when it is not listed."""
        return self._row_of.get(case_id, -1)

    def rowCount(self, parent: Index | None = None) -> int:
        """Number of cases."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Column titles and what they mean."""
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.HEADERS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.TIPS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """One cell."""
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            mark = f"{row.question_count} ?" if row.question_count else ""
            return (row.patient, row.side, row.views, "Blocked" if row.is_blocked else row.status, mark)[index.column()]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.tip
        if role == Qt.ItemDataRole.ForegroundRole:
            if index.column() == 3 and row.is_blocked:
                return QColor(DARK.danger)
            if index.column() == 4:
                return QColor(DARK.caution)
            if index.column() == 1 and row.side == "?":
                return QColor(DARK.caution)
            if index.column() in (2, 3):
                return QColor(DARK.muted)
        return None


class CaseList(QWidget):
    """The worklist with its heading.

    Signals:
        case_chosen: the user went to a case, by mouse or keyboard.
    """

    case_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")
        self.setMinimumWidth(NARROWEST_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.model = CaseListModel(self)
        self._heading = QLabel("Cases", self)
        self._heading.setObjectName("title")
        self._count = QLabel("", self)
        self._count.setObjectName("caption")
        self.table = QTableView(self)
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        for column, mode in enumerate((QHeaderView.ResizeMode.Stretch, *[QHeaderView.ResizeMode.Fixed] * 4)):
            header.setSectionResizeMode(column, mode)
        for column, width in ((1, 50), (2, 68), (3, 80), (4, 46)):
            header.resizeSection(column, width)
        heading = QVBoxLayout()
        heading.setContentsMargins(GAP_M + 3, GAP_M, GAP_L, GAP_M)
        heading.setSpacing(0)
        for label in (self._heading, self._count):
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        heading.addWidget(self._heading)
        heading.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(heading)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        self._is_silent = False
        self.table.selectionModel().currentRowChanged.connect(self._on_current_changed)
        self.set_rows(())

    def set_rows(self, rows: Sequence[CaseRow]) -> None:
        """Show these cases; the current case stays current if it is still there."""
        current = self.current_case
        self._is_silent = True
        self.model.set_rows(rows)
        self._is_silent = False
        if current:
            self.set_current(current)
        open_count = sum(1 for row in rows if row.question_count)
        words = "1 hip" if len(rows) == 1 else f"{len(rows)} hips"
        if open_count:
            words += f" · {open_count} with open questions"
        self._count.setText(words if rows else "none yet")
        self.table.setVisible(bool(rows))

    @property
    def current_case(self) -> str:
        """The case that is marked."""
        return self.model.case_at(self.table.currentIndex().row())

    def set_current(self, case_id: str) -> None:
        """Mark a case without reporting it as the user's choice."""
        row = self.model.row_of(case_id)
        if row < 0 or row == self.table.currentIndex().row():
            return
        self._is_silent = True
        self.table.setCurrentIndex(self.model.index(row, 0))
        self._is_silent = False

    def step(self, by: int) -> None:
        """Go some rows down (or up); stays inside the list."""
        count = self.model.rowCount()
        if not count:
            return
        row = min(max(self.table.currentIndex().row() + by, 0), count - 1)
        self.table.setCurrentIndex(self.model.index(row, 0))

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._is_silent and current.isValid():
            self.case_chosen.emit(self.model.case_at(current.row()))
