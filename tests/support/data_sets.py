"""Small projects with everything in them that an export can hold."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    COMMENT,
    CROP_VERDICT,
    LANDMARK,
    MEASUREMENT,
    REGION,
    STATUS,
    Change,
    CropVerdict,
    document_of,
    reader_target,
)
from app.core.case import Assessment, Case, Certainty, Patient, Projection, Side, Study, ViewFlag
from app.core.geometry import Alignment
from app.core.grey import StoredImage
from app.core.measurement import CalibrationKind, Measurement, MeasurementKind, ScaleCalibration
from app.core.region import RegionBox
from app.store.annotations import Annotations
from app.store.crops import crop_key
from app.store.project import ProjectStore
from tests.support.projects import HEADER, make_view

ANN, BEN = "Ann", "Ben Ödman"
ROWS, COLS = 240, 200
FORMULA = '=HYPERLINK("http://example.org";"Überweisung")\n+1'


def make_labelled_project(path: Path, *, patients: int = 6) -> None:
    """A closed project: each patient has two hips, each with a frontal and a lateral view, read by two people.

    Of patient 0 the left hip is disputed; the frontal view of patient 1's left hip may hold text and waits; the last
    patient is nobody's yet; the second last has an excluded case.
    """
    with ProjectStore.create(path, name="Hüften & more") as project:
        for number in range(patients):
            add_patient(project, number)
        annotations = Annotations(project)
        for number in range(patients - 1):
            for side in (Side.LEFT, Side.RIGHT):
                annotate(annotations, project, number, side)
        annotations.record(
            f"C-{patients - 2:05}-RIGHT",
            [annotations.change(f"case:C-{patients - 2:05}-RIGHT", STATUS, "excluded")],
            author=ANN,
        )


def add_patient(project: ProjectStore, number: int) -> None:
    """One patient with one study of two hips."""
    patient, study = f"P-{number:05}", f"2.25.{number + 1}"
    cases = []
    with project.transaction():
        project.patients.add(Patient(id=patient, sex="FM"[number % 2]), author="import")
        project.studies.add(Study(id=study, patient_id=patient, date=f"2020-02-{number % 28 + 1:02}"), author="import")
        for side in (Side.LEFT, Side.RIGHT):
            views = {}
            for letter, projection in (("F", Projection.FRONTAL), ("L", Projection.LATERAL)):
                name = f"V-{number:05}-{side.value[0].upper()}{letter}"
                waits = number == 1 and side is Side.LEFT and letter == "F"
                image = picture(zlib.crc32(name.encode()))
                view = replace(
                    make_view(name, study, project.images.put(image), side=side),
                    rows=ROWS,
                    cols=COLS,
                    projection=Assessment(value=projection, certainty=Certainty.EVIDENT),
                    flags=frozenset({ViewFlag.MAY_HAVE_TEXT} if waits else {ViewFlag.LOSSY}),
                )
                project.views.add(view, header=HEADER, offset=0, author="import")
                views[letter] = name
            cases.append(
                Case(id=f"C-{number:05}-{side.name}", study_id=study, patient_id=patient, side=side,
                     frontal_id=views["F"], lateral_id=views["L"])
            )  # fmt: skip
        project.cases.replace_for_study(study, cases, author="import")
        for each in cases:
            project.sources.add(
                source_sha256=f"{number:064x}", object_key=f"key-{each.id}", view_id=each.frontal_id, outcome="imported"
            )


def picture(seed: int) -> StoredImage:
    """A small image with a bright square on noise, 12 bit."""
    choose = np.random.default_rng(seed)
    pixels = choose.integers(800, 1200, (ROWS, COLS), dtype=np.uint16)
    top, left = choose.integers(20, 120, 2)
    pixels[top : top + 60, left : left + 50] += 2000
    return StoredImage(pixels=pixels)


def annotate(annotations: Annotations, project: ProjectStore, number: int, side: Side) -> None:
    """What two readers say about one hip."""
    case_id, view_id = f"C-{number:05}-{side.name}", f"V-{number:05}-{side.value[0].upper()}F"
    calibration = ScaleCalibration(
        kind=CalibrationKind.BALL, first_xy=(10.0, 10.0), second_xy=(110.0, 10.0), known_mm=25.0
    )
    annotations.record(
        case_id, [annotations.change(f"view:{view_id}", CALIBRATION, document_of(calibration))], author=ANN
    )
    view = project.views.get(view_id)
    assert view is not None
    is_broken = (number + (side is Side.LEFT)) % 2 == 0
    for reader in (ANN, BEN):
        says = is_broken != (number == 0 and side is Side.LEFT and reader == BEN)
        annotations.set_label(case_id, "fracture", "yes" if says else "no", author=reader)
        alignment = Alignment(center_xy=(90.25 + number, 110.5), axis_xy=(95.0, 180.0), side_px=96.0)
        if reader == BEN:
            alignment = alignment.moved(3.0, -2.0)
        verdict = CropVerdict(is_approved=reader == ANN, key=crop_key(alignment, view))
        target = reader_target(case_id, reader)
        wanted = {
            f"{ALIGNMENT}{view_id}": alignment,
            f"{CROP_VERDICT}{view_id}": verdict,
            f"{REGION}{view_id}": RegionBox(left=30.0 + number, top=40.5, right=170.0, bottom=210.25),
            f"{LANDMARK}head-centre.{view_id}": (80.125, 90.5),
            f"{MEASUREMENT}1.{view_id}": Measurement(kind=MeasurementKind.LENGTH, points=((10.0, 10.0), (10.0, 110.0))),
        }
        changes = [annotations.change(target, field, document_of(value)) for field, value in wanted.items()]
        changes.append(annotations.change(f"case:{case_id}", f"{COMMENT}{1 if reader == ANN else 2}", FORMULA))
        annotations.record(case_id, [each for each in changes if isinstance(each, Change)], author=reader)
