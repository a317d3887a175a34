"""From what a person points at to the single files in it: files, folders, archives, DICOMDIR."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.core.errors import UserError
from app.store.reading.archive import ZIP_MAGICS, is_wanted, open_archive
from app.store.reading.limits import MIB

# Office documents and program packages are zips as well; what is in them are no radiographs.
_ARCHIVE_SUFFIXES = frozenset({".zip", ""})
_IGNORED_NAMES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"})
_DICOMDIR = "dicomdir"
_MAX_DICOMDIR_BYTES = 64 * MIB
_MAX_RECORDS = 100_000
# (0004,1500) Referenced File ID, explicit VR little endian as PS3.10 8.6 demands of a DICOMDIR.
_REFERENCE = re.compile(rb"\x04\x00\x00\x15CS(..)", re.DOTALL)
_FILE_ID = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file that may hold an image.

    Args:
        path: file on disk, or the archive that holds it.
        member: name inside the archive, or empty.
        label: what to show the user, a relative path; never stored.
    """

    path: Path
    member: str = ""
    label: str = ""


def find_sources(paths: Sequence[Path]) -> Iterator[Source]:
    """Every file in files, folders, archives and DICOMDIRs, in a stable order, each once.

    Hidden files and folders are passed over, except those that are named themselves. A DICOMDIR stands for the folder
    it lies in; files that it names but that are not there are given as sources too, so that reading says so. An archive
    that cannot be opened is given as one source; reading it gives the reason.

    Args:
        paths: what the person pointed at.

    Raises:
        UserError: a path that does not exist.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            raise UserError(
                f"“{path.name}” is not there.",
                reason="There is no file or folder of this name.",
                remedy="Check the path.",
                kind="missing",
            ) from error
        if stat.S_ISDIR(status.st_mode):
            yield from _from_folder(path, path, seen)
        elif path.name.lower() == _DICOMDIR:
            yield from _from_folder(path.parent, path.parent, seen)
        elif _is_new(status, seen):
            yield from _from_file(path, path.name)


def _from_folder(folder: Path, root: Path, seen: set[tuple[int, int]]) -> Iterator[Source]:
    """A folder and everything below it, depth first, names sorted; links are followed, loops are not."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            if not _is_new(current.stat(), seen):
                continue
            with os.scandir(current) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue  # may not be entered, or vanished
        folders = []
        for entry in found:
            if _is_hidden(entry.name):
                continue
            path = Path(entry.path)
            try:
                status = entry.stat()
            except OSError:
                yield Source(path=path, label=_label(path, root))  # a dead link: reading it says so
                continue
            if stat.S_ISDIR(status.st_mode):
                folders.append(path)
            elif not stat.S_ISREG(status.st_mode):
                continue
            elif entry.name.lower() == _DICOMDIR:
                yield from _missing_references(path, root)
            elif _is_new(status, seen):
                yield from _from_file(path, _label(path, root))
        waiting += reversed(folders)


def _from_file(path: Path, label: str) -> Iterator[Source]:
    """A file, or the members of an archive."""
    if not _is_archive(path):
        yield Source(path=path, label=label)
        return
    try:
        with open_archive(path) as archive:
            names = [info.filename for info in archive.infolist()]
    except UserError:
        yield Source(path=path, label=label)
        return
    wanted = [
        name for name in dict.fromkeys(names) if is_wanted(name) and PurePosixPath(name).name.lower() != _DICOMDIR
    ]
    for name in sorted(wanted):
        yield Source(path=path, member=name, label=f"{label}/{name}")


def _is_archive(path: Path) -> bool:
    if path.suffix.lower() not in _ARCHIVE_SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in ZIP_MAGICS
    except OSError:
        return False


def _missing_references(dicomdir: Path, root: Path) -> Iterator[Source]:
    """Files that a DICOMDIR names, inside its own folder, and that are not there. The others the scan finds itself."""
    try:
        if dicomdir.stat().st_size > _MAX_DICOMDIR_BYTES:
            return
        data = dicomdir.read_bytes()
    except OSError:
        return
    base = dicomdir.parent
    for count, match in enumerate(_REFERENCE.finditer(data)):
        if count >= _MAX_RECORDS:
            return
        length = int.from_bytes(match[1], "little")
        parts = data[match.end() : match.end() + length].decode("ascii", "replace").strip("\0 ").split("\\")
        if not all(_FILE_ID.fullmatch(part) and part not in (".", "..") for part in parts):
            continue  # it points outside its folder, or is no file ID at all
        path = base.joinpath(*parts)
        if not path.exists():
            yield Source(path=path, label=_label(path, root))


def _is_new(status: os.stat_result, seen: set[tuple[int, int]]) -> bool:
    """Whether a file or folder has not been met yet. File systems without inode numbers cannot tell."""
    if status.st_ino == 0:
        return True
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED_NAMES


def _label(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
