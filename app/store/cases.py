"""Cases of a project: a projection of the event chain, kept as rows so that a worklist is fast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.core.case import Case, ReviewStatus, Side
from app.core.event import COMPOSITION, Event, Json, canonical_json, target_of
from app.store.database import Database, Row
from app.store.events import EventLog
from app.store.schema import TABLES

STATUS = "status"
COLUMNS = TABLES["case"]
# look-ups that are ten times faster than calling the enumeration, for 100,000 cases
SIDES: dict[str | None, Side | None] = {None: None} | {side.value: side for side in Side}
STATUSES = {status.value: status for status in ReviewStatus}


class Cases:
    """Cases: what they are made of comes from the importer, their status from a person; both are events."""

    def __init__(self, database: Database, events: EventLog) -> None:
        self._database = database
        self._events = events

    def add(self, case: Case, *, author: str = "") -> None:
        """Add a case, or give an existing one a new composition. A status other than NEW is recorded too."""
        with self._database.transaction():
            self._compose(case, author)
            if case.status is not ReviewStatus.NEW:
                self.set_status(case.id, case.status, author=author)

    def get(self, case_id: str) -> Case | None:
        """One case, or None."""
        row = self._database.record("case", id=case_id)
        return None if row is None else _case(tuple(row[name] for name in COLUMNS))

    def of_study(self, study_id: str) -> list[Case]:
        """The cases of one study, in the order they were first made."""
        return self._select("WHERE study_id = ? ORDER BY position, id", (study_id,))

    def of_patient(self, patient_id: str) -> list[Case]:
        """The cases of one patient, in the order they were first made."""
        return self._select("WHERE patient_id = ? ORDER BY position, id", (patient_id,))

    def with_status(self, status: ReviewStatus) -> list[Case]:
        """The cases that have come this far, in the order they were first made."""
        return self._select("WHERE status = ? ORDER BY position, id", (status.value,))

    def all(self) -> list[Case]:
        """Every case, in the order they were first made; the order never changes.

        Row hashes are not verified here (the health check does that): a worklist opens with this call.
        """
        rows = self._database.rows(f'SELECT {", ".join(COLUMNS)} FROM "case" ORDER BY position, id')  # noqa: S608
        return [_case(row) for row in rows]

    def next_open(self, after: str = "") -> str:
        """The next case in which a person has something to decide, from one case on and round to the beginning.

        Args:
            after: the case to start from; empty starts with the first.

        Returns:
            Its id; empty when nothing is open anywhere else.
        """
        place = self._database.value('SELECT position FROM "case" WHERE id = ?', (after,)) if after else None
        found = self._database.value(
            """SELECT id FROM "case" WHERE (questions <> '[]' OR blocked_reason <> '') AND id <> ?
               ORDER BY position <= ?, position, id LIMIT 1""",
            (after, -1 if place is None else place),
        )
        return "" if found is None else str(found)

    def count(self) -> int:
        """Number of cases."""
        return int(self._database.value('SELECT count(*) FROM "case"'))

    def replace_for_study(self, study_id: str, cases: Sequence[Case], *, author: str) -> None:
        """Make these the cases of a study. Cases that stay keep their status and place; only differences are events.

        The `status` of the given cases is not looked at: a status is a person's decision (`set_status`).

        Args:
            study_id: the study.
            cases: all of its cases.
            author: who brought the change about.

        Raises:
            ValueError: a case belongs to another study.
        """
        if any(case.study_id != study_id for case in cases):
            raise ValueError("a case of another study")
        with self._database.transaction():
            staying = {case.id for case in cases}
            for case in self.of_study(study_id):
                if case.id not in staying:
                    self._remove(case, author)
            for case in cases:
                self._compose(case, author)

    def set_status(
        self,
        case_id: str,
        status: ReviewStatus,
        *,
        author: str,
        text: str = "",
        reverts: int | None = None,
        at: datetime | None = None,
    ) -> Event | None:
        """Record how far the review of a case has come.

        Args:
            case_id: the case.
            status: how far.
            author: who says so.
            text: one sentence for people.
            reverts: id of the event that this one undoes.
            at: the time of the gesture that this is a part of; now when left out.

        Returns:
            The event; None when that is its status already.

        Raises:
            ValueError: no such case.
        """
        with self._database.transaction():
            row = self._database.record("case", id=case_id)
            if row is None:
                raise ValueError(f"no case {case_id}")
            if row["status"] == status.value:
                return None
            event = self._events.append(
                target=target_of("case", case_id),
                field=STATUS,
                before=row["status"],
                after=status.value,
                text=text,
                author=author,
                reverts=reverts,
                at=at,
            )
            self._write(row | {"status": status.value})
            return event

    def _compose(self, case: Case, author: str) -> None:
        target = target_of("case", case.id)
        after = composition(case)
        row = self._database.record("case", id=case.id)
        before = None if row is None else composition(_case(tuple(row[name] for name in COLUMNS)))
        if after == before:
            return
        event = self._events.record_composition(target, COMPOSITION, before, after, author=author)
        if row is None:
            position = first_composition(self._database, target)
            status = self._events.current(target, STATUS) or ReviewStatus.NEW.value
        else:
            position, status = row["position"], row["status"]
        self._write(case_columns(case.id, after, position=position or event.id, status=status))

    def _remove(self, case: Case, author: str) -> None:
        target = target_of("case", case.id)
        self._events.record_composition(target, COMPOSITION, composition(case), None, author=author)
        self._database.delete("case", {"id": case.id})

    def _write(self, columns: Row) -> None:
        self._database.delete("case", {"id": columns["id"]})
        self._database.insert("case", {name: columns[name] for name in COLUMNS if name != "row_hash"})

    def _select(self, where: str, parameters: tuple[str, ...]) -> list[Case]:
        rows = self._database.records("case", where, parameters)
        return [_case(tuple(row[name] for name in COLUMNS)) for row in rows]


def first_composition(database: Database, target: str) -> int | None:
    """Number of the event that first made a case: its place in every list, for good."""
    found = database.value("SELECT min(id) FROM event WHERE target = ? AND field = ?", (target, COMPOSITION))
    return None if found is None else int(found)


def composition(case: Case) -> dict[str, Json]:
    """What a case is made of, as an event holds it: everything but its id and status."""
    return {
        "study_id": case.study_id,
        "patient_id": case.patient_id,
        "side": case.side.value if case.side else None,
        "frontal_id": case.frontal_id,
        "lateral_id": case.lateral_id,
        "unassigned_ids": list(case.unassigned_ids),
        "blocked_reason": case.blocked_reason,
        "questions": list(case.questions),
    }


def case_columns(case_id: str, parts: dict[str, Json], *, position: int, status: str) -> dict[str, Any]:
    """The row of a case, from the composition in its last event."""
    return {
        "id": case_id,
        "position": position,
        "study_id": parts["study_id"],
        "patient_id": parts["patient_id"],
        "side": parts["side"],
        "frontal_id": parts["frontal_id"],
        "lateral_id": parts["lateral_id"],
        "unassigned_ids": canonical_json(parts["unassigned_ids"]),
        "status": status,
        "blocked_reason": parts["blocked_reason"],
        "questions": canonical_json(parts["questions"]),
    }


def _case(row: tuple[Any, ...]) -> Case:
    case_id, _, study_id, patient_id, side, frontal_id, lateral_id, unassigned, status, blocked, questions, _ = row
    return Case(
        id=case_id,
        study_id=study_id,
        patient_id=patient_id,
        side=SIDES[side],
        frontal_id=frontal_id,
        lateral_id=lateral_id,
        unassigned_ids=() if unassigned == "[]" else tuple(json.loads(unassigned)),
        status=STATUSES[status],
        blocked_reason=blocked,
        questions=() if questions == "[]" else tuple(json.loads(questions)),
    )
