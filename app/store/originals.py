"""Original files, kept only when a person asks for it: they hold everything that the project otherwise leaves out."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from app.core.errors import UserError
from app.store.folder import ProjectFolder
from app.store.fs import DISK, PRIVATE_FILE, atomic_write
from app.store.reading.sources import Source

CHUNK_BYTES = 1 << 20


def original_path(folder: ProjectFolder, sha256: str) -> Path:
    """Where the original file with this content hash is, or would be."""
    return folder.private / "originals" / sha256


def keep_original(folder: ProjectFolder, source: Source, sha256: str) -> None:
    """Copy a file byte for byte to `private/originals/<sha256>`, readable by the owner only.

    Raises:
        UserError: `changed`: it is not, or no longer, the file that was imported.
    """
    target = original_path(folder, sha256)
    if target.exists():
        return
    try:
        content = _content(source)
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError):
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(
            "An original file changed while it was imported.",
            reason="Its content is no longer what was read.",
            remedy="Import it again when nothing writes to it.",
            kind="changed",
        )
    DISK.make_folder(target.parent)
    atomic_write(target, [content], mode=PRIVATE_FILE, fs=DISK)


def _content(source: Source) -> bytes:
    if not source.member:
        return source.path.read_bytes()
    with zipfile.ZipFile(source.path) as archive:
        return archive.read(source.member)
