"""How a case looks in the worklist: two lines, two small radiographs, a chip for the status."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.core.worklist import AI_SCORE, WorklistRow
from app.ui import case_words, theme
from app.ui.case_list_model import CaseListModel
from app.ui.language import date_figures, tr
from app.ui.theme import GAP_M, GAP_S, TEXT_M, TEXT_S, Colours

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT, SMALL_ROW_HEIGHT = 56, 30
THUMB_PX = 42
NARROW_PX = 214  # below this the pseudonym has room beside one picture only
LINE_1, LINE_2 = QRect(0, 8, 0, 20), QRect(0, 30, 0, 18)  # top and height of the two lines in a row
NAME_PX = 138  # room that a pseudonym of average letters takes at `TEXT_M`
BAR_PX = 3
CHIP_HEIGHT = 20


class ThumbnailSource(Protocol):
    """Where small radiographs come from."""

    def image(self, view_id: str, sha256: str, state: str = "") -> QImage | None:
        """A small radiograph, or None while it is being made."""


class CaseDelegate(QStyledItemDelegate):
    """Paints the cells of the worklist.

    Attributes:
        thumbnails: where small radiographs come from; None shows empty frames.
        is_small: one line a row, without radiographs.
        hovered: the row under the mouse; −1 = none.
    """

    def __init__(self, model: CaseListModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.thumbnails: ThumbnailSource | None = None
        self.is_small = False
        self.hovered = -1
        self._fonts: dict[tuple[int, bool], tuple[QFont, QFontMetrics]] = {}

    def forget_fonts(self) -> None:
        """The application wears another font, or another size."""
        self._fonts.clear()

    def _font(self, size_px: int, *, is_bold: bool = False) -> tuple[QFont, QFontMetrics]:
        """A font and its measures: making them anew for every cell took a third of a frame."""
        found = self._fonts.get((size_px, is_bold))
        if found is None:
            font = theme.font(size_px, is_bold=is_bold)
            found = self._fonts[size_px, is_bold] = (font, QFontMetrics(font))
        return found

    def _use(self, painter: QPainter, size_px: int, *, is_bold: bool = False) -> QFontMetrics:
        """Write in this font from now on."""
        font, metrics = self._font(size_px, is_bold=is_bold)
        painter.setFont(font)
        return metrics

    @property
    def row_height(self) -> int:
        """Height of every row, px."""
        return SMALL_ROW_HEIGHT if self.is_small else ROW_HEIGHT

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows are of one height."""
        return QSize(100, self.row_height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell."""
        colours = theme.colours()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        back = colours.selected if is_selected else colours.raised if index.row() == self.hovered else colours.panel
        painter.fillRect(rect, QColor(back))
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, QColor(colours.raised))
        row = self._model.row_at(index.row())
        if row is None:
            return
        if is_selected and index.column() == 0:
            has_focus = bool(state & QStyle.StateFlag.State_Active) and option.widget.hasFocus()
            painter.fillRect(
                rect.x(), rect.y(), BAR_PX, rect.height(), QColor(colours.accent if has_focus else colours.muted)
            )
        painter.save()
        try:
            self._paint_cell(painter, rect, row, self._model.columns[index.column()].name, colours)
        finally:
            painter.restore()  # a fault in one cell is reported, and the others are painted

    def _paint_cell(self, painter: QPainter, rect: QRect, row: WorklistRow, name: str, colours: Colours) -> None:
        if name == "patient":
            self._paint_patient(painter, rect, row, colours)
        elif name == "status":
            self._paint_status(painter, rect, row, colours)
        elif name == "side":
            self._paint_side(painter, rect, row, colours)
        else:
            self._paint_plain(painter, rect, row, name, colours)

    # --- cells ---

    def _paint_patient(self, painter: QPainter, rect: QRect, row: WorklistRow, colours: Colours) -> None:
        x = rect.x() + BAR_PX + 2
        if not self.is_small:
            for view_id, sha256 in _pictures(row, is_narrow=rect.width() < NARROW_PX):
                frame = QRect(x, rect.y() + 6, THUMB_PX, THUMB_PX)
                self._paint_thumbnail(painter, frame, view_id, sha256, row, colours)
                x += THUMB_PX + 1
            x += GAP_S
        room = QRect(x, rect.y(), rect.right() - x - 2, rect.height())
        below = "" if self.is_small else self._fitting(self._second_line(row), room.width())
        size_px = TEXT_M if room.width() >= NAME_PX else TEXT_S  # names shrink, all of them, before they are shortened
        metrics = self._use(painter, size_px, is_bold=not self.is_small)
        painter.setPen(QColor(colours.danger if row.blocked_reason else colours.text))
        place = _line(room, LINE_1) if below else room
        _text(painter, metrics, place, self._model.patient_words(row), Qt.TextElideMode.ElideMiddle)
        metrics = self._use(painter, TEXT_S)
        painter.setPen(QColor(colours.muted))
        _text(painter, metrics, _line(room, LINE_2), below)

    def _second_line(self, row: WorklistRow) -> tuple[str, ...]:
        """What of the study has no column of its own."""
        shown = {column.name for column in self._model.columns}
        date = "" if "date" in shown else date_figures(row.date) or tr("no date")
        views = "" if "views" in shown else case_words.views_words(row)
        side = "" if "side" in shown else case_words.SIDE_LETTERS[row.side]
        return (side, date, views)

    def _said(self, row: WorklistRow) -> tuple[str, ...]:
        """What readers and the first model say, where it has no column of its own."""
        shown = {column.name for column in self._model.columns}
        score = "" if any(name.startswith(AI_SCORE) for name in shown) else case_words.first_score(row)
        return (case_words.label_words(row, without=shown), score)

    def _fitting(self, parts: tuple[str, ...], room_px: int) -> str:
        """As many parts as have room whole, at least the first: half a date says nothing."""
        _, metrics = self._font(TEXT_S)
        words = ""
        for part in filter(None, parts):
            longer = f"{words} · {part}" if words else part
            if words and metrics.horizontalAdvance(longer) > room_px:
                break
            words = longer
        return words

    def _paint_status(self, painter: QPainter, rect: QRect, row: WorklistRow, colours: Colours) -> None:
        words, ink = _status(row, colours)
        shown = {column.name for column in self._model.columns}
        is_asking = bool(row.questions) and "questions" not in shown
        room = rect.adjusted(GAP_S, 0, -GAP_S, 0)
        asked = case_words.questions_words(len(row.questions))
        below = asked if is_asking else self._fitting(self._said(row), room.width())
        metrics = self._use(painter, TEXT_S)
        width = min(metrics.horizontalAdvance(words) + 2 * GAP_M, room.width() + GAP_S)  # to the end of its column
        top = rect.y() + ((rect.height() - CHIP_HEIGHT) // 2 if self.is_small or not below else 7)
        chip = QRectF(room.x() + 0.5, top + 0.5, width - 1, CHIP_HEIGHT - 1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(ink), 1))
        painter.setBrush(QColor(colours.window))
        painter.drawRoundedRect(chip, CHIP_HEIGHT / 2, CHIP_HEIGHT / 2)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter,
                         metrics.elidedText(words, Qt.TextElideMode.ElideRight, width - GAP_S))  # fmt: skip
        if not self.is_small:
            painter.setPen(QColor(colours.caution if is_asking else colours.muted))
            _text(painter, metrics, _line(room, LINE_2), below)

    def _paint_side(self, painter: QPainter, rect: QRect, row: WorklistRow, colours: Colours) -> None:
        self._use(painter, TEXT_M, is_bold=True)
        painter.setPen(QColor(colours.text if row.side else colours.caution))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, case_words.SIDE_LETTERS[row.side])

    def _paint_plain(self, painter: QPainter, rect: QRect, row: WorklistRow, name: str, colours: Colours) -> None:
        metrics = self._use(painter, TEXT_M)
        painter.setPen(QColor(colours.caution if name == "questions" else colours.text))
        _text(painter, metrics, rect.adjusted(GAP_M, 0, -GAP_S, 0), self._model.cell_words(row, name))

    def _paint_thumbnail(
        self, painter: QPainter, frame: QRect, view_id: str, sha256: str, row: WorklistRow, colours: Colours
    ) -> None:
        is_blocked = bool(row.blocked_reason)  # nothing of such a case is shown, here as little as in the panes
        painter.fillRect(frame, QColor(colours.image if view_id and not is_blocked else colours.window))
        if is_blocked or not view_id:
            painter.setPen(QColor(colours.danger if is_blocked else colours.muted))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "!" if is_blocked else "–")
            return
        image = None
        if self.thumbnails is not None:
            image = self.thumbnails.image(view_id, sha256, row.changed_at)
        if image is None:
            return
        if image.isNull():  # the image cannot be read
            painter.setPen(QColor(theme.OVER_IMAGE.danger))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "!")
            return
        size = image.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(frame.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, image)


def _pictures(row: WorklistRow, *, is_narrow: bool) -> list[tuple[str, str]]:
    """View and address of what is shown small: as it hangs, or one of them where there is little room.

    As in the panes, views that have no place yet hang where none is.
    """
    waiting = list(zip(row.waiting_ids, row.waiting_sha256, strict=True))
    shown = [(row.frontal_id, row.frontal_sha256), (row.lateral_id, row.lateral_sha256)]
    shown = [picture if picture[0] or not waiting else waiting.pop(0) for picture in shown]
    if not is_narrow:
        return shown
    return shown[:1] if shown[0][0] else shown[1:]


def _status(row: WorklistRow, colours: Colours) -> tuple[str, str]:
    """Words and colour of the chip."""
    if row.blocked_reason:
        return tr("Blocked"), colours.danger
    ink = {"annotated": colours.accent, "reviewed": colours.good, "second-look": colours.caution}
    return case_words.value_words("status", row.status), ink.get(row.status, colours.muted)


def _line(room: QRect, line: QRect) -> QRect:
    return QRect(room.x(), room.y() + line.y(), room.width(), line.height())


def _text(
    painter: QPainter,
    metrics: QFontMetrics,
    rect: QRect,
    words: str,
    cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    """One line, cut with dots where there is no room."""
    if words and rect.width() > 0:
        shown = metrics.elidedText(words, cut, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
