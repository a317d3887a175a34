"""`coxa backup`: make, list and restore verified backups of a project; repair its database."""

from __future__ import annotations

import argparse
import contextlib
from datetime import UTC, datetime
from typing import Any

from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json
from app.core.errors import UserError
from app.core.event import PROJECT
from app.store.backup import Backup, list_backups, make_backup, restore_backup
from app.store.database import Database
from app.store.folder import ProjectFolder
from app.store.lock import ProjectLock
from app.store.project import ProjectStore
from app.store.repair import repair_database

EPILOG = """\
examples:
  coxa backup create --project ~/hips       a verified backup of the database, also while the window is open
  coxa backup list --project ~/hips         newest first
  coxa backup repair --project ~/hips       the newest backup, and all later work that is still intact
  coxa backup restore --project ~/hips      go back to the newest; close the window first
  coxa backup restore --project ~/hips --name project-20261121T051300Z-4011.db

A backup holds everything but the images, which never change; copy the whole folder to be safe from a lost disk.
Repairing and restoring keep the database that they replace, in backups/replaced-…/ of the project folder.
Kept are all backups of two days, then one for each of 12 days, 10 weeks and 9 months."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa backup`."""
    parser.add_argument("action", choices=("create", "list", "repair", "restore"), help="what to do")
    add_project_argument(parser)
    add_json_argument(parser)
    parser.add_argument("--name", metavar="FILE", help="which backup to restore (default: the newest)")
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    folder = ProjectFolder(args.project.absolute())
    folder.read_marker()
    now = datetime.now(UTC)
    if args.action == "list":
        _list(folder, as_json=args.json)
    elif args.action == "create":
        _create(folder, now, as_json=args.json)
    elif args.action == "restore":
        _restore(folder, args.name, now, as_json=args.json)
    else:
        return _repair(folder, now, as_json=args.json)
    return DONE


def _create(folder: ProjectFolder, now: datetime, *, as_json: bool) -> None:
    if not folder.database.is_file():
        raise UserError(
            "There is nothing to make a backup of.",
            reason="The project's file project.db is missing.",
            remedy="Go back to the newest backup: coxa backup restore.",
            kind="damaged",
        )
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        backup = make_backup(folder, database, now=now)
    if as_json:
        print_json(_described(backup))
    else:
        print(f"Backup made and verified: {backup.path.name} ({_size(backup)}).")


def _list(folder: ProjectFolder, *, as_json: bool) -> None:
    backups = list_backups(folder)
    if as_json:
        print_json([_described(backup) for backup in backups])
        return
    if not backups:
        print("There is no backup yet. Make one: coxa backup create --project DIR")
    for backup in backups:
        label = f"  {backup.label}" if backup.label else ""
        print(f"{backup.made_at:%Y-%m-%d %H:%M} UTC  {_size(backup):>10}  {backup.path.name}{label}")


def _restore(folder: ProjectFolder, name: str | None, now: datetime, *, as_json: bool) -> None:
    backup = _chosen(list_backups(folder), name)
    with ProjectLock(folder):
        replaced = restore_backup(folder, backup, now=now)
    with ProjectStore.open(folder.path) as project:
        project.events.append(target=PROJECT, field="restored", after=backup.path.name, author="coxa backup")
        cases = project.cases.count()
    kept = replaced.name if replaced else ""
    if as_json:
        print_json({"restored": backup.path.name, "replaced": kept, "cases": cases})
    else:
        print(f"Restored {backup.path.name}: {cases} cases.")
        if kept:
            print(f"The database that was replaced is kept in backups/{kept}/.")


def _repair(folder: ProjectFolder, now: datetime, *, as_json: bool) -> int:
    with ProjectLock(folder):
        repair = repair_database(folder, now=now)
    with ProjectStore.open(folder.path) as project:
        outcome = {"kept": repair.kept, "lost": repair.lost, "backup": repair.backup}
        project.events.append(target=PROJECT, field="repaired", after=outcome, author="coxa backup")
        cases = project.cases.count()
    kept = repair.replaced.name if repair.replaced else ""
    if as_json:
        print_json(outcome | {"replaced": kept, "cases": cases})
    else:
        print(f"Repaired: {repair.kept} events kept, {repair.lost} lost; {cases} cases.")
        if kept:
            print(f"The database that was replaced is kept in backups/{kept}/.")
    return PROBLEMS if repair.lost else DONE


def _chosen(backups: list[Backup], name: str | None) -> Backup:
    for backup in backups:
        if name is None or backup.path.name == name:
            return backup
    raise UserError(
        "There is no such backup." if name else "There is no backup.",
        reason="" if name is None else "No backup of this project has this name.",
        remedy="List them: coxa backup list --project DIR.",
        kind="no-backup",
    )


def _described(backup: Backup) -> dict[str, Any]:
    return {
        "name": backup.path.name,
        "made_at": backup.made_at.isoformat(),
        "event_id": backup.event_id,
        "label": backup.label,
        "size_bytes": backup.size_bytes,
    }


def _size(backup: Backup) -> str:
    return f"{backup.size_bytes / (1 << 20):.1f} MiB"
