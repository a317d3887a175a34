"""`coxa synth` from the command line."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli.exit_codes import DONE, REFUSED
from app.cli.main import main
from app.engine.synthesis.pool import worker_pool

SMALL = ["--seed", "5", "--size", "128", "--coarse"]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Four cases, made one after the other."""
    out = tmp_path_factory.mktemp("whole")
    assert main(["synth", "--cases", "4", *SMALL, "--out", str(out)]) == DONE
    return contents(out)


def test_jobs_change_nothing_but_the_time(whole: dict[str, bytes], tmp_path: Path) -> None:
    assert main(["synth", "--cases", "4", *SMALL, "--out", str(tmp_path), "--jobs", "2"]) == DONE
    assert contents(tmp_path) == whole
    assert "cases.csv" in whole


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["synth", "--cases", "1", *SMALL, "--out", str(out)]) == DONE
    capsys.readouterr()
    assert main(["synth", "--cases", "2", *SMALL, "--out", str(out), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out) == {"cases": 2, "made": 1, "table": "cases.csv"}
    assert main(["synth", "--cases", "2", *SMALL, "--out", str(out), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["made"] == 0


@pytest.mark.slow
def test_a_killed_run_leaves_whole_studies_only(whole: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "app", "synth", "--cases", "4", *SMALL, "--out", str(out), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(out.glob("case-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert main(["synth", "--cases", "4", *SMALL, "--out", str(out)]) == DONE
    assert contents(out) == whole


def test_another_series_is_not_mixed_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["synth", "--cases", "1", *SMALL, "--out", str(out)]) == DONE
    assert main(["synth", "--cases", "1", *SMALL, "--out", str(out), "--difficulty", "easy"]) == REFUSED
    assert "another series" in capsys.readouterr().err


def test_a_folder_with_something_else_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    assert main(["synth", "--cases", "1", *SMALL, "--out", str(tmp_path)]) == REFUSED
    assert "in use" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("words", [["--cases", "0"], ["--cases", "1", "--size", "9"], ["--cases", "1", "--jobs", "0"]])
def test_impossible_numbers_get_a_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synth", "--seed", "1", "--out", str(tmp_path / "x"), *words]) == REFUSED
    assert "cannot be used" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_who_stops_waiting_ends_the_processes_and_says_nothing_more(capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl+C took seconds: each process began what waited for it, and one that was starting printed a traceback."""
    before, handler = set(multiprocessing.active_children()), signal.getsignal(signal.SIGINT)
    with contextlib.suppress(KeyboardInterrupt), worker_pool(2) as pool:
        pool.submit(time.sleep, 60)
        pool.submit(time.sleep, 60)
        raise KeyboardInterrupt
    assert set(multiprocessing.active_children()) == before
    assert signal.getsignal(signal.SIGINT) is handler
    assert capfd.readouterr().err == ""
