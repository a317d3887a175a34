"""The label form."""

from __future__ import annotations

from app.ui.commands.command import Command

LABEL_COMMANDS: tuple[Command, ...] = (
    Command(id="show_labels", text="Label form", menu="Annotate", shortcuts=("F4",), is_checkable=True, is_kept=True,
            has_separator=True, bar_text="Labels", icon="label",
            tip="Show or hide the label form; while it is shown, its digits and letters answer its questions"),
)  # fmt: skip
