"""What a project comes to: how many of everything, and how much disk it takes. Looks without changing anything."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.store.backup import Backup, list_backups
from app.store.database import Database
from app.store.folder import ProjectFolder

LOOK_EVERY = 500  # files between two looks whether to go on


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """What a project comes to.

    Args:
        name: its name.
        path: its folder.
        patients: patients.
        studies: studies.
        cases: cases.
        views: radiographs.
        events: recorded changes.
        disk_bytes: everything in the folder.
        image_bytes: the image store.
        backup_bytes: the backups.
        free_bytes: what is free on the disk.
        backups: backups, newest first.
    """

    name: str
    path: Path
    patients: int
    studies: int
    cases: int
    views: int
    events: int
    disk_bytes: int
    image_bytes: int
    backup_bytes: int
    free_bytes: int
    backups: tuple[Backup, ...]


def project_facts(path: Path, *, going_on: Callable[[], None] = lambda: None) -> ProjectFacts:
    """Count everything in a project; beside a writer too.

    Args:
        path: its folder.
        going_on: called often; may raise to stop.

    Raises:
        UserError: `damaged`, `unreadable-folder`, `not-a-project`.
    """
    folder = ProjectFolder(path)
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        counts = {
            table: int(database.value(f'SELECT count(*) FROM "{table}"'))  # noqa: S608
            for table in ("patient", "study", "case", "view", "event")
        }
    images = _size_of(folder.images, going_on)
    backups = _size_of(folder.backups, going_on)
    rest = sum(_size_of(entry, going_on) for entry in path.iterdir() if entry not in (folder.images, folder.backups))
    return ProjectFacts(
        name=folder.name,
        path=path,
        patients=counts["patient"],
        studies=counts["study"],
        cases=counts["case"],
        views=counts["view"],
        events=counts["event"],
        disk_bytes=images + backups + rest,
        image_bytes=images,
        backup_bytes=backups,
        free_bytes=_free_bytes(path),
        backups=tuple(list_backups(folder)),
    )


def _size_of(path: Path, going_on: Callable[[], None]) -> int:
    """Bytes of a file, or of everything below a folder; what vanishes meanwhile counts nothing."""
    if not path.is_dir() or path.is_symlink():
        with contextlib.suppress(OSError):
            return path.lstat().st_size
        return 0
    total = count = 0
    waiting = [str(path)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count % LOOK_EVERY == 0:
                    going_on()
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free
