"""A small picture that stands beside words and takes the colour of their tone."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.icons import icon_named
from app.ui.theme import colours

SIZE_PX = 20


class IconLabel(QWidget):
    """Shows an icon of `resources/icons`.

    Args:
        name: of the icon.
        tone: name of the colour, as in `theme.Colours`.
    """

    def __init__(self, name: str, tone: str = "text", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self._icon = icon_named(name, self._colour)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_icon(self, name: str, tone: str) -> None:
        """Show another icon, or the same in another tone."""
        self._tone = tone
        self._icon = icon_named(name, self._colour)
        self.update()

    def sizeHint(self) -> QSize:
        """As large as the icons of the toolbar."""
        return QSize(SIZE_PX, SIZE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon in the colour of the moment."""
        self._icon.paint(QPainter(self), self.rect())

    def _colour(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        return str(getattr(colours(), self._tone))
