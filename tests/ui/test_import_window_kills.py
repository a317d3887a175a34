"""A sample of the kills of `bench/faults_window.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kill_import import make_archive
from tests.support.kill_window import window_kill_series


@pytest.mark.slow
def test_kill_9_of_a_window_that_imports(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", studies=5)
    report = window_kill_series(tmp_path, archive, kills=3, kills_a_project=3, seed=5)
    assert report.killed == 3
    assert report.completed >= 1
    assert report.decisions > 0
