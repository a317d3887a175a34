"""Patients of a project: pseudonyms and keyed check values, nothing identifying."""

from __future__ import annotations

from app.core.case import Patient
from app.store.database import Database
from app.store.events import EventLog

COLUMNS = ("id", "sex", "name_check", "birth_check")


class Patients:
    """Patients: added once, never changed."""

    def __init__(self, database: Database, events: EventLog) -> None:
        self._database = database
        self._events = events

    def add(self, patient: Patient, *, author: str = "") -> None:
        """Add a patient; the same patient again is fine.

        Raises:
            ValueError: another patient with this id is there.
        """
        with self._database.transaction():
            found = self.get(patient.id)
            if found == patient:
                return
            if found is not None:
                raise ValueError(f"patient {patient.id} is already there with other content")
            digest = self._database.insert("patient", {name: getattr(patient, name) for name in COLUMNS})
            self._events.record_row("patient", patient.id, digest, author=author)

    def get(self, patient_id: str) -> Patient | None:
        """One patient, or None."""
        row = self._database.record("patient", id=patient_id)
        return None if row is None else Patient(**{name: row[name] for name in COLUMNS})

    def all(self) -> list[Patient]:
        """Every patient, ordered by id."""
        rows = self._database.records("patient", "ORDER BY id")
        return [Patient(**{name: row[name] for name in COLUMNS}) for row in rows]
