"""The project folder: where everything of one project lives. All paths come from here.

`MyProject/  project.toml  project.db  images/ab/<sha256>  backups/  cache/  models/<id>/  runs/<id>/  exports/
private/  scratch/`. Only its owner can read it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tomllib
from pathlib import Path

from app.core.errors import UserError
from app.core.record import record
from app.store.fs import PRIVATE_FOLDER, atomic_write, is_temporary
from app.store.mounts import mounts

FORMAT = 1  # raised when an older Coxa could not use the folder
MARKER = "project.toml"
# fmt: off
NETWORK_FILE_SYSTEMS = frozenset({
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "afs", "ncpfs", "coda", "ceph",
    "glusterfs", "fuse.glusterfs", "lustre", "gpfs", "beegfs", "webdav", "davfs", "fuse.davfs2", "fuse.sshfs",
    "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.smbnetfs", "fuse.vmhgfs-fuse", "vboxsf", "prl_fs",
    "ocfs2", "gfs2", "orangefs", "pvfs2",
})
# fmt: on


@record(frozen=True, slots=True)
class ProjectFolder:
    """The layout of one project folder.

    Args:
        path: the folder, absolute.
    """

    path: Path

    @property
    def marker(self) -> Path:
        """`project.toml`: says that this is a project, of which format and name."""
        return self.path / MARKER

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.path / "project.db"

    @property
    def images(self) -> Path:
        """The image store: one file an image, named by the hash of its pixels."""
        return self.path / "images"

    @property
    def backups(self) -> Path:
        """Verified copies of the database."""
        return self.path / "backups"

    @property
    def cache(self) -> Path:
        """What can be computed again: heatmaps, thumbnails."""
        return self.path / "cache"

    @property
    def models(self) -> Path:
        """Models fine-tuned in this project."""
        return self.path / "models"

    @property
    def runs(self) -> Path:
        """Training runs."""
        return self.path / "runs"

    @property
    def exports(self) -> Path:
        """Snapshots made for others."""
        return self.path / "exports"

    @property
    def private(self) -> Path:
        """What must never leave this folder: the pseudonym key."""
        return self.path / "private"

    @property
    def scratch(self) -> Path:
        """Temporary files of work in progress; emptied by the next writer that opens the project."""
        return self.path / "scratch"

    @property
    def key_file(self) -> Path:
        """The 32 secret bytes that pseudonyms are made with."""
        return self.private / "project.key"

    @property
    def lock_file(self) -> Path:
        """Locked by the one writer. Its content means nothing."""
        return self.path / "project.lock"

    @property
    def holder_file(self) -> Path:
        """Who holds the lock, for people to read; its presence without a lock means an unclean end."""
        return self.path / "project.lock.json"

    @property
    def head_file(self) -> Path:
        """Second copy of the head of the event chain."""
        return self.path / "project.head"

    @property
    def restore_file(self) -> Path:
        """Present while a restore is under way."""
        return self.path / "project.restoring"

    @property
    def restored_file(self) -> Path:
        """The database that a restore is about to put in place."""
        return self.path / "project.db.restored"

    @property
    def name(self) -> str:
        """The project's name; the folder's own name when none was given."""
        return str(self.read_marker().get("name", "")) or self.path.name

    def make(self) -> None:
        """Make the sub-folders, readable by the owner only."""
        for folder in (self.path, self.images, self.backups, self.cache, self.models, self.runs, self.exports,
                       self.private, self.scratch):  # fmt: skip
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)

    def read_marker(self) -> dict[str, object]:
        """The content of `project.toml`.

        Raises:
            UserError: `not-a-project`, `newer-version` or `damaged`.
        """
        try:
            marker = tomllib.loads(self.marker.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            is_there, is_folder = self.path.exists(), self.path.is_dir()
            raise UserError(
                "This folder is not a Coxa project.",
                reason=f"It holds no {MARKER}." if is_folder else "It is a file." if is_there else "It does not exist.",
                remedy="Choose a project folder, or make a new project.",
                kind="not-a-project",
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            marker = {}
        except OSError as error:
            raise cannot_read(error) from None
        version = marker.get("format")
        if not isinstance(version, int) or version < 1:
            raise UserError(
                "The project's description cannot be read.",
                reason=f"{MARKER} holds no format number.",
                remedy="Put back this file from a copy of the folder; it is three short lines.",
                kind="damaged",
            )
        if version > FORMAT:
            raise UserError(
                "This project was made by a newer version of Coxa.",
                reason=f"It has format {version}; this version knows formats up to {FORMAT}.",
                remedy="Open it with the newer version.",
                kind="newer-version",
            )
        return marker

    def write_marker(self, *, name: str) -> None:
        """Write `project.toml`; the last file that a new project gets."""
        text = f"# A Coxa project. Research use only.\nformat = {FORMAT}\nname = {json.dumps(name)}\n"
        atomic_write(self.marker, [text.encode("utf-8")])

    def write_key(self) -> None:
        """Draw the secret key of a new project."""
        atomic_write(self.key_file, [secrets.token_bytes(32)])

    def read_key(self) -> bytes:
        """The 32 secret bytes of the project.

        Raises:
            UserError: `key-missing`: pseudonyms could not be made to agree with those given before.
        """
        try:
            key = self.key_file.read_bytes()
        except FileNotFoundError:
            key = b""
        except OSError as error:
            raise cannot_read(error) from None
        if len(key) != 32:
            raise UserError(
                "The project's secret key is missing.",
                reason="private/project.key is absent or not 32 bytes long; without it a patient would get a second "
                "pseudonym on the next import.",
                remedy="Put back private/project.key from a copy of the folder. Of a project that somebody else has "
                "sent, ask for an export as Coxa project, and import that.",
                kind="key-missing",
            )
        return key

    def empty_scratch(self) -> None:
        """Remove what an interrupted run left behind: the scratch folder's content and half-written files."""
        for folder in (self.path, self.private, self.private / "originals", self.backups):
            for file in folder.iterdir() if folder.is_dir() else ():
                if is_temporary(file):
                    file.unlink(missing_ok=True)
        for entry in self.scratch.iterdir() if self.scratch.is_dir() else ():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def is_project(path: Path) -> bool:
    """Whether a folder says that it is a project.

    Raises:
        UserError: `unreadable-folder`: the system does not let anyone look.
    """
    try:
        return (path / MARKER).is_file()
    except OSError as error:
        raise cannot_read(error) from error


