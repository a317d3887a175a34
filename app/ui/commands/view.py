"""How an image lies in its pane, and what dragging does."""

from __future__ import annotations

from app.ui.commands.command import Command

VIEW_COMMANDS: tuple[Command, ...] = (
    Command(id="pan", text="Pan tool", tip="Drag moves the image", menu="View", shortcuts=("M",), group="tool",
            is_checkable=True, is_checked=True, bar_text="Pan"),
    Command(id="window", text="Window tool", menu="View", shortcuts=("W",), group="tool", is_checkable=True,
            tip="Drag changes the window: right = wider, up = brighter (the right button always does)",
            bar_text="Window"),
    Command(id="fit", text="Fit", tip="Show the whole image", menu="View", needs="image",
            shortcuts=("Ctrl+0", "Home"), bar_text="Fit", has_separator=True),
    Command(id="one_to_one", text="One to one", tip="One image pixel on one screen pixel", menu="View", needs="image",
            shortcuts=("Ctrl+1",), bar_text="1:1"),
    Command(id="zoom_in", text="Zoom in", tip="Enlarge around the middle", menu="View", needs="image",
            shortcuts=("+", "=")),
    Command(id="zoom_out", text="Zoom out", tip="Shrink around the middle", menu="View", needs="image",
            shortcuts=("-",)),
)  # fmt: skip
