"""The commands of the window at work: one action for each, its keys, its words, and why it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from app.ui import theme
from app.ui.commands.command import Command
from app.ui.commands.needs import NEEDS
from app.ui.commands.table import COMMANDS, MENUS
from app.ui.language import tr

Effect = Callable[[bool], object]
Shortcuts = Mapping[str, tuple[str, ...]]
_SHORTER = (  # Qt writes German keys out; on the keys there are signs
    ("Umschalt+", "⇧+"), ("Bild aufwärts", "Bild ↑"), ("Bild abwärts", "Bild ↓"), ("Rücktaste", "⌫"),
    ("Rechts", "→"), ("Links", "←"), ("Aufwärts", "↑"), ("Abwärts", "↓"),
)  # fmt: skip


class CommandSet:
    """Every command with its action. Menus, toolbar, palette, sheet, editor and help page read from here.

    Args:
        window: owns the actions and receives the shortcuts.
        effects: what each command does, by id; called with the checked state. A command without one is a fault.
        commands: the table.
        shortcuts: keys by command id, for commands whose keys were changed.

    Attributes:
        commands: the table, in its order.
        by_id: the same by id.
        actions: the actions by id.
    """

    def __init__(
        self,
        window: QMainWindow,
        effects: Mapping[str, Effect],
        commands: Iterable[Command] = COMMANDS,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.commands = tuple(commands)
        self.by_id = {command.id: command for command in self.commands}
        self.actions: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self._present: frozenset[str] | None = None
        self._of_need: dict[str, list[QAction]] = {}
        self._key_texts: dict[str, str] = {}
        groups: dict[str, QActionGroup] = {}
        for command in self.commands:
            action = QAction(window)
            action.setObjectName(command.id)
            action.setMenuRole(QAction.MenuRole.NoRole)
            action.setIcon(theme.icon(command.icon or command.id.replace("_", "-")))
            action.setIconVisibleInMenu(True)
            action.setCheckable(command.is_checkable)
            action.setAutoRepeat(command.is_repeating)
            action.setChecked(command.is_checked)
            if command.group:
                groups.setdefault(command.group, QActionGroup(window)).addAction(action)
            action.triggered.connect(_calling(effects[command.id]))
            window.addAction(action)
            self.actions[command.id] = action
            if command.needs:
                self._of_need.setdefault(command.needs, []).append(action)
        self._give_keys(shortcuts or {})
        self.retranslate()

    # --- words ---

    def retranslate(self) -> None:
        """Say everything in the present language, with the present keys."""
        self._key_texts.clear()
        for title, menu in self._menus.items():
            menu.setTitle(tr(title))
        with_mnemonics(self._menus.values(), self._alt_letters())
        for command in self.commands:
            action, tip = self.actions[command.id], tr(command.tip)
            action.setText(tr(command.text))
            action.setIconText(f" {tr(command.bar_text or command.text)}")  # a little air after the icon
            keys = self.key_text(command.id)
            action.setToolTip(f"{tip} ({keys})" if keys else tip)
            action.setStatusTip(tip)

    def why_not(self, command_id: str) -> str:
        """Why a command cannot be used now, in a sentence; empty while it can be used."""
        if self.actions[command_id].isEnabled():
            return ""
        return tr(NEEDS[self.by_id[command_id].needs])

    # --- keys ---

    def use_shortcuts(self, changed: Shortcuts) -> None:
        """Give the commands these keys; one that is not named has those of a new installation.

        A changed key takes a key away from a command that has it by default only: what a person chose comes first.
        """
        self._give_keys(changed)
        self.retranslate()

    def _give_keys(self, changed: Shortcuts) -> None:
        taken = {key for name in changed if name in self.by_id for key in map(portable, changed[name])}
        for command in self.commands:
            keys = changed.get(command.id)
            if keys is None:
                keys = tuple(key for key in command.shortcuts if portable(key) not in taken)
            self.actions[command.id].setShortcuts([QKeySequence(key) for key in keys])
        self._key_texts.clear()

    def keys(self, command_id: str) -> tuple[str, ...]:
        """The keys of a command, portable form."""
        return tuple(keys.toString() for keys in self.actions[command_id].shortcuts())

    def key_text(self, command_id: str) -> str:
        """The first key of a command as it is written on the keyboard; empty without one."""
        found = self._key_texts.get(command_id)
        if found is None:  # panels ask for all of them with every case
            keys = self.keys(command_id)
            found = self._key_texts[command_id] = native(keys[0]) if keys else ""
        return found

    def owner_of(self, key: str) -> str:
        """Id of the command that has a key; empty when it is free."""
        wanted = portable(key)
        return next((name for name in self.actions if wanted in self.keys(name)), "")

    # --- places ---

    def fill_menus(self, bar: QMenuBar) -> None:
        """Put every command into its menu."""
        used = {command.menu for command in self.commands}
        self._menus = {title: bar.addMenu(tr(title)) for title in MENUS if title in used}
        for title, menu in self._menus.items():
            menu.setObjectName(title)
            menu.setToolTipsVisible(True)
        for command in self.commands:
            menu = self._menus[command.menu]
            if command.has_separator and not menu.isEmpty():
                menu.addSeparator()
            menu.addAction(self.actions[command.id])
        with_mnemonics(self._menus.values(), self._alt_letters())

    def _alt_letters(self) -> set[str]:
        """Letters that run a command with Alt; a menu that opened by one of them would keep both from working."""
        keys = {key for name in self.actions for key in self.keys(name)}
        return {letter for letter in map(chr, range(ord("a"), ord("z") + 1)) if f"Alt+{letter.upper()}" in keys}

    def menu(self, title: str) -> QMenu:
        """A menu by its English title."""
        return self._menus[title]

    # --- state ---

    @property
    def key_texts(self) -> Mapping[str, str]:
        """The first key of every command as it is written on the keyboard; empty without one."""
        if len(self._key_texts) < len(self.actions):
            for name in self.actions:
                self.key_text(name)
        return self._key_texts

    def enable(self, present: frozenset[str]) -> None:
        """Enable the commands whose needs are met, and no others."""
        for need in (self._present ^ present) if self._present is not None else {*self._of_need}:
            for action in self._of_need.get(need, ()):
                action.setEnabled(need in present)
        self._present = present

    def meet(self, need: str, *, is_met: bool) -> None:
        """Enable, or disable, the commands with one need."""
        before = self._present or frozenset()
        self.enable(before | {need} if is_met else before - {need})


def portable(key: str) -> str:
    """A key sequence in the one form that is compared and kept."""
    return QKeySequence(key).toString()


def native(key: str) -> str:
    """A key sequence as it is written on the keyboard, in the language of the window, in few letters."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    for long, short in _SHORTER:
        text = text.replace(long, short)
    return text


def with_mnemonics(menus: Iterable[QMenu], taken: Iterable[str] = ()) -> None:
    """Give each menu a letter of its own to open it with Alt, none that is taken."""
    used = set(taken)
    for menu in menus:
        title = menu.title().replace("&", "")
        for place, letter in enumerate(title):
            if letter.isalpha() and letter.lower() not in used:
                used.add(letter.lower())
                menu.setTitle(f"{title[:place]}&{title[place:]}")
                break


def _calling(effect: Effect) -> Callable[[bool], None]:
    def call(is_on: bool) -> None:
        effect(is_on)

    return call