def file_system_type(path: Path) -> str:
    """Type of the file system that holds `path` (`ext4`, `nfs4` …); `remote` for a Windows network drive, or empty."""
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    real = os.path.normcase(os.path.realpath(existing))
    if sys.platform == "win32" and real.startswith("\\\\"):
        return "remote"
    best, found = -1, ""
    for mount in mounts():
        point = os.path.normcase(mount.point)
        inside = real == point or real.startswith(point.rstrip(os.sep) + os.sep)
        if inside and len(point) >= best:  # the last mount on a point is the one that shows
            best = len(point)
            found = "remote" if mount.is_remote else mount.kind
    return found.lower()


def refuse_network_folder(path: Path) -> None:
    """Refuse a project on a network file system: SQLite's WAL does not work there and data would be lost.

    Raises:
        UserError: `network-folder`.
    """
    kind = file_system_type(path)
    if kind == "remote" or kind in NETWORK_FILE_SYSTEMS:
        raise UserError(
            "A project cannot live on a network folder.",
            reason=f"This is a network file system ({kind}), where the database cannot promise to lose nothing.",
            remedy="Keep the project on a local disk and copy finished backups or exports to the network folder.",
            kind="network-folder",
        )


def cannot_read(error: OSError) -> UserError:
    """A read that the operating system refused, in words."""
    return UserError(
        "The project folder cannot be read.",
        reason=f"The system says: {(error.strerror or type(error).__name__).lower()}.",
        remedy="Check the folder's rights and that the disk is connected.",
        kind="unreadable-folder",
    )


def cannot_write(error: OSError) -> UserError:
    """A write that the operating system refused, in words."""
    return UserError(
        "The project folder cannot be written.",
        reason=f"The system says: {(error.strerror or type(error).__name__).lower()}.",
        remedy="Free some space or check the folder's rights, then try again; nothing that was saved is lost.",
        kind="unwritable-folder",
    )
