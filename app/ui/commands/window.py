"""How grey values are shown."""

from __future__ import annotations

from app.ui.commands.command import Command

WINDOW_COMMANDS: tuple[Command, ...] = (
    Command(id="auto", text="Auto window", tip="Window from the grey values inside the collimator", menu="Window",
            needs="image", shortcuts=("A",), bar_text="Auto", has_separator=True),
    Command(id="file", text="The file's own window", menu="Window", needs="image", shortcuts=("D",), bar_text="File",
            tip="The first window of the object; the full range of values when it has none"),
    Command(id="bone", text="Bone window", tip="Window for cortical and cancellous bone", menu="Window",
            needs="image", shortcuts=("B",), bar_text="Bone"),
    Command(id="soft-tissue", text="Soft-tissue window", tip="Window for fat, muscle and joint effusion",
            menu="Window", needs="image", shortcuts=("T",), bar_text="Soft tissue"),
    Command(id="invert", text="Invert", tip="Show the negative", menu="Window", needs="image", shortcuts=("I",),
            is_checkable=True, bar_text="Invert", has_separator=True),
    Command(id="link", text="Link windows", tip="Window changes apply to both panes", menu="Window", shortcuts=("K",),
            is_checkable=True, is_checked=True, bar_text="Link"),
)  # fmt: skip
