"""Letting others go first must not slow down whoever has started the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
SAY = """
import os, pathlib, sys
from app.cli.modest import be_modest
be_modest(int(sys.argv[1]), is_background=sys.argv[2] == "background")
group = pathlib.Path("/proc/self/autogroup")
print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), os.getsid(0), os.getpid())
print(group.read_text().strip() if group.exists() else "none")
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="Linux")


def said(nice: int, way: str) -> tuple[list[int], str]:
    words = [sys.executable, "-c", SAY, str(nice), way]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(word) for word in lines[0].split()], lines[1]


def lowered(by: int) -> int:
    """Niceness of a child that lowers itself: the tests may be running at a lowered one already."""
    return min(os.getpriority(os.PRIO_PROCESS, 0) + by, 19)


def group() -> str:
    return AUTOGROUP.read_text().strip() if AUTOGROUP.exists() else "none"


def test_the_group_of_the_terminal_is_left_alone() -> None:
    before = group()
    (nice, policy, session, process), own = said(12, "here")
    assert nice == lowered(12)
    assert policy == os.SCHED_OTHER
    assert session != process
    assert own == group() == before


def test_in_the_background_it_has_a_group_of_its_own() -> None:
    before = group()
    (nice, policy, session, process), own = said(15, "background")
    assert (nice, policy) == (lowered(15), os.SCHED_OTHER)
    assert session == process
    if before not in ("none", ""):  # nor has every process a group: what a container starts first has an empty line
        assert own.split()[0] != before.split()[0]
        assert own.split()[1:] == ["nice", "15"]
    assert group() == before
    assert said(19, "background")[0][1] == os.SCHED_IDLE
