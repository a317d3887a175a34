"""Patients, studies, views and images of another project that are not here yet."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.core.case import Study, View
from app.core.errors import UserError
from app.core.project_matching import Matching, shifted
from app.core.pseudonym import shifted_date
from app.store.absent import absent_images, note_absent
from app.store.merge.source import MergeSource
from app.store.project import ProjectStore
from app.store.sources import SourceRecord

STUDY_UID_TAG, PATIENT_ID_TAG = "0020000D", "00100020"
SPLIT = "The other project holds images under one patient that are under several here."


class Facts:
    """Brings rows that are not here yet, in the transaction of the caller.

    Args:
        project: what is merged into.
        source: where they come from.
        matching: what is what.
        has_same_key: whether both make the same pseudonyms; keyed values of another key mean nothing here.
        author: who merges.
    """

    def __init__(
        self, project: ProjectStore, source: MergeSource, matching: Matching, *, has_same_key: bool, author: str
    ) -> None:
        self._project = project
        self._source = source
        self._matching = matching
        self._has_same_key = has_same_key
        self._author = author
        self._absent = absent_images(project.database, project.images)
        self._views_of: dict[str, list[View]] = {}
        for view in source.views.values():
            self._views_of.setdefault(view.study_id, []).append(view)
        self._sources_of: dict[str, list[SourceRecord]] = {}
        for record in source.sources:
            if record.view_id is not None and record.view_id in source.views:
                study_id = source.views[record.view_id].study_id
                self._sources_of.setdefault(study_id, []).append(record)

    def store_images(self, study_id: str) -> None:
        """Store the new images of a study, and any withheld so far; before the transaction, since disks are slow.

        Raises:
            UserError: an image there is missing or damaged, or it cannot be stored here.
        """
        for view in self._new_views(study_id):
            is_here = self._project.images.has(view.image_sha256)
            if not is_here and view.image_sha256 not in self._source.withheld:
                self._project.images.put(self._source.load_image(view.image_sha256))
        for address in self._absent & {view.image_sha256 for view in self._views_of.get(study_id, ())}:
            if address not in self._source.withheld and not self._project.images.has(address):
                with suppress(UserError):  # it was not here before either
                    self._project.images.put(self._source.load_image(address))

    def bring(self, study_id: str) -> tuple[str, int]:
        """Bring a study and what belongs to it.

        Args:
            study_id: of the other project.

        Returns:
            The study here, and how many views are new.
        """
        project, matching = self._project, self._matching
        theirs = self._source.studies[study_id]
        here = matching.studies[study_id]
        if project.studies.get(here) is None:
            self._bring_study(theirs, here)
        patient = project.studies.get(here)
        assert patient is not None, "it was brought just now"
        new = self._new_views(study_id)
        for view in new:
            self._bring_view(view, study=here, patient=patient.patient_id, days=self._days(theirs))
        absent = {view.image_sha256 for view in new} & self._source.withheld
        note_absent(project.events, (name for name in absent if not project.images.has(name)), author=self._author)
        self._bring_sources(study_id)
        return here, len(new)

    def _bring_study(self, theirs: Study, here: str) -> None:
        project, matching = self._project, self._matching
        patient_id = matching.patients[theirs.patient_id]
        if project.patients.get(patient_id) is None:
            patient = replace(self._source.patients[theirs.patient_id], id=patient_id)
            if not self._has_same_key:
                patient = replace(patient, name_check=None, birth_check=None)
            project.patients.add(patient, author=self._author)
        blocked = theirs.blocked_reason or (SPLIT if theirs.patient_id in matching.split_patients else "")
        date = shifted(theirs.date, self._days(theirs))
        study = Study(id=here, patient_id=patient_id, date=date, blocked_reason=blocked)
        project.studies.add(study, author=self._author)

    def _bring_view(self, view: View, *, study: str, patient: str, days: int) -> None:
        header, offset = self._source.load_header(view.id)
        own = self._source.studies[view.study_id].patient_id
        placed = replace(
            view,
            id=self._matching.views[view.id],
            study_id=study,
            acquired_at=shifted(view.acquired_at, days),
        )
        adapted = _adapted(header, study=study, patients={own: patient}, days=days)
        self._project.views.add(placed, header=adapted, offset=offset, author=self._author)

    def _bring_sources(self, study_id: str) -> None:
        """What was made of which file, so that an import of the same file here finds its view."""
        project = self._project
        for record in self._sources_of.get(study_id, ()):
            if project.sources.find(record.source_sha256, frame=record.frame) is None:
                project.sources.add(
                    source_sha256=record.source_sha256,
                    object_key=record.object_key if self._has_same_key else "",
                    predecessor_key=record.predecessor_key if self._has_same_key else "",
                    view_id=self._matching.views[str(record.view_id)],
                    outcome=record.outcome,
                    frame=record.frame,
                    author=self._author,
                )

    def _new_views(self, study_id: str) -> list[View]:
        names, held = self._matching.views, self._project.views
        return [
            view
            for view in self._views_of.get(study_id, ())
            if view.id in self._matching.new_views and held.get(names[view.id]) is None
        ]

    def _days(self, theirs: Study) -> int:
        return self._matching.shift_days.get(theirs.patient_id, 0)


def _adapted(header: Mapping[str, Any], *, study: str, patients: Mapping[str, str], days: int) -> dict[str, Any]:
    """A header with the study, the patient and the dates of this project."""
    result: dict[str, Any] = {}
    for tag, element in header.items():
        values = element.get("Value") if isinstance(element, Mapping) else None
        if not values:
            result[tag] = element
        elif tag == STUDY_UID_TAG:
            result[tag] = {**element, "Value": [study]}
        elif tag == PATIENT_ID_TAG:
            result[tag] = {**element, "Value": [patients.get(str(value), value) for value in values]}
        elif days and element.get("vr") in ("DA", "DT"):
            result[tag] = {**element, "Value": [shifted_date(str(value), days) or value for value in values]}
        elif element.get("vr") == "SQ":
            items = [_adapted(item, study=study, patients=patients, days=days) for item in values]
            result[tag] = {**element, "Value": items}
        else:
            result[tag] = element
    return result
