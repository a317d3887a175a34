"""Icons from `resources/icons`: SVG strokes in `currentColor`, drawn at the size and in the colour that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.store.bundled import resource_path

ColourOf = Callable[[QIcon.Mode, QIcon.State], str]


def icon_named(name: str, colour_of: ColourOf) -> QIcon:
    """An icon by its name, drawn anew at every size and in the colour of the moment; none if there is no such file.

    Args:
        name: file name in `resources/icons`, without `.svg`; empty gives no icon.
        colour_of: gives the colour for a mode (normal, disabled) and a state (on, off).
    """
    return QIcon(SvgIconEngine(name, colour_of)) if name in _names() else QIcon()


class SvgIconEngine(QIconEngine):
    """Paints one SVG picture, which is read when it is first seen.

    Args:
        name: of the picture, which has `currentColor` where the colour goes.
        colour_of: as in `icon_named`.
    """

    def __init__(self, name: str, colour_of: ColourOf) -> None:
        super().__init__()
        self._name = name
        self._colour_of = colour_of
        self._drawn: dict[tuple[int, int, str], QPixmap] = {}

    def clone(self) -> QIconEngine:
        """Another engine for the same picture."""
        return SvgIconEngine(self._name, self._colour_of)

    def isNull(self) -> bool:  # noqa: N802
        """There is always something to see."""
        return False

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the picture in a rectangle."""
        svg = _read(self._name).replace("currentColor", self._colour_of(mode, state))
        QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The picture at a size, px of the device."""
        colour = self._colour_of(mode, state)
        key = (size.width(), size.height(), colour)
        if key not in self._drawn:
            picture = QPixmap(size)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
            painter.end()
            self._drawn[key] = picture
        return self._drawn[key]

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:  # noqa: N802
        """The picture for a screen of another density; `size` is in px of the device already."""
        picture = QPixmap(self.pixmap(size, mode, state))
        picture.setDevicePixelRatio(scale)
        return picture


@cache  # a hundred of them are asked for before the window is there
def _names() -> frozenset[str]:
    return frozenset(file.stem for file in resource_path("icons").iterdir())


@cache
def _read(name: str) -> str:
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")
