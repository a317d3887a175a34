"""One open project: its folder, its database, its images."""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import shutil
import time
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from glob import escape as glob_escape
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.core.errors import UserError
from app.core.event import PROJECT
from app.store.cases import Cases
from app.store.database import Database, damaged
from app.store.derived import DerivedCache
from app.store.events import EventLog
from app.store.findings import Findings
from app.store.folder import FORMAT, ProjectFolder, cannot_write, is_project, refuse_network_folder
from app.store.fs import DISK, PRIVATE_FILE, PRIVATE_FOLDER
from app.store.head import Head, HeadFile, read_head, reset_head
from app.store.images import ImageStore
from app.store.patients import Patients
from app.store.schema import MIGRATIONS, SCHEMA, schema_digest
from app.store.sources import Sources
from app.store.studies import Studies
from app.store.views import Views
from app.store.worklist.index_file import IndexFile
from app.store.worklist.worklist import Worklist

if TYPE_CHECKING:
    from app.store.backup import Backup

LOG = logging.getLogger(__name__)
KEY_CHECK = "key-check"
ABANDONED_AFTER_S = 3600


class ProjectStore:
    """An open project. Use `create` or `open`, then `close` (or `with`).

    Attributes:
        folder: where everything lives.
        key: 32 secret bytes; pseudonyms, UIDs and date shifts are made with them.
        is_read_only: whether changes are refused.
        was_unclean: whether the writer before this one ended without closing (checked on opening).
    """

    folder: ProjectFolder
    key: bytes
    is_read_only: bool
    was_unclean: bool

    def __init__(self, folder: ProjectFolder, database: Database, key: bytes, cleanup: ExitStack) -> None:
        self.folder = folder
        self.database = database
        self.key = key
        self.is_read_only = database.is_read_only
        self.was_unclean = False
        self._head_file: HeadFile | None = None
        self._worklist: Worklist | None = None
        self.images = ImageStore(folder.images)
        self.derived = DerivedCache(folder.cache, is_writable=not database.is_read_only)
        self.findings = Findings(folder.cache, is_writable=not database.is_read_only)
        self.events = EventLog(database)
        self.patients = Patients(database, self.events)
        self.studies = Studies(database, self.events)
        self.views = Views(database, self.events)
        self.cases = Cases(database, self.events)
        self.sources = Sources(database, self.events)
        self._cleanup = cleanup

    @classmethod
    def create(cls, path: Path, *, name: str = "") -> ProjectStore:
        """Make a new project in a folder that does not exist or is empty, and open it.

        Everything is made in a folder beside it that is renamed at the end: a project is there whole or not at all.

        Args:
            path: the new project's folder.
            name: what to call it; the folder's name when empty.

        Raises:
            UserError: `exists`, `network-folder` or `unwritable-folder`.
        """
        path = Path(path).absolute()
        try:
            if is_project(path):
                raise UserError(
                    "There is a project in this folder already.",
                    reason="A new project needs a folder of its own.",
                    remedy="Open it, or choose another folder.",
                    kind="exists",
                )
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise UserError(
                    "The project cannot be made here.",
                    reason="There is something else at this place.",
                    remedy="Choose a new or an empty folder.",
                    kind="exists",
                )
            refuse_network_folder(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_abandoned_drafts(path)
            draft = ProjectFolder(path.parent / f".{path.name}.{secrets.token_hex(4)}.new")
            try:
                _fill(draft, name=name or path.name)
                if path.exists():
                    path.rmdir()
                draft.path.replace(path)
                DISK.sync_folder(path.parent)
            except BaseException:
                shutil.rmtree(draft.path, ignore_errors=True)
                raise
        except OSError as error:
            raise cannot_write(error) from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path, *, is_read_only: bool = False, is_backing_up: bool = True) -> ProjectStore:
        """Open a project.

        Args:
            path: the project's folder.
            is_read_only: look only; possible while somebody else is writing.
            is_backing_up: make a backup now if one is due; closing does so anyway.

        Raises:
            UserError: `not-a-project`, `newer-version`, `locked`, `network-folder`, `damaged`, `key-missing`,
                `unreadable-folder`, `unwritable-folder` or `no-copy`.
        """
        folder = ProjectFolder(Path(path).absolute())
        folder.read_marker()
        refuse_network_folder(folder.path)
        with ExitStack() as stack:
            store = (
                _open_reader(folder, stack)
                if is_read_only
                else _open_writer(folder, stack, is_backing_up=is_backing_up)
            )
            store._cleanup = stack.pop_all()
        return store

    @property
    def name(self) -> str:
        """The project's name; the folder's own name where the folder cannot be read any more."""
        with contextlib.suppress(UserError):
            return self.folder.name
        return self.folder.path.name

    @property
    def worklist(self) -> Worklist:
        """Questions about all cases; for the thread that opened the project. Its index is made at the first use."""
        if self._worklist is None:
            index = IndexFile(self.database, self.folder.cache, is_writable=not self.is_read_only)
            self._worklist = Worklist(self.database, index)
        return self._worklist

    def use_index(self, index: IndexFile) -> None:
        """Answer from an index that was made beforehand (`store.worklist.prepare`)."""
        if self._worklist is not None:
            self._worklist.close()
        self._worklist = Worklist(self.database, index)

    def transaction(self) -> AbstractContextManager[None]:
        """One durable commit; nested calls join the outer one."""
        return self.database.transaction()

    def back_up_if_due(self) -> Backup | None:
        """Make a backup when the newest is older than a day and something has changed since.

        Returns:
            The new backup; None when none was due or none could be made (the reason is logged and the project can be
            worked with; `coxa check` tells how old the newest backup is).
        """
        from app.store.backup import is_backup_due, make_backup

        now = datetime.now(UTC)
        try:
            if is_backup_due(self.folder, self.database, now=now):
                return make_backup(self.folder, self.database, now=now)
        except UserError as error:
            LOG.warning("no backup was made (%s)", error.kind)
        return None

    def beside(self) -> ProjectStore:
        """A second handle for one other thread of this process, to be closed in that thread and before this one.

        It reads and writes through a connection of its own, under the lock that this project holds: the two take
        turns commit by commit, and a change made here goes first. Both see what the other has committed.

        Raises:
            UserError: the project is open read-only, or its database cannot be opened.
        """
        if self.is_read_only:
            raise UserError(
                "This project is open read-only.",
                reason="Nothing can be changed in it from here.",
                remedy="Open it for writing.",
                kind="read-only",
            )
        database = Database.open_writer(self.folder.database, turn=self.database.turn)
        cleanup = ExitStack()
        cleanup.callback(database.close)
        store = ProjectStore(self.folder, database, self.key, cleanup)
        store.images = self.images
        if self._head_file is not None:
            store._note_heads(self._head_file)
        return store

    def _note_heads(self, head_file: HeadFile) -> None:
        """Note the end of the chain after every commit, while it is still this connection's turn."""

        def note() -> None:
            number, digest = self.events.head()
            head_file.write(Head(event_id=number, event_hash=digest))

        self._head_file = head_file
        self.database.on_commit(note)

    def close(self) -> None:
        """Close the project; the next writer finds it clean."""
        self.derived.close()
        self.findings.close()
        if self._worklist is not None:
            self._worklist.close()
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _remove_abandoned_drafts(path: Path) -> None:
    """Remove what a creation that was killed left beside this place an hour ago or more."""
    for draft in path.parent.glob(f".{glob_escape(path.name)}.*.new"):
        if time.time() - draft.stat().st_mtime > ABANDONED_AFTER_S:
            shutil.rmtree(draft, ignore_errors=True)


