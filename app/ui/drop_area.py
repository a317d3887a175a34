"""Files dropped anywhere on the window: a veil says what will happen, before the mouse button is let go.

The filter sits on the native window, before any widget: a drag over the search field or a radiograph would otherwise
end there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.theme import GAP_M, GAP_XL, TEXT_L, TEXT_XL

VEIL_ALPHA = 242


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOffer:
    """What a drop would do, in the language of the window.

    Args:
        title: what will happen.
        words: one more sentence, or empty.
        is_accepted: whether anything would happen.
    """

    title: str
    words: str = ""
    is_accepted: bool = True


def local_paths(mime: QMimeData) -> list[Path]:
    """Files and folders of this computer in what is dragged or was copied."""
    urls = [url for url in mime.urls() if url.isLocalFile()]
    if not urls and mime.hasText():
        return _paths_in(mime.text())
    return [Path(url.toLocalFile()) for url in urls]


def _paths_in(text: str) -> list[Path]:
    """Absolute paths of files that are there, one a line; nothing when a line is anything else."""
    from PySide6.QtCore import QUrl

    paths = []
    for line in text.splitlines():
        words = line.strip().strip('"')
        if not words:
            continue
        path = Path(QUrl(words).toLocalFile()) if words.startswith("file:") else Path(words)
        try:
            if not path.is_absolute() or not path.exists():
                return []
        except (OSError, ValueError):
            return []
        paths.append(path)
    return paths


class DropArea(QObject):
    """Takes drags away from the widgets of a window.

    Args:
        window: it is on the screen already.
        offer: says what a drop of these paths would do.

    Signals:
        dropped: a list of `Path`.
    """

    dropped = Signal(object)

    def __init__(self, window: QWidget, offer: Callable[[Sequence[Path]], DropOffer]) -> None:
        super().__init__(window)
        self._offer = offer
        self._is_accepted = False
        self.overlay = DropOverlay(window)
        handle = window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Act on drags, let everything else through."""
        kind = event.type()
        if kind == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent):
            return self._on_enter(event)
        if not self.overlay.isVisible():
            return False
        if kind == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self._on_drop(event)
            return True
        if kind == QEvent.Type.DragMove and isinstance(event, QDragMoveEvent):
            self._answer(event)
            return True
        if kind == QEvent.Type.DragLeave:
            self.overlay.hide()
            return True
        return False

    def _on_enter(self, event: QDragEnterEvent) -> bool:
        if not event.mimeData().hasUrls():
            return False  # text for a field, or a drag inside the window
        paths = local_paths(event.mimeData())
        offer = self._offer(paths)
        self._is_accepted = offer.is_accepted
        self.overlay.show_offer(offer)
        self._answer(event)
        return True

    def _answer(self, event: QDropEvent) -> None:
        if self._is_accepted:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()

    def _on_drop(self, event: QDropEvent) -> None:
        self.overlay.hide()
        self._answer(event)
        if self._is_accepted:
            self.dropped.emit(local_paths(event.mimeData()))


class DropOverlay(QWidget):
    """A veil over the whole window with a frame and what a drop would do."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.offer = DropOffer(title="")
        self.hide()

    def show_offer(self, offer: DropOffer) -> None:
        """Cover the window."""
        self.offer = offer
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Veil, frame, words."""
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colours.window)
        veil.setAlpha(VEIL_ALPHA)
        painter.fillRect(self.rect(), veil)
        colour = QColor(colours.accent if self.offer.is_accepted else colours.caution)
        pen = QPen(colour, 3, Qt.PenStyle.DashLine if self.offer.is_accepted else Qt.PenStyle.SolidLine)
        painter.setPen(pen)
        margin = GAP_XL
        frame = QRectF(self.rect()).adjusted(margin, margin, -margin, -margin)
        painter.drawRoundedRect(frame, 12, 12)
        middle = frame.center().y()
        inside = frame.adjusted(margin, 0, -margin, 0)
        wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignHCenter
        painter.setPen(QColor(colours.text))
        painter.setFont(theme.font(TEXT_XL, is_bold=True))
        above = QRectF(inside.left(), frame.top(), inside.width(), middle - frame.top() - GAP_M / 2)
        painter.drawText(above, int(wrap | Qt.AlignmentFlag.AlignBottom), self.offer.title)
        painter.setPen(QColor(colours.muted))
        painter.setFont(theme.font(TEXT_L))
        below = QRectF(inside.left(), middle + GAP_M, inside.width(), frame.bottom() - middle - GAP_M)
        painter.drawText(below, int(wrap | Qt.AlignmentFlag.AlignTop), self.offer.words)
