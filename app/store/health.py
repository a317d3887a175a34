"""The health of a project: what is still as it was written, and what to do about what is not.

Looks without changing anything and without taking the lock, so that it can run beside the window.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from app.core.errors import UserError
from app.store.absent import noted_absent
from app.store.audit import Problem, audit_database
from app.store.backup import MAX_AGE, list_backups, verify_backup
from app.store.database import SQLITE_ERRORS, Database
from app.store.folder import ProjectFolder, file_system_type
from app.store.fs import is_temporary
from app.store.head import read_head
from app.store.images import DamagedImageError, ImageStore
from app.store.lock import is_locked, read_holder

LOW_SPACE_BYTES = 2 << 30
OLD_BACKUP = timedelta(days=7)
Progress = Callable[[Iterable[str], int], Iterable[str]]


class State(StrEnum):
    """What one part of the check came to."""

    FINE = "fine"
    NOTICE = "notice"  # nothing is lost, but a person should know
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One part of the check.

    Args:
        name: what was checked.
        state: what it came to.
        text: one sentence.
        remedy: what to do, empty when nothing.
    """

    name: str
    state: State
    text: str
    remedy: str = ""


@dataclass(slots=True)
class HealthReport:
    """The health of one project.

    Args:
        items: every part, in the order it was checked.
        problems: every row, event or structure of the database that is not as it was written.
        missing_images: addresses of images that a view needs and that are not there.
        damaged_images: addresses of images that are not what their name says.
        orphan_images: addresses of images that no view uses.
        withheld_images: addresses of images that this copy of the project never had, and that are not there.
    """

    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    missing_images: list[str] = field(default_factory=list)
    damaged_images: list[str] = field(default_factory=list)
    orphan_images: list[str] = field(default_factory=list)
    withheld_images: list[str] = field(default_factory=list)

    @property
    def is_damaged(self) -> bool:
        """Whether anything is not as it was written."""
        return any(item.state is State.DAMAGED for item in self.items)


def check_project(
    path: Path, *, is_full: bool = False, now: datetime | None = None, progress: Progress | None = None
) -> HealthReport:
    """Check one project.

    Args:
        path: its folder.
        is_full: audit every backup too, not only look at their age.
        now: the present, UTC.
        progress: wraps the list of images while their hashes are computed.

    Raises:
        UserError: `not-a-project`, `newer-version`.
    """
    folder = ProjectFolder(Path(path).absolute())
    folder.read_marker()
    now = now or datetime.now(UTC)
    report = HealthReport()
    _check_place(folder, report)
    _check_holder(folder, report)
    _check_key(folder, report)
    used = _check_database(folder, report)
    _check_images(folder, report, used, progress or (lambda items, total: items))
    _check_backups(folder, report, now, is_full=is_full)
    _check_space(folder, report)
    return report


def _add(report: HealthReport, name: str, state: State, text: str, remedy: str = "") -> None:
    report.items.append(Item(name=name, state=state, text=text, remedy=remedy))


