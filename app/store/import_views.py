"""From one image that was read to the patient, the study and the view that a project keeps of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from app.core.case import Assessment, Evidence, Patient, Projection, Side, Study, View, ViewFlag
from app.core.deidentify import DeidentificationRules, deidentify
from app.core.evidence import (
    assess_projection,
    assess_side,
    disagreements,
    is_other_body_part,
    name_evidence,
)
from app.core.evidence_tables import EvidenceTables
from app.core.grey import StoredImage
from app.core.messages import ObjectFacts, ReadImage
from app.core.pseudonym import PatientIdentity, Pseudonyms, iso_date, iso_datetime, shifted_date
from app.core.spacing import Spacing, SpacingSource, resolve_spacing
from app.core.symmetry import bilateral_symmetry, symmetry_evidence
from app.store.import_plan import person_facts
from app.store.mapping import MappingRow

STUDY_UID_TAG = "0020000D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that turns an image into a view of this project.

    Args:
        pseudonyms: the project's pseudonyms.
        evidence: codes and words.
        deidentification: whitelist and Table E.1-1.
    """

    pseudonyms: Pseudonyms
    evidence: EvidenceTables
    deidentification: DeidentificationRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose image it is.

    Args:
        patient: pseudonymised.
        identity: what the pseudonym was made of (identifying: in memory only).
        study_uid: Study Instance UID, or what stands in for it.
        study: de-identified.
    """

    patient: Patient
    identity: PatientIdentity
    study_uid: str
    study: Study


def subject_of(image: ReadImage, rules: Rules, *, row: MappingRow | None) -> Subject:
    """Patient and study of an image. The object's own Patient ID counts more than the mapping's.

    A mapping that names no study has one study for each patient and date. Without any patient the study stands
    alone, so that nothing is ever joined to it.
    """
    facts = image.facts
    study_uid = facts.study_uid.strip()
    patient_id, issuer = facts.patient_id.strip(), facts.patient_id_issuer.strip()
    if row is not None and not patient_id:
        patient_id, issuer = row.patient, "mapping" if row.patient else ""
    if row is not None and not study_uid and (row.study or row.patient):
        study_uid = f"mapping|{row.patient}|{row.study or row.date}"
    own = facts.sop_instance_uid.strip() or image.source_sha256
    identity = PatientIdentity(issuer=issuer, patient_id=patient_id, study_uid=study_uid, fallback=own)
    pseudonyms = rules.pseudonyms
    person = person_facts(facts)
    study_uid = study_uid or f"object|{own}"
    date = facts.study_date or facts.acquired or (row.date.replace("-", "") if row is not None else "")
    patient = Patient(
        id=pseudonyms.patient(identity),
        sex=person.sex if person.sex in ("M", "F", "O") else "",
        name_check=pseudonyms.check("name", person.name),
        birth_check=pseudonyms.check("birth", person.birth_date),
    )
    study = Study(
        id=pseudonyms.uid(study_uid),
        patient_id=patient.id,
        date=iso_date(shifted_date(date[:8], pseudonyms.shift_days(identity)) or ""),
    )
    return Subject(patient=patient, identity=identity, study_uid=study_uid, study=study)


def object_text(facts: ObjectFacts, source_sha256: str, frame: int | None) -> str:
    """What identifies the object of a view: its UID, else the file's content; and the frame."""
    own = facts.sop_instance_uid.strip() or f"sha256:{source_sha256}"
    return own if frame is None else f"{own}|frame {frame}"


