"""Makes actions, menus and the toolbar from the table of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar, QToolBar

from app.ui.commands.command import Command
from app.ui.commands.table import BAR_SECTIONS, COMMANDS, MENUS
from app.ui.language import tr

Effect = Callable[[bool], object]


def build_actions(
    window: QMainWindow, effects: Mapping[str, Effect], commands: Iterable[Command] = COMMANDS
) -> dict[str, QAction]:
    """Make an action for every command; a command without an effect is a fault.

    Args:
        window: owns the actions and receives the shortcuts.
        effects: what each command does, by id; called with the checked state.
        commands: the table.
    """
    actions: dict[str, QAction] = {}
    groups: dict[str, QActionGroup] = {}
    for command in commands:
        action = QAction(tr(command.text), window)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tr(command.tip)} ({keys})" if keys else tr(command.tip))
        action.setStatusTip(tr(command.tip))
        action.setCheckable(command.is_checkable)
        action.setChecked(command.is_checked)
        if command.group:
            groups.setdefault(command.group, QActionGroup(window)).addAction(action)
        action.triggered.connect(_calling(effects[command.id]))
        window.addAction(action)
        actions[command.id] = action
    return actions


def fill_menus(bar: QMenuBar, actions: Mapping[str, QAction], commands: Iterable[Command] = COMMANDS) -> None:
    """Put every command into its menu."""
    commands = tuple(commands)
    used = {command.menu for command in commands}
    menus: dict[str, QMenu] = {title: bar.addMenu(tr(title)) for title in MENUS if title in used}
    for command in commands:
        menu = menus[command.menu]
        if command.has_separator and not menu.isEmpty():
            menu.addSeparator()
        menu.addAction(actions[command.id])


def fill_bar(bar: QToolBar, actions: Mapping[str, QAction], commands: Iterable[Command] = COMMANDS) -> None:
    """Put the commands that have a toolbar text into the toolbar, menu by menu."""
    commands = tuple(commands)
    for section in BAR_SECTIONS:
        shown = [command for command in commands if command.menu == section and command.bar_text]
        if shown and bar.actions():
            bar.addSeparator()
        for command in shown:
            action = actions[command.id]
            action.setIconText(tr(command.bar_text))
            bar.addAction(action)


def enable(actions: Mapping[str, QAction], present: frozenset[str], commands: Iterable[Command] = COMMANDS) -> None:
    """Enable the commands whose needs are met."""
    for command in commands:
        actions[command.id].setEnabled(not command.needs or command.needs in present)


def _calling(effect: Effect) -> Callable[[bool], None]:
    def call(is_on: bool) -> None:
        effect(is_on)

    return call
