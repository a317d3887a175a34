"""All keys at a glance, live from the table of commands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.ui.command_set import CommandSet, native
from app.ui.commands.table import MENUS
from app.ui.commands.view import GESTURES
from app.ui.language import tr
from app.ui.overlay import Overlay
from app.ui.theme import GAP_L, GAP_M, GAP_S, GAP_XL, TEXT_M, TEXT_S, font

COLUMN_PX = 264
CAP_ROOM_PX = 14 + GAP_S + 2  # around the letters of a key: padding, edges, gap to the next
HEAD_ROWS = 2  # room of a title and the gap before it, in rows
Row = tuple[str, list[str]]
Group = tuple[str, list[Row]]


class ShortcutSheet(Overlay):
    """Every command that has a key, menu by menu, in as many columns as there is room for.

    Args:
        commands: where names and keys come from.
        parent: the window.
    """

    def __init__(self, commands: CommandSet, parent: QWidget) -> None:
        super().__init__(parent)
        self._commands = commands
        self._title = QLabel(self.card)
        self._title.setObjectName("heading")
        self._print = QPushButton(self.card)
        self._print.clicked.connect(self._on_print)
        self._close = QPushButton(self.card)
        self._close.clicked.connect(self.dismiss)
        head = QHBoxLayout()
        head.setSpacing(GAP_M)
        head.addWidget(self._title, 1)
        head.addWidget(self._print)
        head.addWidget(self._close)
        self._area = QScrollArea(self.card)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self.card)
        layout.setContentsMargins(GAP_XL, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addLayout(head)
        layout.addWidget(self._area, 1)
        self.retranslate()

    def toggle(self) -> None:
        """Come up, or go away."""
        if self.isVisible():
            self.dismiss()
        else:
            self.open()

    def open(self) -> None:
        """Come up with the keys as they are now."""
        self._fill()
        super().open()

    def focus_target(self) -> QWidget:
        """The list, so that it can be scrolled by key."""
        return self._area

    def card_rect(self, room: QRect) -> QRect:
        """As large as all keys need, if there is room."""
        content = self._area.widget()
        wanted = content.sizeHint() if content is not None else self.card.sizeHint()
        width = min(room.width(), wanted.width() + GAP_XL + GAP_L + 16)
        height = min(room.height(), wanted.height() + self._title.sizeHint().height() + 2 * GAP_L + GAP_M + 8)
        return QRect(
            room.left() + (room.width() - width) // 2, room.top() + (room.height() - height) // 2, width, height
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The key that opened it closes it, too."""
        if event.text() == "?" or event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.dismiss()
            event.accept()
            return
        super().keyPressEvent(event)

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self._title.setText(tr("Keys"))
        self._close.setText(tr("Close"))
        self._print.setText(tr("Print…"))
        self._print.setToolTip(tr("Print the sheet, or save it as a PDF file"))
        if self.isVisible():
            self._fill()
            self._lie()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def groups(self) -> list[Group]:
        """Menu → (name, keys) of every command with a key; then what the mouse does."""
        found: list[Group] = []
        for menu in MENUS:
            rows = [(tr(command.text).rstrip("… "), [native(key) for key in self._commands.keys(command.id)])
                    for command in self._commands.commands if command.menu == menu]  # fmt: skip
            rows = [(text, keys) for text, keys in rows if keys]
            if rows:
                found.append((tr(menu), rows))
        found.append((tr("Mouse, over an image"), [(tr(effect), [tr(gesture)]) for effect, gesture in GESTURES]))
        return found

    def _fill(self) -> None:
        old = self._area.takeWidget()
        if old is not None:
            old.deleteLater()
        parent = self.parentWidget()
        assert parent is not None
        room = parent.width() - 4 * GAP_XL - 2 * GAP_L
        width = column_width([row for _, rows in self.groups() for row in rows])
        columns = max(1, min(6, (room + GAP_XL) // (width + GAP_XL)))
        page = QWidget()
        page.setObjectName("sheet")
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_XL)
        groups = self.groups()
        for share in in_columns(groups, columns):
            column = QVBoxLayout()
            column.setSpacing(GAP_L)
            for title, rows in share:
                column.addWidget(_group(title, rows, width))
            column.addStretch(1)
            row.addLayout(column)
        self._area.setWidget(page)

    def _on_print(self) -> None:
        from app.ui.sheet_print import print_sheet

        self.dismiss()
        print_sheet(self.groups(), self.window())


def column_width(rows: Sequence[Row]) -> int:
    """Width of a column in which no word and no key is cut off, px."""
    words, keys = QFontMetrics(font(TEXT_M)), QFontMetrics(font(TEXT_S))
    needed = COLUMN_PX
    for text, caps in rows:
        name = max((words.horizontalAdvance(word) for word in text.split()), default=0)
        needed = max(needed, name + GAP_M + sum(keys.horizontalAdvance(cap) + CAP_ROOM_PX for cap in caps))
    return needed


def _group(title: str, rows: list[Row], width: int) -> QWidget:
    group = QWidget()
    group.setFixedWidth(width)
    column = QVBoxLayout(group)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GAP_S)
    head = QLabel(title, group)
    head.setObjectName("title")
    column.addWidget(head)
    for text, keys in rows:
        line = QHBoxLayout()
        line.setSpacing(GAP_S)
        name = QLabel(text, group)
        name.setWordWrap(True)
        line.addWidget(name, 1)
        for key in keys:
            cap = QLabel(key, group)
            cap.setObjectName("key")
            cap.setTextFormat(Qt.TextFormat.PlainText)
            cap.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            line.addWidget(cap, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(line)
    return group


def in_columns(groups: Sequence[Group], columns: int) -> list[list[Group]]:
    """Groups set in columns like a newspaper, so that the highest column is as low as can be.

    A group may go on in the next column, under its title again, but leaves no less than two rows behind.

    Args:
        groups: title and rows of each, in their order.
        columns: how many there may be.
    """
    limit = 4
    while True:
        found: list[list[Group]] = [[]]
        used = 0
        for title, rows in groups:
            rest = list(rows)
            while rest:
                room = limit - used - HEAD_ROWS
                if room < min(2, len(rest)) and used:
                    found.append([])
                    used = 0
                    continue
                part = rest[: max(room, 2)]
                found[-1].append((title, part))
                used += len(part) + HEAD_ROWS
                rest = rest[len(part) :]
        if len(found) <= columns:
            return found
        limit += 1
