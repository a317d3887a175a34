"""Frontal and lateral side by side. Both panes change together, when both images are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.case import View
from app.core.errors import UserError
from app.core.grey import StoredImage
from app.ui.captions import corners
from app.ui.corner_text import Corners
from app.ui.image_pane import ImagePane, Tool
from app.ui.loader import ImageKey, ImageLoader, PreparedImage
from app.ui.project import CaseContent, Hanging
from app.ui.theme import GAP_S
from app.ui.window_level import Shown, dragged, first_shown, preset, table_for

SLOW_MS = 150  # an image that takes longer is announced


@dataclass(slots=True, kw_only=True)
class _Place:
    """One pane with what it shows now."""

    pane: ImagePane
    name: str
    hanging: Hanging
    image: PreparedImage | None = None
    shown: Shown | None = None


class Viewer(QWidget):
    """The two panes of a case.

    Signals:
        swapped: id of the case that is on the screen now.
        active_changed: another view, or another state of it, is what keys apply to.
        pointed_at: words about the pixel under the mouse; empty outside.
        inverted: whether the active pane shows the negative.
    """

    swapped = Signal(str)
    active_changed = Signal()
    pointed_at = Signal(str)
    inverted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loader: ImageLoader | None = None
        self._wanted: CaseContent | None = None
        self._on_screen: CaseContent | None = None
        self._failures: dict[ImageKey, UserError] = {}
        self._is_linked = True
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(self._on_slow)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)
        self.places = [self._make_place(name, layout) for name in ("frontal", "lateral")]
        self._active = 0
        self.set_active(0)

    @property
    def content(self) -> CaseContent | None:
        """The case on the screen."""
        return self._on_screen

    @property
    def active_view(self) -> View | None:
        """The view that keys apply to."""
        return self.places[self._active].hanging.view

    @property
    def is_settled(self) -> bool:
        """Whether the case that was asked for is the one on the screen."""
        return self._wanted is None and self._on_screen is not None

    @property
    def active_pane(self) -> ImagePane:
        """The pane that keys apply to."""
        return self.places[self._active].pane

    @property
    def has_image(self) -> bool:
        """Whether there is an image on the screen."""
        return any(place.image is not None for place in self.places)

    def set_case(self, content: CaseContent) -> None:
        """Show a case as soon as all of its images are ready; until then the present one stays."""
        self._wanted = content
        self._failures.clear()
        self.loader.want(keys_of(content))
        self._slow.start()
        self._swap_if_ready()
        if not self.is_settled:
            self.active_changed.emit()  # nothing may be decided about the case that is still on the screen

    def decode_ahead(self, contents: Iterable[CaseContent]) -> None:
        """Decode cases that will probably be opened next."""
        self.loader.want(key for content in contents for key in keys_of(content))

    def clear(self, text: str) -> None:
        """Show nothing, and say why."""
        self._wanted = self._on_screen = None
        self._slow.stop()
        for place in self.places:
            place.hanging, place.image, place.shown = Hanging(), None, None
            place.pane.set_empty(text)
            place.pane.text.set_veil("")
        self.active_changed.emit()

    def open_images(self, load: Callable[[str], StoredImage]) -> None:
        """Take images from here. `load` gives stored values by address and is called in threads."""
        self.close_images()
        self._loader = ImageLoader(load, self)
        self._loader.ready.connect(self._on_ready)

    def close_images(self) -> None:
        """Show nothing and stop decoding; call before the project closes."""
        self.clear("")
        if self._loader is not None:
            self._loader.close()
            self._loader.deleteLater()
            self._loader = None

    @property
    def loader(self) -> ImageLoader:
        """Where images come from; only between `open_images` and `close_images`."""
        assert self._loader is not None, "no images are open"
        return self._loader

    def set_active(self, number: int) -> None:
        """Choose the pane that keys apply to."""
        self._active = number
        for index, place in enumerate(self.places):
            place.pane.set_active(index == number)
        shown = self.places[number].shown
        self.inverted.emit(shown is not None and shown.is_inverted)
        self.active_changed.emit()

    def switch_active(self) -> None:
        """Make the other pane the active one, if it holds an image."""
        other = 1 - self._active
        if self.places[other].hanging.view is not None:
            self.set_active(other)

    def set_tool(self, tool: Tool) -> None:
        """Choose what dragging with the left button does."""
        for place in self.places:
            place.pane.set_tool(tool)

    def set_linked(self, is_linked: bool) -> None:
        """Choose whether window changes apply to both panes."""
        self._is_linked = is_linked

    def use_preset(self, name: str) -> None:
        """Show the active image (linked: both) through a named window."""
        self._change(self._active, lambda image, shown: preset(image, shown, name))

    def set_inverted(self, is_inverted: bool) -> None:
        """Show the negative of the active image (linked: of both), or stop doing so."""
        self._change(self._active, lambda _, shown: replace(shown, is_inverted=is_inverted))

    def _make_place(self, name: str, layout: QHBoxLayout) -> _Place:
        column = QVBoxLayout()
        column.setSpacing(GAP_S)
        pane = ImagePane(self)
        column.addWidget(pane, 1)
        layout.addLayout(column, 1)
        place = _Place(pane=pane, name=name, hanging=Hanging())
        number = 0 if name == "frontal" else 1
        pane.activated.connect(lambda: self._on_activated(number))
        pane.window_dragged.connect(
            lambda dx, dy: self._change(number, lambda image, shown: dragged(image, shown, dx, dy))
        )
        pane.zoom_changed.connect(lambda _: self._write(place))
        pane.pointed_at.connect(lambda at: self._on_pointed(place, at))
        return place

    def _on_ready(self, key: ImageKey, result: PreparedImage | UserError) -> None:
        if isinstance(result, UserError) and self._wanted is not None and key in keys_of(self._wanted):
            self._failures[key] = result
        self._swap_if_ready()

    def _swap_if_ready(self) -> None:
        """Swap when every image of the wanted case is there or has failed; nothing of another case can get in."""
        content = self._wanted
        if content is None:
            return
        images: list[PreparedImage | UserError | None] = []
        missing = []
        for hanging in (content.frontal, content.lateral):
            key = key_of(hanging)
            found = None if key is None else self.loader.cached(key) or self._failures.get(key)
            if key is not None and found is None:
                missing.append(key)
            images.append(found)
        if missing:
            self.loader.ensure(missing)  # one may have been dropped from the cache while the other was decoded
            return
        self._wanted = None
        self._slow.stop()
        before = self.active_view
        self._on_screen = content
        for place, hanging, image in zip(self.places, (content.frontal, content.lateral), images, strict=True):
            self._hang(place, hanging, image, content)
        self.set_active(self._next_active(before))
        for place in self.places:
            place.pane.text.set_veil("")
        self.swapped.emit(content.case.id)

    def _next_active(self, before: View | None) -> int:
        """The pane of the view that was active, else one that asks something, else one that holds a view."""
        views = [place.hanging.view for place in self.places]
        same = [number for number, view in enumerate(views) if view and before and view.id == before.id]
        is_open = [view is not None and (view.projection.is_open or view.side.is_open) for view in views]
        asking = [number for number, opened in enumerate(is_open) if opened]
        holding = [number for number, view in enumerate(views) if view]
        return (same + asking + holding + [0])[0]

    def _hang(
        self, place: _Place, hanging: Hanging, image: PreparedImage | UserError | None, content: CaseContent
    ) -> None:
        is_same_image = isinstance(image, PreparedImage) and place.image is not None and image.key == place.image.key
        place.hanging = hanging
        if isinstance(image, PreparedImage) and hanging.view is not None:
            if not is_same_image or place.shown is None:
                place.shown = first_shown(image)
                place.pane.set_image(image.pyramid, table_for(image, place.shown), aspect=hanging.view.spacing.aspect)
            place.image = image
            place.pane.graphics.viewport().setToolTip("\n".join(hanging.view.notices))
        else:
            place.image, place.shown = None, None
            if isinstance(image, UserError):
                place.pane.set_error(image)
            elif content.case.blocked_reason:
                place.pane.set_empty("Blocked.\n\nNothing of this case is shown until a person has released it.")
            else:
                place.pane.set_empty(f"No {place.name} view in this case")
        self._write(place)

    def _write(self, place: _Place) -> None:
        view, content = place.hanging.view, self._on_screen
        if view is None or content is None or place.shown is None:
            place.pane.text.set_corners(Corners())
            return
        words = corners(
            content.case, view, is_placed=place.hanging.is_placed, window=place.shown.text, zoom=place.pane.zoom
        )
        place.pane.text.set_corners(words)

    def _change(self, number: int, change: Callable[[PreparedImage, Shown], Shown]) -> None:
        for index, place in enumerate(self.places):
            if place.image is None or place.shown is None or not (self._is_linked or index == number):
                continue
            place.shown = change(place.image, place.shown)
            place.pane.set_table(table_for(place.image, place.shown))
            self._write(place)
        shown = self.places[self._active].shown
        self.inverted.emit(shown is not None and shown.is_inverted)

    def _on_slow(self) -> None:
        """Veil the case that the user has left, so that nobody takes it for the new one."""
        for place in self.places:
            place.pane.text.set_veil("Loading…")
            if place.hanging.view is None:
                place.pane.set_empty("Loading…")

    def _on_activated(self, number: int) -> None:
        if number != self._active and self.places[number].hanging.view is not None:
            self.set_active(number)

    def _on_pointed(self, place: _Place, at: tuple[int, int] | None) -> None:
        if at is None or place.image is None:
            self.pointed_at.emit("")
            return
        col, row = at
        index = int(place.image.image.pixels[row, col])
        value = float(place.image.modality.values[index])
        words = f"x {col}  y {row}   value {value:g}"
        self.pointed_at.emit(words if place.image.modality.is_image[index] else f"{words} (padding)")


def key_of(hanging: Hanging) -> ImageKey | None:
    """Which image a place needs."""
    return None if hanging.view is None else ImageKey(sha256=hanging.view.image_sha256, grey=hanging.view.grey)


def keys_of(content: CaseContent) -> list[ImageKey]:
    """Which images a case needs."""
    return [key for key in map(key_of, (content.frontal, content.lateral)) if key is not None]
