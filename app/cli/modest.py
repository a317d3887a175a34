"""Letting others go first: what computes for hours must not be felt by somebody who works at the same machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

IDLE_FROM = 19  # niceness from which only what nobody else wants is taken
AUTOGROUP = Path("/proc/self/autogroup")


def be_modest(nice: int, *, is_background: bool = False) -> None:
    """Before torch is imported: let other programs go first, and do not spin while waiting.

    Niceness alone does little on Linux desktops: there each session is a group of its own, and groups share the
    processor evenly; so what goes on in the background makes a session of its own and this group nice. (Not without:
    the group would be that of the terminal.) With 19 the process takes idle time only (`SCHED_IDLE`; on Windows the
    idle class): beside a machine that never rests it would not get anywhere.

    Args:
        nice: 0 … 19; it cannot be lowered again.
        is_background: whether it outlives whatever has started it.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # hints for programmers
    wanted = max(0, min(nice, 19))
    if not wanted:
        return
    if is_background and hasattr(os, "setsid"):
        with contextlib.suppress(OSError):  # a process that leads a group has its own session already, or cannot
            if os.getsid(0) != os.getpid():
                os.setsid()
            AUTOGROUP.write_text(str(wanted), encoding="ascii")
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(wanted)
    if wanted < IDLE_FROM:
        return
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif os.name == "nt":
        import psutil

        with contextlib.suppress(psutil.Error, OSError):
            psutil.Process().nice(psutil.IDLE_PRIORITY_CLASS)
