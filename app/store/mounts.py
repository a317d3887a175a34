"""What is mounted where."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

TABLE = Path("/proc/self/mounts")  # Linux; see fstab(5)


class Mount(NamedTuple):
    """One mounted file system.

    Args:
        point: the folder on which it is mounted.
        kind: its type, `ext4`, `nfs4` …
        is_remote: whether it is a network drive of Windows.
    """

    point: str
    kind: str
    is_remote: bool = False


def mounts() -> list[Mount]:
    """Everything that is mounted, in the order in which it was; what is mounted later on the same point hides it."""
    if sys.platform == "linux":
        try:
            return parse_mounts(TABLE.read_text(encoding="utf-8", errors="surrogateescape"))
        except OSError:
            pass  # /proc may be hidden from us
    import psutil  # it takes longer to import than to open a project

    return [
        Mount(each.mountpoint, each.fstype, sys.platform == "win32" and "remote" in each.opts.split(","))
        for each in psutil.disk_partitions(all=True)
    ]


def parse_mounts(text: str) -> list[Mount]:
    """The lines of `/proc/self/mounts`: device, point, type, options and two numbers; space, tab, newline and backslash
    are written as octal numbers."""
    found = []
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) >= 3:
            found.append(Mount(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[1]), words[2]))
    return found
