"""What `coxa gui` is asked for on the command line holds for once."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from app.cli import gui
from app.cli.main import main
from app.store.folder import ProjectFolder
from app.store.settings import Settings, SettingsFile
from tests.support.window import make_project


def test_a_command_that_there_is_not_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["gui", "--run", "nonsense"])
    said = capsys.readouterr().err
    assert "nonsense" in said
    assert "invert" in said


class Screen(io.StringIO):
    """What is printed on a terminal, or elsewhere."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether somebody reads it."""
        return self._is_terminal


@pytest.mark.parametrize("what", ["nothing", "a file", "a folder"])
@pytest.mark.parametrize(
    ("is_terminal", "more", "opens"), [(True, (), False), (False, (), True), (False, ("--screenshot", "p.png"), False)]
)
def test_a_folder_that_is_no_project_is_refused_where_somebody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, is_terminal: bool, more: tuple[str, ...], opens: bool
) -> None:
    from app.ui import start

    path, opened = tmp_path / "nope", list[Path]()
    if what == "a file":
        path.write_text("no project")
    elif what == "a folder":
        path.mkdir()
    monkeypatch.setenv("COXA_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("gc.disable", lambda: None)
    monkeypatch.setattr(sys, "stderr", Screen(is_terminal=is_terminal))
    monkeypatch.setattr(start, "run_window", lambda plan, _: opened.append(plan.project) or 0)
    assert main(["gui", "--project", str(path), *more]) == (0 if opens else 3)
    assert opened == ([path] if opens else [])
    assert isinstance(sys.stderr, Screen)
    assert "not a Coxa project" in sys.stderr.getvalue(), "told on the terminal in any case"


def test_a_project_needs_no_look_before_the_window_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.store.folder import MARKER
    from app.ui import start

    assert gui.MARKER == MARKER
    monkeypatch.setenv("COXA_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("gc.disable", lambda: None)
    monkeypatch.setattr(start, "run_window", lambda plan, _: 0)
    monkeypatch.setattr(ProjectFolder, "read_marker", lambda _: pytest.fail("not before the first paint"))
    path = tmp_path / "project"
    path.mkdir()
    (path / MARKER).write_text("damaged")  # the window tells, and offers to repair it
    assert main(["gui", "--project", str(path)]) == 0


@pytest.mark.slow
def test_theme_language_and_commands_show_in_the_picture_and_change_no_settings(tmp_path: Path) -> None:
    project, config = make_project(tmp_path / "project"), tmp_path / "config"
    pictures = {}
    for name, words in {"plain": [], "light": ["--theme", "light", "--language", "de", "--run", "invert"]}.items():
        picture = tmp_path / f"{name}.png"
        command = [sys.executable, "-P", "-m", "app", "gui", "--project", str(project), "--screenshot", str(picture)]
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "COXA_CONFIG": str(config)}
        done = subprocess.run([*command, *words], capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr
        pictures[name] = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert pictures["plain"].mean() < 80
    assert pictures["light"][:80].mean() > 200  # menus and toolbar
    assert SettingsFile(config).settings == Settings()
