"""Write a data set whole or not at all: a hidden folder beside the goal, checksums, one rename at the end."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

from app.core.errors import UserError
from app.core.export import ExportFormat
from app.core.export_plan import ExportPlan
from app.store.exchange.card import card_files
from app.store.exchange.writer import ExportSource, OutputFile, checked_path, writer_of
from app.store.fs import DISK, PRIVATE_FILE, Chunk, FileSystem
from app.store.project import ProjectStore

SUMS = "SHA256SUMS"
DRAFT = ".coxa-export-"
ABANDONED_AFTER_S = 86400  # a draft of another computer; one of this computer is looked up by its process
MOST_WORKERS = 4
_DRAFT = re.compile(re.escape(DRAFT) + r"([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgress:
    """How far an export is.

    Args:
        done: files written.
        total: files in all.
        written_bytes: so far.
        path: of the last file, relative to the data set.
    """

    done: int
    total: int
    written_bytes: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What was written.

    Args:
        folder: the data set.
        files: number of files, with SHA256SUMS.
        written_bytes: in all.
        sums_sha256: SHA-256 of SHA256SUMS: equal for equal data sets.
        seconds: how long it took.
    """

    folder: Path
    files: int
    written_bytes: int
    sums_sha256: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Written:
    path: str
    digest: str
    size: int


def write_export(
    project: ProjectStore,
    plan: ExportPlan,
    folder: Path,
    *,
    on_progress: Callable[[ExportProgress], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    fs: FileSystem = DISK,
    workers: int = 0,
) -> ExportReport:
    """Write the data set of a plan.

    Everything is written into a hidden folder beside the goal, which gets its name when every file, and SHA256SUMS over
    all of them, is on the disk. Whenever it ends before that, for whatever reason, there is nothing under the name.

    Args:
        project: the project of the plan, open in this thread.
        plan: what is written.
        folder: a new or empty folder.
        on_progress: told after each file, in this thread.
        is_cancelled: asked between files and once more at the end; when true, nothing is left behind.
        fs: the file system, replaced in tests.
        workers: threads that make files; 0 = as many as there are processors, four at most.

    Raises:
        UserError: `exists`, `leak`, `cancelled`, `disk-full`, `unwritable-folder`, or what reading an image may raise.
    """
    began = time.monotonic()
    folder = Path(folder).absolute()
    check_goal(project, folder)
    refuse_leaks(plan)
    draft = folder.parent / f"{DRAFT}{this_computer()}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        fs.make_folder(folder.parent)
        remove_abandoned(folder.parent)
        try:
            fs.make_folder(draft)
            written = _write_all(project, plan, draft, on_progress, is_cancelled, fs, workers or _processors())
            sums = "".join(f"{each.digest}  {each.path}\n" for each in sorted(written, key=_by_path)).encode("ascii")
            fs.write(draft / SUMS, [sums], mode=PRIVATE_FILE)
            fs.sync(draft / SUMS)
            _sync_folders(draft, [each.path for each in written], fs)
            _refuse_cancelled(is_cancelled)
            if folder.exists():
                folder.rmdir()
            fs.replace(draft, folder)
            fs.sync_folder(folder.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise _cannot_write(error) from error
    return ExportReport(
        folder=folder,
        files=len(written) + 1,
        written_bytes=sum(each.size for each in written) + len(sums),
        sums_sha256=hashlib.sha256(sums).hexdigest(),
        seconds=time.monotonic() - began,
    )


def check_goal(project: ProjectStore, folder: Path) -> None:
    """Refuse a goal that holds something already, or that is a part of the project.

    Raises:
        UserError: `exists` or `usage`.
    """
    home = project.folder.path.resolve()
    goal = folder.parent.resolve() / folder.name
    if goal.is_relative_to(home) and not goal.parent.is_relative_to(home / project.folder.exports.name):
        raise UserError(
            "The data set cannot be written into the project.",
            reason="This is a folder of the project's own.",
            remedy=f"Choose another place, or a new folder in {project.folder.exports.name}.",
            kind="usage",
        )
    try:
        is_taken = folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir())))
    except OSError as error:
        raise _cannot_write(error) from error
    if is_taken:
        raise UserError(
            "The data set cannot be written there.",
            reason="There is something at this place already.",
            remedy="Choose a new or an empty folder.",
            kind="exists",
        )


def free_export_folder(project: ProjectStore) -> Path:
    """A folder in the project's `exports` that does not exist yet: `export-001`, `export-002` …"""
    return next(
        path
        for path in (project.folder.exports / f"export-{number:03}" for number in range(1, 100_000))
        if not path.exists()
    )


def refuse_leaks(plan: ExportPlan) -> None:
    """Refuse a plan in which a patient or an image is in two parts, unless that was accepted.

    Raises:
        UserError: `leak`.
    """
    if not plan.leaks or plan.request.is_leak_accepted:
        return
    first = plan.leaks[0]
    parts = " and ".join(part.value for part in first.parts)
    raise UserError(
        f"{len(plan.leaks)} patients or images are in two parts.",
        reason=f"For example: {first.what} {first.name[:24]} is in {parts}. Figures from such a split are too good.",
        remedy="Deal the cases out anew by a seed, or accept the leak knowingly.",
        kind="leak",
    )


