"""Studies of a project, with a person's or the importer's blocks laid over them."""

from __future__ import annotations

from app.core.case import Study
from app.core.event import target_of
from app.store.database import Database, Row
from app.store.events import EventLog

COLUMNS = ("id", "patient_id", "date", "blocked_reason")
BLOCKED = "blocked"


class Studies:
    """Studies: added once; blocking and releasing are events."""

    def __init__(self, database: Database, events: EventLog) -> None:
        self._database = database
        self._events = events

    def add(self, study: Study, *, author: str = "") -> None:
        """Add a study; the same study again is fine.

        Raises:
            ValueError: another study with this id is there.
        """
        with self._database.transaction():
            found = self._database.record("study", id=study.id)
            columns = {name: getattr(study, name) for name in COLUMNS}
            if found is not None:
                if all(found[name] == columns[name] for name in COLUMNS):
                    return
                raise ValueError(f"study {study.id} is already there with other content")
            digest = self._database.insert("study", columns)
            self._events.record_row("study", study.id, digest, author=author)

    def get(self, study_id: str) -> Study | None:
        """One study as it stands now, or None."""
        row = self._database.record("study", id=study_id)
        return None if row is None else self._study(row)

    def of_patient(self, patient_id: str) -> list[Study]:
        """The studies of one patient, oldest first."""
        rows = self._database.records("study", "WHERE patient_id = ? ORDER BY date, id", (patient_id,))
        return [self._study(row) for row in rows]

    def all(self) -> list[Study]:
        """Every study, by patient and date."""
        return [self._study(row) for row in self._database.records("study", "ORDER BY patient_id, date, id")]

    def as_found(self) -> list[Study]:
        """Every study as its files gave it, by id: without blocks that were set or released since."""
        rows = self._database.records("study", "ORDER BY id")
        return [Study(**{name: row[name] for name in COLUMNS}) for row in rows]

    def block(self, study_id: str, reason: str, *, author: str) -> None:
        """Say why this study must not be read as it is.

        Raises:
            ValueError: no such study, or no reason.
        """
        if not reason:
            raise ValueError("a block needs a reason")
        self._set_block(study_id, reason, author, text="Blocked")

    def unblock(self, study_id: str, *, author: str, text: str = "") -> None:
        """Release a blocked study.

        Args:
            study_id: the study.
            author: who takes the responsibility.
            text: why it is right to read it after all.
        """
        self._set_block(study_id, "", author, text=text or "Released")

    def _set_block(self, study_id: str, reason: str, author: str, *, text: str) -> None:
        with self._database.transaction():
            study = self.get(study_id)
            if study is None:
                raise ValueError(f"no study {study_id}")
            if study.blocked_reason == reason:
                return
            self._events.append(
                target=target_of("study", study_id),
                field=BLOCKED,
                before=study.blocked_reason,
                after=reason,
                text=text,
                author=author,
            )

    def _study(self, row: Row) -> Study:
        columns = {name: row[name] for name in COLUMNS}
        decided = self._events.current(target_of("study", row["id"]), BLOCKED)
        if decided is not None:
            columns["blocked_reason"] = str(decided)
        return Study(**columns)
