"""Zip archives: listing and reading members without ever using their names as paths (`imaging.md` §5)."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from struct import unpack_from

from app.core.errors import UserError
from app.store.reading.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_MEMBERS,
    MAX_FILE_BYTES,
    MAX_RATIO,
    MIB,
    RATIO_FREE_BYTES,
)

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_END = b"PK\x05\x06"
_END_BYTES = 22
_MAX_COMMENT = 65535
_MAX_DIRECTORY_BYTES = 32 * MIB
_CHUNK = MIB
_ENCRYPTED = 0x1


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a zip whose table of contents is within bounds.

    Raises:
        UserError: damaged, or with more or larger members than any set of radiographs has.
    """
    try:
        _check_directory_size(path)
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RecursionError) as error:
        raise _damaged("Its table of contents cannot be read.") from error
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    reason = ""
    if len(infos) > MAX_ARCHIVE_MEMBERS:
        reason = f"It holds more than {MAX_ARCHIVE_MEMBERS:,} files."
    elif total > MAX_ARCHIVE_BYTES:
        reason = f"Unpacked it is larger than {MAX_ARCHIVE_BYTES // (1024 * MIB)} GB."
    if reason:
        archive.close()
        raise UserError(
            "The archive is too large.", reason=reason, remedy="Divide it into smaller ones.", kind="too-large"
        )
    return archive


def _check_directory_size(path: Path) -> None:
    """Look at the end record before the standard library reads the whole table into memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _MAX_COMMENT))
        tail = file.read(_END_BYTES + _MAX_COMMENT)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        raise zipfile.BadZipFile("no end record")
    directory_bytes = unpack_from("<L", tail, at + 12)[0]
    if directory_bytes > _MAX_DIRECTORY_BYTES:
        raise UserError(
            "The archive is too large.",
            reason="Its table of contents is longer than any set of radiographs needs.",
            remedy="Divide it into smaller ones.",
            kind="too-large",
        )


def is_wanted(name: str) -> bool:
    """Whether a member is worth looking at: no folder, nothing hidden, no resource fork."""
    if name.endswith("/"):
        return False
    parts = PurePosixPath(name).parts
    return (
        bool(parts)
        and not any(part.startswith(".") and part not in ("..", ".") for part in parts)
        and ("__MACOSX" not in parts)
    )


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one member, in memory, bounded.

    Raises:
        UserError: encrypted, a link, too large, a bomb, damaged, or an archive itself.
    """
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise UserError("The file is no longer in its archive.", kind="missing") from error
    _check_member(info)
    pieces: list[bytes] = []
    held = 0
    try:
        with archive.open(info) as member:
            while piece := member.read(_CHUNK):
                held += len(piece)
                if held > min(info.file_size, MAX_FILE_BYTES):
                    raise _bomb("It unpacks to more than its archive says.")
                pieces.append(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise _damaged("A file in it cannot be unpacked.") from error
    data = b"".join(pieces)
    if data[:4] in ZIP_MAGICS:
        raise UserError(
            "There is an archive inside the archive.",
            reason="Coxa looks into one archive at a time.",
            remedy="Unpack the inner archive first.",
            kind="nested-archive",
        )
    return data


def _check_member(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UserError(
            "The archive is encrypted.",
            reason="Coxa cannot read it without its password.",
            remedy="Unpack it first.",
            kind="encrypted",
        )
    mode = info.external_attr >> 16
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode) != 0:
        raise UserError(
            "An entry of the archive is a link, not a file.",
            reason="Links are never followed.",
            kind="not-an-image",
        )
    if info.file_size > MAX_FILE_BYTES:
        raise UserError(
            "The file is too large.", reason=f"More than {MAX_FILE_BYTES // MIB} MB are not read.", kind="too-large"
        )
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > RATIO_FREE_BYTES and ratio > MAX_RATIO:
        raise _bomb(f"It unpacks to {ratio:,.0f} times its size.")


def _bomb(reason: str) -> UserError:
    return UserError("The file unpacks to more than any radiograph needs.", reason=reason, kind="too-large")


def _damaged(reason: str) -> UserError:
    return UserError(
        "The archive is damaged.",
        reason=reason,
        remedy="Copy it again from where it came from.",
        kind="damaged",
    )
