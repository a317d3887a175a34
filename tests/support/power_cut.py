"""Simulated power cuts (`imaging.md` §6): record every write, sync, truncate, rename and delete, then replay what a
disk may hold when the power goes at a random moment.

The model of the disk. What was synced is there. Of the writes to a file since its last sync each may be whole, absent,
or torn at 512-byte sectors. A file's name is durable once the file or its folder was synced; a rename or a delete is
durable when its folder was synced, and before that it may or may not have happened. This leans on an ext4-like rule
(the journal keeps names in order) and is no proof for another file system.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from app.core.case import Patient, ReviewStatus, Side, Study
from app.store.cases import Cases
from app.store.database import WRITER_PRAGMAS, Database
from app.store.events import EventLog
from app.store.fs import DISK, Chunk
from app.store.patients import Patients
from app.store.project import migrate
from app.store.sources import Sources
from app.store.studies import Studies
from app.store.views import Views
from tests.support.projects import HEADER, make_case, make_view

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded operation: `write`, `truncate`, `sync`, `delete`, `rename`, `sync-folder` or `ack`."""

    kind: str
    name: str = ""
    offset: int = 0
    data: bytes = b""
    target: str = ""


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)
    is_named: bool = False  # whether its name is durable


def disk_after_cut(steps: Sequence[Step], cut: int, choose: random.Random) -> dict[str, bytes]:
    """The files that a disk may hold when the power goes before step `cut`."""
    files: dict[str, _File] = {}
    names: list[tuple[Step, _File | None]] = []  # renames and deletes that are not durable yet, in order
    for step in steps[:cut]:
        if step.kind in ("write", "truncate"):
            files.setdefault(step.name, _File()).pending.append(step)
        elif step.kind == "sync":
            file = files.setdefault(step.name, _File())
            for earlier in file.pending:
                _apply(file.durable, earlier)
            file.pending.clear()
            file.is_named = True
        elif step.kind in ("rename", "delete"):
            replaced = files.pop(step.target if step.kind == "rename" else step.name, None)
            names.append((step, replaced))
            if step.kind == "rename":
                files[step.target] = files.pop(step.name)
        elif step.kind == "sync-folder":
            names.clear()
            for file in files.values():
                file.is_named = True
    happened = choose.randint(0, len(names))  # a journal keeps names in order
    for step, replaced in reversed(names[happened:]):
        if step.kind == "rename":
            files[step.name] = files.pop(step.target)
        newer = files.get(step.target or step.name)
        # a new file of the same name that was synced is durable, and so is the delete before it
        if replaced is not None and not (newer is not None and newer.is_named):
            files[step.target or step.name] = replaced
    found = {}
    for name, file in files.items():
        if not file.is_named and choose.random() < 0.5:
            continue
        content = bytearray(file.durable)
        for step in file.pending:
            _apply(content, _torn(step, choose))
        found[name] = bytes(content)
    return found


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == "truncate":
        del content[step.offset :]
    elif step.data:
        if len(content) < step.offset:
            content.extend(bytes(step.offset - len(content)))
        content[step.offset : step.offset + len(step.data)] = step.data


def _torn(step: Step, choose: random.Random) -> Step:
    """What may be left of one unsynced operation."""
    fate = choose.random()
    if fate < 0.4:
        return step
    if fate < 0.7 or step.kind == "truncate":
        return Step("write", step.name)
    first = step.offset
    end = min(step.offset + len(step.data), (choose.randint(first, first + len(step.data)) // SECTOR) * SECTOR)
    return Step("write", step.name, first, step.data[: max(0, end - first)])


class RecordingFileSystem:
    """The real file system, with every operation noted.

    Args:
        root: names are noted relative to it.
        is_syncing: False leaves the syncs out of the notes: the control that must fail.
    """

    def __init__(self, root: Path, *, is_syncing: bool = True) -> None:
        self.steps: list[Step] = []
        self._root = root
        self._is_syncing = is_syncing

    def acknowledge(self, text: str) -> None:
        """Note that `text` was promised to be kept."""
        self.steps.append(Step("ack", text))

    def note_existing(self, path: Path) -> None:
        """Note a file that was there, durable, before the recording."""
        self.steps += [Step("write", self._name(path), 0, path.read_bytes()), Step("sync", self._name(path))]

    def write(self, path: Path, chunks: Iterable[Chunk], *, mode: int) -> None:
        """See `FileSystem`."""
        data = b"".join(bytes(chunk) for chunk in chunks)
        DISK.write(path, [data], mode=mode)
        for start in range(0, max(1, len(data)), 4096):
            self.steps.append(Step("write", self._name(path), start, data[start : start + 4096]))

    def sync(self, path: Path) -> None:
        """See `FileSystem`."""
        if self._is_syncing:
            self.steps.append(Step("sync", self._name(path)))

    def replace(self, source: Path, target: Path) -> None:
        """See `FileSystem`."""
        DISK.replace(source, target)
        self.steps.append(Step("rename", self._name(source), target=self._name(target)))

    def sync_folder(self, path: Path) -> None:
        """See `FileSystem`."""
        if self._is_syncing:
            self.steps.append(Step("sync-folder", self._name(path)))

    def remove(self, path: Path) -> None:
        """See `FileSystem`."""
        DISK.remove(path)
        self.steps.append(Step("delete", self._name(path)))

    def make_folder(self, path: Path) -> None:
        """See `FileSystem`."""
        DISK.make_folder(path)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._root))


