"""How the window looks and speaks, and finding one's way in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QApplication, QDialog

from app.store.settings import Settings
from app.ui import theme
from app.ui.docks import dock_named, docks_of
from app.ui.geometry import VERSION, keep_geometry, restore_docks
from app.ui.language import LANGUAGES, system_language, tr, use_language
from app.ui.notices import Banner
from app.ui.privacy import hide_names, resay
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.ui.palette import CommandPalette
    from app.ui.shortcut_sheet import ShortcutSheet

RECENT_COMMANDS = 12


class LooksWiring(Wiring):
    """The Help menu, settings, theme and language.

    Attributes:
        dialog: settings, help or about, while it is open.
    """

    dialog: QDialog | None = None
    _is_restoring = False
    _aside: QByteArray | None = None  # where the docks were before they were put away

    @cached_property
    def palette(self) -> CommandPalette:
        """Finds and runs commands."""
        from app.ui.palette import CommandPalette

        made = CommandPalette(self.window.commands, self.window)
        made.chosen.connect(self._run)
        return made

    @cached_property
    def sheet(self) -> ShortcutSheet:
        """Shows all keys."""
        from app.ui.shortcut_sheet import ShortcutSheet

        return ShortcutSheet(self.window.commands, self.window)

    @property
    def settings(self) -> Settings:
        """What holds now."""
        return self.window.start.settings.settings

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Help menu does."""
        return {
            "help": lambda _: self.show_help(),
            "palette": lambda _: self.palette.open_for(self.settings.recent_commands),
            "shortcut_sheet": lambda _: self.sheet.toggle(),
            "settings": lambda _: self.show_settings(),
            "about": lambda _: self._show_about(),
            "hide_names": lambda is_on: self.change(hide_names=is_on),
            **{f"theme:{name}": self._choosing("theme", name) for name in ("dark", "light", "system")},
            **{f"language:{code}": self._choosing("language", code) for code in LANGUAGES},
        }

    def connect_shell(self) -> None:
        """What is kept, and the system's own colours."""
        window = self.window
        hints = QApplication.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_scheme)
        for command in window.commands.commands:
            if command.is_kept:
                action = window.actions_by_id[command.id]
                action.setChecked(self.settings.switches.get(command.id, command.is_checked))
                action.toggled.connect(partial(self._keep_switch, command.id))
        self._mark()
        self._report()

    def connect_rest(self) -> None:
        """All docks are there now: put them where they were."""
        window = self.window
        self._is_restoring = True  # Qt hides docks for a moment
        with window.dock_room.paused():
            restore_docks(window, window.start.geometry)
        self._is_restoring = False
        for command in window.commands.commands:
            if command.is_kept:
                self._keep_switch(command.id, window.actions_by_id[command.id].isChecked())
        worklist = dock_named(window, "cases")
        if worklist is not None:
            window.actions_by_id["show_list"].setChecked(not worklist.isHidden())

    def retranslate(self) -> None:
        """The mark that names are hidden, and what is written over the images."""
        if self.window.viewer is not None:
            for place in self.window.viewer.places:
                place.retranslate()
        self.window.hidden_mark.setText(tr("Names hidden"))
        tip = tr("Pseudonyms, project names and paths are not shown")
        keys = self.window.commands.key_text("hide_names")
        self.window.hidden_mark.setToolTip(f"{tip} ({keys})" if keys else tip)
        self.window.hidden_mark.setVisible(self.settings.hide_names)

    def close(self) -> None:
        """Remember where the window is."""
        QApplication.styleHints().colorSchemeChanged.disconnect(self._on_system_scheme)
        if self.dialog is not None:
            self.dialog.close()
        if self.window.start.geometry is not None:
            docks = self.window.dock_room.state(VERSION) if self._aside is None else self._aside
            keep_geometry(self.window, self.window.start.geometry, docks)

    def put_docks_away(self) -> None:
        """There is no project: no panel has anything to show."""
        if self._aside is None:
            self._aside = self.window.dock_room.state(VERSION)
            self._is_restoring = True
            for dock in docks_of(self.window):
                dock.hide()
            self._is_restoring = False

    def bring_docks_back(self) -> None:
        """There is a project: panels lie where they were, beside those that the user has opened since."""
        if self._aside is None:
            return
        opened = [dock for dock in docks_of(self.window) if not dock.isHidden()]
        before, self._aside = self._aside, None
        self._is_restoring = True
        with self.window.dock_room.paused():
            self.window.restoreState(before, VERSION)
        self._is_restoring = False
        for dock in opened:
            dock.show()

    def change(self, **values: Any) -> None:
        """Set something, keep it, and let it hold at once."""
        before = self.settings
        after = self.window.start.settings.change(**values)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if after.theme != before.theme:
            theme.apply(app, after.theme)
        if after.language != before.language:
            use_language(app, after.language)
            resay(app)  # from German to English no translator is installed, which is what would tell the widgets
        if after.shortcuts != before.shortcuts:
            self.window.commands.use_shortcuts(after.shortcuts)
            resay(app)
        if after.author != before.author and self.window.project is not None:
            self.window.project.set_author(after.author or self.window.start.author)
        hide_names(app, after.hide_names)
        self._mark()
        self._report()

    def show_help(self, topic: str = "") -> None:
        """Open the help page.

        Args:
            topic: name of the page to begin with; empty = the first.
        """
        from app.ui.help_dialog import HelpDialog

        self._open(HelpDialog(self.window.commands, self.window, topic=topic))

    def show_settings(self, page: str = "") -> None:
        """Open the settings.

        Args:
            page: `keys` begins with the keys.
        """
        from app.ui.settings_dialog import SettingsDialog

        window = self.window
        dialog = SettingsDialog(
            window.commands, self.settings, self.change, computer_name=window.start.author, parent=window
        )
        dialog.show_page(page)
        self._open(dialog)

    def _show_about(self) -> None:
        from app.ui.about_dialog import AboutDialog

        self._open(AboutDialog(self.window))

    def _open(self, dialog: QDialog) -> None:
        if self.dialog is not None:
            self.dialog.close()
        self.dialog = dialog
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(partial(self._forget, dialog))
        dialog.open()

    def _forget(self, dialog: QDialog, _result: int = 0) -> None:
        if self.dialog is dialog:
            self.dialog = None

    def _run(self, command_id: str) -> None:
        recent = (command_id, *(name for name in self.settings.recent_commands if name != command_id))
        self.change(recent_commands=recent[:RECENT_COMMANDS])
        self.window.actions_by_id[command_id].trigger()

    def _choosing(self, name: str, value: str) -> Callable[[bool], object]:
        return lambda _: self.change(**{name: value})

    def _keep_switch(self, command_id: str, is_on: bool) -> None:
        if self._is_restoring:
            return
        switches = {name: on for name, on in self.settings.switches.items() if name != command_id}
        if is_on != self.window.commands.by_id[command_id].is_checked:
            switches[command_id] = is_on
        if switches != self.settings.switches:
            self.change(switches=switches)

    def _on_system_scheme(self, scheme: Qt.ColorScheme) -> None:
        if self.settings.theme == "system":
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            theme.wear(app, "light" if scheme is Qt.ColorScheme.Light else "dark")

    def _mark(self) -> None:
        """Check what is chosen in the menu."""
        actions, settings = self.window.actions_by_id, self.settings
        language = system_language() if settings.language == "system" else settings.language
        for name in (f"theme:{settings.theme}", f"language:{language}"):
            if name in actions:
                actions[name].setChecked(True)
        actions["hide_names"].setChecked(settings.hide_names)
        self.window.hidden_mark.setVisible(settings.hide_names)

    def _report(self) -> None:
        """Say what became of settings that could not be read or written."""
        kept, banners = self.window.start.settings, self.window.banners
        if kept.set_aside is not None:
            title = tr("Your settings could not be read.")
            words = tr("They were put aside as {name}; those of a new installation hold.", name=kept.set_aside.name)
            banners.show_banner("settings", Banner(title, (words,), tone="caution", is_closable=True))
            kept.set_aside = None
        elif kept.ignored:
            title = tr("Some settings were not understood.")
            words = tr("Those of a new installation hold for: {names}.", names=", ".join(kept.ignored))
            banners.show_banner("settings", Banner(title, (words,), tone="caution", is_closable=True))
            kept.ignored = ()
        if kept.write_failure:
            title = tr("Your settings could not be saved.")
            words = tr("They hold until the window closes. The system says: {reason}.", reason=kept.write_failure)
            banners.show_banner("settings", Banner(title, (words,), tone="caution", is_closable=True))
