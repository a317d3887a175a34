"""The table of the worklist: how it looks, and what its keys do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)
FREE = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier  # with these they are still the list's


class CaseTable(QTableView):
    """A table of rows, in which letters are commands, not a search through all of them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._is_entered = False
        # one that Python has made: for Qt's own PySide6 would have to get to know every class of widget
        ground = QWidget(self)
        ground.setBackgroundRole(QPalette.ColorRole.Base)
        ground.setAutoFillBackground(True)
        self.setViewport(ground)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(20)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(24)

    def keyboardSearch(self, search: str) -> None:  # noqa: N802
        """Typing searches nothing here; `/` does."""

    def event(self, event: QEvent) -> bool:
        """Home and End are the list's while it has the keyboard, as the arrows are."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_end(event):
            event.accept()
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard comes; no row is marked for that: the open case may be none of the list."""
        self._is_entered = True
        super().focusInEvent(event)
        self._is_entered = False

    def moveCursor(  # noqa: N802
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Where a key leads: Home and End to the ends of the list; Qt's to the ends of a row, which nobody can see."""
        if self._is_entered:  # Qt asks which row to mark if none is
            return QModelIndex()
        last = self.model().rowCount() - 1
        if action == QAbstractItemView.CursorAction.MoveHome and last >= 0:
            return self.model().index(0, 0)
        if action == QAbstractItemView.CursorAction.MoveEnd and last >= 0:
            return self.model().index(last, 0)
        return super().moveCursor(action, modifiers)


def _is_end(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() in ENDS and not event.modifiers() & ~FREE