def record_statements(path: Path, *, commits: int) -> list[str]:
    """The statements that the app itself runs: schema, then `commits` transactions of imports and decisions."""
    statements: list[str] = []
    with contextlib.closing(Database.open_writer(path)) as database:
        database.connection.set_trace_callback(statements.append)
        events = EventLog(database)
        with database.transaction():
            migrate(database, events)
        views, cases = Views(database, events), Cases(database, events)
        patients, studies, sources = Patients(database, events), Studies(database, events), Sources(database, events)
        for number in range(commits):
            if number % 3 == 0:
                with database.transaction():
                    patients.add(Patient(id=f"P{number}"))
                    studies.add(Study(id=f"S{number}", patient_id=f"P{number}"))
                    views.add(make_view(f"V{number}", f"S{number}", f"{number:064x}"), header=HEADER, offset=0)
                    cases.replace_for_study(
                        f"S{number}", [make_case(f"C{number}", f"S{number}", f"P{number}", f"V{number}")], author="a"
                    )
                    sources.add(source_sha256=f"{number:064x}", view_id=f"V{number}", outcome="imported")
            elif number % 3 == 1:
                views.confirm(f"V{number - 1}", side=Side.RIGHT, author="reader")
            else:
                cases.set_status(f"C{number - 2}", ReviewStatus.REVIEWED, author="reader")
        database.connection.set_trace_callback(None)
    return [text for text in statements if not text.startswith(("--", "SELECT", "select", "PRAGMA"))]


def record_database(path: Path, statements: Sequence[str], *, pragmas: Sequence[str] = WRITER_PRAGMAS) -> list[Step]:
    """Run statements on a new database through a VFS that notes what reaches the disk; each COMMIT is acknowledged.

    Acknowledgements carry the number of events that were committed.
    """
    steps: list[Step] = []
    vfs = _RecordingVfs(steps)

    def open_connection() -> apsw.Connection:
        opened = apsw.Connection(str(path), vfs=vfs.vfs_name)
        for pragma in pragmas:
            opened.execute(pragma).fetchall()
        return opened

    try:
        connection = open_connection()
        commits = [number + 1 for number, text in enumerate(statements) if text == "COMMIT"]
        reopenings = {commits[len(commits) * part // 4] for part in (1, 2, 3)}  # the project is closed and opened again
        count = 0
        for number, statement in enumerate(statements):
            if number in reopenings:
                connection.close()
                connection = open_connection()
            connection.execute(statement).fetchall()
            count += statement.startswith('INSERT INTO "event"')
            if statement == "COMMIT":
                if not any(step.kind == "ack" for step in steps):
                    # making a project ends with atomic writes into its folder, before anybody sees it
                    steps.append(Step("sync-folder"))
                steps.append(Step("ack", str(count)))
        steps.append(Step("end"))
        connection.close()
    finally:
        vfs.unregister()
    return steps[: next(number for number, step in enumerate(steps) if step.kind == "end")]


class _RecordingVfs(apsw.VFS):
    def __init__(self, steps: list[Step]) -> None:
        self.vfs_name = f"recording-{id(self)}"
        self._steps = steps
        super().__init__(self.vfs_name, "", maxpathname=0)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _RecordingFile(name, flags, self._steps)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(name, syncdir)
        self._steps.append(Step("delete", Path(name).name))
        if syncdir:
            self._steps.append(Step("sync-folder"))


class _RecordingFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], steps: list[Step]) -> None:
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        self._steps = steps
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._steps.append(Step("write", self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self._steps.append(Step("truncate", self._name, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._steps.append(Step("sync", self._name))


def cut_and_check(
    steps: Sequence[Step],
    folder: Path,
    *,
    cuts: int,
    check: Callable[[Path, list[str]], None],
    seed: int = 0,
    begin: int = 0,
) -> int:
    """Cut the power `cuts` times at random moments and check what is left.

    Args:
        steps: what was recorded.
        folder: an empty folder to work in.
        cuts: how often.
        check: called with the folder that holds what is left and everything acknowledged before the cut; raises
            AssertionError when something is lost or damaged.
        seed: of the moments and of the disk's choices.
        begin: no cut comes before this step.

    Returns:
        Number of cuts after which the check failed.
    """
    choose = random.Random(seed)
    failed = 0
    for number in range(cuts):
        cut = choose.randint(begin, len(steps))
        here = folder / f"cut-{number}"
        here.mkdir(parents=True)
        for name, content in disk_after_cut(steps, cut, choose).items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(content)
        try:
            check(here, [step.name for step in steps[:cut] if step.kind == "ack"])
        except AssertionError:
            failed += 1
    return failed
