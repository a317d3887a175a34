"""The projects that were open lately: name, place, when, how many cases. Enter opens, Delete takes off the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetrics, QGuiApplication, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.ui import theme
from app.ui.language import moment, tr, trn
from app.ui.theme import GAP_L, GAP_M, TEXT_M, TEXT_S

Index = QModelIndex | QPersistentModelIndex
ROW_PX = 54
ENTRY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentEntry:
    """One project, in the language of the window.

    Args:
        path: its folder.
        name: what it is called, as it may be shown.
        place: the folder, as it may be shown.
        about: when it was open and how many cases it has, in words.
        is_there: whether the folder is still there.
        is_pinned: whether it stays in front.
    """

    path: str
    name: str
    place: str
    about: str
    is_there: bool = True
    is_pinned: bool = False


class _Model(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: tuple[RecentEntry, ...] = ()

    def set_entries(self, entries: Sequence[RecentEntry]) -> None:
        self.beginResetModel()
        self.entries = tuple(entries)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == ENTRY:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.place
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join((entry.name, entry.about, entry.place))
        return None


class RecentList(QListView):
    """The list.

    Signals:
        chosen: path of the project to open.
        pinned: path, and whether it stays in front.
        forgotten: path of a project to take off the list.
    """

    chosen = Signal(str)
    pinned = Signal(str, bool)
    forgotten = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recent")
        self._model = _Model(self)
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setMinimumHeight(3 * ROW_PX)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._on_clicked)

    @property
    def entries(self) -> tuple[RecentEntry, ...]:
        """What is listed."""
        return self._model.entries

    def set_entries(self, entries: Sequence[RecentEntry]) -> None:
        """Replace everything."""
        self._model.set_entries(entries)
        if entries:
            self.setCurrentIndex(self._model.index(0))
        self.setAccessibleName(tr("Recent projects"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Delete takes off the list."""
        entry = self._current()
        if entry is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(entry)
        elif entry is not None and event.key() == Qt.Key.Key_Delete:
            self.forgotten.emit(entry.path)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with one project."""
        is_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if is_key else self.indexAt(event.pos())
        if index.isValid():
            where = self.visualRect(index).bottomLeft() if is_key else event.pos()
            self.menu_for(self._model.entries[index.row()]).popup(self.viewport().mapToGlobal(where + QPoint(GAP_L, 0)))

    def menu_for(self, entry: RecentEntry) -> QMenu:
        """Open, pin, copy the place, take off the list."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        opening = menu.addAction(tr("Open"))
        opening.setEnabled(entry.is_there)
        opening.triggered.connect(lambda: self.chosen.emit(entry.path))
        pin = menu.addAction(tr("Keep in front"))
        pin.setCheckable(True)
        pin.setChecked(entry.is_pinned)
        pin.triggered.connect(lambda is_on: self.pinned.emit(entry.path, is_on))
        copy = menu.addAction(tr("Copy path"))
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(entry.path))
        menu.addSeparator()
        forget = menu.addAction(tr("Remove from this list"))
        forget.triggered.connect(lambda: self.forgotten.emit(entry.path))
        return menu

    def _on_clicked(self, index: QModelIndex) -> None:
        self._open(self._model.entries[index.row()])

    def _open(self, entry: RecentEntry) -> None:
        if entry.is_there:
            self.chosen.emit(entry.path)
        else:
            rect = self.visualRect(self.currentIndex())
            self.menu_for(entry).popup(self.viewport().mapToGlobal(rect.bottomLeft() + QPoint(GAP_L, 0)))

    def _current(self) -> RecentEntry | None:
        index = self.currentIndex()
        return self._model.entries[index.row()] if index.isValid() else None


class _Delegate(QStyledItemDelegate):
    """Two lines: name and what is known; the place below, cut off in the middle."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = index.data(ENTRY)
        if not isinstance(entry, RecentEntry):
            return
        colours = theme.colours()
        rect = QRect(option.rect)
        state = option.state
        has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
        if state & QStyle.StateFlag.State_Selected and has_focus:
            painter.fillRect(rect, QColor(colours.selected))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(colours.hover))
        inside = rect.adjusted(GAP_L, GAP_M, -GAP_L, -GAP_M)
        painter.save()
        about_font, name_font = theme.font(TEXT_S), theme.font(TEXT_M, is_bold=True)
        about = entry.about if entry.is_there else tr("Not found")
        measure = QFontMetrics(about_font)
        about = measure.elidedText(about, Qt.TextElideMode.ElideRight, inside.width() * 3 // 5)
        about_px = measure.horizontalAdvance(about)
        painter.setFont(about_font)
        painter.setPen(QColor(colours.muted if entry.is_there else colours.caution))
        top = Qt.AlignmentFlag.AlignTop
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignRight | top), about)
        painter.setFont(name_font)
        painter.setPen(QColor(colours.text if entry.is_there else colours.muted))
        pin = "★ " if entry.is_pinned else ""
        room = max(80, inside.width() - about_px - GAP_L)
        name = QFontMetrics(name_font).elidedText(pin + entry.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignLeft | top), name)
        painter.setFont(about_font)
        painter.setPen(QColor(colours.muted))
        path = QFontMetrics(about_font).elidedText(entry.place, Qt.TextElideMode.ElideMiddle, inside.width())
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom), path)
        painter.restore()


def when_open(text: str) -> str:
    """A moment in the words of a list: today by the clock, else the day."""
    then = datetime.fromisoformat(text)
    now = datetime.now(UTC)
    minutes = int((now - then).total_seconds() // 60)
    if 0 <= minutes < 60:
        return tr("just now") if minutes < 2 else trn("1 minute ago", "{count} minutes ago", minutes)
    if then.astimezone().date() == now.astimezone().date():
        return tr("today, {time}", time=f"{then.astimezone():%H:%M}")
    return moment(then)
