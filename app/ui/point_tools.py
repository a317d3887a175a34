"""Tools that put points: measurements, landmarks, and what of known size is measured to calibrate an image."""

from __future__ import annotations

from collections.abc import Callable

from app.core.annotation import LANDMARK, MEASUREMENT
from app.core.errors import UserError
from app.core.geometry import XY
from app.core.measurement import POINT_COUNT, CalibrationKind, LandmarkKind, Measurement, MeasurementKind
from app.ui.drawing import Drawing, Handle, measurement_handles
from app.ui.drawing_board import DrawingBoard
from app.ui.drawing_tools import DrawingTool
from app.ui.image_pane import ImagePane
from app.ui.pane_tools import Pointer


class PointTool(DrawingTool):
    """Puts points: those of a measurement, or a landmark. Points that are there can be dragged.

    Args:
        board: what is drawn.
        kind: what is measured, or which landmark.
    """

    def __init__(self, board: DrawingBoard, kind: MeasurementKind | LandmarkKind) -> None:
        super().__init__(board)
        self._kind = kind
        self._count = POINT_COUNT[kind] if isinstance(kind, MeasurementKind) else 1
        self._before: Measurement | XY | None = None

    def handles(self, drawing: Drawing) -> list[Handle]:
        """Every point."""
        return measurement_handles(drawing) if not drawing.pending else []

    def press(self, pane: ImagePane, pointer: Pointer) -> None:
        """Take hold of a point, or put one."""
        drawing = self.drawing_under(pane)
        if drawing is None:
            return
        self.begin(pane, pointer)
        self._held = self.pick(pane, pointer)
        if self._held is not None:
            drawing.active = self._held.owner
            self._before = _owned(drawing, self._held)
            self.board.redraw(pane)
            return
        self._put(pane, drawing, (pointer.x, pointer.y))

    def move(self, pane: ImagePane, pointer: Pointer) -> None:
        """Drag a point; a line may also be drawn by dragging."""
        drawing = self.board.on(pane)
        if drawing is None:
            return
        if self._held is None:
            drawing.pointer = (pointer.x, pointer.y)
        else:
            kind, _, name = self._held.owner.partition(":")
            if kind == "landmark":
                drawing.landmarks[name] = (pointer.x, pointer.y)
            else:
                try:
                    moved = drawing.measurements[name].with_point(int(self._held.name), (pointer.x, pointer.y))
                except ValueError:
                    return
                drawing.measurements[name] = moved
        self.board.redraw(pane)

    def release(self, pane: ImagePane, pointer: Pointer) -> None:
        """A drag is committed once, here."""
        held, drawing = self.end(), self.board.on(pane)
        if drawing is None:
            return
        if held is not None:
            kind, _, name = held.owner.partition(":")
            now = _owned(drawing, held)
            if now != self._before:
                prefix = LANDMARK if kind == "landmark" else MEASUREMENT
                value = list(now) if isinstance(now, tuple) else now
                self.board.commit(pane, f"{prefix}{name}.", value, "Point moved")
        elif drawing.pending and not self.is_click(pointer) and len(drawing.pending) % 2:
            self._put(pane, drawing, (pointer.x, pointer.y))

    def hover(self, pane: ImagePane, pointer: Pointer) -> None:
        """A line follows the mouse."""
        drawing = self.board.on(pane)
        if drawing is not None and drawing.pending:
            drawing.pointer = (pointer.x, pointer.y)
            self.board.redraw(pane)
        else:
            super().hover(pane, pointer)

    def complete(self, pane: ImagePane, drawing: Drawing, points: tuple[XY, ...]) -> None:
        """All points are there."""
        if isinstance(self._kind, LandmarkKind):
            drawing.active = f"landmark:{self._kind.value}"
            self.board.commit(pane, f"{LANDMARK}{self._kind.value}.", list(points[0]), "Landmark set")
            return
        try:
            measurement = Measurement(kind=self._kind, points=points)
        except ValueError:
            self.board.refused.emit(
                UserError(
                    "This cannot be measured.",
                    reason="Two points of a line are at one place.",
                    remedy="Click them apart from each other.",
                    kind="measurement",
                )
            )
            return
        number = next(str(n) for n in range(1, len(drawing.measurements) + 2) if str(n) not in drawing.measurements)
        drawing.active = f"measurement:{number}"
        self.board.commit(pane, f"{MEASUREMENT}{number}.", measurement, "Measured")

    def _put(self, pane: ImagePane, drawing: Drawing, xy: XY) -> None:
        drawing.pending.append(xy)
        if len(drawing.pending) == self._count:
            points, drawing.pending, drawing.pointer = tuple(drawing.pending), [], None
            self.end()
            self.complete(pane, drawing, points)
        self.board.redraw(pane)


class CalibrateTool(PointTool):
    """Two points on something of known size; its size is asked for afterwards.

    Args:
        board: what is drawn.
        kind: a known length, or the diameter of a ball.
        ask: called with the pane, the kind and the two points.
    """

    def __init__(
        self, board: DrawingBoard, kind: CalibrationKind, ask: Callable[[ImagePane, CalibrationKind, XY, XY], None]
    ) -> None:
        super().__init__(board, MeasurementKind.LENGTH)
        self._calibrates = kind
        self._ask = ask

    def handles(self, drawing: Drawing) -> list[Handle]:
        """What is there already is left alone."""
        return []

    def complete(self, pane: ImagePane, drawing: Drawing, points: tuple[XY, ...]) -> None:
        """Ask for the real size."""
        self._ask(pane, self._calibrates, points[0], points[1])


def _owned(drawing: Drawing, handle: Handle) -> Measurement | XY | None:
    kind, _, name = handle.owner.partition(":")
    return drawing.landmarks.get(name) if kind == "landmark" else drawing.measurements.get(name)
