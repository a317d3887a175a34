"""What the worklist can be narrowed down by, with how many cases each choice would find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
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

from app.core.worklist import EVERYTHING, FIELD_BY_NAME, Field, FieldKind, Filter, Operator, Query, is_bound
from app.ui import theme
from app.ui.case_words import field_title, value_words
from app.ui.dialog_size import open_at
from app.ui.language import date_figures, tr, typed_date, whole
from app.ui.theme import GAP_M, GAP_S

SIZE = (340, 460)
FIELD_ROLE, VALUE_ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
OPEN_AT_FIRST = ("status", "open")


class FilterPopup(QFrame):
    """A list of fields and their values to tick; everything holds at once.

    Signals:
        query_changed: the Query with the conditions that are ticked now.
        closed: the popup is gone, and what had the keyboard before as well.
    """

    query_changed = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("filters")
        open_at(self, *SIZE)
        self._query = EVERYTHING
        self._focus_before: QWidget | None = None
        self._values: dict[tuple[str, str], QTreeWidgetItem] = {}
        self._bounds: dict[tuple[str, Operator], QLineEdit] = {}
        self._is_silent = False
        self._ticked_item: QTreeWidgetItem | None = None
        self.box = QLineEdit(self)
        self.box.setClearButtonEnabled(True)
        self.box.textChanged.connect(self._narrow)
        self.box.installEventFilter(self)
        self.tree = QTreeWidget(self)
        self.tree.setColumnCount(2)
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(False)
        self.tree.setIndentation(16)
        self.tree.setFrameShape(QFrame.Shape.NoFrame)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.itemChanged.connect(self._on_ticked)
        self.tree.installEventFilter(self)
        self.tree.itemPressed.connect(self._on_pressed)
        self.tree.itemClicked.connect(self._on_clicked)
        self.problem = QLabel(self)
        self.problem.setProperty("tone", "caution")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.clear_button = QPushButton(self)
        self.clear_button.clicked.connect(self._clear)
        self.done_button = QPushButton(self)
        self.done_button.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addWidget(self.clear_button)
        buttons.addStretch(1)
        buttons.addWidget(self.done_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.box)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.box.setPlaceholderText(tr("Find a filter"))
        self.clear_button.setText(tr("Remove all"))
        self.done_button.setText(tr("Done"))
        self.setAccessibleName(tr("Filters"))

    def open_at(self, place: QPoint, query: Query, facets: Sequence[Any], *, field: str = "") -> None:
        """Show what can be chosen.

        Args:
            place: top left corner on the screen.
            query: what is chosen already.
            facets: `Facet`s of the query.
            field: the field to begin with.
        """
        self._query = query
        self.problem.hide()
        self.box.clear()
        self._fill(facets, field)
        screen = self.screen().availableGeometry()
        left = max(screen.left(), min(place.x(), screen.right() - self.width()))
        top = max(screen.top(), min(place.y(), screen.bottom() - self.height()))
        self.move(left, top)
        self._focus_before = QApplication.focusWidget()
        self.show()
        self.box.setFocus()

    def show_counts(self, query: Query, facets: Sequence[Any]) -> None:
        """Show what the choices would find now; the list stays as it lies."""
        self._query = query
        self._is_silent = True
        counts = {(facet.field.name, value): count for facet in facets for value, count in facet.counts.items()}
        for (name, value), item in self._values.items():
            item.setText(1, whole(counts.get((name, value), 0)))
        self.clear_button.setEnabled(bool(query.filters))
        self._is_silent = False

    # --- filling ---

    def _fill(self, facets: Sequence[Any], field: str) -> None:
        self._is_silent = True
        self.tree.clear()
        self._values.clear()
        self._bounds.clear()
        chosen = {condition.field for condition in self._query.filters}
        for facet in facets:
            if len(facet.counts) < 2 and facet.field.name not in chosen:
                continue  # it would leave nothing out
            top = self._top(facet.field)
            if facet.field.kind is FieldKind.NUMBER:
                self._add_bounds(top, facet.field)
            if facet.field.kind is not FieldKind.NUMBER or not facet.is_cut:
                for value, count in facet.counts.items():
                    self._add_value(top, facet.field.name, value, count)
            for value in self._ticked(facet.field.name):
                if (facet.field.name, value) not in self._values:  # ticked, and nothing to find at the moment
                    self._add_value(top, facet.field.name, value, 0)
            name = facet.field.name
            top.setExpanded(name == field if field else name in OPEN_AT_FIRST or name in chosen)
            if facet.field.name == "year":
                dates = self._top(FIELD_BY_NAME["date"])
                self._add_bounds(dates, FIELD_BY_NAME["date"])
                dates.setExpanded(field == "date" or (not field and "date" in chosen))
            first = top.child(0)
            if name == field and first is not None:
                self.tree.setCurrentItem(first)
                self.tree.scrollToItem(top, QTreeWidget.ScrollHint.PositionAtTop)
        self.clear_button.setEnabled(bool(self._query.filters))
        self._is_silent = False

    def _top(self, field: Field) -> QTreeWidgetItem:
        top = QTreeWidgetItem(self.tree, [field_title(field.name), ""])
        top.setData(0, FIELD_ROLE, field.name)
        font = top.font(0)
        font.setBold(True)
        top.setFont(0, font)
        top.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        return top

    def _add_value(self, top: QTreeWidgetItem, name: str, value: str, count: int) -> None:
        item = QTreeWidgetItem(top, [value_words(name, value), whole(count)])
        item.setData(0, FIELD_ROLE, name)
        item.setData(0, VALUE_ROLE, value)
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
        )  # fmt: skip
        is_ticked = value in self._ticked(name)
        item.setCheckState(0, Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setForeground(1, QColor(theme.colours().muted))
        self._values[name, value] = item

    def _add_bounds(self, top: QTreeWidgetItem, field: Field) -> None:
        """Two boxes for the ends of a range."""
        item = QTreeWidgetItem(top)
        box = QWidget(self.tree)
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 2, 0, 2)
        for operator, words in ((Operator.AT_LEAST, tr("from")), (Operator.AT_MOST, tr("up to"))):
            edit = QLineEdit(box)
            edit.setPlaceholderText(f"{words} {tr('YYYY-MM-DD')}" if field.kind is FieldKind.DATE else words)
            edit.setAccessibleName(f"{field_title(field.name)} {words}")
            held = [c.values[0] for c in self._query.filters if (c.field, c.operator) == (field.name, operator)]
            edit.setText(date_figures(held[0]) if held else "")
            edit.editingFinished.connect(lambda name=field.name, end=operator: self._on_bound(name, end))
            self._bounds[field.name, operator] = edit
            row.addWidget(edit)
        self.tree.setItemWidget(item, 0, box)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)

    # --- choosing ---

    def _ticked(self, name: str) -> tuple[str, ...]:
        found = (c.values for c in self._query.filters if c.field == name and c.operator is Operator.IS)
        return next(found, ())

    def _on_ticked(self, item: QTreeWidgetItem, _column: int) -> None:
        if self._is_silent:
            return
        self._ticked_item = item
        name = item.data(0, FIELD_ROLE)
        ticked = tuple(value for (field, value), other in self._values.items()
                       if field == name and other.checkState(0) == Qt.CheckState.Checked)  # fmt: skip
        self._choose(name, Operator.IS, ticked)

    def _on_bound(self, name: str, end: Operator) -> None:
        typed = self._bounds[name, end].text().strip()
        text = typed_date(typed) if name == "date" else typed.replace(",", ".")
        kind = FieldKind.DATE if name == "date" else FieldKind.NUMBER
        self._say_problem(typed, kind if text and not is_bound(kind, text) else None)
        if not self.problem.isHidden():
            return
        held = [c.values for c in self._query.filters if (c.field, c.operator) == (name, end)]
        if held != ([(text,)] if text else []):
            self._choose(name, end, (text,) if text else ())

    def _say_problem(self, typed: str, wanted: FieldKind | None) -> None:
        """What somebody typed is no date, or no number, and nothing was changed by it; None takes that back."""
        self.problem.setHidden(wanted is None)
        if wanted is FieldKind.DATE:
            self.problem.setText(
                tr("“{typed}” is no date. Write a year, a month or a day: {form}.", typed=typed, form=tr("YYYY-MM-DD"))
            )
        elif wanted is FieldKind.NUMBER:
            self.problem.setText(tr("“{typed}” is no number.", typed=typed))

    def _choose(self, name: str, operator: Operator, values: tuple[str, ...]) -> None:
        old = [c for c in self._query.filters if (c.field, c.operator) == (name, operator)]
        if values:
            self._query = self._query.with_filter(Filter(name, values, operator))
        elif old:
            self._query = self._query.without_filter(old[0])
        self.query_changed.emit(self._query)

    def _turn(self, item: QTreeWidgetItem) -> None:
        """Tick a value or take the tick away; open or close a field."""
        if item.data(0, VALUE_ROLE) is not None:
            is_ticked = item.checkState(0) == Qt.CheckState.Checked
            item.setCheckState(0, Qt.CheckState.Unchecked if is_ticked else Qt.CheckState.Checked)
        elif item.childCount():
            item.setExpanded(not item.isExpanded())

    def _on_pressed(self, _item: QTreeWidgetItem, _column: int) -> None:
        """A press beside the little box; one in it is not told."""
        self._ticked_item = None

    def _on_clicked(self, item: QTreeWidgetItem, _column: int) -> None:
        """A click anywhere in the line counts, not only in the little box, which has turned it already."""
        if self._ticked_item is not item:
            self._turn(item)
        self._ticked_item = None

    def _clear(self) -> None:
        self._is_silent = True
        for item in self._values.values():
            item.setCheckState(0, Qt.CheckState.Unchecked)
        for edit in self._bounds.values():
            edit.clear()
        self.problem.hide()
        self._is_silent = False
        query = self._query
        for condition in query.filters:
            query = query.without_filter(condition)
        self._query = query
        self.query_changed.emit(query)

    def _narrow(self, text: str) -> None:
        """Show the fields and values that hold these letters."""
        wanted = text.casefold().strip()
        for top in _children(self.tree.invisibleRootItem()):
            is_field = wanted in top.text(0).casefold()
            any_value = False
            for item in _children(top):
                is_hit = is_field or wanted in item.text(0).casefold()
                item.setHidden(not is_hit)
                any_value = any_value or is_hit
            top.setHidden(not (is_field or any_value))
            if wanted:
                top.setExpanded(True)

    # --- keys ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow down leaves the search box for the list; Enter ticks a value, and opens a field."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if watched is self.box and (is_enter or event.key() == Qt.Key.Key_Down):
            self._enter_tree()
            return True
        current = self.tree.currentItem()
        if watched is self.tree and is_enter and current is not None:
            self._turn(current)
            return True
        return super().eventFilter(watched, event)

    def _enter_tree(self) -> None:
        self.tree.setFocus()
        current = self.tree.currentItem()
        if current is not None and not current.isHidden() and current.parent() is not None:
            return
        shown = [item for item in _children(self.tree.invisibleRootItem()) if not item.isHidden()]
        values = [item for item in _children(shown[0]) if not item.isHidden()] if shown else []
        if shown:
            self.tree.setCurrentItem(values[0] if values else shown[0])

    def hideEvent(self, event: Any) -> None:
        """The keyboard goes back to where it was, or to where the list says, if that is gone: a chip, no hits."""
        super().hideEvent(event)
        before, self._focus_before = self._focus_before, None
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        else:
            self.closed.emit()


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    children = (item.child(number) for number in range(item.childCount()))
    return [child for child in children if child is not None]
