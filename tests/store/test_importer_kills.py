"""A sample of the kills of `bench/faults_import.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kill_import import kill_series, make_archive


@pytest.mark.slow
def test_kill_9_during_import(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", studies=5)
    report = kill_series(tmp_path, archive, kills=4, kills_a_project=4, seed=3)
    assert report.killed == 4
    assert report.completed >= 1