def view_of(
    image: ReadImage,
    pixels: StoredImage,
    *,
    subject: Subject,
    image_sha256: str,
    frame: int | None,
    name: str,
    row: MappingRow | None,
    rules: Rules,
) -> tuple[View, dict[str, Any]]:
    """The view and its de-identified header.

    Args:
        image: the reader's answer.
        pixels: (H, W) uint16 stored values.
        subject: patient and study.
        image_sha256: address of the pixels.
        frame: frame of a multi-frame object.
        name: relative path of the file, for advisory evidence; not kept.
        row: the file's line in the mapping file.
        rules: pseudonyms and tables.
    """
    facts = image.facts
    projection, side = assess(image, pixels, name=name, row=row, rules=rules)
    flags = _flags(image, rules)
    days = rules.pseudonyms.shift_days(subject.identity)
    header = deidentify(
        image.header, rules=rules.deidentification, pseudonyms=rules.pseudonyms, patient=subject.identity
    )
    header[STUDY_UID_TAG] = {"vr": "UI", "Value": [subject.study.id]}
    view = View(
        id=rules.pseudonyms.view(object_text(facts, image.source_sha256, frame)),
        study_id=subject.study.id,
        image_sha256=image_sha256,
        rows=image.rows,
        cols=image.cols,
        projection=projection,
        side=side,
        spacing=_spacing(image, row),
        grey=image.grey,
        acquired_at=iso_datetime(shifted_date(facts.acquired, days) or ""),
        orientation=_orientation(facts),
        flags=flags,
        notices=(*_doubts(projection, side), *image.notices),
    )
    return view, dict(sorted(header.items()))


def assess(
    image: ReadImage, pixels: StoredImage, *, name: str, row: MappingRow | None, rules: Rules
) -> tuple[Assessment[Projection], Assessment[Side]]:
    """Projection and side from the header, the file's name and the mapping file; the look of the image only if needed.

    The look is advisory: where something else has decided it could change nothing.
    """
    names = name_evidence(name, rules.evidence)

    def both_from(frontal: Evidence | None, both: Evidence | None) -> tuple[Assessment[Projection], Assessment[Side]]:
        projection = assess_projection(
            image.facts,
            rules.evidence,
            names=names,
            mapping=row.projection if row is not None else None,
            picture=(frontal,) if frontal is not None else (),
        )
        side = assess_side(
            image.facts,
            rules.evidence,
            projection=projection.value,
            names=names,
            mapping=row.side if row is not None else None,
            picture=(both,) if both is not None else (),
        )
        return projection, side

    projection, side = both_from(None, None)
    if not (projection.is_open or side.is_open) or ViewFlag.PARTIAL in image.flags:
        return projection, side  # of a partial image the missing rows would speak
    return both_from(*symmetry_evidence(bilateral_symmetry(pixels.pixels)))


def _flags(image: ReadImage, rules: Rules) -> frozenset[ViewFlag]:
    facts = image.facts
    flags = {ViewFlag(flag) for flag in image.flags}
    if is_other_body_part(facts, rules.evidence):
        flags.add(ViewFlag.OTHER_BODY_PART)
    if any(value.strip().upper() == "REJECTED" for value in facts.image_type):
        flags.add(ViewFlag.REJECTED)
    if facts.presentation_intent.strip().upper() == "FOR PROCESSING":
        flags.add(ViewFlag.FOR_PROCESSING)
    if facts.is_lossy:
        flags.add(ViewFlag.LOSSY)
    return frozenset(flags)


def _spacing(image: ReadImage, row: MappingRow | None) -> Spacing:
    found = resolve_spacing(image.facts, rows=image.rows, cols=image.cols)
    if row is None or row.spacing_mm is None or found.is_trusted:
        return found
    return Spacing(
        row_mm=row.spacing_mm,
        col_mm=row.spacing_mm,
        source=SpacingSource.MAPPING,
        is_trusted=True,
        note="The figure is the mapping file's.",
    )


def _orientation(facts: ObjectFacts) -> tuple[str, str] | tuple[()]:
    letters = tuple(value.strip().upper() for value in facts.patient_orientation)
    if len(letters) == 2 and all(re.fullmatch(r"[APLRHF]{1,3}", value) for value in letters):
        return letters[0], letters[1]
    return ()


def _doubts(projection: Assessment[Projection], side: Assessment[Side]) -> tuple[str, ...]:
    doubts = []
    for what, sources in (("projection", disagreements(projection)), ("side", disagreements(side))):
        if sources:
            doubts.append(f"{' and '.join(sources)} would say another {what} than the one taken.")
    return tuple(doubts)


def moved_to_own_study(subject: Subject, pseudonyms: Pseudonyms) -> Subject:
    """The subject in a study of its own: for an image whose study belongs to another patient already."""
    study = replace(subject.study, id=pseudonyms.uid(f"{subject.study_uid}|{subject.patient.id}"))
    return replace(subject, study=study)
