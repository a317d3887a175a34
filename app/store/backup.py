"""Verified backups of a project's database.

A backup is made with SQLite's own backup call, audited row by row before it gets its name, and thinned out with time.
Images are not in it: they are never changed, and a copy of the whole folder is the backup for a lost disk.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.core.errors import UserError
from app.core.rotation import backups_to_keep
from app.store.audit import audit_database
from app.store.database import SQLITE_ERRORS, Database, translated_errors
from app.store.folder import ProjectFolder, cannot_write
from app.store.fs import DISK, PRIVATE_FOLDER, FileSystem, atomic_write, is_temporary, temporary_path
from app.store.head import Head, reset_head

MAX_AGE = timedelta(days=1)
COPY_CHUNK = 1 << 20
_NAME = re.compile(r"project-(\d{8}T\d{6}Z)-(\d+)(?:-(\w[\w-]*))?\.db")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup file.

    Args:
        path: where it is.
        made_at: when it was made, UTC.
        event_id: the last event in it.
        label: why it was made (`before-…`), empty for an ordinary one; labelled backups are never thinned out.
        size_bytes: size of the file.
    """

    path: Path
    made_at: datetime
    event_id: int
    label: str
    size_bytes: int


def list_backups(folder: ProjectFolder) -> list[Backup]:
    """Every backup of a project, newest first."""
    found = []
    for path in folder.backups.iterdir() if folder.backups.is_dir() else ():
        if (match := _NAME.fullmatch(path.name)) and path.is_file():
            made_at = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
            found.append(
                Backup(
                    path=path,
                    made_at=made_at,
                    event_id=int(match[2]),
                    label=match[3] or "",
                    size_bytes=path.stat().st_size,
                )
            )
    return sorted(found, key=lambda backup: (backup.made_at, backup.event_id, backup.path.name), reverse=True)


def make_backup(folder: ProjectFolder, database: Database, *, now: datetime, label: str = "") -> Backup:
    """Copy the database as it is now, audit the copy, give it its name, and thin out old backups.

    Args:
        folder: the project's folder.
        database: an open connection, reading or writing.
        now: the present, UTC.
        label: why, for a backup that is to be kept for good.

    Raises:
        UserError: `damaged`: the database is not what was written, so no backup was made of it and all older ones
            were kept; `unwritable-folder`; `disk-full`.
    """
    event_id = int(database.value("SELECT coalesce(max(event_id), 0) FROM head"))
    name = f"project-{now.astimezone(UTC).strftime(_TIME)}-{event_id}{'-' + label if label else ''}.db"
    target = folder.backups / name
    temporary = temporary_path(target)
    try:
        folder.backups.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)  # never the project's own: it may have been moved
        for leftover in folder.backups.iterdir():
            if is_temporary(leftover):
                leftover.unlink(missing_ok=True)
        DISK.write(temporary, [])
        with translated_errors(), contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            database.connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, nothing beside it
            problems = audit_database(copy)
        if problems:
            raise UserError(
                "No backup was made, because the database is damaged.",
                reason=f"{len(problems)} thing(s) in it are not as they were written; older backups were kept.",
                remedy="Run `coxa check` to see what is affected.",
                kind="damaged",
            )
        DISK.sync(temporary)
        DISK.replace(temporary, target)
        DISK.sync_folder(folder.backups)
    except OSError as error:
        raise cannot_write(error) from error
    finally:
        for leftover in (temporary, temporary.with_name(temporary.name + "-journal")):
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)
    thin_out(folder, now=now)
    return next(backup for backup in list_backups(folder) if backup.path == target)


def thin_out(folder: ProjectFolder, *, now: datetime) -> None:
    """Remove the backups that rotation does not keep; labelled ones stay."""
    ordinary = [backup for backup in list_backups(folder) if not backup.label]
    kept = backups_to_keep((backup.made_at for backup in ordinary), now)
    for backup in ordinary:
        if backup.made_at not in kept:
            backup.path.unlink(missing_ok=True)


