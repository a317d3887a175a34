"""Finding one's way."""

from __future__ import annotations

from app.ui.commands.command import Command

HELP_COMMANDS: tuple[Command, ...] = ()
