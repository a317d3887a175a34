"""Asking the models."""

from __future__ import annotations

from app.ui.commands.command import Command

ENGINE_COMMANDS: tuple[Command, ...] = (
    Command(id="ai_case", text="Ask the AI about this case", menu="AI", shortcuts=("F12",), needs="ai case", icon="ai",
            tip="Ask every model about the case on the screen, also where one has failed before"),
    Command(id="ai_selection", text="Ask the AI about the selected cases", menu="AI", shortcuts=("Shift+F12",),
            needs="ai cases", tip="Ask every model about the cases that are selected in the worklist"),
    Command(id="ai_all", text="Ask the AI about all listed cases", menu="AI", shortcuts=("Ctrl+F12",),
            needs="ai cases", tip="Ask every model about every case that the worklist lists now; known answers stay"),
    Command(id="ai_cancel", text="Stop asking", menu="AI", shortcuts=("Ctrl+.",), needs="ai batch", icon="stop",
            tip="Ask about no more of these cases; what was answered is kept"),
    Command(id="ai_pause_ahead", text="Pause look-ahead", menu="AI", shortcuts=("Alt+F12",), is_checkable=True,
            is_kept=True, has_separator=True, icon="pause",
            tip="Ask about the case on the screen only, not about those that come next"),
    Command(id="ai_restart", text="Restart the AI engine", menu="AI", shortcuts=("Ctrl+Alt+F12",), needs="ai engine",
            tip="End the AI engine and start it anew; what it was asked is asked again", icon="restart"),
    Command(id="ai_report", text="Copy the AI engine's report", menu="AI", needs="ai engine", icon="copy",
            tip="Copy its device, its faults and what its libraries wrote last; nothing in it tells of a patient"),
)  # fmt: skip
