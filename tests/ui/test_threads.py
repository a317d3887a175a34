"""Threads of the window: who goes first."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import pytest

from app.ui.threads import answer_at_once, keep_freed_memory, stand_back

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows a niceness for each thread")


def in_a_thread(work: Callable[[], object]) -> object:
    """What it gives, called in a thread of its own."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def state() -> tuple[int, int]:
    """Policy and niceness of the calling thread."""
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.getpriority(
        os.PRIO_PROCESS, threading.get_native_id()
    )


def test_short_turns_change_neither_policy_nor_niceness_nor_what_threads_can_do_afterwards() -> None:
    def work() -> list[tuple[int, int]]:
        first = state()
        answer_at_once()
        second = state()
        stand_back(min(first[1] + 3, 19))
        answer_at_once()  # in a window that was started with a niceness
        return [first, second, state()]

    first, second, last = in_a_thread(work)  # type: ignore[misc]
    assert first == second
    assert last == (first[0], min(first[1] + 3, 19))


def test_a_thread_that_stands_back_is_the_only_one() -> None:
    before = state()
    assert in_a_thread(lambda: (stand_back(min(before[1] + 2, 19)), state())[1]) == (before[0], min(before[1] + 2, 19))
    assert state() == before


def test_memory_can_be_kept_and_given_back() -> None:
    keep_freed_memory()  # twice in a process with two projects
    keep_freed_memory()
    assert len(bytes(20 << 20)) == 20 << 20
