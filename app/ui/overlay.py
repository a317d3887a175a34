"""A card over the whole window that dims what is behind it, until Escape or a click beside it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from app.ui.theme import GAP_XL

DIM = QColor(0, 0, 0, 150)


class Overlay(QWidget):
    """Lies over its parent and holds one card. While it is open no key reaches what is behind it.

    Args:
        parent: what it lies over; it takes part in its size.

    Signals:
        closed: it went away.
    """

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.card = QFrame(self)
        self.card.setObjectName("card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._focus_before: QWidget | None = None
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Come up."""
        self._focus_before = QApplication.focusWidget()
        self._lie()
        self.show()
        self.raise_()
        self.focus_target().setFocus(Qt.FocusReason.PopupFocusReason)

    def dismiss(self) -> None:
        """Go away and give the keyboard back."""
        if self.isHidden():
            return
        self.hide()
        if self._focus_before is not None:
            self._focus_before.setFocus(Qt.FocusReason.PopupFocusReason)
            self._focus_before = None
        self.closed.emit()

    def focus_target(self) -> QWidget:
        """What keys go to."""
        return self

    def card_rect(self, room: QRect) -> QRect:
        """Where the card lies; `room` is what is left inside a margin."""
        wanted = self.card.sizeHint().boundedTo(room.size())
        return QRect(room.left() + (room.width() - wanted.width()) // 2, room.top(), wanted.width(), wanted.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the parent."""
        if watched is self.parent() and event.type() == QEvent.Type.Resize and self.isVisible():
            self._lie()
        return False

    def event(self, event: QEvent) -> bool:
        """No shortcut of the window works while this is open."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the card closes."""
        if not self.card.geometry().contains(event.position().toPoint()):
            self.dismiss()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dim what is behind."""
        QPainter(self).fillRect(event.rect(), DIM)

    def _lie(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        self.setGeometry(QRect(parent.rect().topLeft(), QSize(parent.width(), parent.height())))
        self.card.setGeometry(self.card_rect(self.rect().adjusted(GAP_XL, GAP_XL, -GAP_XL, -GAP_XL)))
