"""Which views, studies, patients and cases of another project are which ones here.

Two projects with the same secret key name everything alike. With different keys only the images tell: the same pixel
values are the same radiograph, whatever its identifiers are; studies and patients follow from their images.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.core.case import Case, Study, View
from app.core.pseudonym import readable_id


@dataclass(slots=True)
class Matching:
    """Identifiers of another project -> identifiers here.

    Args:
        views: of every view; one that is not here yet gets the identifier that it will have.
        studies: of every study, likewise.
        patients: of every patient, likewise.
        new_views: views there that are not here.
        new_studies: studies there that are not here.
        new_patients: patients there that are not here.
        split_patients: one patient there, several here: new studies of such a patient wait for a person.
        joined_patients: patients here that are several there.
        shift_days: patient there -> days to add to its dates, so that they agree with those here.
    """

    views: dict[str, str] = field(default_factory=dict)
    studies: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    new_views: set[str] = field(default_factory=set)
    new_studies: set[str] = field(default_factory=set)
    new_patients: set[str] = field(default_factory=set)
    split_patients: set[str] = field(default_factory=set)
    joined_patients: set[str] = field(default_factory=set)
    shift_days: dict[str, int] = field(default_factory=dict)


def match_projects(
    ours: Sequence[View],
    our_studies: Sequence[Study],
    theirs: Sequence[View],
    their_studies: Sequence[Study],
    *,
    has_same_key: bool,
) -> Matching:
    """Match another project with this one.

    Args:
        ours: views here.
        our_studies: studies here.
        theirs: views there.
        their_studies: studies there.
        has_same_key: whether both make the same pseudonyms.
    """
    found = Matching()
    _match_views(found, ours, theirs)
    _match_studies(found, ours, our_studies, theirs, their_studies, has_same_key=has_same_key)
    _match_patients(found, our_studies, their_studies, has_same_key=has_same_key)
    if not has_same_key:
        _match_dates(found, ours, our_studies, theirs, their_studies)
    return found


def match_case(theirs: Case, ours: Iterable[Case], matching: Matching) -> str | None:
    """The case here that is the same hip in the same study as one there; None when there is none.

    Args:
        theirs: a case of the other project.
        ours: cases here that may be it: those of the studies of its views.
        matching: the views.
    """
    candidates = list(ours)
    views = {matching.views.get(name, name) for name in theirs.view_ids}
    study = matching.studies.get(theirs.study_id, theirs.study_id)
    sharing = [case for case in candidates if views & set(case.view_ids)]
    for case in candidates:
        if case.id == theirs.id and case.study_id == study:
            return case.id
    for case in (*sharing, *(case for case in candidates if case.study_id == study)):
        if case.side is theirs.side:
            return case.id
    return sharing[0].id if len(sharing) == 1 else None


def shifted(text: str, days: int) -> str:
    """An ISO date or time moved by days; what is no date stays as it is."""
    if not text or not days:
        return text
    try:
        moved = date.fromisoformat(text[:10]) + timedelta(days=days)
    except (ValueError, OverflowError):
        return text
    return moved.isoformat() + text[10:]


def another_id(letter: str, identifier: str, content: str) -> str:
    """A free identifier for something whose own one stands for something else here; always the same one."""
    return readable_id(letter, hashlib.sha256(f"coxa-merged|{identifier}|{content}".encode()).digest())


def _match_views(found: Matching, ours: Sequence[View], theirs: Sequence[View]) -> None:
    by_id = {view.id: view for view in ours}
    of_image: dict[str, list[View]] = {}
    for view in sorted(ours, key=lambda view: view.id):
        of_image.setdefault(view.image_sha256, []).append(view)
    taken: set[str] = set()
    rest = []
    for view in theirs:
        twin = by_id.get(view.id)
        if twin is not None and twin.image_sha256 == view.image_sha256:
            found.views[view.id] = twin.id
            taken.add(twin.id)
        else:
            rest.append(view)
    for view in sorted(rest, key=lambda view: view.id):
        candidates = of_image.get(view.image_sha256, [])
        free = [each for each in candidates if each.id not in taken] or candidates
        if free:
            best = max(free, key=lambda each: (each.projection.value == view.projection.value,
                                               each.side.value == view.side.value))  # fmt: skip
            found.views[view.id] = best.id
            taken.add(best.id)
            continue
        found.new_views.add(view.id)
        is_free = view.id not in by_id
        found.views[view.id] = view.id if is_free else another_id("V", view.id, view.image_sha256)


def _match_studies(
    found: Matching,
    ours: Sequence[View],
    our_studies: Sequence[Study],
    theirs: Sequence[View],
    their_studies: Sequence[Study],
    *,
    has_same_key: bool,
) -> None:
    study_of = {view.id: view.study_id for view in ours}
    here = {study.id for study in our_studies}
    votes: dict[str, Counter[str]] = {}
    for view in theirs:
        if view.id not in found.new_views:
            votes.setdefault(view.study_id, Counter())[study_of[found.views[view.id]]] += 1
    for study in their_studies:
        counted = votes.get(study.id)
        if study.id in here and (has_same_key or (counted is not None and study.id in counted)):
            found.studies[study.id] = study.id
        elif counted:
            found.studies[study.id] = min(counted, key=lambda name: (-counted[name], name))
        else:
            found.new_studies.add(study.id)
            found.studies[study.id] = study.id if study.id not in here else f"{study.id}.1"


def _match_patients(
    found: Matching, our_studies: Sequence[Study], their_studies: Sequence[Study], *, has_same_key: bool
) -> None:
    patient_of = {study.id: study.patient_id for study in our_studies}
    here = set(patient_of.values())
    images: dict[str, set[str]] = {}
    for study in their_studies:
        matched = images.setdefault(study.patient_id, set())
        if study.id not in found.new_studies:
            matched.add(patient_of[found.studies[study.id]])
    owners: dict[str, set[str]] = {}
    for patient, matched in sorted(images.items()):
        if len(matched) == 1:
            found.patients[patient] = next(iter(matched))
        elif has_same_key and patient in here:
            found.patients[patient] = patient
        else:
            if matched:
                found.split_patients.add(patient)
            found.new_patients.add(patient)
            found.patients[patient] = patient if patient not in here else another_id("P", patient, "patient")
        for name in matched:
            owners.setdefault(name, set()).add(patient)
    found.joined_patients = {name for name, several in owners.items() if len(several) > 1}


def _match_dates(
    found: Matching,
    ours: Sequence[View],
    our_studies: Sequence[Study],
    theirs: Sequence[View],
    their_studies: Sequence[Study],
) -> None:
    """With another key dates were moved by another number of days: what is known of one image tells how many."""
    here = {view.id: view for view in ours}
    study_here = {study.id: study for study in our_studies}
    study_there = {study.id: study for study in their_studies}
    for view in theirs:
        study = study_there[view.study_id]
        if view.id in found.new_views or study.patient_id in found.shift_days:
            continue
        twin = here[found.views[view.id]]
        pairs = ((view.acquired_at, twin.acquired_at), (study.date, study_here[twin.study_id].date))
        for there, same in pairs:
            if there and same:
                gap = datetime.fromisoformat(same[:10]) - datetime.fromisoformat(there[:10])
                found.shift_days[study.patient_id] = gap.days
                break