def _fill(folder: ProjectFolder, *, name: str) -> None:
    """Make everything that a new project holds; the marker comes last."""
    folder.path.mkdir(mode=PRIVATE_FOLDER)
    folder.make()
    folder.write_key()
    database = Database.open_writer(folder.database)
    try:
        folder.database.chmod(PRIVATE_FILE)
        events = EventLog(database)
        with database.transaction():
            migrate(database, events)
            events.append(target=PROJECT, field="format", after=FORMAT)
            events.append(target=PROJECT, field=KEY_CHECK, after=key_check(folder.read_key()))
        number, digest = events.head()
    finally:
        database.close()
    reset_head(folder.head_file, Head(event_id=number, event_hash=digest))
    folder.write_marker(name=name)


def _open_writer(folder: ProjectFolder, stack: ExitStack, *, is_backing_up: bool) -> ProjectStore:
    from app.store.lock import ProjectLock  # who only looks needs none

    lock = ProjectLock(folder)
    lock.acquire()
    is_clean = not lock.was_unclean  # a refused opening leaves the flag as it was
    stack.callback(lambda: lock.release(is_clean=is_clean))
    try:
        folder.make()
        folder.empty_scratch()
        if folder.restore_file.exists():
            from app.store.backup import finish_restore

            finish_restore(folder)
        folder.restored_file.unlink(missing_ok=True)
        if lock.was_unclean:
            ImageStore(folder.images).remove_leftovers()
    except OSError as error:
        raise cannot_write(error) from error
    _require_database(folder)
    database = Database.open_writer(folder.database)
    stack.callback(database.close)
    events = EventLog(database)
    _refuse_newer(database)
    head = _checked_head(folder, database, events)
    if lock.was_unclean:
        _require_undamaged(folder, database)
    if database.pending_migrations():
        from app.store.backup import make_backup

        make_backup(folder, database, now=datetime.now(UTC), label="before-update")
        migrate(database, events)
        head = _checked_head(folder, database, events)
    key = folder.read_key()
    _check_key(events, key)
    head_file = HeadFile(folder.head_file, head)
    stack.callback(head_file.close)

    store = ProjectStore(folder, database, key, stack)
    store._note_heads(head_file)
    store.was_unclean = lock.was_unclean
    is_clean = True  # from here on a normal close leaves the project clean
    if is_backing_up:
        from app.store.backup import list_backups

        if list_backups(folder):  # a project that was made a moment ago holds nothing yet
            store.back_up_if_due()
    stack.callback(store.back_up_if_due)
    return store


