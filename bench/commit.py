"""One annotation commit through the events API against one fdatasync, in the same loop; and bulk figures.

    python -m bench.commit [ROUNDS] [FOLDER]

The baseline appends 4 KiB to a file and calls fdatasync: what any durable write costs at least. The commit writes the
event, `current`, `head` and their indices in one FULL-synchronous transaction, then notes the head in its file.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from app.core.case import Case, Patient, Side, Study
from app.store.audit import audit_database
from app.store.project import ProjectStore
from tests.support.projects import HEADER, add_study, make_case, make_view


def commits(project: ProjectStore, folder: Path, rounds: int) -> None:
    """Interleave: an fdatasync after 4 KiB, one after as much as a commit writes, a commit."""
    log = project.folder.database.with_name("project.db-wal")
    project.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(100):
        project.events.append(target=f"case:case-{number % 50}", field="garden", after=number, author="reader")
    size = log.stat().st_size // 100
    flags = os.O_WRONLY | os.O_CREAT
    files = [os.open(folder / f"baseline-{number}", flags, 0o600) for number in range(2)]
    blocks = [os.urandom(4096), os.urandom(size)]
    names = ["fdatasync after 4 KiB", f"fdatasync after {size / 1024:.0f} KiB", "annotation commit"]
    times: list[list[float]] = [[], [], []]
    for number in range(rounds):
        for file, block, found in zip(files, blocks, times, strict=False):
            start = time.perf_counter()
            os.write(file, block)
            os.fdatasync(file)
            found.append(time.perf_counter() - start)
        start = time.perf_counter()
        project.events.append(target=f"case:case-{number % 50}", field="garden", after=number, author="reader")
        times[2].append(time.perf_counter() - start)
    for file in files:
        os.close(file)
    for name, found in zip(names, times, strict=True):
        ordered = sorted(found)
        print(f"{name:<24} p50 {ordered[rounds // 2] * 1e3:6.3f} ms   p99 {ordered[rounds * 99 // 100] * 1e3:6.3f} ms")
    small, large, ours = (statistics.median(found) for found in times)
    print(
        f"commit p50 / fdatasync p50: {ours / small:.3f} (4 KiB), {ours / large:.3f} (as many bytes); {rounds} rounds"
    )
    print(f"a commit takes {(ours - small) * 1e6:.0f} µs more than the 4 KiB fdatasync: ≤ 1.05 where that takes "
          f"{(ours - small) * 1e3 / 0.05:.1f} ms or more")  # fmt: skip


def views(project: ProjectStore) -> None:
    project.patients.add(Patient(id="bulk"))
    project.studies.add(Study(id="bulk", patient_id="bulk"))
    start = time.perf_counter()
    for first in range(0, 2000, 40):
        with project.transaction():
            for number in range(first, first + 40):
                project.views.add(make_view(f"bulk-{number}", "bulk", f"{number:064x}"), header=HEADER, offset=0)
                project.sources.add(source_sha256=f"{number:064x}", view_id=f"bulk-{number}", outcome="imported")
    print(
        f"2,000 views with their sources, 40 a transaction: {(time.perf_counter() - start) / 2000 * 1e3:.3f} ms a view"
    )


def cases(project: ProjectStore, count: int) -> None:
    start = time.perf_counter()
    with project.transaction():
        for number in range(count):
            project.cases.add(make_case(f"many-{number}", "bulk", "bulk", f"bulk-{number % 2000}", side=Side.LEFT))
    print(f"{count:,} cases added in {time.perf_counter() - start:.1f} s")
    times = []
    found: list[Case] = []
    for _ in range(5):
        start = time.perf_counter()
        found = project.cases.all()
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    project.database.rows('SELECT * FROM "case" ORDER BY position, id')
    raw = time.perf_counter() - start
    middle = statistics.median(times)
    print(f"cases.all() of {len(found):,}: {middle * 1e3:.0f} ms; the bare SELECT: {raw * 1e3:.0f} ms")
    start = time.perf_counter()
    problems = audit_database(project.database.connection)
    print(
        f"audit of {project.events.head()[0]:,} events: {time.perf_counter() - start:.1f} s, {len(problems)} problems"
    )
    start = time.perf_counter()
    backup = project.back_up_if_due()
    if backup is not None:
        print(f"verified backup of {backup.size_bytes >> 20} MiB: {time.perf_counter() - start:.1f} s")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    parent = sys.argv[2] if len(sys.argv) > 2 else None
    print(f"SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory(dir=parent) as temporary:
        folder = Path(temporary)
        with ProjectStore.create(folder / "project") as project:
            for number in range(50):
                add_study(project, number)
            commits(project, folder, rounds)
            views(project)
            cases(project, 100_000)


if __name__ == "__main__":
    main()
