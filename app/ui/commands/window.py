"""How grey values are shown, and what the panes do together."""

from __future__ import annotations

from app.ui.commands.command import Command

WINDOW_COMMANDS: tuple[Command, ...] = (
    Command(id="auto", text="Auto window", tip="Window from the grey values inside the collimator", menu="Window",
            needs="image", shortcuts=("A",), bar_text="Auto", has_separator=True, icon="auto-window"),
    Command(id="file", text="The file's own window", menu="Window", needs="image", shortcuts=("D",),
            tip="The first window of the object; the full range of values when it has none", icon="file-window"),
    Command(id="bone", text="Bone window", tip="Window for cortical and cancellous bone", menu="Window",
            needs="image", shortcuts=("B",), bar_text="Bone", icon="bone"),
    Command(id="soft-tissue", text="Soft-tissue window", tip="Window for fat, muscle and joint effusion",
            menu="Window", needs="image", shortcuts=("T",), bar_text="Soft tissue", icon="soft-tissue"),
    Command(id="full", text="Full range", tip="Every value that the object's depth can hold", menu="Window",
            needs="image", shortcuts=("Shift+D",)),
    Command(id="next_window", text="Next window", menu="Window", needs="image", shortcuts=(".",),
            tip="The next of the image's windows: automatic, its own by name, bone, soft tissue, full range"),
    Command(id="window_menu", text="Windows of this image…", menu="Window", needs="image",
            shortcuts=("Shift+F10", "Menu"), tip="Every window of the active image by its name (also a right click)"),
    Command(id="type_window", text="Type center and width…", menu="Window", needs="image", shortcuts=("Shift+W",),
            tip="Enter the window of the active image in numbers"),
    Command(id="invert", text="Invert", tip="Show the negative", menu="Window", needs="image", shortcuts=("I",),
            is_checkable=True, bar_text="Invert", has_separator=True, icon="invert"),
    Command(id="shutter", text="Shutter", menu="Window", shortcuts=("Shift+S",), is_checkable=True, is_checked=True,
            is_kept=True,
            tip="Darken what lies beside the collimated area; on the screen only, never in pixels or exports"),
    Command(id="link", text="Link windows", tip="Window changes apply to all panes", menu="Window", shortcuts=("K",),
            is_checkable=True, is_checked=True, bar_text="Link", has_separator=True, is_kept=True, icon="link"),
    Command(id="link_zoom", text="Link zoom and pan", menu="Window", shortcuts=("Shift+K",), is_checkable=True,
            is_kept=True,
            tip="All panes are equally large and move together: in millimetres where both length scales are trusted, "
                "else by share of the image"),
    Command(id="link_orientation", text="Link turning and mirroring", menu="Window", shortcuts=("Ctrl+Shift+K",),
            is_checkable=True, is_kept=True, tip="All panes are turned and mirrored together"),
)  # fmt: skip
