"""Keep the database of a release: `python -m tests.support.released` writes `tests/store/released/<migration>.db.gz`.

Run once when a migration is released, never again for the same one: the stored file stands for every project that was
made with it.
"""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
import sys
import tempfile
from pathlib import Path

from app.store.folder import ProjectFolder
from app.store.fs import atomic_write
from app.store.schema import MIGRATIONS
from tests.support.projects import make_project

RELEASED = Path(__file__).resolve().parents[1] / "store" / "released"
KEY = bytes(range(32))


class _FixedKeyFolder(ProjectFolder):
    """A folder whose project gets the published test key."""

    __slots__ = ()

    def write_key(self) -> None:
        atomic_write(self.key_file, [KEY])


def main() -> None:
    import app.store.project as module

    name = list(MIGRATIONS)[-1]
    target = RELEASED / f"{name}.db.gz"
    if target.exists():
        sys.exit(f"{target.name} is there already; a stored release is never replaced")
    module.ProjectFolder = _FixedKeyFolder  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "project"
        make_project(path, studies=3, decisions=6)
        copy = Path(temporary) / "copy.db"
        with contextlib.closing(sqlite3.connect(path / "project.db")) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(gzip.compress(copy.read_bytes(), mtime=0))
    print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