def is_backup_due(folder: ProjectFolder, database: Database, *, now: datetime) -> bool:
    """Whether something has changed since a newest backup that is older than a day."""
    newest = next(iter(list_backups(folder)), None)
    if newest is None:
        return True
    event_id = int(database.value("SELECT coalesce(max(event_id), 0) FROM head"))
    return event_id != newest.event_id and not timedelta() <= now - newest.made_at < MAX_AGE


def verify_backup(backup: Backup) -> int:
    """Audit one backup, without changing it; returns the number of problems."""
    try:
        connection = sqlite3.connect(
            f"{backup.path.absolute().as_uri()}?mode=ro&immutable=1", isolation_level=None, uri=True
        )
    except SQLITE_ERRORS:
        return 1
    with contextlib.closing(connection):
        return len(audit_database(connection))


def restore_backup(folder: ProjectFolder, backup: Backup, *, now: datetime, fs: FileSystem = DISK) -> Path | None:
    """Put a verified backup in the place of the database. The caller holds the project lock.

    The database that is replaced is kept, with its write-ahead log. An interruption at any point leaves either the
    old database or a note from which `finish_restore` completes the work.

    Args:
        folder: the project's folder.
        backup: what to restore.
        now: the present, UTC.
        fs: the file system, replaced in fault tests.

    Returns:
        The folder that holds the replaced database; None when there was none.

    Raises:
        UserError: `backup-damaged`; the database stays as it is.
    """
    if verify_backup(backup):
        raise UserError(
            "This backup is damaged.",
            reason="Not every row in it is what was written.",
            remedy="Restore an older one; `coxa backup list` shows them.",
            kind="backup-damaged",
        )
    return swap_in(folder, backup.path, now=now, name=backup.path.name, fs=fs)


def swap_in(folder: ProjectFolder, source: Path, *, now: datetime, name: str, fs: FileSystem = DISK) -> Path | None:
    """Put a copy of `source`, which was audited, in the place of the database; the caller holds the project lock.

    Args:
        folder: the project's folder.
        source: a database in one file.
        now: the present, UTC.
        name: the backup it comes from, for the note.
        fs: the file system, replaced in fault tests.

    Returns:
        The folder that holds the replaced database; None when there was none.
    """
    try:
        folder.restored_file.unlink(missing_ok=True)
        atomic_write(folder.restored_file, _content(source), fs=fs)
        replaced = folder.backups / f"replaced-{now.astimezone(UTC).strftime(_TIME)}"
        kept = [file for file in (*_database_files(folder), folder.head_file) if file.exists()]
        for file in kept:
            atomic_write(replaced / file.name, _content(file), fs=fs)
        note = json.dumps({"backup": name})
        atomic_write(folder.restore_file, [note.encode("utf-8")], fs=fs)
        finish_restore(folder, fs=fs)
    except OSError as error:
        raise cannot_write(error) from error
    return replaced if kept else None


def finish_restore(folder: ProjectFolder, *, fs: FileSystem = DISK) -> bool:
    """Complete a restore that was noted but interrupted; the caller holds the project lock.

    Returns:
        Whether there was one.
    """
    if not folder.restore_file.exists():
        return False
    if folder.restored_file.exists():
        for file in _database_files(folder)[1:]:  # a log of the old database must never meet the new one
            fs.remove(file)
        fs.sync_folder(folder.path)
        fs.replace(folder.restored_file, folder.database)
        fs.sync_folder(folder.path)
    database = Database.open_reader(folder.database)
    try:
        found = database.rows("SELECT event_id, event_hash FROM head")
    finally:
        database.close()
    reset_head(folder.head_file, Head(event_id=found[0][0], event_hash=found[0][1]), fs=fs)
    fs.remove(folder.restore_file)
    fs.sync_folder(folder.path)
    return True


def _database_files(folder: ProjectFolder) -> tuple[Path, Path, Path]:
    name = folder.database.name
    return folder.database, folder.path / f"{name}-wal", folder.path / f"{name}-shm"


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(COPY_CHUNK):
            yield chunk
