"""A folder is dragged onto the window by the real window system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.store.project import ProjectStore
from tests.support.dicom_files import write_dicom

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("xvfb-run") and shutil.which("xdotool")), reason="needs an X server without a screen, and xdotool"
)
def test_a_folder_is_dragged_onto_the_window(tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "ap.dcm", ViewPosition="AP", ImageLaterality="L")
    ProjectStore.create(tmp_path / "p", name="Hips").close()
    command = [
        "xvfb-run", "-a", "-s", "-screen 0 1400x900x24",
        sys.executable, "-m", "tests.support.real_drag", str(tmp_path / "p"), str(tmp_path / "in"),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"QT_QPA_PLATFORM": "xcb"}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["veil Import “in”", "1 view imported."]
