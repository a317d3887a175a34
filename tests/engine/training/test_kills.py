"""kill -9 while a model is trained: nothing is lost, and nothing comes out differently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning_fabric")

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="trains in forked processes")
def test_a_run_that_was_killed_ends_like_one_that_was_not(tmp_path: Path) -> None:
    """`bench/faults_training.py` does the same with twenty kills."""
    command = [sys.executable, "-m", "tests.support.kill_training", str(tmp_path), "2", "7"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] == 2
    assert found["same"] == {"epochs": True, "weights": True, "model": True, "cases": True}
