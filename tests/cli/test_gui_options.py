"""What `coxa gui` is asked for on the command line holds for once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from app.cli.main import main
from app.store.settings import Settings, SettingsFile
from tests.support.window import make_project


def test_a_command_that_there_is_not_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["gui", "--run", "nonsense"])
    said = capsys.readouterr().err
    assert "nonsense" in said
    assert "invert" in said


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
