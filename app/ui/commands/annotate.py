"""Clicks, boxes, measurements, and taking them back."""

from __future__ import annotations

from app.ui.commands.command import Command

VIEW, CASE = "annotatable view", "annotatable case"

MEASURES: tuple[tuple[str, str, str, str], ...] = (
    ("length", "Length", "Shift+M", "Click both ends; in mm where the length scale can be trusted, else in px"),
    ("angle", "Angle", "Shift+N", "Click a point on one leg, the vertex, a point on the other leg"),
    ("two-lines", "Angle of two lines", "Shift+J", "Click two points on each line; the acute angle between them"),
    ("neck-shaft", "Neck–shaft angle", "Shift+E", "Click two points on the neck's axis, then two on the shaft's"),
    ("pauwels", "Pauwels angle", "Shift+G", "Click two points on the fracture line, then two on the shaft's axis"),
)
LANDMARKS: tuple[tuple[str, str], ...] = (
    ("head-centre", "Head centre"),
    ("greater-trochanter", "Greater trochanter"),
    ("lesser-trochanter", "Lesser trochanter"),
    ("teardrop", "Teardrop"),
    ("acetabular-edge", "Acetabular edge"),
    ("neck-centre", "Neck centre"),
)


def _tool(identifier: str, text: str, tip: str, *, keys: str = "", **more: object) -> Command:
    shortcuts = (keys,) if keys else ()
    return Command(id=identifier, text=text, tip=tip, menu="Annotate", shortcuts=shortcuts, needs=VIEW, group="tool",
                   is_checkable=True, **more)  # type: ignore[arg-type]  # fmt: skip


ANNOTATE_COMMANDS: tuple[Command, ...] = (
    Command(id="undo", text="Undo", tip="Take back what you did last about this case, also in earlier sessions",
            menu="Annotate", shortcuts=("Ctrl+Z",), needs="undo", icon="undo"),
    Command(id="redo", text="Redo", tip="Do again what was undone last", menu="Annotate",
            shortcuts=("Ctrl+Shift+Z", "Ctrl+Y"), needs="redo", icon="redo"),
    Command(id="commit_next", text="Done, next case", menu="Annotate", shortcuts=("Return", "Enter"), needs="commit",
            tip="Check that nothing required is missing, mark the case as annotated and open the next one",
            has_separator=True, icon="commit"),
    _tool("align", "Align", "Click the fracture centre, then a point on the shaft axis; then drag the handles. "
          "Arrows move, Alt+arrows turn, with Shift in steps of ten", keys="S", bar_text="Align", icon="align",
          has_separator=True),
    Command(id="approve", text="Approve crop", tip="This crop may be used", menu="Annotate", shortcuts=("P",),
            needs="crop", icon="approve"),
    Command(id="reject", text="Reject crop", tip="This crop must not be used", menu="Annotate", shortcuts=("Shift+P",),
            needs="crop", icon="reject"),
    _tool("box", "Region box", "Drag a box around the hip; drag inside to move it, its corners to resize it",
          keys="Shift+C", icon="box", has_separator=True),
    Command(id="propose_box", text="Propose box", menu="Annotate", shortcuts=("Ctrl+Shift+B",), needs=VIEW,
            tip="Put the region box around the fracture centre of the alignment"),
    Command(id="copy_box", text="Copy box to the other view", menu="Annotate", shortcuts=("Ctrl+B",), needs=VIEW,
            tip="Put a box of the same size at the same level on the other view"),
    *(_tool(f"measure:{name}", text, tip, keys=keys, has_separator=not number,
            **({"bar_text": "Measure", "icon": "ruler"} if not number else {}))
      for number, (name, text, keys, tip) in enumerate(MEASURES)),
    *(_tool(f"landmark:{name}", f"Landmark: {text}", "Click the place; click again to put it elsewhere",
            has_separator=not number)
      for number, (name, text) in enumerate(LANDMARKS)),
    _tool("calibrate:length", "Calibrate by a known length", "Click both ends, then give the real length in mm",
          has_separator=True),
    _tool("calibrate:ball", "Calibrate by a ball", "Click two opposite sides of the ball, then give its diameter"),
    Command(id="uncalibrate", text="Remove calibration", menu="Annotate", needs="calibrated view",
            tip="Go back to the length scale that the file gives"),
    Command(id="delete_drawing", text="Delete what is chosen", menu="Annotate", shortcuts=("Shift+Del",), needs=VIEW,
            tip="Remove the alignment, box, point or measurement that was drawn or touched last in the active view",
            has_separator=True, icon="delete"),
    Command(id="show_drawings", text="Show drawings", menu="Annotate", shortcuts=("J",), is_checkable=True,
            is_checked=True, tip="Show or hide everything that is drawn over the images"),
    Command(id="show_crop", text="Aligned crop", menu="Annotate", shortcuts=("F10",), is_checkable=True,
            tip="Show or hide the aligned crop of the active view", icon="crop"),
)  # fmt: skip