def _open_reader(folder: ProjectFolder, stack: ExitStack) -> ProjectStore:
    if folder.restore_file.exists():
        raise UserError(
            "A restore of this project was interrupted.",
            reason="Its database is being replaced by a backup.",
            remedy="Open the project for writing once; that finishes the restore.",
            kind="restoring",
        )
    _require_database(folder)
    database = Database.open_reader(folder.database)
    stack.callback(database.close)
    _refuse_newer(database)
    if database.pending_migrations():
        raise UserError(
            "This project was made by an older version of Coxa.",
            reason="Its database must be updated before it can be read, and it was opened read-only.",
            remedy="Open it for writing once; a backup is made first.",
            kind="older-version",
        )
    return ProjectStore(folder, database, folder.read_key(), stack)


def _require_database(folder: ProjectFolder) -> None:
    if not folder.database.is_file():
        raise damaged("Its file project.db is missing.")


def _require_undamaged(folder: ProjectFolder, database: Database) -> None:
    """The audit that follows an unclean end: nothing that was acknowledged may be missing or changed."""
    from app.store.audit import audit_database

    LOG.warning("the project was not closed properly; auditing its database")
    if problems := audit_database(database.connection, read_head(folder.head_file)):
        raise damaged(f"It was not closed properly, and {len(problems)} thing(s) in it are not as they were written.")


def _refuse_newer(database: Database) -> None:
    applied = set(database.applied_migrations())
    if not applied:
        raise damaged("Its file project.db is empty.")
    if unknown := applied - MIGRATIONS.keys():
        raise UserError(
            "This project was made by a newer version of Coxa.",
            reason=f"Its database holds {len(unknown)} change(s) that this version does not know.",
            remedy="Open it with the newer version.",
            kind="newer-version",
        )


def _checked_head(folder: ProjectFolder, database: Database, events: EventLog) -> Head:
    """The end of the chain; the last event, the head row and the head file must agree.

    Raises:
        UserError: `damaged`: events are missing at the end.
    """
    number, digest = events.head()
    last = database.rows("SELECT id, row_hash FROM event ORDER BY id DESC LIMIT 1")
    if (number, digest) != ((last[0][0], last[0][1]) if last else (0, bytes(32))):
        raise damaged("The last event and the note of where the chain ends do not agree.")
    noted = read_head(folder.head_file)
    if noted is not None:
        found = database.value("SELECT row_hash FROM event WHERE id = ?", (noted.event_id,))
        if noted.event_id > number:
            raise damaged(f"{noted.event_id - number} events at the end are missing.")
        if noted.event_id and found != noted.event_hash:
            raise damaged("The events are not those that were written in this folder.")
    return Head(event_id=number, event_hash=digest)


def _check_key(events: EventLog, key: bytes) -> None:
    noted = events.current(PROJECT, KEY_CHECK)
    if noted is not None and not hmac.compare_digest(str(noted), key_check(key)):
        raise UserError(
            "The project's secret key is not its own.",
            reason="private/project.key belongs to another project; patients would get a second pseudonym.",
            remedy="Put back private/project.key from a copy of this folder.",
            kind="key-missing",
        )


def key_check(key: bytes) -> str:
    """A value that tells whether a key is the project's, and nothing else about it."""
    return hmac.digest(key, b"coxa: is this the key of this project?", "sha256").hex()


def migrate(database: Database, events: EventLog) -> list[str]:
    """Bring the schema up to date and record it in the chain; returns the names of the migrations applied."""
    with database.transaction():
        applied = database.migrate()
        if applied:
            events.append(
                target=PROJECT,
                field=SCHEMA,
                after={"migrations": database.applied_migrations(), "digest": schema_digest(database.connection).hex()},
            )
    return applied
