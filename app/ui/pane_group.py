"""The panes beside each other, and what is done to them: layout, tools, window, zoom, orientation, links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from app.core.case import Side, View
from app.core.orientation import Orientation
from app.ui.captions import readout
from app.ui.image_pane import ImagePane, Tool, ZoomMode
from app.ui.layouts import FRONTAL, LATERAL, OTHER, Arrangement, Layout, arrange
from app.ui.linking import Linked, Links, fit_together, follow
from app.ui.loader import PreparedImage
from app.ui.pane_tools import PaneTool
from app.ui.place import Place
from app.ui.surroundings import Surroundings
from app.ui.theme import GAP_S
from app.ui.window_level import Shown, dragged, first_shown, has_window, preset, preset_names

TEXT_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox)
NAMES = (FRONTAL, LATERAL, OTHER)

Turn: TypeAlias = Callable[[Orientation], Orientation]


class PaneGroup(QWidget):
    """The panes of a case, whatever hangs in them.

    Signals:
        active_changed: another view, or another state of it, is what keys apply to. Not sent where a case is swapped.
        pointed_at: words about the pixel under the mouse; empty outside.
        inverted: whether the active pane shows the negative.
        single_toggled: a double click: the active view alone, or what was there before.
        menu_requested: a right click in the active pane; global position.
    """

    active_changed = Signal()
    pointed_at = Signal(str)
    inverted = Signal(bool)
    single_toggled = Signal()
    menu_requested = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._orientations: dict[str, Orientation] = {}  # how views were turned, while the project is open
        self._links = Links()
        self._surroundings: Surroundings | None = None
        self._chosen = Layout.PAIR
        self._arrangement = Arrangement(())
        self._is_swapping = False  # the case changes, which says more than that another pane is active
        self._refit = QTimer(self, singleShot=True, interval=0)
        self._refit.timeout.connect(self._fit_linked_again)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(GAP_S)
        self.all_places = [self._make_place(number, name) for number, name in enumerate(NAMES)]
        self.places = self.all_places[:2]
        """The views of the case itself: frontal and lateral."""
        self._active = 0
        self._arrange()
        self.set_active(0)

    @property
    def active_place(self) -> Place:
        """The place that keys apply to."""
        return self.all_places[self._active]

    @property
    def active_view(self) -> View | None:
        """The view of the case that keys apply to; None while the other hip's pane is active, or an empty one."""
        return None if self.active_place.name == OTHER else self.active_place.hanging.view

    @property
    def active_pane(self) -> ImagePane:
        """The pane that keys apply to."""
        return self.active_place.pane

    @property
    def has_image(self) -> bool:
        """Whether there is an image on the screen."""
        return any(place.image is not None for place in self.all_places)

    @property
    def shown_places(self) -> list[Place]:
        """The places of the present layout that show an image, in the order in which they are hung."""
        by_name = {place.name: place for place in self.all_places}
        return [by_name[name] for name in self._arrangement.names if by_name[name].image is not None]

    # --- the active pane and the layout ---

    def set_active(self, number: int) -> None:
        """Choose the pane that keys apply to: 0 frontal, 1 lateral, 2 the other hip."""
        self._active = number
        if self._chosen is Layout.SINGLE and self.active_place.name not in self._arrangement.names:
            self._arrange()
        for index, place in enumerate(self.all_places):
            place.pane.set_active(index == number)
            if index != number:
                place.pane.graphics.give_up()  # Esc and all other keys mean another pane now
        self._tell_inverted()
        if not self._is_swapping:
            self.active_changed.emit()

    def switch_active(self) -> None:
        """Make the next pane of the layout the active one; in the single view, show the other view."""
        names = self._arrangement.names if self._chosen is not Layout.SINGLE else (FRONTAL, LATERAL)
        held = [number for number, place in enumerate(self.all_places)
                if place.name in names and place.hanging.view is not None]  # fmt: skip
        after = [number for number in held if number > self._active] + held
        if after and after[0] != self._active:
            self.set_active(after[0])

    def _arrange(self) -> None:
        """Put the panes of the layout into the window; no pane is left black, what is missing is said in words."""
        held = {place.name for place in self.all_places if place.hanging.view is not None}
        case = self.places[0].case
        is_right = case is not None and case.side is Side.RIGHT
        before = self._arrangement
        now = arrange(self._chosen, held, active=NAMES[self._active], is_right_hip=is_right)
        self._arrangement = now
        if (before.names, before.is_vertical) != (now.names, now.is_vertical):
            self._begin()
            for place in self.all_places:
                self._row.removeWidget(place.pane)
                place.pane.setVisible(place.name in now.names)
            vertical, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
            self._row.setDirection(vertical if now.is_vertical else across)
            for name in now.names:
                self._row.addWidget(self.all_places[NAMES.index(name)].pane, 1)
            self._row.activate()  # else one frame may be painted with the panes as large as they were
        for place in self.all_places:
            is_known = all(each.hanging.is_placed for each in self.places)  # else the view may be what seems missing
            place.missing = now.missing if is_known and place.name == now.names[-1] else ()
            place.set_half(is_on=OTHER in now.names)
            place.write()
        if NAMES[self._active] not in now.names:
            self.set_active(NAMES.index(now.names[0]))
        self._refit.start()

    def stand_in(self, surroundings: Surroundings) -> None:
        """Images stay in their places on the screen when something comes that nobody asked for."""
        self._surroundings = surroundings
        for place in self.all_places:
            place.pane.stand.surroundings = surroundings

    def _begin(self) -> None:
        """Other images, or other places for them: what comes with them may still move them."""
        if self._surroundings is not None:
            self._surroundings.begin()

    # --- tools, windows, zoom, orientation ---

    def set_tool(self, tool: Tool | PaneTool) -> None:
        """Choose what the left button does in all panes."""
        for place in self.all_places:
            place.pane.set_tool(tool)
        is_taking = self.active_pane.tool.takes_keys
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if is_taking else Qt.FocusPolicy.NoFocus)
        if is_taking:
            self.setFocus()

    def end_drags(self) -> None:
        """Give up what is being dragged: a question or a menu opens, and gets the release."""
        for place in self.all_places:
            place.pane.graphics.give_up()

    @property
    def links(self) -> Links:
        """What panes do together."""
        return self._links

    def set_links(self, links: Links) -> None:
        """Choose what panes do together; linking the zoom makes them equally large at once."""
        is_new = links.zoom and not self._links.zoom
        self._links = links
        if is_new and self.active_place.image is not None:
            if self.active_pane.mode is ZoomMode.FIT:
                self.fit()
            else:
                self._follow(self._active, QPointF())
        elif not links.zoom:
            for place in self.shown_places:
                if place.pane.mode is ZoomMode.FIT:
                    place.pane.fit()

    def use_preset(self, name: str) -> None:
        """Show the active image (linked: all that have such a window) through a named window."""
        self._change(
            self._active, lambda image, shown: preset(image, shown, name) if has_window(image, name) else shown
        )

    def next_preset(self) -> None:
        """Show the active image (linked: all) through the next of its named windows."""
        place = self.active_place
        if place.image is not None and place.shown is not None:
            names = preset_names(place.image)
            self.use_preset(names[(names.index(place.shown.name) + 1) % len(names) if place.shown.name in names else 0])

    def change_window(self, change: Callable[[PreparedImage, Shown], Shown]) -> None:
        """Show the active image (linked: all) through a changed window."""
        self._change(self._active, change)

    def set_inverted(self, is_inverted: bool) -> None:
        """Show the negative of the active image (linked: of all), or stop doing so."""
        self._change(self._active, lambda _, shown: replace(shown, is_inverted=is_inverted))

    def fit(self) -> None:
        """Show the whole active image; with linked zoom, all images equally large."""
        if self._links.zoom:
            fit_together(self._linked())
        else:
            self.active_pane.fit()

    def fit_width(self) -> None:
        """Show the whole width of the active image."""
        self.active_pane.fit_width()
        self._follow(self._active, QPointF())

    def turn(self, change: Turn) -> None:
        """Turn or mirror the active image (linked: all)."""
        self._turn(self._active, lambda place: change(place.pane.orientation))

    def reset_orientation(self) -> None:
        """Show the active image (linked: all) as it is hung."""
        self._turn(self._active, lambda place: place.hung_orientation)

    def reset(self) -> None:
        """Show every image of the case as when it was opened: window, orientation and zoom."""
        for place in self.all_places:
            if place.image is not None:
                place.show_through(first_shown(place.image))
                self._orient(place, place.hung_orientation)
                place.pane.fit()
        if self._links.zoom:
            self.fit()
        self._tell_inverted()

    def set_text_shown(self, is_shown: bool) -> None:
        """Show or hide what is written over the images; side marker, letters and warnings about both always stay."""
        for place in self.all_places:
            place.pane.text.set_quiet(not is_shown)

    def set_shutter(self, is_on: bool) -> None:
        """Darken what lies beside the collimated area of every image, or show it."""
        for place in self.all_places:
            place.pane.shutter.setVisible(is_on)
            place.pane.loupe.update()
            place.write()

    def set_loupe(self, is_on: bool) -> None:
        """Open the loupe under the cursor, or in the middle of the active pane; or close it."""
        for place in self.all_places:
            viewport = place.pane.graphics.viewport()
            place.pane.loupe.is_on = is_on
            at = QPointF(viewport.mapFromGlobal(QCursor.pos()))
            is_here = viewport.isVisible() and viewport.rect().contains(at.toPoint()) and viewport.underMouse()
            place.pane.loupe.follow(at if is_here else None)
        if is_on and not any(place.pane.loupe.isVisible() for place in self.all_places):
            self.active_pane.loupe.follow(self.active_pane.middle)

    # --- keys of a tool, language ---

    def event(self, event: QEvent) -> bool:
        """A tool may take a key that is also a shortcut."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return super().event(event)
        if self.active_pane.tool.wants_key(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys go to the tool first."""
        if not self.active_pane.tool.key(self.active_pane, event):
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or names are hidden: say everything anew."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            for place in self.all_places:
                place.write()

    # --- inside ---

    def _make_place(self, number: int, name: str) -> Place:
        pane = ImagePane(self)
        place = Place(name=name, pane=pane)
        pane.activated.connect(lambda: self._on_activated(number))
        pane.double_clicked.connect(self.single_toggled)
        pane.menu_requested.connect(self.menu_requested)
        pane.window_dragged.connect(
            lambda dx, dy: self._change(number, lambda image, shown: dragged(image, shown, dx, dy))
        )
        pane.turned_by.connect(lambda by: self._turn(number, lambda place: place.pane.orientation.turned(by)))
        pane.moved_by_user.connect(lambda moved: self._follow(number, moved))
        pane.resized.connect(self._refit.start)
        pane.view_changed.connect(lambda: place.write())  # a slotted object cannot be referred to weakly
        pane.pointed_at.connect(lambda at: self._on_pointed(place, at))
        return place

    def _change(self, number: int, change: Callable[[PreparedImage, Shown], Shown]) -> None:
        for index, place in enumerate(self.all_places):
            if place.image is not None and place.shown is not None and (self._links.window or index == number):
                place.show_through(change(place.image, place.shown))
                # a scene that tells of its change after the window's repaint has begun would have a repaint of its own
                QCoreApplication.sendPostedEvents(place.pane.graphics.scene(), QEvent.Type.MetaCall.value)
        self._tell_inverted()

    def _tell_inverted(self) -> None:
        shown = self.active_place.shown
        self.inverted.emit(shown is not None and shown.is_inverted)

    def _turn(self, number: int, change: Callable[[Place], Orientation]) -> None:
        """Turn a pane, those linked with it, and any other pane that shows the same view."""
        turned = self.all_places[number].hanging.view
        for index, place in enumerate(self.all_places):
            view = place.hanging.view
            if place.image is None or view is None or turned is None:
                continue
            if index == number or self._links.orientation or view.id == turned.id:
                self._orient(place, change(place))
        self._refit.start()

    def _orient(self, place: Place, orientation: Orientation) -> None:
        view = place.hanging.view
        if view is not None:
            self._orientations[view.id] = orientation
        place.pane.set_orientation(orientation)

    def _linked(self) -> list[Linked]:
        return [Linked(place.pane, place.hanging.view.spacing) for place in self.shown_places if place.hanging.view]

    def _follow(self, number: int, moved: QPointF) -> None:
        """The user moved one pane: the linked ones follow."""
        if not self._links.zoom:
            return
        leader = self.all_places[number].pane
        linked = self._linked()
        for first in linked:
            for other in linked:
                if first.pane is leader and other.pane is not leader:
                    follow(first, moved, other)

    def _fit_linked_again(self) -> None:
        """After a change of size or orientation."""
        linked = self._linked()
        if (
            self._links.zoom
            and linked
            and all(each.pane.mode is ZoomMode.FIT and not each.pane.stand.is_aside for each in linked)
        ):
            fit_together(linked)

    def _on_activated(self, number: int) -> None:
        if number != self._active and self.all_places[number].hanging.view is not None:
            self.set_active(number)
        if self.active_pane.tool.takes_keys or isinstance(QApplication.focusWidget(), TEXT_FIELDS):
            self.setFocus()  # who clicks into an image has finished typing: keys are shortcuts again

    def _on_pointed(self, place: Place, at: tuple[int, int] | None) -> None:
        if at is None or place.image is None or place.hanging.view is None:
            self.pointed_at.emit("")
        else:
            self.pointed_at.emit(readout(place.image, place.hanging.view.spacing, at))
