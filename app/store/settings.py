"""What a person has set: `settings.toml`, sparse and readable.

Only what differs from the defaults is written. A key that this version does not know stays as it is, comments too. A
file that cannot be read is put aside under another name, never lost and never in the way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Any

from app.core.record import record
from app.store.fs import atomic_write

FILE_NAME = "settings.toml"
FOLDER_VARIABLE = "COXA_CONFIG"

THEMES = ("dark", "light", "system")
SCALES = (0, 100, 125, 150, 175, 200, 250, 300)


@record(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person can set. The defaults are what a new installation has.

    Args:
        theme: `dark`, `light` or `system`.
        language: code of a language, or `system`.
        scale_percent: size of everything in the window, %; 0 = as the system says. Applies from the next start.
        author: who decides and annotates; empty = the name that the computer knows.
        hide_names: no project name, path, person or institution is shown, so that the screen can be shown to others.
        shortcuts: key sequences in portable form by command id, for commands whose keys were changed.
        recent_commands: ids of commands that were last run from the palette, latest first.
        filters: saved filters of the worklist, query by name.
        linked: what the two panes have in common, by name; empty = as a new installation has it.
        switches: checkable commands by id, where they shall be kept and differ from their start.
    """

    theme: str = "dark"
    language: str = "system"
    scale_percent: int = 0
    author: str = ""
    hide_names: bool = False
    shortcuts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recent_commands: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    linked: Mapping[str, bool] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)


DEFAULTS = Settings()
CHOICES: Mapping[str, tuple[Any, ...]] = {"theme": THEMES, "scale_percent": SCALES}


class SettingsFile:
    """The settings and the file that they are kept in.

    Args:
        folder: where `settings.toml` is; None keeps everything in memory, as tests and demonstrations want it.

    Attributes:
        settings: what holds now.
        set_aside: where a file that could not be read was put; None if there was none.
        ignored: keys whose value was not understood; their defaults hold.
        write_failure: why the last change could not be written; empty when it was.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / FILE_NAME if folder is not None else None
        self.set_aside: Path | None = None
        self.ignored: tuple[str, ...] = ()
        self.write_failure = ""
        self.settings = self._read()

    def change(self, **values: Any) -> Settings:
        """Set some values and write them; what cannot be written holds until the program ends.

        Raises:
            ValueError: a value is none of the choices.
            TypeError: there is no such setting.
        """
        for name, value in values.items():
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} cannot be {value!r}")
        self.settings = replace(self.settings, **values)
        self.write_failure = ""
        try:
            self._write(tuple(values))
        except OSError as error:
            self.write_failure = error.strerror or "the file cannot be written"
        return self.settings

    def assume(self, **values: Any) -> None:
        """Let some values hold until the program ends, without writing them."""
        self.settings = replace(self.settings, **values)

    def _read(self) -> Settings:
        if self._path is None:
            return Settings()
        try:
            text = self._path.read_text(encoding="utf-8")
            import tomllib  # a new installation has no settings: its first paint need not wait for it

            table = tomllib.loads(text)
        except FileNotFoundError:
            return Settings()
        except (OSError, ValueError):
            self._put_aside(self._path)
            return Settings()
        known: dict[str, Any] = {}
        ignored: list[str] = []
        for one in fields(Settings):
            if one.name not in table:
                continue
            try:
                known[one.name] = _checked(one.name, table[one.name])
            except (TypeError, ValueError):
                ignored.append(one.name)
        self.ignored = tuple(ignored)
        return Settings(**known)

    def _put_aside(self, path: Path) -> None:
        number = 1
        while (aside := path.with_name(f"{FILE_NAME}.broken-{number}")).exists():
            number += 1
        with contextlib.suppress(OSError):
            path.replace(aside)
            self.set_aside = aside

    def _write(self, names: tuple[str, ...]) -> None:
        """Write the named settings into the file as it is now: another window may have written others."""
        if self._path is None:
            return
        import tomlkit  # only when something is changed: the first paint need not wait for it
        from tomlkit.exceptions import TOMLKitError

        try:
            document = tomlkit.parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            document = tomlkit.document()
        except (ValueError, TOMLKitError):
            self._put_aside(self._path)
            document = tomlkit.document()
        for name in names:
            value = getattr(self.settings, name)
            if value == getattr(DEFAULTS, name):
                document.pop(name, None)
            else:
                document[name] = _plain(value)
        atomic_write(self._path, [tomlkit.dumps(document).encode("utf-8")])


def config_folder() -> Path:
    """Where settings and the geometry of the window are kept: `COXA_CONFIG`, or where the system wants it."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_config_dir("coxa", appauthor=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _checked(name: str, value: Any) -> Any:
    """The value as the settings want it.

    Raises:
        TypeError: it is of another kind.
        ValueError: it is none of the choices.
    """
    default = getattr(DEFAULTS, name)
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(name)
    if isinstance(default, Mapping):
        return _checked_table(name, value)
    if isinstance(default, tuple):
        return _texts(value)
    if type(value) is not type(default):
        raise TypeError(name)
    return value


def _checked_table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(name)
    if name == "shortcuts":
        return {key: _texts(part) for key, part in value.items()}
    wanted = str if name == "filters" else bool
    if not all(type(part) is wanted for part in value.values()):
        raise TypeError(name)
    return dict(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise TypeError("a list of texts is wanted")
    return tuple(value)
