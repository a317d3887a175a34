"""Rows of a tree as high as their words need in the width that there is. (Qt wraps them, but gives them one line.)"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

from app.ui.theme import GAP_S

FAR_PX = 100_000


class WrappedRows(QStyledItemDelegate):
    """Makes rows as high as their words need.

    Args:
        tree: its columns may be resized; the rows follow.
    """

    def __init__(self, tree: QTreeView) -> None:
        super().__init__(tree)
        self._tree = tree
        tree.setWordWrap(True)
        tree.setItemDelegate(self)
        tree.header().sectionResized.connect(lambda *_: tree.doItemsLayout())

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as the words of one cell, in the width of its column."""
        hint = super().sizeHint(option, index)
        if isinstance(text := index.data(), str):
            room = QRect(0, 0, self._room_px(option, index), FAR_PX)
            box = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, text)
            hint.setHeight(max(hint.height(), box.height() + GAP_S))
        return hint

    def _room_px(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> int:
        """The width in which the style writes: without its paddings, and a margin that it keeps beside all words."""
        style, cell = self._tree.style(), QStyleOptionViewItem(option)
        self.initStyleOption(cell, index)
        cell.rect = QRect(0, 0, self._tree.columnWidth(index.column()), FAR_PX)
        area = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, cell, self._tree)
        margin = style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, cell, self._tree) + 1
        return area.width() - 2 * margin
