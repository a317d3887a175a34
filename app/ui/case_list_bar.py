"""Over the worklist: search, filters as chips, order, and filters that were kept by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.worklist import EVERYTHING, REVIEW_PREFIXES, Field, Filter, Operator, Query, Sort, read_query
from app.ui.case_words import field_title, filter_words
from app.ui.flow_layout import FlowLayout
from app.ui.language import literal, tr
from app.ui.theme import GAP_M, GAP_S

TYPING_MS = 80  # a search begins when nothing was typed for so long
MOST_WORDS_PX = 212  # of a chip, so that what removes it is there in the narrowest worklist


class Chip(QFrame):
    """One condition: what it says, and a button that removes it."""

    def __init__(self, condition: Filter, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self.condition = condition
        words = filter_words(condition)
        self.text_button = QToolButton(self)
        short = self.text_button.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, MOST_WORDS_PX)
        self.text_button.setText(literal(short))
        self.text_button.setToolTip(tr("{words}. Click to change it, right-click for more.", words=words))
        self.remove_button = QToolButton(self)
        self.remove_button.setText("×")
        self.remove_button.setToolTip(tr("Remove the filter “{words}”", words=words))
        self.remove_button.setAccessibleName(self.remove_button.toolTip())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.text_button)
        layout.addWidget(self.remove_button)
        for button in (self.text_button, self.remove_button):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


class CaseListBar(QWidget):
    """Search box, filter, order and kept filters.

    Signals:
        query_changed: the Query that the user wants now.
        filters_wanted: the user wants to choose filters; the field to begin with, or empty, and where.
        list_wanted: the user wants to go on in the list, with the keyboard.
        saved_changed: the kept filters by name, each as lines of text.
    """

    query_changed = Signal(object)
    filters_wanted = Signal(str, QPoint)
    list_wanted = Signal()
    saved_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.query = EVERYTHING
        self.fields: list[Field] = []
        self._saved: dict[str, str] = {}
        self.search = QLineEdit(self)
        self.search.setClearButtonEnabled(True)
        self.search.setObjectName("search")
        self.search.installEventFilter(self)
        self.search.textChanged.connect(self._on_typed)
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typing.timeout.connect(self._search_now)
        self.filter_button = _button(self)
        self.filter_button.clicked.connect(lambda: self._want_filters(""))
        self.sort_button = _button(self)
        self.sort_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.sort_menu = QMenu(self)
        self.sort_menu.aboutToShow.connect(self._fill_sort_menu)
        self.sort_button.setMenu(self.sort_menu)
        self.saved_button = _button(self)
        self.saved_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.saved_menu = QMenu(self)
        self.saved_menu.aboutToShow.connect(self._fill_saved_menu)
        self.saved_button.setMenu(self.saved_menu)
        self.sort_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout()
        row.setSpacing(GAP_S)
        for button in (self.filter_button, self.sort_button, self.saved_button):
            row.addWidget(button)
        self._chips = QWidget(self)
        self._chips.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._chip_layout = FlowLayout(self._chips, gap_px=GAP_S)
        self.chips: list[Chip] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, 0, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.search)
        layout.addLayout(row)
        layout.addWidget(self._chips)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.search.setPlaceholderText(tr("Search   /"))
        self.search.setAccessibleName(tr("Search the cases"))
        self.search.setToolTip(
            tr("Pseudonym, date, side, status, labels, questions, comments: every word must be the beginning of one")
        )
        self.filter_button.setText(tr("Filter"))
        self.filter_button.setToolTip(tr("Choose which cases are listed"))
        self.sort_button.setToolTip(tr("Choose the order; a click on a column heading does the same"))
        self.saved_button.setText(tr("Saved ▾"))
        self.saved_button.setToolTip(tr("Filters kept under a name"))
        self._show_sort()
        self._show_chips()

    def set_query(self, query: Query) -> None:
        """Show a query that came from elsewhere."""
        self.query = query
        self._typing.stop()
        if self.search.text() != query.search:
            self.search.setText(query.search)  # with its signals: the cross that empties the box follows them
            self._typing.stop()
        self._show_sort()
        self._show_chips()

    def set_saved(self, saved: Mapping[str, str]) -> None:
        """The kept filters: name -> lines of text."""
        self._saved = dict(saved)

    def start_search(self) -> None:
        """Put the keyboard into the search box."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    # --- search ---

    def _on_typed(self, _text: str) -> None:
        self._typing.start()

    def _search_now(self) -> None:
        self._typing.stop()
        if self.search.text() != self.query.search:
            self._want(replace(self.query, search=self.search.text()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape empties the search box, then leaves it; Enter and the arrow down go on in the list."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                if self.search.text():
                    self.search.clear()
                    self._search_now()
                else:
                    self.list_wanted.emit()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
                self._search_now()
                self.list_wanted.emit()
                return True
        return super().eventFilter(watched, event)

    # --- chips ---

    def _show_chips(self) -> None:
        shown = [(chip.condition, chip.text_button.toolTip()) for chip in self.chips]
        wanted = [
            (c, tr("{words}. Click to change it, right-click for more.", words=filter_words(c)))
            for c in self.query.filters
        ]
        if shown == wanted:
            return
        for chip in self.chips:
            self._chip_layout.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = [self._chip(condition) for condition in self.query.filters]
        self._chips.setVisible(bool(self.chips))

    def _chip(self, condition: Filter) -> Chip:
        chip = Chip(condition, self._chips)
        chip.text_button.clicked.connect(lambda: self._want_filters(condition.field))
        chip.remove_button.clicked.connect(lambda: self._remove(condition))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda place: self._show_chip_menu(chip, chip.mapToGlobal(place)))
        for button in (chip.text_button, chip.remove_button):
            button.installEventFilter(_DeleteKey(button, lambda: self._remove(condition)))
        self._chip_layout.addWidget(chip)
        chip.show()
        return chip

    def _remove(self, condition: Filter) -> None:
        if condition not in self.query.filters:
            return  # a second press of the key, on a chip that is on its way out
        place = self.query.filters.index(condition)
        self._want(self.query.without_filter(condition))
        if self.chips:
            self.chips[min(place, len(self.chips) - 1)].remove_button.setFocus()
        else:
            self.filter_button.setFocus()

    def _show_chip_menu(self, chip: Chip, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        turned = {Operator.IS: Operator.IS_NOT, Operator.IS_NOT: Operator.IS}.get(chip.condition.operator)
        if turned is not None:
            words = tr("Leave these out instead") if turned is Operator.IS_NOT else tr("List only these instead")
            menu.addAction(words, lambda: self._turn(chip.condition, turned))
        menu.addAction(tr("Remove"), lambda: self._remove(chip.condition))
        menu.popup(place)

    def _turn(self, condition: Filter, operator: Operator) -> None:
        self._want(self.query.without_filter(condition).with_filter(replace(condition, operator=operator)))

    def _want_filters(self, field: str) -> None:
        self.filters_wanted.emit(field, self.filter_button.mapToGlobal(QPoint(0, self.filter_button.height() + 2)))

    # --- order ---

    def sort_by(self, field: str) -> None:
        """A click on a heading: the smallest first, the largest first, the order of import."""
        now = self.query.sort
        if now.field != field:
            self._want(replace(self.query, sort=Sort(field)))
        elif not now.is_descending:
            self._want(replace(self.query, sort=Sort(field, True)))
        else:
            self._want(replace(self.query, sort=Sort()))

    def _sort_so(self, sort: Sort) -> None:
        self._want(replace(self.query, sort=sort))

    def _show_sort(self) -> None:
        arrow = "↓" if self.query.sort.is_descending else "↑"
        self.sort_button.setText(f"{arrow} {literal(field_title(self.query.sort.field))} ▾")

    def _fill_sort_menu(self) -> None:
        self.sort_menu.clear()
        now = self.query.sort
        group = QActionGroup(self.sort_menu)
        names = [Sort().field, *(field.name for field in self.fields if field.is_sortable)]
        for name in names:
            action = self.sort_menu.addAction(literal(field_title(name)))
            action.setCheckable(True)
            action.setChecked(name == now.field)
            group.addAction(action)
            is_review = name.startswith(REVIEW_PREFIXES)  # what is worth a look comes first
            _on(action, partial(self._sort_so, Sort(name, now.is_descending or is_review)))
        self.sort_menu.addSeparator()
        last_first = self.sort_menu.addAction(tr("Largest or latest first"))
        last_first.setCheckable(True)
        last_first.setChecked(now.is_descending)
        _on(last_first, partial(self._sort_so, Sort(now.field, not now.is_descending)))

    # --- kept filters ---

    def _fill_saved_menu(self) -> None:
        menu = self.saved_menu
        menu.clear()
        texts = "\n".join(self.query.to_texts())
        for name, kept in self._saved.items():
            action = menu.addAction(literal(name))
            action.setCheckable(True)
            action.setChecked(kept == texts)
            _on(action, partial(self._use, kept))
        if not self._saved:
            menu.addAction(tr("No filters were saved yet")).setEnabled(False)
        menu.addSeparator()
        save = menu.addAction(tr("Save this search and filters…"))
        save.setEnabled(bool(texts))
        _on(save, self._ask_name)
        for words, act in ((tr("Rename"), self._ask_new_name), (tr("Delete"), self._forget)):
            part = menu.addMenu(words)
            part.setEnabled(bool(self._saved))
            for name in self._saved:
                _on(part.addAction(literal(name)), partial(act, name))

    def _use(self, kept: str) -> None:
        try:
            self._want(read_query(kept.split("\n")))
        except ValueError:  # written by hand, or by another version
            self._forget_broken(kept)

    def _forget_broken(self, kept: str) -> None:
        self._keep({name: text for name, text in self._saved.items() if text != kept})

    def _ask_name(self) -> None:
        self._ask(tr("Save filters"), tr("Name:"), "", self.save_as)

    def _ask_new_name(self, name: str) -> None:
        self._ask(tr("Rename filters"), tr("New name:"), name, lambda new: self.rename(name, new))

    def _ask(self, title: str, label: str, text: str, then: Callable[[str], None]) -> None:
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.setLabelText(label)
        dialog.setTextValue(text)
        dialog.textValueSelected.connect(then)
        dialog.open()

    def save_as(self, name: str) -> None:
        """Keep the present query under a name; one of the same name is replaced."""
        if name.strip():
            self._keep(self._saved | {name.strip(): "\n".join(self.query.to_texts())})

    def rename(self, name: str, new: str) -> None:
        """Give kept filters another name, in their place."""
        new = new.strip()
        if new and new != name and name in self._saved:
            others = {old: kept for old, kept in self._saved.items() if old != new}
            self._keep({new if old == name else old: kept for old, kept in others.items()})

    def _forget(self, name: str) -> None:
        self._keep({old: kept for old, kept in self._saved.items() if old != name})

    def _keep(self, saved: dict[str, str]) -> None:
        self._saved = saved
        self.saved_changed.emit(dict(saved))

    def _want(self, query: Query) -> None:
        self.set_query(query)
        self.query_changed.emit(query)


class _DeleteKey(QObject):
    """Removes a chip with the Delete or Backspace key."""

    def __init__(self, button: QToolButton, remove: Callable[[], None]) -> None:
        super().__init__(button)
        self._remove = remove

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look for the two keys."""
        keys = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in keys:
            QTimer.singleShot(0, self._remove)  # the button goes away with its chip
            return True
        return super().eventFilter(watched, event)


def _button(parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setObjectName("listed")
    return button


def _on(action: QAction, effect: Callable[[], None]) -> None:
    action.triggered.connect(lambda _=False: effect())
