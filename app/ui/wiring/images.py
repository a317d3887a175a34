"""Tools, layouts, zoom, orientation and windows of the panes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.ui.language import literal, tr
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.orientation import Orientation
    from app.ui.window_popup import WindowPopup

TOOLS = ("pan", "window", "zoom", "rotate")
LAYOUTS = ("pair", "single", "stacked", "both-hips")
LINKS = {"link": "window", "link_zoom": "zoom", "link_orientation": "orientation"}
PRESETS = ("auto", "file", "bone", "soft-tissue", "full")
HELD_S = 0.35  # a key that is held longer opens the loupe only while it is held
IN_MENU = ("type_window", "invert", "shutter", "", "fit", "fit_width", "one_to_one", "two_to_one", "", "turn_right",
           "turn_left", "mirror_horizontally", "mirror_vertically", "reset_orientation", "", "layout:pair",
           "layout:single", "layout:stacked", "layout:both-hips", "", "reset")  # fmt: skip


class ImagesWiring(Wiring):
    """The View and Window menus and the menu of an image.

    Attributes:
        menu: the menu of the active image, while it is open.
        popup: center and width in numbers, while it is open.
    """

    menu: QMenu | None = None
    popup: WindowPopup | None = None
    _release: _ReleaseWatch | None = None

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the View and Window menus do."""
        return {
            **{f"layout:{name}": self._laying_out(name) for name in LAYOUTS},
            **{name: self._using_tool(name) for name in TOOLS},
            **{name: lambda _: self._link() for name in LINKS},
            **{name: self._using_preset(name) for name in PRESETS},
            "loupe": lambda is_on: self._open_loupe(is_on),
            "fit": lambda _: self.viewer.fit(),
            "fit_width": lambda _: self.viewer.fit_width(),
            "one_to_one": lambda _: self.viewer.active_pane.one_to_one(),
            "two_to_one": lambda _: self.viewer.active_pane.zoom_to(2.0),
            "zoom_in": lambda _: self.viewer.active_pane.zoom_by(1.25),
            "zoom_out": lambda _: self.viewer.active_pane.zoom_by(0.8),
            "turn_right": lambda _: self._turn(90.0),
            "turn_left": lambda _: self._turn(-90.0),
            "turn_right_little": lambda _: self._turn(1.0),
            "turn_left_little": lambda _: self._turn(-1.0),
            "mirror_horizontally": lambda _: self.viewer.turn(lambda now: now.mirrored_horizontally()),
            "mirror_vertically": lambda _: self.viewer.turn(lambda now: now.mirrored_vertically()),
            "reset_orientation": lambda _: self.viewer.reset_orientation(),
            "corner_text": lambda is_on: self.viewer.set_text_shown(is_on),
            "reset": lambda _: self.viewer.reset(),
            "next_window": lambda _: self.viewer.next_preset(),
            "window_menu": lambda _: self._open_menu(None),
            "type_window": lambda _: self._type_window(),
            "invert": lambda is_on: self.viewer.set_inverted(is_on),
            "shutter": lambda is_on: self.viewer.set_shutter(is_on),
        }

    def connect_shell(self) -> None:
        """A held key must not open and close the loupe again and again."""
        self.window.actions_by_id["loupe"].setAutoRepeat(False)

    def connect_rest(self) -> None:
        """What the panes report, and what was chosen before they were there."""
        actions, viewer = self.window.actions_by_id, self.viewer
        viewer.active_changed.connect(self.window.enable)
        viewer.pointed_at.connect(self.window.pixel.setText)
        viewer.inverted.connect(actions["invert"].setChecked)
        viewer.layout_changed.connect(self._on_layout)
        viewer.menu_requested.connect(self._open_menu)
        viewer.swapped.connect(lambda _: self.close())
        self._link()
        self._use_tool(next(name for name in TOOLS if actions[name].isChecked()))
        self._lay_out(next(name for name in LAYOUTS if actions[f"layout:{name}"].isChecked()))
        viewer.set_text_shown(actions["corner_text"].isChecked())
        viewer.set_shutter(actions["shutter"].isChecked())

    def present(self) -> set[str]:
        """Whether there is an image, and a view that keys apply to."""
        viewer, present = self.window.viewer, set()
        if viewer is not None and viewer.has_image:
            present.add("image")
        if viewer is not None and viewer.is_settled and viewer.active_view is not None:
            present.add("view")
        return present

    def close(self) -> None:
        """Close what floats; it is about the images that were there when it was opened."""
        self._close_loupe()
        for floating in (self.menu, self.popup):
            if floating is not None:
                floating.close()

    # --- tools, layout, links ---

    def _using_tool(self, name: str) -> Callable[[bool], object]:
        return lambda _: self._use_tool(name)

    def _use_tool(self, name: str) -> None:
        if self.window.viewer is not None:
            from app.ui.pane_tools import Tool

            self.viewer.set_tool(Tool(name))

    def _laying_out(self, name: str) -> Callable[[bool], object]:
        return lambda _: self._lay_out(name)

    def _lay_out(self, name: str) -> None:
        if self.window.viewer is not None:
            from app.ui.layouts import Layout

            self.viewer.set_layout(Layout(name))

    def _on_layout(self, name: str) -> None:
        self.window.actions_by_id[f"layout:{name}"].setChecked(True)

    def _link(self) -> None:
        if self.window.viewer is not None:
            from app.ui.linking import Links

            actions = self.window.actions_by_id
            self.viewer.set_links(Links(**{name: actions[command].isChecked() for command, name in LINKS.items()}))

    def _turn(self, by_deg: float) -> None:
        def turned(now: Orientation) -> Orientation:
            return now.turned(by_deg)

        self.viewer.turn(turned)

    # --- the loupe ---

    def _open_loupe(self, is_on: bool) -> None:
        self.viewer.set_loupe(is_on)
        if self._release is not None:
            self._release.stop()
            self._release = None
        if is_on:
            self._release = _ReleaseWatch(self._close_loupe, self.window)

    def _close_loupe(self) -> None:
        action = self.window.actions_by_id["loupe"]
        if action.isChecked():
            action.setChecked(False)
            self._open_loupe(False)

    # --- windows ---

    def _using_preset(self, name: str) -> Callable[[bool], object]:
        return lambda _: self.viewer.use_preset(name)

    def _open_menu(self, at: QPoint | None) -> None:
        """The menu of the active image: its windows by name, then what is most wanted."""
        from app.ui.window_level import WINDOW_WORDS, preset_names

        place = self.viewer.active_place
        if place.image is None or place.shown is None:
            return
        self.viewer.end_drags()  # asked for by a key meanwhile: the menu gets the release
        menu = QMenu(self.window)
        for name in preset_names(place.image):
            words = tr(WINDOW_WORDS[name]) if name in WINDOW_WORDS else name
            entry = menu.addAction(literal(words[:1].upper() + words[1:]))
            entry.setCheckable(True)
            entry.setChecked(place.shown.name == name)
            if name in PRESETS:
                key = self.window.actions_by_id[name].shortcut()  # written as in the entries below
                entry.setText(f"{entry.text()}\t{key.toString(QKeySequence.SequenceFormat.NativeText)}")
            entry.triggered.connect(self._using_preset(name))
        for name in IN_MENU:
            menu.addAction(self.window.actions_by_id[name]) if name else menu.addSeparator()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.destroyed.connect(self._forget_menu)
        self.menu = menu
        pane = place.pane
        if at is None:
            menu.setActiveAction(menu.actions()[0])
        menu.popup(at if at is not None else pane.graphics.mapToGlobal(pane.graphics.rect().center()))

    def _forget_menu(self) -> None:
        self.menu = None

    def _type_window(self) -> None:
        from app.core.grey import Window
        from app.ui.window_level import typed, window_of_lut
        from app.ui.window_popup import WindowPopup

        place = self.viewer.active_place
        if place.image is None or place.shown is None:
            return
        start = place.shown.voi if isinstance(place.shown.voi, Window) else window_of_lut(place.shown.voi)
        before = [(each, each.shown) for each in self.viewer.all_places if each.shown is not None]
        popup = self.popup = WindowPopup(start, self.window)

        def go_back() -> None:
            for each, shown in before:
                each.show_through(shown)

        popup.changed.connect(
            lambda center, width: self.viewer.change_window(lambda _, shown: typed(shown, center, width))
        )
        popup.given_up.connect(go_back)
        popup.destroyed.connect(self._forget_popup)
        corner = place.pane.graphics.rect().bottomLeft()
        popup.open_at(place.pane.graphics.mapToGlobal(corner))

    def _forget_popup(self) -> None:
        self.popup = None


class _ReleaseWatch(QObject):
    """Waits for the key that opened something to come up: a held key means “while it is held”."""

    def __init__(self, released: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._released = released
        self._since = time.monotonic()
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def stop(self) -> None:
        """Wait no longer."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A key came up, says a widget: a window hears of it before `HeldKeys` has told whether it is still held."""
        is_release = event.type() == QEvent.Type.KeyRelease and isinstance(watched, QWidget)
        if is_release and isinstance(event, QKeyEvent) and not event.isAutoRepeat():
            is_held = time.monotonic() - self._since > HELD_S
            application = QApplication.instance()
            if application is not None:
                application.removeEventFilter(self)
            if is_held:
                self._released()
        return False
