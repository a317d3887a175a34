"""Guarding against mixed-up patients while importing: a mismatch blocks the study until a person has looked."""

from __future__ import annotations

from app.core.case import View
from app.core.messages import ObjectFacts
from app.core.pseudonym import Pseudonyms
from app.store.import_plan import PersonFacts, listed, merged, mismatches, person_facts
from app.store.import_views import Subject, moved_to_own_study
from app.store.project import ProjectStore


class IdentityGuard:
    """Compares who the images of a study, and the studies of a patient, say they are.

    Images of one import are compared exactly; with what an earlier import left, keyed check values are compared (one
    difference in 256 goes unnoticed).

    Args:
        project: open for writing.
        pseudonyms: the project's.
        author: who imports.
    """

    def __init__(self, project: ProjectStore, pseudonyms: Pseudonyms, *, author: str) -> None:
        self._project = project
        self._pseudonyms = pseudonyms
        self._author = author
        self._persons: dict[str, PersonFacts] = {}  # by study id
        self._touched: set[str] = set()

    def admit(self, subject: Subject, facts: ObjectFacts) -> tuple[Subject, tuple[str, ...]]:
        """Bring in patient and study of an image, blocking where identities do not agree.

        Returns:
            The subject with the study that the image belongs to, and notices for the view.
        """
        project, person = self._project, person_facts(facts)
        notices: list[str] = []
        holder = project.studies.get(subject.study.id)
        if holder is not None and holder.patient_id != subject.patient.id:
            known = self._persons.get(holder.id)
            subject = moved_to_own_study(subject, self._pseudonyms)
            reason = f"Images of one study carry {_identifiers(known, person)}."
            self._bring_in(subject)
            self._block(holder.id, reason)
            self._block(subject.study.id, reason)
            notices.append(reason)
        else:
            is_new = holder is None
            self._bring_in(subject)
            reason = self._against_study(subject, person) or self._against_patient(subject, is_new=is_new)
            if reason:
                self._block(subject.study.id, reason)
                notices.append(reason)
            elif self._is_renamed(subject):
                notices.append("An earlier study of this patient carries another name.")
        before = self._persons.get(subject.study.id)
        self._persons[subject.study.id] = person if before is None else merged(before, person)
        return subject, tuple(notices)

    def same_image(self, view: View, others: list[View]) -> None:
        """Block both studies when the very same picture is held under another patient."""
        study = self._project.studies.get(view.study_id)
        for other in others:
            other_study = self._project.studies.get(other.study_id)
            if study is None or other_study is None or other_study.patient_id == study.patient_id:
                continue
            self._block(study.id, f"The same picture is held under another patient ({other.id}).")
            self._block(other_study.id, f"The same picture is held under another patient ({view.id}).")

    def same_object(self, held: View, subject: Subject) -> str:
        """Block the study of a view when a copy of it names another patient. Returns what to say, or nothing."""
        study = self._project.studies.get(held.study_id)
        if study is None or study.patient_id == subject.patient.id:
            return ""
        reason = f"A copy of {held.id} names another patient."
        self._block(study.id, reason)
        return f"{reason} The study is blocked until a person has looked."

    def take_touched(self) -> set[str]:
        """Studies that were blocked since the last call."""
        touched, self._touched = self._touched, set()
        return touched

    def _bring_in(self, subject: Subject) -> None:
        if self._project.patients.get(subject.patient.id) is None:
            self._project.patients.add(subject.patient, author=self._author)
        if self._project.studies.get(subject.study.id) is None:
            self._project.studies.add(subject.study, author=self._author)

    def _against_study(self, subject: Subject, person: PersonFacts) -> str:
        known = self._persons.get(subject.study.id)
        differing = mismatches(known, person) if known is not None else []
        return f"Images of one study differ in the patient's {listed(differing)}." if differing else ""

    def _against_patient(self, subject: Subject, *, is_new: bool) -> str:
        known = self._project.patients.get(subject.patient.id)
        if known is None:
            return ""
        differing = []
        only_study = [study.id for study in self._project.studies.of_patient(known.id)] == [subject.study.id]
        if only_study and not is_new and _differ(known.name_check, subject.patient.name_check):
            differing.append("name")
        if _differ(known.birth_check, subject.patient.birth_check):
            differing.append("birth date")
        if known.sex and subject.patient.sex and known.sex != subject.patient.sex:
            differing.append("sex")
        if not differing:
            return ""
        what = "Images of one study differ" if only_study else "Studies with the same Patient ID differ"
        return f"{what} in the patient's {listed(differing)}."

    def _is_renamed(self, subject: Subject) -> bool:
        known = self._project.patients.get(subject.patient.id)
        return known is not None and _differ(known.name_check, subject.patient.name_check)

    def _block(self, study_id: str, reason: str) -> None:
        study = self._project.studies.get(study_id)
        if study is not None and not study.blocked_reason:
            self._project.studies.block(study_id, reason, author=self._author)
        self._touched.add(study_id)


def _identifiers(known: PersonFacts | None, person: PersonFacts) -> str:
    if known is None:
        return "different patient identifiers"
    if known.patient_id == person.patient_id:
        return "different issuers of the Patient ID"
    if not known.patient_id or not person.patient_id:
        return "a Patient ID on some images and none on others"
    return "different Patient IDs"


def _differ(first: int | None, second: int | None) -> bool:
    return first is not None and second is not None and first != second