def _check_place(folder: ProjectFolder, report: HealthReport) -> None:
    kind = file_system_type(folder.path)
    open_to_others = [
        path.name or str(path)
        for path in (folder.path, folder.private, folder.key_file, folder.images, folder.database)
        if sys.platform != "win32" and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_to_others:
        _add(
            report,
            "folder",
            State.NOTICE,
            f"Other users of this computer can read: {', '.join(open_to_others)}.",
            "Take their rights away: chmod -R go= on the project folder.",
        )
    else:
        _add(report, "folder", State.FINE, f"Readable by its owner only, on {kind or 'an unknown file system'}.")


def _check_holder(folder: ProjectFolder, report: HealthReport) -> None:
    holder = read_holder(folder.holder_file)
    if is_locked(folder):
        who = f" by {holder}" if holder else ""
        _add(report, "lock", State.FINE, f"Open for writing{who}.")
    elif folder.restore_file.exists():
        _add(
            report,
            "lock",
            State.NOTICE,
            "A restore was interrupted.",
            "Open the project once; that finishes the restore.",
        )
    elif folder.holder_file.exists():
        _add(
            report,
            "lock",
            State.NOTICE,
            "The last program that wrote here did not close the project.",
            "Nothing to do: the next opening audits the database by itself.",
        )
    else:
        _add(report, "lock", State.FINE, "Not open for writing; closed properly.")


def _check_key(folder: ProjectFolder, report: HealthReport) -> None:
    try:
        folder.read_key()
    except UserError as error:
        _add(report, "key", State.DAMAGED, f"{error.title} {error.reason}", error.remedy)
    else:
        _add(report, "key", State.FINE, "The secret key is in its place.")


def _check_database(folder: ProjectFolder, report: HealthReport) -> set[str] | None:
    """Audit the database; returns the addresses of the images that its views need, None when that is unknown."""
    remedy = "Mend it from the newest backup and what is still intact: coxa backup repair --project DIR."
    if not folder.database.is_file():
        _add(report, "database", State.DAMAGED, "The file project.db is missing.", remedy)
        return None
    used: set[str] | None = None
    counts = ""
    try:
        database = Database.open_reader(folder.database)
        with contextlib.closing(database):
            database.connection.execute("BEGIN")  # one snapshot, while a writer may go on
            report.withheld_images = sorted(noted_absent(database))
            report.problems = audit_database(database.connection, read_head(folder.head_file))
            used = {address for (address,) in database.rows('SELECT DISTINCT image_sha256 FROM "view"')}
            counts = ", ".join(
                f"{database.value(f'SELECT count(*) FROM {table}')} {name}"  # noqa: S608
                for table, name in (("event", "events"), ('"view"', "views"), ('"case"', "cases"))
            )
    except (UserError, *SQLITE_ERRORS) as error:
        text = error.reason if isinstance(error, UserError) else f"SQLite: {error}."
        report.problems.append(Problem(kind="unreadable", text=text))
    if report.problems:
        text = f"{len(report.problems)} thing(s) are not as they were written."
        _add(report, "database", State.DAMAGED, text, remedy)
    else:
        _add(report, "database", State.FINE, f"Every row, the chain and the projection are intact: {counts}.")
    return used


def _check_images(folder: ProjectFolder, report: HealthReport, used: set[str] | None, progress: Progress) -> None:
    store = ImageStore(folder.images)
    present = list(store.addresses())
    for address in progress(present, len(present)):
        try:
            store.verify(address)
        except (DamagedImageError, OSError):
            report.damaged_images.append(address)
    if used is not None:
        missing = used - set(present)
        report.withheld_images = sorted(missing & set(report.withheld_images))
        report.missing_images = sorted(missing - set(report.withheld_images))
        report.orphan_images = sorted(set(present) - used)
    if report.damaged_images or report.missing_images:
        _add(
            report,
            "images",
            State.DAMAGED,
            f"{len(report.damaged_images)} damaged, {len(report.missing_images)} missing.",
            "Import the original files again, or put images/ back from a copy of the folder.",
        )
    else:
        _add(report, "images", State.FINE, f"{len(present)} images, every one of them what its name says.")
    if report.withheld_images:
        _add(
            report,
            "withheld images",
            State.NOTICE,
            f"{len(report.withheld_images)} images were withheld when this copy was exported.",
            "Nothing is damaged. Import the original files, or merge a project that has them.",
        )
    leftovers = sum(1 for file in folder.images.glob("*/.*") if is_temporary(file))
    if not is_locked(folder) and (report.orphan_images or leftovers):
        _add(
            report,
            "unused images",
            State.NOTICE,
            f"{len(report.orphan_images)} images that no view uses, {leftovers} unfinished files.",
            "Harmless: an import was interrupted. Importing the same files again uses them.",
        )


def _check_backups(folder: ProjectFolder, report: HealthReport, now: datetime, *, is_full: bool) -> None:
    backups = list_backups(folder)
    if not backups:
        _add(
            report,
            "backups",
            State.NOTICE,
            "There is no backup yet.",
            "Make one: coxa backup create --project DIR; closing the project makes one too.",
        )
        return
    bad = [backup.path.name for backup in (backups if is_full else backups[:1]) if verify_backup(backup)]
    newest = backups[0]
    age = now - newest.made_at
    if bad:
        _add(
            report,
            "backups",
            State.DAMAGED,
            f"{len(bad)} of {len(backups)} backups are damaged: {', '.join(bad[:3])}.",
            "Delete them and make a new one: coxa backup create --project DIR.",
        )
    elif age > OLD_BACKUP and newest.event_id != _last_event(folder):
        _add(
            report,
            "backups",
            State.NOTICE,
            f"The newest of {len(backups)} backups is {age // MAX_AGE} days old.",
            "Make one: coxa backup create --project DIR.",
        )
    else:
        checked = "all" if is_full else "the newest"
        words = "1 backup, verified." if len(backups) == 1 else f"{len(backups)} backups, {checked} verified."
        _add(report, "backups", State.FINE, words)


def _last_event(folder: ProjectFolder) -> int:
    head = read_head(folder.head_file)
    return head.event_id if head else -1


def _check_space(folder: ProjectFolder, report: HealthReport) -> None:
    free = shutil.disk_usage(folder.path).free
    text = f"{free / (1 << 30):.1f} GiB free."
    if free < LOW_SPACE_BYTES:
        _add(report, "disk", State.NOTICE, text, "Free some space; images and backups need it.")
    else:
        _add(report, "disk", State.FINE, text)