def remove_abandoned(parent: Path) -> int:
    """Remove the hidden folders of exports that were killed; returns how many."""
    count = 0
    for draft in parent.glob(f"{DRAFT}*"):
        match = _DRAFT.fullmatch(draft.name)
        if match is None or draft.is_symlink():
            continue
        if match[1] == this_computer():
            is_abandoned = not psutil.pid_exists(int(match[2]))
        else:
            is_abandoned = time.time() - draft.stat().st_mtime > ABANDONED_AFTER_S
        if is_abandoned:
            shutil.rmtree(draft, ignore_errors=True)
            count += 1
    return count


def all_files(plan: ExportPlan, source: ExportSource) -> Iterator[tuple[ExportFormat | None, OutputFile]]:
    """Every file of a data set with its format (None: those about the data set itself), but for SHA256SUMS."""
    writers = {wanted: writer_of(wanted) for wanted in ExportFormat if wanted in plan.request.formats}
    for file in card_files(plan, writers):
        yield None, file
    for wanted, writer in writers.items():
        for file in writer.files(plan, source):
            yield wanted, file


def _write_all(
    project: ProjectStore,
    plan: ExportPlan,
    draft: Path,
    on_progress: Callable[[ExportProgress], None] | None,
    is_cancelled: Callable[[], bool] | None,
    fs: FileSystem,
    workers: int,
) -> list[_Written]:
    """Make and write every file; some ahead of the others, never more than there are workers and two."""
    source = ExportSource(project=project)
    total = _count_checked(file for _, file in all_files(plan, source)) + 1
    written: list[_Written] = []
    size = 0
    waiting: deque[Future[_Written]] = deque()

    def take(result: _Written) -> None:
        nonlocal size
        written.append(result)
        size += result.size
        if on_progress is not None:
            on_progress(ExportProgress(done=len(written), total=total, written_bytes=size, path=result.path))

    with ThreadPoolExecutor(workers, thread_name_prefix="export") as pool:
        try:
            for _, file in all_files(plan, source):
                _refuse_cancelled(is_cancelled)
                fs.make_folder((draft / file.path).parent)
                if file.reads_project:
                    take(_write_one(file, draft, fs))
                    continue
                waiting.append(pool.submit(_write_one, file, draft, fs))
                while len(waiting) > workers + 2 or (waiting and waiting[0].done()):
                    take(waiting.popleft().result())
            while waiting:
                _refuse_cancelled(is_cancelled)
                take(waiting.popleft().result())
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
    return written


def _write_one(file: OutputFile, draft: Path, fs: FileSystem) -> _Written:
    digest, size = hashlib.sha256(), 0

    def counted() -> Iterator[Chunk]:
        nonlocal size
        for chunk in file.content():
            digest.update(chunk)
            size += memoryview(chunk).nbytes
            yield chunk

    try:
        fs.write(draft / file.path, counted(), mode=PRIVATE_FILE)
        fs.sync(draft / file.path)  # while others are made: waiting for the disk costs no time of its own
    except UserError as error:
        if not file.about:
            raise
        raise UserError(
            f"{file.about} cannot be exported.",
            reason=f"{error.title} {error.reason}".strip(),
            remedy=error.remedy or "Leave it out, or repair it.",
            kind=error.kind,
        ) from error
    return _Written(file.path, digest.hexdigest(), size)


def _count_checked(files: Iterable[OutputFile]) -> int:
    """How many files there are; each has a proper path of its own, also where upper and lower case are one."""
    seen: set[str] = set()
    for file in files:
        path = checked_path(file.path).casefold()
        if path in seen or path == SUMS.casefold():
            raise ValueError(f"two files of a data set are called {file.path}")
        seen.add(path)
    return len(seen)


def _sync_folders(draft: Path, paths: Iterable[str], fs: FileSystem) -> None:
    """Make every name durable: what is renamed next must be on the disk, or a power cut could show half of it."""
    folders = {draft / parent for path in paths for parent in PurePosixPath(path).parents} | {draft}
    for folder in sorted(folders, reverse=True):
        fs.sync_folder(folder)


def _by_path(written: _Written) -> str:
    return written.path


def this_computer() -> str:
    """A short name of this computer that does not tell which it is."""
    return hashlib.sha256(socket.gethostname().encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _processors() -> int:
    return max(1, min(MOST_WORKERS, os.cpu_count() or 1))


def _refuse_cancelled(is_cancelled: Callable[[], bool] | None) -> None:
    if is_cancelled is not None and is_cancelled():
        raise UserError("The export was cancelled.", reason="Nothing was left behind.", kind="cancelled")


def _cannot_write(error: OSError) -> UserError:
    return UserError(
        "The data set cannot be written.",
        reason=f"The system says: {(error.strerror or type(error).__name__).lower()}.",
        remedy="Free some space or choose another folder.",
        kind="disk-full" if error.errno in (28, 27, 122) else "unwritable-folder",
    )
