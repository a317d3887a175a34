"""The views of one case in their panes. All panes change together, when every image is ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.core.case import View
from app.core.errors import UserError
from app.core.grey import StoredImage
from app.core.orientation import Orientation
from app.store.derived import DerivedCache
from app.ui.first_case import key_of
from app.ui.language import tr
from app.ui.layouts import Layout
from app.ui.loader import ImageKey, ImageLoader, PreparedImage
from app.ui.pane_group import PaneGroup
from app.ui.project import CaseContent, Hanging

SLOW_MS = 150  # an image that takes longer is announced


class Viewer(PaneGroup):
    """The case on the screen, and the one that is wanted.

    Signals:
        swapped: id of the case that is on the screen now; the active view may be another, too.
        layout_changed: the layout that is in use now, a `Layout`.
    """

    swapped = Signal(str)
    layout_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loader: ImageLoader | None = None
        self._wanted: CaseContent | None = None
        self._on_screen: CaseContent | None = None
        self._failures: dict[ImageKey, UserError] = {}
        self._before_single = Layout.PAIR
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(self._on_slow)
        self.single_toggled.connect(self.toggle_single)

    # --- what is on the screen ---

    @property
    def content(self) -> CaseContent | None:
        """The case on the screen."""
        return self._on_screen

    @property
    def is_settled(self) -> bool:
        """Whether the case that was asked for is the one on the screen."""
        return self._wanted is None and self._on_screen is not None

    def set_case(self, content: CaseContent) -> None:
        """Show a case as soon as all of its images are ready; until then the present one stays."""
        self._wanted = content
        self._failures.clear()
        self.loader.want(self._keys_of(content))
        self._slow.start()
        self._swap_if_ready()
        if not self.is_settled:
            self.active_changed.emit()  # nothing may be decided about the case that is still on the screen

    def decode_ahead(self, contents: Iterable[CaseContent]) -> None:
        """Decode cases that will probably be opened next."""
        self.loader.look_ahead(key for content in contents for key in self._keys_of(content))

    def clear(self, text: str) -> None:
        """Show nothing, and say why."""
        self._wanted = self._on_screen = None
        self._slow.stop()
        for place in self.all_places:
            place.clear(text)
        self._arrange()
        self.active_changed.emit()

    def open_images(
        self,
        load: Callable[[str], StoredImage],
        derived: DerivedCache | None = None,
        loader: ImageLoader | None = None,
    ) -> None:
        """Take images from here.

        Args:
            load: gives stored values by address; called in threads.
            derived: where windows that were computed before are kept.
            loader: takes them from there already, and has begun; the viewer's from now on.
        """
        self.close_images()
        self._loader = loader or ImageLoader(load, derived=derived)
        self._loader.setParent(self)
        self._loader.ready.connect(self._on_ready)

    def close_images(self) -> None:
        """Show nothing and stop decoding; call before the project closes."""
        self.clear("")
        self._orientations.clear()
        if self._loader is not None:
            self._loader.close()
            self._loader.deleteLater()
            self._loader = None

    @property
    def loader(self) -> ImageLoader:
        """Where images come from; only between `open_images` and `close_images`."""
        assert self._loader is not None, "no images are open"
        return self._loader

    @property
    def layout_in_use(self) -> Layout:
        """How the panes are arranged."""
        return self._chosen

    def set_layout(self, chosen: Layout) -> None:
        """Arrange the panes in another way."""
        if chosen is Layout.SINGLE and self._chosen is not Layout.SINGLE:
            self._before_single = self._chosen
        self._chosen = chosen
        content = self._wanted or self._on_screen
        if chosen is Layout.BOTH_HIPS and content is not None and content.other.view is not None:
            self.set_case(content)  # the other hip's image may have to be loaded
        elif self._on_screen is not None:
            self._hang_other(self._on_screen, None)
            self._arrange()
            self._swap_if_ready()  # a case on its way may now need fewer images
        self.layout_changed.emit(chosen.value)

    def toggle_single(self) -> None:
        """The active view alone, or what was there before."""
        self.set_layout(self._before_single if self._chosen is Layout.SINGLE else Layout.SINGLE)

    # --- inside ---

    def _hangings(self, content: CaseContent) -> tuple[Hanging, Hanging, Hanging]:
        """What hangs in every place; the other hip only in the layout that shows it."""
        other = content.other if self._chosen is Layout.BOTH_HIPS else Hanging()
        return content.frontal, content.lateral, other

    def _keys_of(self, content: CaseContent) -> list[ImageKey]:
        """Which images the case needs in the present layout."""
        return list(dict.fromkeys(key for key in map(key_of, self._hangings(content)) if key is not None))

    def _on_ready(self, key: ImageKey, result: PreparedImage | UserError) -> None:
        if isinstance(result, UserError) and self._wanted is not None and key in self._keys_of(self._wanted):
            self._failures[key] = result
        self._swap_if_ready()

    def _swap_if_ready(self) -> None:
        """Swap when every image of the wanted case is there or has failed; nothing of another case can get in."""
        content = self._wanted
        if content is None:
            return
        images: list[PreparedImage | UserError | None] = []
        missing = []
        hangings = self._hangings(content)
        for hanging in hangings:
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
        self._is_swapping = True
        self._begin()
        for place, hanging, image in zip(self.places, hangings[:2], images[:2], strict=True):
            place.hang(hanging, content.case, image, self._orientation_of(hanging))
        self._hang_other(content, images[2])
        self._active = self._next_active(before)
        self._arrange()
        self.set_active(self._active)
        self._is_swapping = False
        for place in self.all_places:
            place.pane.text.set_veil("")
        self.swapped.emit(content.case.id)

    def _hang_other(self, content: CaseContent, image: PreparedImage | UserError | None) -> None:
        other = self.all_places[2]
        if image is None or content.other_case is None:
            other.clear("")
        else:
            other.hang(content.other, content.other_case, image, self._orientation_of(content.other))

    def _orientation_of(self, hanging: Hanging) -> Orientation | None:
        return None if hanging.view is None else self._orientations.get(hanging.view.id)

    def _next_active(self, before: View | None) -> int:
        """The pane of the view that was active, else one that asks something, else (in the single view) the same one
        again, else one that holds a view."""
        views = [place.hanging.view for place in self.places]
        same = [number for number, view in enumerate(views) if view and before and view.id == before.id]
        is_open = [view is not None and (view.projection.is_open or view.side.is_open) for view in views]
        asking = [number for number, opened in enumerate(is_open) if opened]
        holding = [number for number, view in enumerate(views) if view]
        alone = [number for number in holding if number == self._active and self._chosen is Layout.SINGLE]
        return (same + asking + alone + holding + [0])[0]

    def _on_slow(self) -> None:
        """Veil the case that the user has left, so that nobody takes it for the new one."""
        for place in self.all_places:
            place.pane.text.set_veil(tr("Loading…"))
            if place.hanging.view is None:
                place.pane.set_empty(tr("Loading…"))
