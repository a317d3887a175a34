"""The worklist: every case of the project, or those that were asked for, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.core.worklist import EVERYTHING, Filter, Query
from app.ui import case_words
from app.ui.case_list_bar import CaseListBar
from app.ui.case_list_delegate import CaseDelegate, ThumbnailSource
from app.ui.case_list_empty import EmptyList
from app.ui.case_list_model import FIXED, PATIENT, CaseListModel, ListColumn, possible_columns
from app.ui.case_source import CaseSource
from app.ui.case_table import CaseTable
from app.ui.language import tr, whole
from app.ui.theme import GAP_L, GAP_M

if TYPE_CHECKING:
    from app.store.worklist.worklist import Worklist
    from app.ui.case_list_popup import FilterPopup

NARROW_PX, NARROWEST_PX = 356, 300  # with a column for the side, and without one
KEPT_SELECTION = 2000  # rows that stay selected when the order changes


class CaseList(QWidget):
    """The worklist with its heading.

    Signals:
        case_chosen: the user went to a case, by mouse or keyboard.
        listed: other cases are listed than before, or in another order.
        failed: a UserError: the cases cannot be read.
        saved_filters_changed: the filters that were kept by name, each as lines of text.
    """

    case_chosen = Signal(str)
    listed = Signal()
    failed = Signal(object)
    saved_filters_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")
        self.setMinimumWidth(NARROWEST_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._source = CaseSource(self)
        self._source.failed.connect(self.failed)
        self._is_silent = False
        self._on_show = ""  # the case that is marked, also while it is not listed
        self._place = -1  # where it was when it left the list
        self._open: int | None = None  # cases listed in which something is to be decided; None = to be counted
        self._way: dict[int, str] = {}  # step -> case that stood there before a decision moved the marked one
        self._popup: FilterPopup | None = None
        self.model = CaseListModel(self._source, self)
        self.delegate = CaseDelegate(self.model, self)
        self._heading = QLabel(self)
        self._heading.setObjectName("title")
        self._count = QLabel(self)
        self._count.setObjectName("note")
        self.bar = CaseListBar(self)
        self.table = self._table()
        self.empty = EmptyList(self)
        self.empty.show_all_button.clicked.connect(self.show_everything)
        heading = QHBoxLayout()
        heading.setContentsMargins(GAP_M + 2, GAP_M, GAP_L, GAP_M)
        heading.addWidget(self._heading)
        heading.addWidget(self._count, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._pages = QStackedLayout()
        self._pages.addWidget(self.table)
        self._pages.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(heading)
        layout.addWidget(self.bar)
        layout.addLayout(self._pages, 1)
        self.bar.query_changed.connect(self.ask)
        self.bar.filters_wanted.connect(self._open_filters)
        self.bar.list_wanted.connect(self._enter_list)
        self.bar.saved_changed.connect(self.saved_filters_changed)
        self.table.selectionModel().currentRowChanged.connect(self._on_current_changed)
        self.table.selectionModel().selectionChanged.connect(self._show_count)
        self.retranslate()
        self._show_state()

    # --- building ---

    def _table(self) -> CaseTable:
        table = CaseTable(self)
        table.setModel(self.model)
        table.setItemDelegate(self.delegate)
        table.entered.connect(self._on_hovered)
        table.verticalHeader().setDefaultSectionSize(self.delegate.row_height)
        table.horizontalHeader().sectionClicked.connect(
            lambda section: self.bar.sort_by(self.model.columns[section].name)
        )
        return table

    def changeEvent(self, event: QEvent) -> None:
        """Another language or other colours: say or paint everything anew."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self.delegate.forget_fonts()
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.table.viewport().update()

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self._heading.setText(tr("Cases"))
        self.table.setAccessibleName(tr("Cases"))
        self.bar.retranslate()
        self._source.use_words(case_words.searched_words())
        if self.model.query.search:
            self.refresh(is_moving=True)
        if self._popup is not None:
            self._popup.retranslate()
        self.model.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.model.columns) - 1)
        self._show_state()

    # --- what is listed ---

    def set_source(self, source: Worklist | None) -> None:
        """List the cases of a project, or of none."""
        self._on_show, self._place, self._way = "", -1, {}
        self._is_silent = True
        self._source.use(source)
        self.model.begin()
        self._is_silent = False
        self.bar.fields = self._source.fields()
        self.bar.set_query(EVERYTHING)
        self._choose_columns()
        self._show_state()
        self.listed.emit()

    def set_thumbnails(self, thumbnails: ThumbnailSource | None) -> None:
        """Show small radiographs from here."""
        self.delegate.thumbnails = thumbnails
        self.table.viewport().update()

    def set_saved_filters(self, saved: Mapping[str, str]) -> None:
        """The filters that were kept by name."""
        self.bar.set_saved(saved)

    def set_small_rows(self, are_small: bool) -> None:
        """One line a case, without radiographs."""
        self.delegate.is_small = are_small
        self.table.verticalHeader().setDefaultSectionSize(self.delegate.row_height)
        self._choose_columns()
        self.table.viewport().update()
        self._make_visible()

    @property
    def is_empty(self) -> bool:
        """Whether the project has no case at all (and not merely none that can be read now)."""
        return self.model.total == 0 and not self._source.is_failing

    @property
    def total(self) -> int:
        """Number of all cases of the project, listed or not."""
        return self.model.total

    def ask(self, query: Query) -> None:
        """List the cases of a query."""
        self.model.query = query
        self.bar.set_query(query)
        self.refresh(is_moving=True)
        if self._popup is not None and self._popup.isVisible():
            self._popup.show_counts(query, self._source.facets(query))

    def show_everything(self) -> None:
        """Take search and filters away; the order stays."""
        self.ask(Query(sort=self.model.query.sort))
        self.table.setFocus()

    def refresh(self, *, is_moving: bool = False) -> None:
        """List everything as it is now; the marked case stays marked, the rows stay where they are if they can.

        Args:
            is_moving: another list was asked for: bring the marked case into sight.
        """
        selected = self.selected_cases() if len(self.table.selectionModel().selectedRows()) > 1 else []
        offset = self.table.verticalScrollBar().value()
        place = self.table.currentIndex().row()
        way = {} if is_moving else {step: self.model.case_at(place + step) for step in (1, -1) if place >= 0}
        self._is_silent = True
        is_moved = self.model.refresh()
        if is_moved:
            self._mark_again(place)
            if is_moving and not self.table.currentIndex().isValid():
                offset = 0  # a place in the list before says nothing about this one
                self._place = min(self._place, 0)
            self._way = way or ({} if is_moving else self._way)
            self._select(selected)
            self.table.verticalScrollBar().setValue(offset)
        self._is_silent = False
        self.bar.fields = self._source.fields()
        self._choose_columns()
        if is_moved:
            self._make_visible(is_moving)
        self._show_state()
        if is_moved:
            self.listed.emit()

    def _mark_again(self, place: int) -> None:
        """After a reset: mark the case that was marked, or remember where it was."""
        row = self.model.row_of(self._on_show)
        if row >= 0:
            self._place = -1
            self._mark(row)
        elif place >= 0:
            self._place = place

    def _mark(self, row: int) -> None:
        """Mark a row and no other, whatever keys are held (`selectRow` would add to what is selected with Ctrl)."""
        flag = QItemSelectionModel.SelectionFlag
        self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flag.ClearAndSelect | flag.Rows)

    def _select(self, case_ids: list[str]) -> None:
        if not 1 < len(case_ids) <= KEPT_SELECTION:
            return
        selection = QItemSelection()
        for row in filter(lambda row: row >= 0, map(self.model.row_of, case_ids)):
            selection.select(self.model.index(row, 0), self.model.index(row, len(self.model.columns) - 1))
        self.table.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.Select)

    def _make_visible(self, is_moving: bool = True) -> None:
        index = self.table.currentIndex()
        if index.isValid() and is_moving:
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    # --- which case ---

    @property
    def current_case(self) -> str:
        """The case that is marked; empty when none of the list is."""
        return self.model.case_at(self.table.currentIndex().row())

    def selected_cases(self) -> list[str]:
        """The cases that are selected, in the order of the list."""
        return self.model.case_ids(sorted(index.row() for index in self.table.selectionModel().selectedRows()))

    def listed_cases(self) -> list[str]:
        """Every case that is listed, in the order of the list."""
        return self.model.case_ids(range(self.model.rowCount()))

    def set_current(self, case_id: str) -> None:
        """Mark a case without reporting it as the user's choice."""
        if case_id != self._on_show:
            self._on_show, self._place, self._way = case_id, -1, {}
        row = self.model.row_of(case_id)
        is_marked = row == self.table.currentIndex().row() and self.table.selectionModel().hasSelection()
        if row >= 0 and not is_marked:  # Qt makes a row current without selecting it when the table gets the keyboard
            self._is_silent = True
            self._mark(row)
            self._is_silent = False
        self._show_count()

    def step(self, by: int) -> None:
        """Go some rows down (or up); stays inside the list.

        From a case that a decision has moved, or taken out of the list, the way goes on from where it was.
        """
        count = self.model.rowCount()
        if count:
            self._mark(min(max(self._row_after(by), 0), count - 1))

    def go_to_row(self, row: int) -> None:
        """Go to a row; a negative one counts from the end."""
        count = self.model.rowCount()
        if count:
            self._mark(row % count)

    def neighbours(self, steps: tuple[int, ...]) -> list[str]:
        """The cases that some steps would lead to, where there are any."""
        return [name for name in (self.model.case_at(self._row_after(step)) for step in steps) if name]

    def _row_after(self, step: int) -> int:
        """Where a step leads to; may be outside of the list."""
        toward = 1 if step > 0 else -1
        kept = self.model.row_of(self._way.get(toward, ""))
        if kept >= 0:
            return kept + step - toward
        row = self.table.currentIndex().row()
        if row >= 0:
            return row + step
        if self._place >= 0:
            return self._place + (step - 1 if step > 0 else step)
        return 0

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if self._is_silent or not current.isValid():
            return
        self._on_show, self._place, self._way = self.model.case_at(current.row()), -1, {}
        if self._on_show:
            self.case_chosen.emit(self._on_show)
        self._show_count()

    def _enter_list(self) -> None:
        """The keyboard goes on in the list."""
        self.table.setFocus()
        if not self.table.currentIndex().isValid() and self.model.rowCount():
            self._mark(0)

    # --- filters ---

    def start_search(self) -> None:
        """Put the keyboard into the search box."""
        self.bar.start_search()

    def open_filters(self) -> None:
        """Show what can be chosen."""
        self.bar.filter_button.click()

    def _open_filters(self, field: str, place: QPoint) -> None:
        if not self._source.is_there:
            return
        if self._popup is None:
            from app.ui.case_list_popup import FilterPopup

            self._popup = FilterPopup(self)
            self._popup.query_changed.connect(self.ask)
            self._popup.closed.connect(self.bar.filter_button.setFocus)
        self._popup.open_at(place, self.model.query, self._source.facets(self.model.query), field=field)

    @property
    def popup(self) -> FilterPopup | None:
        """The list of filters, once it was opened."""
        return self._popup

    # --- columns and words ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many columns as there is room for."""
        super().resizeEvent(event)
        self._choose_columns()

    def _choose_columns(self) -> None:
        is_whole = self.width() >= NARROW_PX or self.delegate.is_small  # else the second line names the side
        fixed = FIXED if is_whole else tuple(column for column in FIXED if column.name != "side")
        room = self.width() - 12 - sum(column.width_px for column in fixed)
        chosen: list[ListColumn] = []
        for column in possible_columns(self.bar.fields):
            if column.width_px > room:
                break
            room -= column.width_px
            chosen.append(column)
        self._is_silent = True
        place, offset = self.table.currentIndex().row(), self.table.verticalScrollBar().value()
        before = self.model.columns
        self.model.set_columns((*fixed, *chosen))
        if self.model.columns != before:
            self._mark_again(place)
            self.table.verticalScrollBar().setValue(offset)
        self._is_silent = False
        header = self.table.horizontalHeader()
        for section, column in enumerate(self.model.columns):
            is_wide = column is PATIENT
            header.setSectionResizeMode(
                section, QHeaderView.ResizeMode.Stretch if is_wide else QHeaderView.ResizeMode.Fixed
            )
            if not is_wide:
                header.resizeSection(section, column.width_px)
        self._show_sort()

    def _show_sort(self) -> None:
        header, sort = self.table.horizontalHeader(), self.model.query.sort
        names = [column.name for column in self.model.columns]
        header.setSortIndicatorShown(sort.field in names)
        if sort.field in names:
            order = Qt.SortOrder.DescendingOrder if sort.is_descending else Qt.SortOrder.AscendingOrder
            header.setSortIndicator(names.index(sort.field), order)

    def _show_state(self) -> None:
        is_lacking = self.model.total > 0 and self.model.rowCount() == 0
        self.bar.setVisible(self.model.total > 0)
        self._pages.setCurrentIndex(1 if is_lacking or not self.model.total else 0)
        self.empty.say(self.model.query if is_lacking else None, self.model.total)
        self._open = None
        self._show_count()

    def _show_count(self, *_: object) -> None:
        total, shown = self.model.total, self.model.rowCount()
        if not self._source.is_there:
            self._count.setText("")
            self._count.setToolTip("")
            return
        words = case_words.count_words(shown, total, is_everything=self.model.query.is_everything)
        selected = sum(part.height() for part in self.table.selectionModel().selection().toList())
        if selected > 1:
            words += " · " + tr("{count} selected", count=whole(selected))
        elif total and self._on_show and not self.table.currentIndex().isValid():
            words += " · " + tr("open case not listed")
        elif open_count := self._open_count():
            words += " · " + tr("{count} open", count=whole(open_count))
        self._count.setText(words)
        self._count.setToolTip(tr("Number of cases listed; “open” are those in which a person has to decide something"))

    def _open_count(self) -> int:
        """Cases of the list in which something is to be decided."""
        if self._open is None:
            query = self.model.query
            waiting = replace(query, filters=(*query.filters, Filter("open", ("yes",))))
            self._open = self._source.count_of(waiting) if self.model.rowCount() else 0
        return self._open

    def _on_hovered(self, index: QModelIndex) -> None:
        self.delegate.hovered = index.row()
        self.table.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        """No row is under the mouse any more."""
        super().leaveEvent(event)
        self.delegate.hovered = -1
        self.table.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes the search away."""
        if event.key() == Qt.Key.Key_Escape and self.model.query.search:
            self.ask(Query(filters=self.model.query.filters, sort=self.model.query.sort))
            return
        super().keyPressEvent(event)
