"""The projects that were open lately, for the start page and the File menu.

One small JSON file in the user's own folder, readable by the owner only. It holds what the start page shows without
opening a project: place, name, time, number of cases. A file that is missing or damaged is an empty list.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from app.core.record import record
from app.store.folder import MARKER
from app.store.fs import PRIVATE_FOLDER, atomic_write

LIMIT = 12


@record(frozen=True, slots=True, kw_only=True)
class RecentProject:
    """One project that was open.

    Args:
        path: its folder, absolute.
        name: what it is called.
        opened_at: when it was opened last, UTC, ISO 8601.
        case_count: cases when it was last looked at.
        is_pinned: whether it stays in front, whatever else is opened.
    """

    path: str
    name: str
    opened_at: str
    case_count: int = 0
    is_pinned: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the folder is a project now."""
        try:
            return (Path(self.path) / MARKER).is_file()
        except OSError:
            return False


class RecentProjects:
    """The list; every change is written at once. A list that cannot be written works until the program ends.

    Args:
        path: the file; None keeps the list in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._projects = _read(path) if path is not None else ()

    @property
    def projects(self) -> tuple[RecentProject, ...]:
        """Pinned ones first, then the latest first."""
        return self._projects

    def note(self, path: Path, *, name: str, case_count: int, now: datetime | None = None) -> None:
        """A project was opened, or its number of cases has changed; the latest `LIMIT` and the pinned ones are kept."""
        opened_at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        known = self._find(path)
        entry = RecentProject(
            path=str(path),
            name=name,
            opened_at=opened_at,
            case_count=case_count,
            is_pinned=known.is_pinned if known is not None else False,
        )
        self._keep([entry, *(project for project in self._projects if project.path != str(path))])

    def pin(self, path: Path, *, is_pinned: bool) -> None:
        """Keep a project in front, or no longer."""
        self._keep([replace(one, is_pinned=is_pinned) if one.path == str(path) else one for one in self._projects])

    def forget(self, path: Path) -> None:
        """Take a project off the list; its folder is not touched."""
        self._keep([project for project in self._projects if project.path != str(path)])

    def _find(self, path: Path) -> RecentProject | None:
        return next((project for project in self._projects if project.path == str(path)), None)

    def _keep(self, projects: Sequence[RecentProject]) -> None:
        self._projects = _ordered(projects)
        if self._path is None:
            return
        content = json.dumps([asdict(project) for project in self._projects], ensure_ascii=False, indent=1)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            atomic_write(self._path, [content.encode("utf-8")])


def _ordered(projects: Sequence[RecentProject]) -> tuple[RecentProject, ...]:
    latest = sorted(projects, key=lambda project: project.opened_at, reverse=True)
    pinned = [project for project in latest if project.is_pinned]
    others = [project for project in latest if not project.is_pinned]
    return (*pinned, *others[: max(0, LIMIT - len(pinned))])


def _read(path: Path) -> tuple[RecentProject, ...]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return _ordered([_entry(entry) for entry in entries])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _entry(entry: dict[str, object]) -> RecentProject:
    count = entry["case_count"]
    if not isinstance(count, int):
        raise TypeError("a number of cases is a number")
    return RecentProject(
        path=str(entry["path"]),
        name=str(entry["name"]),
        opened_at=datetime.fromisoformat(str(entry["opened_at"])).isoformat(timespec="seconds"),
        case_count=count,
        is_pinned=bool(entry["is_pinned"]),
    )
