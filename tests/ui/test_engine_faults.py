"""The real engine with a bundled model, hit at some steps of its protocol; all steps: `bench/faults_engine.py`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from app.store.models import bundled_models
from tests.support.engine_faults import FaultyWindow

NEEDED = ("cvdt-small", "hip-localiser")
FAULTS = (("load", "abort"), ("half-heatmap", "kill"), ("computing", "stop"))


@pytest.mark.slow
def test_whatever_hits_the_engine_every_answer_is_there_again_and_right(tmp_path: Path) -> None:
    bundled = bundled_models()
    if bundled is None or not all((bundled / name).is_dir() for name in NEEDED):
        pytest.skip("a copy without bundled models")
    for name in NEEDED:
        shutil.copytree(bundled / name, tmp_path / "models" / name)
    faulty = FaultyWindow(tmp_path, cases=2, models=tmp_path / "models")
    outcomes = {fault: faulty.suffer(*fault).broken for fault in FAULTS}
    assert outcomes == {fault: [] for fault in FAULTS}
    assert faulty.close() == []
