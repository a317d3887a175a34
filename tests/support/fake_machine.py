"""A made-up machine for the set-up program: writes what pip and `python -m venv` would write."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace


class FakeMachine:
    """Stands for `python -m venv`, pip and the environment's Python: writes what they would write."""

    def __init__(self, root: Path, *, version: str = "3.11", pip_fails: bool = False) -> None:
        self.folder = root / ".venv"
        self.version = version
        self.pip_fails = pip_fails
        self.missing: list[str] = []
        self.calls: list[list[str]] = []
        self.parts: list[str] = []

    def run(self, command: list[str], **_: object) -> SimpleNamespace:
        self.calls.append(command)
        if command[1:3] == ["-m", "venv"]:
            self._make("python")
        elif "--editable" in command:
            self._make("coxa")
        elif "-c" in command:
            if not self._path("python").exists():
                raise FileNotFoundError(command[0])
            return SimpleNamespace(returncode=0, stdout=f"{self.version}\n{' '.join(self.missing)}\n")
        return SimpleNamespace(returncode=0, stdout="")

    def run_counted(self, command: list[str], *_: object) -> int:
        self.calls.append(command)
        self.parts.append(Path(command[-1]).read_text())
        return 1 if self.pip_fails else 0

    @property
    def installs(self) -> list[str]:
        """The lock files that were installed, in order."""
        return [Path(call[-1]).stem for call in self.calls if "--require-hashes" in call]

    def _path(self, name: str) -> Path:
        windows = sys.platform == "win32"
        return self.folder / ("Scripts" if windows else "bin") / (name + ".exe" if windows else name)

    def _make(self, name: str) -> None:
        self._path(name).parent.mkdir(parents=True, exist_ok=True)
        self._path(name).touch()
