"""Ceilings for foreign files, and the operating system's help in keeping to them (`imaging.md` §5)."""

from __future__ import annotations

import sys

import psutil

from app.core.errors import UserError

MIB = 1 << 20

MAX_FILE_BYTES = 1024 * MIB  # one file or archive member
MAX_INFLATED_BYTES = 640 * MIB  # a deflated data set after inflation
MAX_PIXEL_BYTES = 512 * MIB  # Rows · Columns · Frames · Samples · bytes, of the object as it claims to be
MAX_SIDE_PX = 20_000
MAX_DEPTH = 64  # nested sequences
MAX_ELEMENTS = 500_000  # data elements outside the pixel data, at all depths together

MAX_ARCHIVE_MEMBERS = 100_000
MAX_ARCHIVE_BYTES = 64 * 1024 * MIB  # all members together, unpacked
MAX_RATIO = 200  # unpacked to packed bytes of deflated data, in archives, PNG, TIFF and deflated data sets
RATIO_FREE_BYTES = 64 * MIB  # ratios count from this size on: smaller things may be blank

MAX_SCRATCH_BYTES = MAX_PIXEL_BYTES * 2 + MIB  # 8-bit values are written as 16-bit ones
MAX_OPEN_FILES = 64
CPU_GRACE_S = 2.0

HAS_ADDRESS_LIMIT = sys.platform.startswith("linux")  # macOS accepts RLIMIT_AS and ignores it; Windows has none


def too_large(reason: str) -> UserError:
    """The error for what is larger than any radiograph."""
    return UserError(
        "The image is larger than any radiograph.",
        reason=reason,
        remedy="Export the image again from where it came from.",
        kind="too-large",
    )


def limit_process(memory_bytes: int) -> None:
    """Bound what this process may take: address space, size of written files, open files, core dumps.

    Args:
        memory_bytes: address space, where the operating system enforces one.
    """
    if sys.platform == "win32":
        return
    import resource

    if HAS_ADDRESS_LIMIT:
        _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_FSIZE, MAX_SCRATCH_BYTES)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _lower(resource.RLIMIT_CORE, 0)


def limit_cpu_for_job(timeout_s: float) -> None:
    """Give the next job so much processor time; the system stops the process when it takes more.

    The wall clock of the parent comes first. This is for the case that the parent is gone or stopped. Codecs may use
    every core, so the time is counted per core.
    """
    if sys.platform == "win32":
        return
    import os
    import resource

    used_s = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    soft = int(used_s + (timeout_s + CPU_GRACE_S) * (os.cpu_count() or 1)) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def _lower(kind: int, value: int) -> None:
    """Set a limit, never above the one that is already there."""
    if sys.platform == "win32":
        return
    import resource

    hard = resource.getrlimit(kind)[1]
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bounded, bounded))


def die_with_parent() -> None:
    """Ask Linux to end this process when the thread that started it ends; elsewhere do nothing."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import os
    import signal

    parent = os.getppid()
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the request was in place
        os.kill(os.getpid(), signal.SIGKILL)


def resident_bytes(pid: int) -> int:
    """Memory in use by a process, bytes; 0 when it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
