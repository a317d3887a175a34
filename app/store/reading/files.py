"""One foreign file, whatever it is: opened, hashed, told apart, read."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from app.core.errors import UserError
from app.store.reading.archive import ZIP_MAGICS, open_archive, read_member
from app.store.reading.buffers import Buffer
from app.store.reading.dicom import Reading, read_dicom
from app.store.reading.limits import MAX_FILE_BYTES, MIB
from app.store.reading.part10 import is_dicom
from app.store.reading.raster import is_raster, read_raster


@dataclass(slots=True)
class FileOpener:
    """Opens files and members of archives; keeps the last archive open, as its members come one after the other."""

    _archive_path: Path | None = None
    _archive: zipfile.ZipFile | None = field(default=None, repr=False)

    def open(self, path: Path, member: str) -> Buffer:
        """The bytes of a file, mapped, or of a member, in memory.

        Raises:
            UserError: it is not there, is not a file, is empty, or is too large.
        """
        if member:
            if self._archive is None or self._archive_path != path:
                self.close()
                self._archive, self._archive_path = open_archive(path), path
            return read_member(self._archive, member)
        return _map(path)

    def close(self) -> None:
        """Close the archive."""
        if self._archive is not None:
            self._archive.close()
        self._archive = self._archive_path = None


def _map(path: Path) -> Buffer:
    try:
        # Not blocking, so that a pipe in a folder cannot hold the reader up.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise UserError("The file is not there.", remedy="Check the path or the disk.", kind="missing") from error
    except OSError as error:
        raise UserError(
            "The file cannot be opened.", reason="The system does not allow it.", kind="not-readable"
        ) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UserError("This is not a file.", kind="not-an-image")
        if status.st_size == 0:
            raise UserError("The file is empty.", remedy="Copy it again from where it came from.", kind="damaged")
        if status.st_size > MAX_FILE_BYTES:
            raise UserError(
                "The file is too large.",
                reason=f"More than {MAX_FILE_BYTES // MIB} MB are not read.",
                kind="too-large",
            )
        return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(handle)


def sha256_of(buffer: Buffer) -> str:
    """Hash of the whole file, hex."""
    return hashlib.sha256(buffer).hexdigest()


def is_image(buffer: Buffer) -> bool:
    """Whether the bytes look like one of the formats that Coxa reads."""
    return is_raster(buffer) or is_dicom(buffer)


def read_buffer(
    buffer: Buffer, *, whitelist: frozenset[int], frame: int | None, is_header_only: bool, scratch: Path
) -> Reading:
    """Read one file.

    Args:
        buffer: its bytes.
        whitelist: DICOM tags that the header may hold.
        frame: frame index, or None.
        is_header_only: do not decode pixels.
        scratch: folder for temporary files.

    Raises:
        UserError: it is refused, with the reason.
        MemoryError: not enough memory.
    """
    if bytes(buffer[:4]) in ZIP_MAGICS:
        raise UserError(
            "This is an archive, not an image.",
            reason="It is damaged, too large, or of a kind that Coxa does not look into.",
            remedy="Unpack it first.",
            kind="archive",
        )
    if is_raster(buffer):
        return read_raster(buffer, frame=frame, is_header_only=is_header_only)
    return read_dicom(buffer, whitelist=whitelist, frame=frame, is_header_only=is_header_only, scratch=scratch)
