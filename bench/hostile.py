"""Throw damaged and malicious files at the real reader pool: no crash, no freeze, only typed errors.

    python -m bench.hostile [--mutants 5000] [--only mutants|bombs|nests|random|truncated]

Every answer must be an image or a `UserError`, and must come within the time limit (plus the time to start a worker).
Anything else stops the run with a traceback.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.core.errors import UserError
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import find_sources
from tests.support import hostile_files as hostile

TIMEOUT_S = 10.0
START_ALLOWANCE_S = 15.0


def main() -> int:
    """Print the counts by outcome for every kind of file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=5000)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    makers: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
        "mutants": lambda: hostile.mutants(arguments.mutants),
        "bombs": hostile.bombs,
        "nests": hostile.nests,
        "random": hostile.random_files,
        "truncated": hostile.truncated,
    }
    is_clean = True
    print("| kind | files | outcomes | slowest s | workers replaced |")
    print("|---|---|---|---|---|")
    for kind, make in makers.items():
        if arguments.only in ("", kind):
            is_clean &= attack(kind, make())
    return 0 if is_clean else 1


def attack(kind: str, files: Iterator[tuple[str, bytes]]) -> bool:
    """Read every file in batches and count; True when each gave an image or a typed error in time."""
    outcomes: collections.Counter[str] = collections.Counter()
    slow: collections.Counter[str] = collections.Counter()
    slowest_s = 0.0
    count = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with ReaderPool(scratch=folder / "scratch", timeout_s=TIMEOUT_S) as pool:
            for batch in batches(files, 200):
                inputs = folder / "in"
                inputs.mkdir()
                for name, data in batch:
                    (inputs / name).write_bytes(data)
                last = time.monotonic()
                for source, answer in pool.read_many(find_sources([inputs])):
                    waited_s = time.monotonic() - last
                    last = time.monotonic()
                    slowest_s = max(slowest_s, waited_s)
                    count += 1
                    if isinstance(answer, UserError):
                        outcomes[answer.kind] += 1
                        if answer.kind in ("timeout", "crashed", "memory"):
                            slow[f"{answer.kind}: {source.label}"] += 1
                        if not (answer.title.endswith(".") and answer.kind):
                            raise AssertionError(f"an error without a sentence: {source.label}")
                    else:
                        pool.pixels(answer)
                        outcomes["image"] += 1
                for path in inputs.iterdir():
                    path.unlink()
                inputs.rmdir()
            left = list((folder / "scratch").glob("*/*.npy"))
            if left:
                raise AssertionError(f"{len(left)} scratch files were left behind")
            ended = sum(process.starts for process in pool.processes()) - len(pool.processes())
    shown = ", ".join(f"{name} {number}" for name, number in outcomes.most_common())
    print(f"| {kind} | {count} | {shown} | {slowest_s:.1f} | {max(ended, 0)} |")
    for name, number in slow.most_common(30):
        print(f"  {name}: {number}", file=sys.stderr)
    return slowest_s <= TIMEOUT_S + START_ALLOWANCE_S


def batches(files: Iterator[tuple[str, bytes]], size: int) -> Iterator[list[tuple[str, bytes]]]:
    """Groups of files."""
    batch: list[tuple[str, bytes]] = []
    for item in files:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
