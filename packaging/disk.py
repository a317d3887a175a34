"""How much room the packages take, and how they are fetched so that they take no more.

Standard library only, and no newer syntax than Python 3.6 (see bootstrap.py).
"""

import contextlib
import shutil
import sys
from pathlib import Path

GB = 10**9
# Read off finished environments (docs/adr/0003), rounded up. What dev and engine share with runtime counts once.
LINUX_BYTES = {"runtime": 1.4 * GB, "dev": 0.6 * GB, "engine": 6.2 * GB}
OTHER_BYTES = {"runtime": 1.4 * GB, "dev": 0.6 * GB, "engine": 1.5 * GB}  # no CUDA there; an estimate
FETCHED_BYTES = 0.8 * GB  # the largest package, which lies beside its unpacked self for a moment
KEPT_BYTES = 3.5 * GB  # what pip keeps of its downloads
LARGE = ("nvidia-", "torch", "triton")  # of the names of packages that are fetched one at a time


def needed_bytes(sets: "tuple[str, ...] | list[str]", platform: str = sys.platform) -> float:
    """The room that installing these sets takes, at its highest."""
    sizes = LINUX_BYTES if platform.startswith("linux") else OTHER_BYTES
    return sum(sizes[name] for name in sets) + FETCHED_BYTES if sets else 0


def free_bytes(folder: Path) -> "int | None":
    """The room on the disk of a folder, or of the nearest folder above it that exists; None where nothing tells."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(str(place)).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def room_problem(
    sets: "tuple[str, ...] | list[str]", folder: Path, free: "int | None", platform: str = sys.platform
) -> str:
    """Why these sets cannot be installed into a folder, and what to do; empty when they can."""
    needed = needed_bytes(sets, platform)
    if free is None or free >= needed:
        return ""
    problem = f"Coxa's packages need {needed / GB:.1f} GB on the disk of {folder}, and {free / GB:.1f} GB are free. "
    remedy = "Free some space and start again."
    smaller = needed_bytes([name for name in sets if name != "engine"], platform)
    if "engine" in sets and free >= smaller:
        enough = f"{smaller / GB:.1f} GB are enough" if smaller else "nothing is lacking"
        remedy += f" Without training (--review-only) {enough}."
    return problem + remedy


def keeps_downloads(sets: "tuple[str, ...] | list[str]", free: "int | None") -> bool:
    """Whether pip may keep its downloads for another time."""
    return free is None or free >= needed_bytes(sets) + KEPT_BYTES


@contextlib.contextmanager
def fetching_into(folder: Path, variables: "dict[str, str]"):
    """The variables that make pip fetch into a folder, which is there only meanwhile.

    The system's own place for temporary files may be small, or memory.
    """
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir()
    try:
        yield dict(variables, TMPDIR=str(folder), TEMP=str(folder), TMP=str(folder))
    finally:
        shutil.rmtree(str(folder), ignore_errors=True)


def split_lock(text: str) -> "list[str]":
    """A lock file in parts: each large package is one, all others together are the first.

    pip fetches everything that it is asked for before it unpacks anything; in parts, less lies there twice.
    """
    blocks = []  # type: list[list[str]]
    for line in text.splitlines():
        if line[:1].isalnum():
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    large = ["\n".join(block) + "\n" for block in blocks if block[0].startswith(LARGE)]
    small = "".join("\n".join(block) + "\n" for block in blocks if not block[0].startswith(LARGE))
    return [part for part in (small, *large) if part]


def count(part: str) -> int:
    """How many packages a part of a lock file names."""
    return sum(line[:1].isalnum() for line in part.splitlines())
