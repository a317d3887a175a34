"""Samples of the faults that annotations must survive; the full counts are in `bench/faults_annotations.py`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from app.store.annotations import Annotations
from app.store.project import ProjectStore
from tests.support.annotate_faults import annotate_much, annotation_statements, flip_annotations
from tests.support.kill_check import check_project_after_kill
from tests.support.kill_loop import kill_loop, python
from tests.support.power_check import DATABASE, check_database, pragmas
from tests.support.power_cut import cut_and_check, record_database
from tests.support.projects import make_project


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_no_acknowledged_annotation_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "project"
    make_project(path, studies=2, decisions=0)
    killed, acknowledged = kill_loop(
        lambda number: python("tests.support.annotate_loop", path, number),
        lambda _, outcome: check_project_after_kill(path, outcome),
        rounds=3,
    )
    assert killed == 3
    assert acknowledged > 10
    with ProjectStore.open(path) as project:
        assert list(Annotations(project).all())


def test_power_cuts_lose_nothing_acknowledged_and_the_control_does(tmp_path: Path) -> None:
    statements = annotation_statements(tmp_path / "app.db", gestures=60)
    for name, setting, is_safe in (("full", "FULL", True), ("off", "OFF", False)):
        folder = tmp_path / name
        folder.mkdir()
        steps = record_database(folder / DATABASE, statements, pragmas=pragmas(synchronous=setting))
        failed = cut_and_check(steps, folder, cuts=25, check=check_database)
        assert (failed == 0) is is_safe


def test_a_flipped_bit_in_an_annotation_is_found(tmp_path: Path) -> None:
    make_project(tmp_path / "project", studies=2, decisions=0)
    annotate_much(tmp_path / "project", gestures=200)
    count = flip_annotations(tmp_path / "project", tmp_path, flips=25)
    assert count.changing > 5
    assert count.reported == count.changing
    assert count.missed == 0
