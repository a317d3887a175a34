"""A probability as a bar, with the threshold as a tick and the band in which the model is not sure."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import colours

BAR_PX, TICK_PX, HEIGHT_PX = 8, 3, 16


class ProbabilityBar(QWidget):
    """Draws 0 … 1 from left to right; an empty frame while there is nothing to be said.

    Args:
        parent: its parent.
        height_px: of the whole widget.
    """

    def __init__(self, parent: QWidget | None = None, *, height_px: int = HEIGHT_PX) -> None:
        super().__init__(parent)
        self._value: float | None = None
        self._threshold: float | None = None
        self._band: tuple[float, float] | None = None
        self._height_px = height_px
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    @property
    def value(self) -> float | None:
        """The probability that is drawn."""
        return self._value

    def show_value(
        self, value: float | None, *, threshold: float | None = None, band: tuple[float, float] | None = None
    ) -> None:
        """Draw a probability.

        Args:
            value: 0 … 1; None draws the empty frame.
            threshold: where it begins to count as found.
            band: between which the model is not sure.
        """
        self._value, self._threshold, self._band = value, threshold, band
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(80, self._height_px)

    def minimumSizeHint(self) -> QSize:
        """A bar that still says something."""
        return QSize(40, self._height_px)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, band, bar, tick."""
        scheme, painter = colours(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, wide = self.height() / 2, self.width() - 1.0
        track = QRectF(0.5, middle - BAR_PX / 2, wide, BAR_PX)
        painter.setPen(QPen(QColor(scheme.edge), 1.0))
        painter.setBrush(QColor(scheme.window))
        painter.drawRoundedRect(track, 3, 3)
        if self._band is not None:
            low, high = self._band
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.line))
            inside = track.adjusted(1, 1, -1, -1)
            painter.drawRect(QRectF(track.left() + wide * low, inside.top(), wide * (high - low), inside.height()))
        if self._value is not None:
            is_found = self._threshold is not None and self._value >= self._threshold
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.caution if is_found else scheme.accent))
            painter.drawRoundedRect(
                QRectF(track.left() + 1, track.top() + 2, max(2.0, (wide - 2) * self._value), BAR_PX - 4), 2, 2
            )
        if self._threshold is not None:
            x = track.left() + wide * self._threshold
            painter.setPen(QPen(QColor(scheme.text), 2.0))
            painter.drawLine(QPointF(x, track.top() - TICK_PX), QPointF(x, track.bottom() + TICK_PX))
