"""The one table of commands: menus, toolbar, shortcuts, shortcut sheet, palette and help page come from it."""

from __future__ import annotations

from app.ui.commands.annotate import ANNOTATE_COMMANDS
from app.ui.commands.case import CASE_COMMANDS
from app.ui.commands.command import Command
from app.ui.commands.engine import ENGINE_COMMANDS
from app.ui.commands.file import FILE_COMMANDS
from app.ui.commands.findings import FINDINGS_COMMANDS
from app.ui.commands.help import HELP_COMMANDS
from app.ui.commands.labels import LABEL_COMMANDS
from app.ui.commands.resolve import RESOLVE_COMMANDS
from app.ui.commands.review import REVIEW_COMMANDS
from app.ui.commands.texts import TEXT_COMMANDS
from app.ui.commands.train import TRAIN_COMMANDS
from app.ui.commands.view import VIEW_COMMANDS
from app.ui.commands.window import WINDOW_COMMANDS

COMMANDS: tuple[Command, ...] = (
    *FILE_COMMANDS,
    *CASE_COMMANDS,
    *REVIEW_COMMANDS,
    *RESOLVE_COMMANDS,
    *TEXT_COMMANDS,
    *ANNOTATE_COMMANDS,
    *LABEL_COMMANDS,
    *FINDINGS_COMMANDS,
    *ENGINE_COMMANDS,
    *TRAIN_COMMANDS,
    *VIEW_COMMANDS,
    *WINDOW_COMMANDS,
    *HELP_COMMANDS,
)
MENUS = ("File", "Case", "Resolve", "Annotate", "AI", "Train", "View", "Window", "Help")
BAR_SECTIONS = ("Case", "Annotate", "AI", "View", "Window")
