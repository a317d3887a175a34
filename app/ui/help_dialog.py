"""The help: pages on the left, one of them on the right, a line to search in all of them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument, QTextFormat
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.ui.command_set import CommandSet
from app.ui.dialog_size import open_at
from app.ui.help_pages import HelpPage, help_pages
from app.ui.language import tr
from app.ui.theme import GAP_L, GAP_M, GAP_S, TEXT_L, TEXT_XL, colours

LIST_PX = 280  # German titles in one line


class HelpDialog(QDialog):
    """Help without a network.

    Args:
        commands: keys and the table of commands.
        parent: the window.
        topic: name of the page to begin with.
    """

    def __init__(self, commands: CommandSet, parent: QWidget | None = None, *, topic: str = "") -> None:
        super().__init__(parent)
        open_at(self, 920, 640)
        self._commands = commands
        self._pages: list[HelpPage] = []
        self.search = QLineEdit(self)
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_search)
        self.list = QListWidget(self)
        self.list.setFixedWidth(LIST_PX)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(lambda _: self._show())
        self.page = QTextBrowser(self)
        self.page.setObjectName("help-page")
        self.page.setOpenLinks(False)
        self.page.anchorClicked.connect(lambda url: self.show_topic(url.toString().removesuffix(".md")))
        self._close = QPushButton(self)
        self._close.setAutoDefault(False)
        self._close.clicked.connect(self.accept)
        left = QVBoxLayout()
        left.setSpacing(GAP_M)
        self.search.setFixedWidth(LIST_PX)
        left.addWidget(self.search)
        left.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.setSpacing(GAP_L)
        row.addLayout(left)
        row.addWidget(self.page, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_L)
        layout.addLayout(row, 1)
        layout.addLayout(foot)
        self.retranslate()
        self.show_topic(topic)

    @property
    def topic(self) -> str:
        """Name of the page on show; empty when no page answers the search."""
        item = self.list.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def show_topic(self, topic: str) -> None:
        """Show a page by its name; the first if there is none of that name."""
        self.search.clear()
        names = [page.name for page in self._pages]
        self.list.setCurrentRow(names.index(topic) if topic in names else 0)

    def retranslate(self) -> None:
        """Say everything in the present language."""
        topic = self.topic
        self._pages = help_pages(self._commands)
        self.setWindowTitle(tr("Help"))
        self.search.setPlaceholderText(tr("Search the help"))
        self.search.setAccessibleName(tr("Search the help"))
        self.list.setAccessibleName(tr("Pages"))
        self.page.setAccessibleName(tr("Help"))
        self._close.setText(tr("Close"))
        self._fill(topic)

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or other colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        elif event.type() == QEvent.Type.PaletteChange:
            self._show()

    def _on_search(self, query: str) -> None:
        self._fill(self.topic)

    def _fill(self, topic: str) -> None:
        query = self.search.text()
        shown = [page for page in self._pages if page.answers(query)]
        self.list.blockSignals(True)
        self.list.clear()
        for page in shown:
            item = QListWidgetItem(page.title, self.list)
            item.setData(Qt.ItemDataRole.UserRole, page.name)
        names = [page.name for page in shown]
        self.list.setCurrentRow(names.index(topic) if topic in names else 0 if names else -1)
        self.list.blockSignals(False)
        self._show()

    def _show(self) -> None:
        found = next((page for page in self._pages if page.name == self.topic), None)
        if found is None:
            self.page.setPlainText(tr("No page has these words."))
            return
        document = self.page.document()
        document.setDefaultStyleSheet(f"a {{ color: {colours().accent}; }}")
        if found.is_html:
            self.page.setHtml(found.text)
        else:
            self.page.setMarkdown(found.text)
        _set_type(document)
        self._mark_found()

    def _mark_found(self) -> None:
        """Mark the words that were searched, and go to the first."""
        marks: list[QTextEdit.ExtraSelection] = []
        form = QTextCharFormat()
        form.setBackground(QColor(colours().selected))
        for word in self.search.text().split():
            cursor = self.page.document().find(word, 0, QTextDocument.FindFlag(0))
            while not cursor.isNull() and len(marks) < 500:
                mark = QTextEdit.ExtraSelection()
                mark.cursor, mark.format = QTextCursor(cursor), form
                marks.append(mark)
                cursor = self.page.document().find(word, cursor, QTextDocument.FindFlag(0))
        self.page.setExtraSelections(marks)
        if marks:
            first = min((mark.cursor for mark in marks), key=lambda cursor: cursor.position())
            place = QTextCursor(first)
            place.clearSelection()
            self.page.setTextCursor(place)


def _set_type(document: QTextDocument) -> None:
    """Set a page in the type scale, with room between its paragraphs."""
    block = document.begin()
    while block.isValid():
        level, cursor = block.blockFormat().headingLevel(), QTextCursor(block)
        form = QTextBlockFormat()
        form.setTopMargin(GAP_L if level > 1 else 0)
        form.setBottomMargin(GAP_M if level or block.textList() is None else GAP_S)
        form.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if QTextCursor(block).currentTable() is None:
            cursor.mergeBlockFormat(form)
        if level:
            letters = QTextCharFormat()
            letters.setProperty(QTextFormat.Property.FontPixelSize, TEXT_XL if level == 1 else TEXT_L)
            letters.setFontWeight(QFont.Weight.DemiBold)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(letters)
        block = block.next()
