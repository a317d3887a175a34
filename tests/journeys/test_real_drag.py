"""A folder is dragged onto the window by the real window system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.store.project import ProjectStore
from tests.support.dicom_files import write_dicom
from tests.support.xvfb import run, what_is_missing

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_folder_is_dragged_onto_the_window(tmp_path: Path) -> None:
    if reason := what_is_missing("xdotool"):
        pytest.skip(f"nothing can be dragged on a screen here: {reason}")
    write_dicom(tmp_path / "in" / "ap.dcm", ViewPosition="AP", ImageLaterality="L")
    ProjectStore.create(tmp_path / "p", name="Hips").close()
    command = [sys.executable, "-m", "tests.support.real_drag", str(tmp_path / "p"), str(tmp_path / "in")]
    done = run(command, ROOT, timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["veil Import “in”", "1 view imported."]
