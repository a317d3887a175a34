"""The command palette: every command, found by a few letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.command_set import CommandSet
from app.ui.language import tr
from app.ui.overlay import Overlay
from app.ui.palette_model import Entry, PaletteIndex
from app.ui.theme import GAP_L, GAP_M, GAP_S, TEXT_M, TEXT_S, colours, font

WIDTH, ROW_HEIGHT, ROWS = 680, 52, 8
Index = QModelIndex | QPersistentModelIndex
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -ROWS, Qt.Key.Key_PageDown: ROWS}


class CommandPalette(Overlay):
    """A line to type in and the commands that answer.

    Args:
        commands: what is listed.
        parent: the window.

    Signals:
        chosen: id of the command to run; the palette is gone by then.
    """

    chosen = Signal(str)

    def __init__(self, commands: CommandSet, parent: QWidget) -> None:
        super().__init__(parent)
        self._commands = commands
        self._index: PaletteIndex | None = None
        self._recent: Sequence[str] = ()
        self.line = _Line(self.card)
        self.line.setObjectName("palette-line")
        self.line.textChanged.connect(self._search)
        self.line.moved.connect(self._move)
        self.line.accepted.connect(self._accept)
        self.line.cancelled.connect(self.dismiss)
        self.model = _EntryModel(self)
        self.list = QListView(self.card)
        self.list.setObjectName("palette-list")
        self.list.setModel(self.model)
        self.list.setItemDelegate(_EntryDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda index: self._accept())
        self.nothing = QLabel(self.card)
        self.nothing.setObjectName("muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setFixedHeight(ROW_HEIGHT * 2)
        layout = QVBoxLayout(self.card)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        for widget in (self.line, self.list, self.nothing):
            layout.addWidget(widget)
        self.retranslate()

    def open_for(self, recent: Sequence[str]) -> None:
        """Come up with an empty line.

        Args:
            recent: ids of the commands that were run last; they come first.
        """
        self._recent = recent
        self._index = PaletteIndex(self._commands)
        self.line.clear()
        self._search("")
        self.open()

    def focus_target(self) -> QWidget:
        """The line."""
        return self.line

    def card_rect(self, room: QRect) -> QRect:
        """In the middle, a little below the top."""
        width = min(WIDTH, room.width())
        rows = max(2, min(ROWS, self.model.rowCount()))
        height = min(room.height(), self.line.sizeHint().height() + rows * ROW_HEIGHT + 3 * GAP_M + 2)
        top = room.top() + min(GAP_L * 3, (room.height() - height) // 2)
        return QRect(room.left() + (room.width() - width) // 2, top, width, height)

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.line.setPlaceholderText(tr("Search commands"))
        self.line.setAccessibleName(tr("Search commands"))
        self.list.setAccessibleName(tr("Commands"))
        self.nothing.setText(tr("No command is called that."))

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def _search(self, query: str) -> None:
        if self._index is None:
            return
        self.model.set_entries(self._index.search(query, self._recent))
        is_empty = self.model.rowCount() == 0
        self.list.setVisible(not is_empty)
        self.nothing.setVisible(is_empty)
        self.list.setCurrentIndex(self.model.index(0, 0))
        self.list.scrollToTop()
        if self.isVisible():
            self._lie()

    def _move(self, by: int) -> None:
        count = self.model.rowCount()
        if count:
            row = self.list.currentIndex().row() + by
            row = row % count if abs(by) == 1 else min(max(row, 0), count - 1)
            self.list.setCurrentIndex(self.model.index(row, 0))

    def _accept(self) -> None:
        entry = self.model.entry(self.list.currentIndex().row())
        if entry is not None and entry.is_enabled:
            self.dismiss()
            self.chosen.emit(entry.id)


class _Line(QLineEdit):
    """Passes the keys on that belong to the list."""

    moved = Signal(int)
    accepted = Signal()
    cancelled = Signal()

    def event(self, event: QEvent) -> bool:
        """No shortcut of the window works while the line has the keyboard."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, down, Return, Escape; everything else is typed."""
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.moved.emit(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accepted.emit()
        elif key == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            super().keyPressEvent(event)


class _EntryModel(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []

    def set_entries(self, entries: list[Entry]) -> None:
        """List these."""
        self.beginResetModel()
        self._entries = entries
        self.endResetModel()

    def entry(self, row: int) -> Entry | None:
        """One of them; None outside."""
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def rowCount(self, parent: Index | None = None) -> int:
        """How many."""
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name; all of it for screen readers."""
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (entry.text, entry.menu, entry.keys, entry.note) if part)
        return None


class _EntryDelegate(QStyledItemDelegate):
    """Two lines: name, menu and key; below what it does, or why it cannot be used now."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Every row is as high as the others."""
        return QSize(100, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one command."""
        model = index.model()
        assert isinstance(model, _EntryModel)
        entry = model.entry(index.row())
        assert entry is not None
        present = colours()
        rect = option.rect.adjusted(0, 1, 0, -1)
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(present.selected))
            painter.drawRoundedRect(QRectF(rect), 4, 4)
        inner = rect.adjusted(GAP_M, GAP_S, -GAP_M, -GAP_S)
        right = self._keys(painter, entry.keys, inner)
        self._icon(painter, entry, inner)
        inner = QRect(inner.left() + 20 + GAP_M, inner.top(), right - GAP_M - inner.left() - 20 - GAP_M, inner.height())
        self._name(painter, entry, QRect(inner.topLeft(), QSize(inner.width(), inner.height() // 2 + 2)))
        self._note(painter, entry, QRect(inner.left(), inner.center().y() + 2, inner.width(), inner.height() // 2))
        painter.restore()

    def _icon(self, painter: QPainter, entry: Entry, inner: QRect) -> None:
        place = QRect(inner.left(), inner.center().y() - 9, 20, 20)
        icon = theme.icon(entry.icon)
        if icon.isNull() and entry.is_checked:
            icon = theme.icon("check")
        mode = QIcon.Mode.Normal if entry.is_enabled else QIcon.Mode.Disabled
        state = QIcon.State.On if entry.is_checked else QIcon.State.Off
        icon.paint(painter, place, Qt.AlignmentFlag.AlignCenter, mode, state)

    def _keys(self, painter: QPainter, keys: str, inner: QRect) -> int:
        """Draws the key as a cap and returns where it begins."""
        if not keys:
            return inner.right()
        present, face = colours(), font(TEXT_S)
        width = QFontMetrics(face).horizontalAdvance(keys) + 2 * GAP_M
        cap = QRect(inner.right() - width, inner.center().y() - 11, width, 23)
        painter.setPen(QColor(present.edge))
        painter.setBrush(QColor(present.raised))
        painter.drawRoundedRect(QRectF(cap).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(QColor(present.text))
        painter.setFont(face)
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, keys)
        return cap.left()

    def _name(self, painter: QPainter, entry: Entry, rect: QRect) -> None:
        present = colours()
        plain, strong = font(TEXT_M), font(TEXT_M, is_bold=True)
        x, found = rect.left(), set(entry.at)
        room = rect.right() - QFontMetrics(font(TEXT_S)).horizontalAdvance(entry.menu) - GAP_M
        for place, letter in enumerate(entry.text):
            face = strong if place in found else plain
            painter.setFont(face)
            painter.setPen(QColor(present.accent if place in found and entry.is_enabled else
                                  present.text if entry.is_enabled else present.muted))  # fmt: skip
            width = QFontMetrics(face).horizontalAdvance(letter)
            if x + width > room:
                painter.drawText(QRect(x, rect.top(), 20, rect.height()), Qt.AlignmentFlag.AlignVCenter, "…")
                break
            painter.drawText(QRect(x, rect.top(), width + 2, rect.height()), Qt.AlignmentFlag.AlignVCenter, letter)
            x += width
        painter.setFont(font(TEXT_S))
        painter.setPen(QColor(present.muted))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, entry.menu)

    def _note(self, painter: QPainter, entry: Entry, rect: QRect) -> None:
        face = font(TEXT_S)
        painter.setFont(face)
        painter.setPen(QColor(colours().muted if entry.is_enabled else colours().caution))
        words = QFontMetrics(face).elidedText(entry.note, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, words)
