"""What is drawn over a radiograph: who, which view, which side, how it is shown, how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from app.core.record import record
from app.core.scale_bar import ScaleBar
from app.ui.theme import GAP_M, GAP_S, OVER_IMAGE, TEXT_L, TEXT_M, TEXT_S, TEXT_XL, font

OUTLINE_PX = 3.0
OUTLINE = QColor(0, 0, 0, 215)
PLATE = QColor(0, 0, 0, 110)  # behind words, so that they read on white bone at arm's length
LETTER_STRIP_PX = 12.0  # what a letter at the upper or lower edge keeps clear, to either side
LETTER_PX = 28.0  # room of an edge letter
MARKER_PX = 32
CACHED_ROWS = 400


@record(frozen=True, slots=True)
class Line:
    """One line of text.

    Args:
        text: what it says.
        tone: `text`, `muted`, `caution`, `danger` or `accent`.
        is_strong: larger and bolder.
    """

    text: str
    tone: str = "text"
    is_strong: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Marker:
    """The side marker that Coxa draws, in a frame and coloured: no marker burnt into a radiograph looks like it.

    Args:
        letter: `L`, `R`, or `?` while the side is open.
        towards: where that side of the patient lies on the screen (x right, y down); None = not known.
        is_open: whether a person still has to say which side it is.
    """

    letter: str
    towards: tuple[float, float] | None = None
    is_open: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Corners:
    """Everything drawn over one pane. Edge letters say which way the patient lies; empty = not known."""

    top_left: tuple[Line, ...] = ()
    top_right: tuple[Line, ...] = ()
    bottom_left: tuple[Line, ...] = ()
    bottom_right: tuple[Line, ...] = ()
    headlines: tuple[Line, ...] = ()
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    marker: Marker | None = None
    bar: ScaleBar | None = None
    bar_words: str = ""
    is_bar_trusted: bool = True
    is_mirrored: bool = False
    is_verified: bool = True


class CornerText(QWidget):
    """Draws `Corners` over its parent, letting every mouse event through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._corners: Corners | None = Corners()
        self._source: Callable[[], Corners] = Corners
        self._veil = ""
        self._is_quiet = False
        self._rows: dict[tuple[str, int, int, str, float], QPixmap] = {}
        self._laid_out: object = None  # for what everything was put where it is
        self._put_down: list[tuple[QPixmap, QPointF]] = []
        self._bar_put: tuple[QPainterPath, str] | None = None
        parent.installEventFilter(self)
        self.setGeometry(parent.rect())

    @property
    def corners(self) -> Corners:
        """What is drawn now."""
        if self._corners is None:
            self._corners = self._source()
        return self._corners

    def say(self, source: Callable[[], Corners]) -> None:
        """Draw something else.

        Args:
            source: gives it when it is painted, however often it changes before.
        """
        self._corners, self._source = None, source
        self.update()

    def set_quiet(self, is_quiet: bool) -> None:
        """Leave out all that is not needed for safety: what stays are side marker, letters and headlines."""
        if is_quiet != self._is_quiet:
            self._is_quiet = is_quiet
            self.update()

    def set_veil(self, text: str) -> None:
        """Darken everything below and say why; empty lifts the veil."""
        if text != self._veil:
            self._veil = text
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the parent."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what was put down; what changed is laid out anew, from cached rows: outlining text is slow."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if len(self._rows) > CACHED_ROWS:
            self._rows.clear()
        if self._veil:
            painter.fillRect(self.rect(), QColor(0, 0, 0, 190))
        elif self.corners.is_mirrored:
            painter.setPen(QPen(QColor(OVER_IMAGE.caution), 2.0, Qt.PenStyle.DashLine))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        key = (self._veil or self.corners, self._is_quiet, self.size(), self.devicePixelRatioF(), font(TEXT_M))
        if key != self._laid_out:
            self._put_down.clear()
            self._bar_put = None
            if self._veil:
                self._letter(self._veil, QPointF(self.width() / 2, self.height() / 2), "text")
            else:
                self._lay_out()
            self._laid_out = key
        for row, at in self._put_down:
            painter.drawPixmap(at, row)
        if self._bar_put is not None:
            path, tone = self._bar_put
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(OUTLINE, OUTLINE_PX + 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
            painter.drawPath(path)
            line = QColor(getattr(OVER_IMAGE, tone))
            painter.setPen(QPen(line, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawPath(path)

    def _lay_out(self) -> None:
        c = self.corners
        half = self.width() / 2 - GAP_M - (GAP_S if not c.top else 0) - self._strip_px()
        quiet = self._is_quiet
        top_left, top = c.top_left if not quiet else (), float(GAP_M)
        if top_left and top_left[0].is_strong and self._is_too_long(top_left[0], half):
            # in a narrow pane the patient has a row alone, rather than half a pseudonym beside a letter
            top = self._block(top_left[:1], self.width() - 2 * GAP_M, is_top=True, is_left=True)
            top_left = top_left[1:]
        self._edge_letters(top - GAP_M)
        under_left = self._block(top_left, half, is_top=True, is_left=True, top=top)
        under_right = self._block(c.top_right if not quiet else (), half, is_top=True, is_left=False, top=top)
        over_left = self._block(c.bottom_left if not quiet else (), half, is_top=False, is_left=True)
        self._block(c.bottom_right if not quiet else (), half, is_top=False, is_left=False)
        if c.bar is not None and not quiet:
            over_right = self.height() - GAP_M - self._height(c.bottom_right, half)
            self._bar(c.bar, over_left - GAP_S, is_beside=over_right < over_left)
        y = max(under_left, under_right, LETTER_PX + top if c.top else 0.0) + GAP_S
        for line in c.headlines:
            y = self._headline(line, y)
        self._marker(max(y, GAP_M) + GAP_M)

    def _strip_px(self) -> float:
        """What the letters at the upper and lower edge keep clear, to either side; between two directions are more."""
        metrics = QFontMetricsF(font(TEXT_L, is_bold=True))
        widest = max(metrics.horizontalAdvance(text) for text in (self.corners.top, self.corners.bottom))
        return max(LETTER_STRIP_PX, widest / 2 + GAP_S) if widest else 0.0

    def _is_too_long(self, line: Line, room: float) -> bool:
        return self._size(line, room)[1].horizontalAdvance(line.text) > room

    def _edge_letters(self, lower_px: float) -> None:
        c = self.corners
        tone = "text" if c.is_verified else "caution"
        width, height, inset = float(self.width()), float(self.height()), GAP_M + 12.0
        for text, at in (
            (c.left, QPointF(inset, height / 2)), (c.right, QPointF(width - inset, height / 2)),
            (c.top, QPointF(width / 2, inset + lower_px)), (c.bottom, QPointF(width / 2, height - inset)),
        ):  # fmt: skip
            if text:
                self._letter(text, at, tone)

    def _letter(self, text: str, middle: QPointF, tone: str) -> None:
        row = self._row(text, TEXT_L, True, tone)
        size = row.deviceIndependentSize()
        left = min(max(middle.x() - size.width() / 2, GAP_S), self.width() - GAP_S - size.width())
        self._put(row, left, middle.y() - size.height() / 2)

    def _block(self, lines: tuple[Line, ...], room: float, *, is_top: bool, is_left: bool, top: float = GAP_M) -> float:
        """Draw one corner. Returns where it ends, y."""
        y = top if is_top else self.height() - GAP_M
        for line in lines if is_top else reversed(lines):
            size_px, metrics = self._size(line, room)
            rows = wrapped(line.text, metrics, room)
            for words in rows if is_top else reversed(rows):
                if not is_top:
                    y -= metrics.height()
                row = self._row(words, size_px, line.is_strong, line.tone)
                x = GAP_M if is_left else self.width() - GAP_M - metrics.horizontalAdvance(words)
                self._put(row, x - OUTLINE_PX, y - OUTLINE_PX)
                if is_top:
                    y += metrics.height()
        return y

    def _size(self, line: Line, room: float) -> tuple[int, QFontMetricsF]:
        """Size and metrics of a line; what is strong shrinks before it is shortened."""
        metrics = QFontMetricsF(font(TEXT_M if line.is_strong else TEXT_S, is_bold=line.is_strong))
        if line.is_strong and metrics.horizontalAdvance(line.text) > room:
            return TEXT_S, QFontMetricsF(font(TEXT_S, is_bold=True))
        return TEXT_M if line.is_strong else TEXT_S, metrics

    def _height(self, lines: tuple[Line, ...], room: float) -> float:
        sizes = [(line, self._size(line, room)[1]) for line in lines]
        return sum(len(wrapped(line.text, metrics, room)) * metrics.height() for line, metrics in sizes)

    def _headline(self, line: Line, y: float) -> float:
        """A line on a dark plate, in the middle. Returns where it ends, y."""
        metrics = QFontMetricsF(font(TEXT_M, is_bold=True))
        rows = wrapped(line.text, metrics, self.width() - 4 * GAP_M)
        width = max(metrics.horizontalAdvance(words) for words in rows)
        height = len(rows) * metrics.height() + GAP_S
        left = self.width() / 2 - width / 2 - GAP_M
        plate = self._plate(round(width) + 2 * GAP_M, round(height), GAP_S, line.tone, 1.0)
        self._put(plate, left, y)
        for number, words in enumerate(rows):
            at = self.width() / 2 - metrics.horizontalAdvance(words) / 2
            top = y + GAP_S / 2 + number * metrics.height()
            self._put(self._row(words, TEXT_M, True, line.tone), at - OUTLINE_PX, top - OUTLINE_PX)
        return y + height + GAP_S

    def _marker(self, top: float) -> None:
        """The side marker, at the edge where that side of the patient lies; at the right edge if nobody knows."""
        marker = self.corners.marker
        if marker is None:
            return
        width, height = float(self.width()), float(self.height())
        inset = GAP_M + MARKER_PX / 2
        x_way, y_way = marker.towards or (1.0, 0.0)
        if abs(x_way) >= abs(y_way):
            y = max(0.3 * height, top + MARKER_PX / 2)
            if abs(y - height / 2) < MARKER_PX and (self.corners.left or self.corners.right):
                inset += LETTER_PX  # a low pane: beside the letter, not on it
            middle = QPointF(width - inset if x_way > 0 else inset, y)
        else:
            middle = self._free(QPointF(width * 0.36, height - inset if y_way > 0 else inset), -1 if y_way > 0 else 1)
        tone = "caution" if marker.is_open else "accent"
        plate = self._plate(MARKER_PX, MARKER_PX, 6, tone, 2.0)
        self._put(plate, middle.x() - MARKER_PX / 2, middle.y() - MARKER_PX / 2)
        row = self._row(marker.letter, TEXT_XL, True, tone)
        size = row.deviceIndependentSize()
        self._put(row, middle.x() - size.width() / 2, middle.y() - size.height() / 2)

    def _free(self, middle: QPointF, way: int) -> QPointF:
        """The nearest place for the side marker at which it covers no words and no scale bar, further down or up.

        Args:
            middle: where it would be.
            way: 1 down, -1 up.
        """
        taken = [QRectF(at, row.deviceIndependentSize()) for row, at in self._put_down]
        if self._bar_put is not None:
            taken.append(self._bar_put[0].boundingRect())
        half = MARKER_PX / 2
        y = middle.y()
        for rect in sorted(taken, key=lambda rect: way * rect.center().y()):
            plate = QRectF(middle.x() - half, y - half, MARKER_PX, MARKER_PX).adjusted(-GAP_S, -GAP_S, GAP_S, GAP_S)
            if plate.intersects(rect):
                y = rect.bottom() + half + GAP_S if way > 0 else rect.top() - half - GAP_S
        return QPointF(middle.x(), y)

    def _bar(self, bar: ScaleBar, bottom: float, *, is_beside: bool) -> None:
        """The scale bar and its words, above the lower left corner; fewer words where the other corner is beside."""
        c = self.corners
        tone = "text" if c.is_bar_trusted else "caution"
        y = bottom - 6.0
        left, right = float(GAP_M), GAP_M + bar.length_px
        path = QPainterPath(QPointF(left, y - 5))
        path.lineTo(left, y + 5)
        path.moveTo(left, y)
        path.lineTo(right, y)
        path.moveTo(right, y - 5)
        path.lineTo(right, y + 5)
        self._bar_put = (path, tone)
        words = " · ".join(part for part in (f"{bar.amount:g} {bar.unit}", c.bar_words) if part)
        metrics = QFontMetricsF(font(TEXT_S))
        if is_beside and right + GAP_M + metrics.horizontalAdvance(words) > self.width() / 2:
            words = f"{bar.amount:g} {bar.unit}"
        row = self._row(words, TEXT_S, False, tone)
        self._put(row, right + GAP_M - OUTLINE_PX, y - metrics.height() / 2 - OUTLINE_PX)

    def _put(self, row: QPixmap, x: float, y: float) -> None:
        """Put a row on whole screen pixels, so that it stays crisp."""
        ratio = self.devicePixelRatioF()
        self._put_down.append((row, QPointF(round(x * ratio) / ratio, round(y * ratio) / ratio)))

    def _plate(self, width: int, height: int, radius: int, tone: str, line_px: float) -> QPixmap:
        """A dark plate with a coloured frame."""
        ratio = self.devicePixelRatioF()
        key = ("", width, height, tone, ratio)
        if key not in self._rows:
            self._rows[key] = picture = _empty(width, height, ratio)
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor(0, 0, 0, 190))
            painter.setPen(QPen(QColor(getattr(OVER_IMAGE, tone)), line_px))
            inset = 0.5 + line_px / 2
            painter.drawRoundedRect(QRectF(inset, inset, width - 2 * inset, height - 2 * inset), radius, radius)
            painter.end()
        return self._rows[key]

    def _row(self, text: str, size_px: int, is_bold: bool, tone: str) -> QPixmap:
        """One row of outlined text, with a margin of the outline's width around it."""
        ratio = self.devicePixelRatioF()
        key = (text, size_px, is_bold, tone, ratio)
        if key not in self._rows:
            self._rows[key] = _outlined(text, font(size_px, is_bold=is_bold), tone, ratio)
        return self._rows[key]


def wrapped(text: str, size: QFontMetricsF, room: float) -> list[str]:
    """The text in rows that fit `room`, px; a single word that does not fit is shortened with an ellipsis."""
    rows: list[str] = []
    for word in text.split():
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and size.horizontalAdvance(longer) <= room:
            rows[-1] = longer
        elif rows and word == "·":
            continue  # a separator at the end of a row separates nothing
        else:
            rows.append(size.elidedText(word, Qt.TextElideMode.ElideMiddle, room))
    return [row.removesuffix(" ·") for row in rows]


def _empty(width: float, height: float, ratio: float) -> QPixmap:
    picture = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    return picture


def _outlined(text: str, face: QFont, tone: str, ratio: float) -> QPixmap:
    metrics = QFontMetricsF(face)
    width = metrics.horizontalAdvance(text) + 2 * OUTLINE_PX
    height = metrics.height() + 2 * OUTLINE_PX
    picture = _empty(width, height, ratio)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(QRectF(0, OUTLINE_PX, width, metrics.height()), OUTLINE_PX, OUTLINE_PX)
    # nine times the text from the glyph cache takes a tenth of the time of stroking its outline once, and the row with
    # the window is new in every frame of a drag
    painter.setFont(face)
    painter.setPen(OUTLINE)
    start = QPointF(OUTLINE_PX, OUTLINE_PX + metrics.ascent())
    for step in range(8):
        turn = step * math.pi / 4
        painter.drawText(start + QPointF(math.cos(turn), math.sin(turn)) * (OUTLINE_PX / 2), text)
    painter.setPen(QColor(getattr(OVER_IMAGE, tone)))
    painter.drawText(start, text)
    painter.end()
    return picture
