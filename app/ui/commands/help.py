"""Finding one's way, and how the window looks and speaks."""

from __future__ import annotations

from app.ui.commands.command import Command

HELP_COMMANDS: tuple[Command, ...] = (
    Command(id="help", text="Help", tip="How everything works; can be searched", menu="Help", shortcuts=("F1",),
            icon="help"),
    Command(id="palette", text="Command palette…", tip="Find and run any command by a few letters", menu="Help",
            shortcuts=("Ctrl+K", "Ctrl+Shift+P"), icon="palette"),
    Command(id="shortcut_sheet", text="Shortcut sheet", tip="All keys at a glance", menu="Help", shortcuts=("?",),
            icon="keyboard"),
    Command(id="settings", text="Settings…", tip="Colours, language, size, keys, your name", menu="Help",
            shortcuts=("Ctrl+,",), icon="settings", has_separator=True),
    Command(id="hide_names", text="Hide names", menu="Help", shortcuts=("Ctrl+Shift+H",), is_checkable=True,
            tip="Show no names, pseudonyms or paths, so that the screen can be shown to others", icon="hide-names"),
    Command(id="theme:dark", text="Dark colours", tip="Dark surfaces beside the radiographs", menu="Help",
            group="theme", is_checkable=True, has_separator=True, icon="moon"),
    Command(id="theme:light", text="Light colours", tip="Light surfaces, for a bright room", menu="Help",
            group="theme", is_checkable=True, icon="sun"),
    Command(id="theme:system", text="Colours of the system", menu="Help", group="theme", is_checkable=True,
            tip="Dark or light as the system is, also when it changes", icon="system"),
    Command(id="language:en", text="English", tip="Speak English", menu="Help", group="language", is_checkable=True,
            has_separator=True),
    Command(id="language:de", text="Deutsch", tip="Speak German", menu="Help", group="language", is_checkable=True),
    Command(id="about", text="About Coxa", tip="Version, licences and what Coxa may be used for", menu="Help",
            has_separator=True, icon="about"),
)  # fmt: skip
