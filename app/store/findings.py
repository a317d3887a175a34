"""What models said about the cases of a project: `cache/findings.db`, a file of its own.

Findings are opinions that can be computed again. They are no annotations, they are in no backup, and nothing is trained
on them. A finding is found by the hash of the weights and the key of what they were fed, so none is ever out of date:
when an alignment moves, the key does. Which key is a case's own just now is noted beside (`note_current`), so that a
worklist can be sorted without working the keys out again; what the project's events have touched since is forgotten.

Nothing here waits for the disk, and nothing ever fails a caller: what is damaged or missing is computed anew.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from app.core.record import record
from app.store.fs import PRIVATE_FILE, PRIVATE_FOLDER
from app.store.throwaway import delete_database, is_worth_keeping

if TYPE_CHECKING:
    from app.core.finding import Finding

LOG = logging.getLogger(__name__)
FILE_NAME = "findings.db"
HEATMAPS = "heatmaps"  # folder beside the file
LAYOUT = 1
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, msgspec.DecodeError, msgspec.ValidationError)
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",  # a power cut may damage the file, and then it is thrown away
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA secure_delete = ON",
)
TABLES = (
    "CREATE TABLE finding (weights TEXT NOT NULL, input TEXT NOT NULL, model TEXT NOT NULL, "
    "probabilities TEXT NOT NULL, distance REAL, points TEXT NOT NULL, at TEXT NOT NULL, "
    "PRIMARY KEY (weights, input)) STRICT, WITHOUT ROWID",
    "CREATE TABLE heatmap (weights TEXT NOT NULL, input TEXT NOT NULL, method TEXT NOT NULL, class INTEGER NOT NULL, "
    "files TEXT NOT NULL, PRIMARY KEY (weights, input, method, class)) STRICT, WITHOUT ROWID",
    "CREATE TABLE current (weights TEXT NOT NULL, case_id TEXT NOT NULL, input TEXT NOT NULL, "
    "PRIMARY KEY (weights, case_id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE head (event_id INTEGER NOT NULL, event_hash BLOB NOT NULL) STRICT",
)
_NUMBERS = msgspec.json.Decoder(tuple[float, ...])
_NAMES = msgspec.json.Decoder(tuple[str, ...])


@record(frozen=True, slots=True, kw_only=True)
class Score:
    """What a worklist needs of a finding.

    Args:
        probabilities: as in `Finding`.
        distance: as in `Finding`.
    """

    probabilities: tuple[float, ...]
    distance: float | None


class Findings:
    """The findings of one project. Safe to use from several threads. Opened at the first use.

    Args:
        folder: the project's `cache` folder.
        is_writable: False beside another writer and for looking only: what is found now is kept in memory.
    """

    def __init__(self, folder: Path, *, is_writable: bool = True) -> None:
        self._path = folder / FILE_NAME
        self.heatmap_folder = folder / HEATMAPS
        self._is_writable = is_writable
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_over = False

    def get(self, case_id: str, weights_sha256: str, input_key: str) -> Finding | None:
        """What these weights said about this input; heatmaps whose files are gone are left out.

        Args:
            case_id: the case that the finding is about.
            weights_sha256: which weights.
            input_key: what they were fed.
        """
        from app.core.finding import Finding, HeatmapFiles  # a project is open before anybody asks for findings

        key = (weights_sha256, input_key)
        rows = self._ask(
            "SELECT model, probabilities, distance, points, at FROM finding WHERE weights = ? AND input = ?", key
        )
        if not rows:
            return None
        model, probabilities, distance, points, at = rows[0]
        maps = self._ask("SELECT method, class, files FROM heatmap WHERE weights = ? AND input = ?", key)
        try:
            heatmaps = [
                HeatmapFiles(method=method, class_number=number, files=_NAMES.decode(files))
                for method, number, files in maps
            ]
            return Finding(
                case_id=case_id,
                model_id=model,
                weights_sha256=weights_sha256,
                input_key=input_key,
                probabilities=_NUMBERS.decode(probabilities),
                distance=distance,
                heatmaps=tuple(entry for entry in heatmaps if self._are_there(entry.files)),
                points=points if points and self._are_there((points,)) else "",
                at=at,
            )
        except SQLITE_ERRORS as error:
            with self._guard:
                self._start_anew(error)
            return None

    def put(self, finding: Finding) -> None:
        """Keep a finding. Whether it is its case's own just now is noted by `note_current`."""
        weights, key = finding.weights_sha256, finding.input_key
        probabilities = msgspec.json.encode(finding.probabilities).decode()
        statements: list[tuple[str, tuple[Any, ...]]] = [
            ("INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?)",
             (weights, key, finding.model_id, probabilities, finding.distance, finding.points, finding.at)),
        ]  # fmt: skip
        statements += [
            ("INSERT OR REPLACE INTO heatmap VALUES (?, ?, ?, ?, ?)",
             (weights, key, entry.method, entry.class_number, msgspec.json.encode(entry.files).decode()))
            for entry in finding.heatmaps
        ]  # fmt: skip
        self._write(statements)

    def note_current(self, case_id: str, weights_sha256: str, input_key: str) -> None:
        """This is what a model would be fed of a case just now; empty when it cannot be asked.

        Args:
            case_id: the case.
            weights_sha256: which weights.
            input_key: what they would be fed.
        """
        key = (weights_sha256, case_id)
        found = self._ask("SELECT input FROM current WHERE weights = ? AND case_id = ?", key)
        if (found[0][0] if found else "") == input_key:
            return
        if input_key:
            self._write([("INSERT OR REPLACE INTO current VALUES (?, ?, ?)", (*key, input_key))])
        else:
            self._write([("DELETE FROM current WHERE weights = ? AND case_id = ?", key)])

    def forget(self, case_ids: Iterable[str]) -> None:
        """Something has changed about these cases: which findings are their own is not known until it is noted."""
        self._write([("DELETE FROM current WHERE case_id = ?", (case_id,)) for case_id in case_ids])

    def forget_all(self) -> None:
        """Anything may have changed about any case."""
        self._write([("DELETE FROM current", ())])

    def scores(self, weights_sha256: str) -> dict[str, Score]:
        """What these weights say about every case whose finding is its own just now, by case."""
        rows = self._ask(
            "SELECT case_id, probabilities, distance FROM current JOIN finding USING (weights, input) "
            "WHERE current.weights = ?",
            (weights_sha256,),
        )
        try:
            return {
                case_id: Score(probabilities=_NUMBERS.decode(text), distance=distance)
                for case_id, text, distance in rows
            }
        except SQLITE_ERRORS as error:
            with self._guard:
                self._start_anew(error)
            return {}

    def head(self) -> tuple[int, bytes] | None:
        """The end of the event chain that `note_head` noted last; None when none was."""
        rows = self._ask("SELECT event_id, event_hash FROM head")
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else None

    def note_head(self, event_id: int, event_hash: bytes) -> None:
        """Everything up to this event has been taken into account by `forget` and `note_current`."""
        self._write([("DELETE FROM head", ()), ("INSERT INTO head VALUES (?, ?)", (event_id, event_hash))])

    def clear(self) -> None:
        """Forget everything; heatmaps stay where they are until they are written anew."""
        tables = ("finding", "heatmap", "current", "head")
        self._write([(f"DELETE FROM {table}", ()) for table in tables])  # noqa: S608  # names of our own

    def close(self) -> None:
        """Close the file; from now on nothing is found and nothing kept."""
        with self._guard:
            self._is_over = True
            self._disconnect()

    # --- the file ---

    def _are_there(self, names: tuple[str, ...]) -> bool:
        return all((self.heatmap_folder / name).is_file() for name in names)

    def _ask(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._guard:
            try:
                connection = self._open()
                return [] if connection is None else connection.execute(statement, parameters).fetchall()
            except SQLITE_ERRORS as error:
                self._start_anew(error)
                return []

    def _write(self, statements: list[tuple[str, tuple[Any, ...]]]) -> None:
        with self._guard:
            try:
                connection = self._open()
                if connection is not None and statements:
                    with connection:
                        for statement, parameters in statements:
                            connection.execute(statement, parameters)
            except SQLITE_ERRORS as error:
                self._start_anew(error)

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is None and not self._is_over:
            if self._is_writable:
                self._connection = self._open_file() or self._open_file()  # the first may have been in the way
            if self._connection is None:
                self._connection = self._copied()
        return self._connection

    def _open_file(self) -> sqlite3.Connection | None:
        """Open or make the file; None after having thrown away one that is damaged or of another layout."""
        try:
            self._path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            connection = sqlite3.connect(self._path, check_same_thread=False, timeout=0.2)
        except (OSError, sqlite3.Error) as error:
            LOG.warning("findings cannot be kept (%s)", type(error).__name__)
            self._is_writable = False
            return None
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma).fetchall()
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            if layout == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
                _lay_out(connection)
                self._path.chmod(PRIVATE_FILE)
            elif layout != LAYOUT:
                raise sqlite3.DatabaseError("another layout")
        except (OSError, *SQLITE_ERRORS) as error:
            connection.close()
            self._throw_away(error)
            return None
        self._sweep()
        return connection

    def _sweep(self) -> None:
        """Remove what an engine was writing when it ended; nobody has been told of it."""
        for draft in self.heatmap_folder.glob(".*.npy.*"):
            with suppress(OSError):
                draft.unlink()

    def _copied(self) -> sqlite3.Connection:
        """What the file holds, if it can be read, in memory."""
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            if self._path.is_file():
                source = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True, timeout=0.2)
                try:
                    if source.execute("PRAGMA user_version").fetchone()[0] == LAYOUT:
                        source.backup(connection)
                        return connection
                finally:
                    source.close()
        except SQLITE_ERRORS as error:
            LOG.warning("earlier findings cannot be read (%s)", type(error).__name__)
            connection.close()
            connection = sqlite3.connect(":memory:", check_same_thread=False)
        _lay_out(connection)
        return connection

    def _start_anew(self, error: Exception) -> None:
        """After an error: throw a damaged file away; leave it when it is only busy or the disk is full."""
        if is_worth_keeping(error):
            LOG.warning("a finding was not kept (%s)", type(error).__name__)
            return
        self._disconnect()
        if self._is_writable:
            self._throw_away(error)

    def _throw_away(self, error: Exception) -> None:
        LOG.warning("the findings are computed anew (%s)", type(error).__name__)
        try:
            delete_database(self._path)
        except OSError as reason:
            LOG.warning("findings cannot be kept (%s)", type(reason).__name__)
            self._is_writable = False

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _lay_out(connection: sqlite3.Connection) -> None:
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    connection.commit()
