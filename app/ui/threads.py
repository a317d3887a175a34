"""Threads that work for the window must never hold it up."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
import threading

NICE_WANTED, NICE_AHEAD = 4, 10  # the window's own thread, at 0, goes first
SHORT_TURN_NS = 100_000  # the shortest that Linux knows
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # number of the system call
SCHED_ATTR = struct.Struct("=IIQiIQQQII")  # sched_setattr(2)
RESET_ON_FORK = 1  # threads that this one starts have ordinary turns
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
LARGEST_KEPT_BYTES = 32 << 20  # the most that glibc allows
MOST_KEPT_BYTES = 256 << 20  # at the end of one of its arenas


def stand_back(nice: int) -> None:
    """Let the calling thread yield to others. Linux ignores Qt's priorities, and knows a niceness for each thread.

    Args:
        nice: 0 … 19; it cannot be lowered again.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def answer_at_once() -> None:
    """Let the calling thread, the window's, go first whenever it has something to do.

    Since 6.6 Linux lets a thread that has just begun finish its turn, up to 3 ms, before it looks at who was woken
    meanwhile, whatever their niceness. A thread that asks for short turns (6.12) does not wait for that. It gets no
    more time than before. Older systems ignore it.
    """
    number = SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    with contextlib.suppress(OSError, AttributeError):
        nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        wish = SCHED_ATTR.pack(SCHED_ATTR.size, os.SCHED_OTHER, RESET_ON_FORK, nice, 0, SHORT_TURN_NS, 0, 0, 0, 0)
        if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_OTHER:
            ctypes.CDLL(None).syscall(number, 0, wish, 0)


def keep_freed_memory() -> None:
    """Let memory of images that has been freed be used for the next ones, where this is glibc.

    It would be given back to the system at once, and a page that comes from there costs more than reading an image into
    it: a fifth of the time that decoding takes. `malloc_trim` still gives back everything that is free.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            allocator = ctypes.CDLL(None)
            allocator.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
            allocator.mallopt(M_TRIM_THRESHOLD, MOST_KEPT_BYTES)
