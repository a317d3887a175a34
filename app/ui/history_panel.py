"""The history of a case: who, when, what; and the way back to any state."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from app.ui.history_words import HistoryEntry
from app.ui.language import moment, tr
from app.ui.privacy import private
from app.ui.theme import GAP_M, GAP_S

BEGINNING = 0
WIDTH_PX = 320


class HistoryPanel(QWidget):
    """The gestures of a case, newest first, and below them its very beginning.

    Signals:
        chosen: id of the event to go back to; 0 = the beginning.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._entries: tuple[HistoryEntry, ...] = ()
        self._is_writable = False
        self._has_case = False
        self.empty = QLabel(self)
        self.empty.setObjectName("muted")
        self.empty.setWordWrap(True)
        self.list = QListWidget(self)
        self.list.setObjectName("history")
        self.list.setWordWrap(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.list.setSpacing(GAP_S // 2)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(lambda _: self._enable())
        self.list.itemActivated.connect(lambda _: self._go())
        self.back = QPushButton(self)
        self.back.clicked.connect(self._go)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.back)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """As wide as the label form."""
        return QSize(WIDTH_PX, 320)

    def show_entries(self, entries: Sequence[HistoryEntry] | None, *, is_writable: bool) -> None:
        """Show the history of a case.

        Args:
            entries: newest first; None when no case is on the screen.
            is_writable: whether one may go back.
        """
        self._entries = tuple(entries or ())
        self._is_writable = is_writable
        self._has_case = entries is not None
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        self.back.setText(tr("Go back to this state"))
        self.back.setToolTip(
            tr("Bring back your annotations, and those of the whole case, as they were then. It can be undone.")
        )
        self._fill()

    def _fill(self) -> None:
        self.list.clear()
        for entry in self._entries:
            head = f"{moment(entry.at)} · {private(entry.author)}"
            self._add("\n".join((head, *entry.lines)), entry.event_id, is_dim=entry.is_reverting)
        if self._has_case:
            self._add(tr("The beginning: nothing was annotated"), BEGINNING, is_dim=True)
        self._fit()
        self.empty.setText(tr("No case is on the screen, or it is blocked."))
        self.empty.setVisible(not self._has_case)
        self.list.setVisible(self._has_case)
        self.back.setVisible(self._has_case)
        self._enable()

    def _add(self, words: str, event_id: int, *, is_dim: bool) -> None:
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, event_id)
        item.setToolTip(words)
        font = self.list.font()
        font.setItalic(is_dim)
        item.setFont(font)
        self.list.addItem(item)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other widths wrap elsewhere."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Give every entry the height that its words need; Qt's own guess cuts the last line."""
        width = max(self.list.width() - self.list.verticalScrollBar().sizeHint().width() - 2 * GAP_M, 1)
        for row in range(self.list.count()):
            item = self.list.item(row)
            space = QRect(0, 0, width - 3 * GAP_M, 10_000)
            words = QFontMetrics(item.font()).boundingRect(space, Qt.TextFlag.TextWordWrap, item.text())
            item.setSizeHint(QSize(width, words.height() + 3 * GAP_M))

    def _enable(self) -> None:
        row = self.list.currentRow()
        is_past = row > 0 or (row == 0 and not self._entries and self.list.count() > 1)
        self.back.setEnabled(self._is_writable and is_past)

    def _go(self) -> None:
        item = self.list.currentItem()
        if item is not None and self.back.isEnabled():
            self.chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))
