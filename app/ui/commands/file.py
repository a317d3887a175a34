"""The project and the program."""

from __future__ import annotations

from app.ui.commands.command import Command

FILE_COMMANDS: tuple[Command, ...] = (
    Command(id="open", text="Open project…", tip="Open a project folder", menu="File", shortcuts=("Ctrl+O",)),
    Command(id="demo", text="Demo project", tip="Open the project of synthetic radiographs", menu="File"),
    Command(id="quit", text="Quit", tip="Close the window", menu="File", shortcuts=("Ctrl+Q",), has_separator=True),
)  # fmt: skip
