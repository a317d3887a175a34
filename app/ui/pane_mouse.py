"""The graphics view of a pane: turns mouse events into gestures of its tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QEnterEvent, QHideEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsItem, QGraphicsView, QWidget

from app.ui.pane_tools import PaneTool, PanTool, Pointer, WindowTool
from app.ui.theme import OVER_IMAGE

if TYPE_CHECKING:
    from app.ui.image_pane import ImagePane

ZOOM_PER_NOTCH = 1.2
FINE_ZOOM_PER_NOTCH = 1.03  # with Ctrl
CLICK_PX = 4.0  # a right button that travels less asks for the menu
CLOSED = {Qt.CursorShape.OpenHandCursor: Qt.CursorShape.ClosedHandCursor}


class PaneGraphics(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """Black, takes every gesture itself, and gives pyqtgraph only those that begin on an overlay that is dragged.

    Left: the pane's tool. Right: window; without a drag, the menu. Middle: pan. Wheel: zoom at the cursor, fine with
    Ctrl; with the loupe open, how much it enlarges.
    """

    # Qt hides the view also while Python takes it apart, and what it was given is gone then
    _pane: ImagePane | None = None
    _held: tuple[Qt.MouseButton, PaneTool] | None = None

    def __init__(self, pane: ImagePane) -> None:
        super().__init__(pane, background=OVER_IMAGE.image)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the scene's black covers all of it: Qt need not fill it with the palette's colour before every frame
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)  # a picture of black would be copied to every frame
        self._pan, self._window = PanTool(), WindowTool()
        self._is_overlays = False
        self._last = QPointF()  # where the mouse was, in the window
        self._travel_px = 0.0
        self._pane = pane
        # the ViewBox settles its range in the resize itself; the zoom is put right after it
        self._must_fit = False  # somebody asked for one of the sizes since it was settled last
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(self._on_settled)

    def useOpenGL(self, b: bool = True) -> None:  # noqa: N802
        """Paint without OpenGL, into a widget that Python has made: for Qt's own PySide6 would have to get to know
        every class of widget."""
        self.setViewport(QWidget(self))

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:  # noqa: N802
        """Fill what the image does not cover."""
        area = QRectF(rect)
        covered = QRectF() if self._pane is None else self._pane.item.covered_rect().intersected(area)
        if covered.isEmpty():
            painter.fillRect(area, self.backgroundBrush())
            return
        for part in (
            QRectF(area.left(), area.top(), area.width(), covered.top() - area.top()),
            QRectF(area.left(), covered.bottom(), area.width(), area.bottom() - covered.bottom()),
            QRectF(area.left(), covered.top(), covered.left() - area.left(), covered.height()),
            QRectF(covered.right(), covered.top(), area.right() - covered.right(), covered.height()),
        ):
            if not part.isEmpty():
                painter.fillRect(part, self.backgroundBrush())

    @property
    def is_dragging(self) -> bool:
        """Whether a gesture is under way."""
        return self._held is not None

    def give_up(self) -> None:
        """End the gesture that is under way; what follows of it is ignored."""
        if self._held is not None and self._pane is not None:
            held, self._held = self._held, None
            held[1].cancel(self._pane)
            self._show_cursor()

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        """Begin a gesture. The pane that is pressed becomes the active one."""
        pane = self._pane
        self._heed_lost_release(ev.buttons(), pressed=ev.button())
        if pane is None or self._held is not None or self._is_overlays:
            return
        pane.activated.emit()
        tools = {
            Qt.MouseButton.LeftButton: pane.tool,
            Qt.MouseButton.RightButton: self._window,
            Qt.MouseButton.MiddleButton: self._pan,
        }
        tool = tools.get(ev.button())
        if tool is None:
            return
        self._last, self._travel_px = self._in_window(ev), 0.0
        if ev.button() == Qt.MouseButton.LeftButton and self._is_on_overlay(ev.position()):
            self._is_overlays = True
            super().mousePressEvent(ev)
            return
        self._held = (ev.button(), tool)
        self.viewport().setCursor(CLOSED.get(tool.cursor, tool.cursor))
        tool.press(pane, self._pointer(ev))
        if not self.is_dragging:  # it was given up: a question has opened, which gets the release
            tool.cancel(pane)
        ev.accept()

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """Go on with a gesture, or hover."""
        pane = self._pane
        if pane is None:
            return
        self._heed_lost_release(ev.buttons())
        pointer = self._pointer(ev)
        self._last = self._in_window(ev)
        self._travel_px += abs(pointer.step.x()) + abs(pointer.step.y())
        if self._held is not None:
            self._held[1].move(pane, pointer)
        else:
            super().mouseMoveEvent(ev)
            if not self._is_overlays:
                pane.tool.hover(pane, pointer)
        pane.point_out(ev.position())

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        """End a gesture."""
        pane = self._pane
        if pane is None:
            return
        if self._is_overlays:
            if ev.button() == Qt.MouseButton.LeftButton:
                self._is_overlays = False
            super().mouseReleaseEvent(ev)
            return
        if self._held is None or ev.button() != self._held[0]:
            return
        tool, self._held = self._held[1], None
        tool.release(pane, self._pointer(ev))
        self._show_cursor()
        if ev.button() == Qt.MouseButton.RightButton and self._travel_px < CLICK_PX:
            pane.menu_requested.emit(ev.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, ev: QMouseEvent) -> None:
        """What the tool makes of it, else another layout; with other buttons the second of two quick strokes."""
        pane = self._pane
        if ev.button() != Qt.MouseButton.LeftButton:
            self.mousePressEvent(ev)
            return
        self._heed_lost_release(ev.buttons(), pressed=ev.button())
        if pane is None or self._held is not None:
            return
        pane.activated.emit()
        if not pane.tool.double_click(pane, self._pointer(ev)):
            pane.double_clicked.emit()

    def wheelEvent(self, ev: QWheelEvent) -> None:
        """Zoom at the cursor."""
        pane = self._pane
        if pane is None:
            return
        is_turned = bool(ev.modifiers() & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier))
        # with these keys Qt and macOS turn the axis; else sideways (a trackpad, a tilted wheel) means nothing here
        notches = (ev.angleDelta().y() or (ev.angleDelta().x() if is_turned else 0)) / 120
        ev.accept()
        if not notches:
            return
        if pane.loupe.isVisible():
            pane.loupe.enlarge(notches)
            return
        is_fine = bool(ev.modifiers() & Qt.KeyboardModifier.ControlModifier)
        pane.zoom_by((FINE_ZOOM_PER_NOTCH if is_fine else ZOOM_PER_NOTCH) ** notches, ev.position())
        pane.point_out(ev.position())

    def enterEvent(self, event: QEnterEvent) -> None:
        """The mouse is here: say where."""
        super().enterEvent(event)
        if self._pane is not None:
            self._pane.point_out(event.position())

    def leaveEvent(self, ev: QEvent) -> None:
        """The mouse is elsewhere."""
        super().leaveEvent(ev)
        if self._pane is not None:
            self._pane.tool.leave(self._pane)
            self._pane.point_out(None)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody drags what is not seen: Qt sends the release elsewhere."""
        super().hideEvent(event)
        self.give_up()

    def resizeEvent(self, ev: QResizeEvent) -> None:
        """Keep what the user chose: the whole image, or the zoom."""
        super().resizeEvent(ev)
        if self._pane is not None:
            self._must_fit |= not self._pane.stay()
            self._settle.start()
            self._pane.resized.emit()

    def _on_settled(self) -> None:
        """The image stays where it is on the screen, or lies as it was chosen."""
        if self._pane is not None and (self._must_fit or not self._pane.stay()):
            self._pane.keep_zoom()
        self._must_fit = False

    def _heed_lost_release(self, buttons: Qt.MouseButton, *, pressed: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
        """Give up a gesture whose button came up where nobody told us: over a dialog that opened meanwhile."""
        if self._held is not None and (not buttons & self._held[0] or pressed == self._held[0]):
            self.give_up()
        if not buttons & Qt.MouseButton.LeftButton:
            self._is_overlays = False

    def _pointer(self, ev: QMouseEvent) -> Pointer:
        assert self._pane is not None
        x, y = self._pane.map_to_image(ev.position())
        step = self._in_window(ev) - self._last
        return Pointer(x=x, y=y, at=ev.position(), step=step, buttons=ev.buttons(), modifiers=ev.modifiers())

    def _in_window(self, ev: QMouseEvent) -> QPointF:
        """Where the mouse is in the window: a pane may come elsewhere under it (a banner, another layout)."""
        port = self.viewport()
        return QPointF(port.mapTo(port.window(), ev.position()))

    def _show_cursor(self) -> None:
        if self._pane is not None:
            self.viewport().setCursor(self._pane.tool.cursor)

    def _is_on_overlay(self, at: QPointF) -> bool:
        """Whether an overlay that pyqtgraph can drag (a handle, an ROI) lies here."""
        return any(hasattr(item, "mouseDragEvent") and item.isEnabled() and self._is_overlay(item)
                   for item in self.items(at.toPoint()))  # fmt: skip

    def _is_overlay(self, item: QGraphicsItem) -> bool:
        assert self._pane is not None
        return bool(self._pane.oriented.isAncestorOf(item)) and item is not self._pane.item
