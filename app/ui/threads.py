"""Threads that work for the window must never hold it up."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

NICE_WANTED, NICE_AHEAD = 4, 10  # the window's own thread, at 0, goes first


def stand_back(nice: int) -> None:
    """Let the calling thread yield to others. Linux ignores Qt's priorities, and knows a niceness for each thread.

    Args:
        nice: 0 … 19; it cannot be lowered again.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
