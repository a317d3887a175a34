"""Labels, clicks, boxes and measurements."""

from __future__ import annotations

from app.ui.commands.command import Command

ANNOTATE_COMMANDS: tuple[Command, ...] = ()
