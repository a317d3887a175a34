"""What is written over a radiograph: who, which view, how it is shown, how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from app.ui.theme import DARK, GAP_M, TEXT_L, TEXT_M, TEXT_S, font

OUTLINE_PX = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text.

    Args:
        text: what it says.
        tone: `text`, `muted`, `caution` or `danger`.
        is_strong: larger and bolder.
    """

    text: str
    tone: str = "text"
    is_strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Corners:
    """Everything written over one pane. Edge letters say which way the patient lies; empty = not known."""

    top_left: tuple[Line, ...] = ()
    top_right: tuple[Line, ...] = ()
    bottom_left: tuple[Line, ...] = ()
    bottom_right: tuple[Line, ...] = ()
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    is_verified: bool = True


class CornerText(QWidget):
    """Draws `Corners` over its parent, letting every mouse event through. Outlined, so it reads on white bone too."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._corners = Corners()
        self._veil = ""
        self._cache = QPixmap()
        parent.installEventFilter(self)
        self.setGeometry(parent.rect())

    @property
    def corners(self) -> Corners:
        """What is written now."""
        return self._corners

    def set_corners(self, corners: Corners) -> None:
        """Write something else."""
        if corners != self._corners:
            self._corners = corners
            self._cache = QPixmap()
            self.update()

    def set_veil(self, text: str) -> None:
        """Darken everything below and say why; empty lifts the veil."""
        if text != self._veil:
            self._veil = text
            self._cache = QPixmap()
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the parent."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
            self._cache = QPixmap()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw from a cached picture: the text changes far less often than the image below it."""
        ratio = self.devicePixelRatioF()
        if self._cache.isNull() or self._cache.devicePixelRatio() != ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
            self._cache.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._cache)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw(painter)
            painter.end()
        QPainter(self).drawPixmap(0, 0, self._cache)

    def _draw(self, painter: QPainter) -> None:
        if self._veil:
            painter.fillRect(self.rect(), QColor(0, 0, 0, 190))
            self._letter(painter, self._veil, self.width() / 2, self.height() / 2)
            return
        c = self._corners
        middle = self.height() / 2
        # the edge letters keep a strip at either side clear
        for text, x in ((c.left, GAP_M + 12.0), (c.right, self.width() - GAP_M - 12.0)):
            self._letter(painter, text, x, middle)
        self._letter(painter, c.top, self.width() / 2, GAP_M + 12.0)
        self._letter(painter, c.bottom, self.width() / 2, self.height() - GAP_M - 12.0)
        half = self.width() / 2 - 2 * GAP_M - (16 if c.top or c.bottom else 0)
        for lines, is_top, is_left in (
            (c.top_left, True, True), (c.top_right, True, False), (c.bottom_left, False, True),
            (c.bottom_right, False, False),
        ):  # fmt: skip
            self._block(painter, lines, half, is_top=is_top, is_left=is_left)

    def _letter(self, painter: QPainter, text: str, x: float, y: float) -> None:
        if not text:
            return
        face = font(TEXT_L, is_bold=True)
        size = QFontMetricsF(face)
        tone = "text" if self._corners.is_verified else "caution"
        width = size.horizontalAdvance(text)
        left = min(max(x - width / 2, GAP_M), self.width() - GAP_M - width)
        _outlined(painter, text, QPointF(left, y + size.capHeight() / 2), face, tone)

    def _block(self, painter: QPainter, lines: tuple[Line, ...], room: float, *, is_top: bool, is_left: bool) -> None:
        y = float(GAP_M) if is_top else self.height() - GAP_M
        for line in lines if is_top else reversed(lines):
            face = font(TEXT_M if line.is_strong else TEXT_S, is_bold=line.is_strong)
            size = QFontMetricsF(face)
            rows = wrapped(line.text, size, room)
            for row in rows if is_top else reversed(rows):
                if is_top:
                    y += size.height()
                x = GAP_M if is_left else self.width() - GAP_M - size.horizontalAdvance(row)
                _outlined(painter, row, QPointF(x, y - size.descent()), face, line.tone)
                if not is_top:
                    y -= size.height()


def wrapped(text: str, size: QFontMetricsF, room: float) -> list[str]:
    """The text in rows that fit `room`, px; a single word that does not fit is shortened with an ellipsis."""
    rows: list[str] = []
    for word in text.split():
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and size.horizontalAdvance(longer) <= room:
            rows[-1] = longer
        else:
            rows.append(size.elidedText(word, Qt.TextElideMode.ElideMiddle, room))
    return rows


def _outlined(painter: QPainter, text: str, at: QPointF, face: QFont, tone: str) -> None:
    path = QPainterPath()
    path.addText(at, face, text)
    pen = painter.pen()
    pen.setColor(QColor(0, 0, 0, 215))
    pen.setWidthF(OUTLINE_PX)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, pen)
    painter.fillPath(path, QColor(getattr(DARK, tone)))
