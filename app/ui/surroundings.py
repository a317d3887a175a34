"""What stands around the images, and whether it made room for something that nobody asked for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QPointF, QTimer
from PySide6.QtWidgets import QWidget

SETTLING_MS = 250  # what comes with a case comes within that time; until then images are fitted to what is left

Arrangement = tuple[object, ...]


class Surroundings(QObject):
    """Tells a resize that the user asked for (the window, a panel, another layout) from one that just happens.

    Args:
        uninvited: the widgets above and below the images that come and go by themselves: banners, jobs.
        images: the widget that holds the images; in the same layout.
    """

    def __init__(self, uninvited: tuple[QWidget, ...], images: QWidget) -> None:
        super().__init__(images)
        self._frame = images.parentWidget() or images
        self._passed_over = {*uninvited, images}
        self._settling = QTimer(self, singleShot=True, interval=SETTLING_MS)

    @property
    def is_settling(self) -> bool:
        """Whether the images have only just been hung: nobody looks at a place in them yet."""
        return self._settling.isActive()

    def begin(self) -> None:
        """Other images, or another layout."""
        self._settling.start()

    def now(self) -> Arrangement:
        """How everything stands that only a user changes; equal as long as nobody has."""
        layout = self._frame.layout()
        found: list[object] = [self._frame.size().toTuple()]
        for number in range(layout.count() if layout is not None else 0):
            item = layout.itemAt(number) if layout is not None else None
            widget = item.widget() if item is not None else None
            if widget is not None and widget.isVisible() and widget not in self._passed_over:
                found.append(widget.height())
        return tuple(found)


class Stand:
    """Where a viewport stood when its image was last shown there.

    Args:
        viewport: it shows one image.

    Attributes:
        surroundings: what stands around it; None: nothing that comes by itself.
        drift: how far its corner came in the last `step`, logical px.
        aside: how far the middle of the viewport has come from what was chosen for it, logical px.
    """

    def __init__(self, viewport: QWidget) -> None:
        self._viewport = viewport
        self._before: tuple[QPointF, QPointF, int, Arrangement] | None = None  # corner, middle, width, all around
        self.surroundings: Surroundings | None = None
        self.aside = QPointF()
        self.drift = QPointF()

    @property
    def is_aside(self) -> bool:
        """Whether the image stayed in its place on the screen and does not lie as it was chosen."""
        return not self.aside.isNull()

    def note(self) -> None:
        """The image is shown like this here."""
        if self.surroundings is not None:
            self._before = *self._place, self._viewport.width(), self.surroundings.now()

    def step(self) -> QPointF | None:
        """How far the middle has moved in the window since then, logical px; None if that was asked for."""
        around = self.surroundings
        if around is None or self._before is None or around.is_settling:
            return None
        corner_before, middle_before, width, arrangement = self._before
        if width != self._viewport.width() or around.now() != arrangement:
            return None
        corner, middle = self._place
        self.drift = corner - corner_before
        return middle - middle_before

    @property
    def _place(self) -> tuple[QPointF, QPointF]:
        """Corner and middle in the window."""
        size = self._viewport.size()
        corner = QPointF(self._viewport.mapTo(self._viewport.window(), QPoint()))
        return corner, corner + QPointF(size.width() / 2, size.height() / 2)
