"""Random single-bit flips in `project.db` and in image files: every row that changed must be named by the audit.

python -m bench.faults_bits [FLIPS]
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from app.store.folder import ProjectFolder
from app.store.head import read_head
from app.store.images import DamagedImageError, ImageStore
from app.store.repair import repair_database
from tests.support.bit_flips import Dump, dump, flip_bit, judge
from tests.support.projects import make_project


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    choose = random.Random(7)
    with tempfile.TemporaryDirectory() as temporary:
        folder = ProjectFolder(Path(temporary) / "project")
        make_project(folder.path, studies=120, decisions=400)
        head = read_head(folder.head_file)
        assert head is not None
        flip_database(folder, head, count, choose)
        flip_images(folder, count, choose)


def flip_database(folder: ProjectFolder, head: object, count: int, choose: random.Random) -> None:
    before = dump(folder.database)
    assert before is not None
    size = folder.database.stat().st_size
    copy = folder.database.with_name("flipped.db")
    with_changes = rows = named = missed = reported = integrity = wholly = repaired = 0
    for _ in range(count):
        shutil.copyfile(folder.database, copy)
        flip_bit(copy, choose.randrange(size * 8))
        flipped = copy.read_bytes()
        flip = judge(copy, before, head)  # type: ignore[arg-type]
        with_changes += bool(flip.changed)
        rows += len(flip.changed)
        named += len(flip.named)
        missed += len(flip.missed)
        wholly += bool(flip.changed - flip.named)
        reported += flip.is_reported
        integrity += bool(flip.changed) and not flip.is_integrity_ok
        for file in copy.parent.glob("flipped.db*"):
            file.unlink()
        if flip.changed:
            repaired += repair(folder, flipped, before)
    print(f"{count} flips in a database of {size >> 10} KiB with {len(before)} rows")
    print(f"{with_changes} changed what is read ({rows} rows); {named} rows named one by one; rows missed: {missed}")
    print(f"{wholly} of them made a table, the schema or the file unreadable, which was reported as such")
    print(f"{repaired} of {with_changes} databases were identical to the undamaged one after `coxa backup repair`")
    print(f"flips reported by the audit: {reported}; of the {with_changes}, SQLite's integrity_check saw {integrity}")


def repair(folder: ProjectFolder, flipped: bytes, before: Dump) -> bool:
    """Repair a copy of the project that has the damaged database; whether everything is back."""
    path = folder.path.with_name("repaired")
    shutil.copytree(folder.path, path)
    (path / "project.db").write_bytes(flipped)
    repair_database(ProjectFolder(path), now=datetime.now(UTC))
    is_whole = dump(path / "project.db") == before
    shutil.rmtree(path)
    return is_whole


def flip_images(folder: ProjectFolder, count: int, choose: random.Random) -> None:
    store = ImageStore(folder.images)
    addresses = list(store.addresses())
    found = 0
    for _ in range(count):
        address = choose.choice(addresses)
        path = store.path(address)
        path.chmod(0o600)
        position = choose.randrange(path.stat().st_size * 8)
        flip_bit(path, position)
        try:
            ImageStore(folder.images).verify(address)
        except DamagedImageError:
            found += 1
        flip_bit(path, position)
    print(f"{count} flips in image files: {found} found")


if __name__ == "__main__":
    main()
