"""Small projects for tests and fault benchmarks: invented content, no real radiograph."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from app.core.case import Assessment, Case, Certainty, Evidence, Patient, Projection, Side, Study, View, ViewFlag
from app.core.grey import GreyScale, Photometric, Rescale, StoredImage, Window
from app.core.spacing import Spacing, SpacingSource
from app.store.project import ProjectStore

HEADER = {
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]},
    "00080060": {"vr": "CS", "Value": ["DX"]},
    "00180015": {"vr": "CS", "Value": ["HIP"]},
}


def make_image(seed: int, *, rows: int = 24, cols: int = 32, offset: int = 0) -> StoredImage:
    """A small image with 12-bit noise."""
    pixels = np.random.default_rng(seed).integers(0, 4096, (rows, cols), dtype=np.uint16)
    return StoredImage(pixels=pixels, offset=offset)


def make_view(view_id: str, study_id: str, sha256: str, *, side: Side | None = None) -> View:
    """A view of which the projection is evident and the side only if it is given."""
    return View(
        id=view_id,
        study_id=study_id,
        image_sha256=sha256,
        rows=24,
        cols=32,
        projection=Assessment(
            value=Projection.FRONTAL,
            certainty=Certainty.EVIDENT,
            evidence=(Evidence(source="View Position", found="AP", says="frontal", rank=2),),
        ),
        side=Assessment(value=side, certainty=Certainty.EVIDENT if side else Certainty.UNKNOWN),
        spacing=Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.DETECTOR),
        grey=GreyScale(
            photometric=Photometric.MONOCHROME1,
            bits_stored=12,
            modality=Rescale(slope=1.0, intercept=-100.5),
            voi=(Window(center=2048, width=4096, name="NORMAL"),),
            padding=(0, 0),
        ),
        acquired_at="2020-02-03T10:00:00",
        orientation=("L", "F"),
        flags=frozenset({ViewFlag.LOSSY, ViewFlag.MAY_HAVE_TEXT}),
        notices=("A sentence with “quotes” and an umlaut: Hüfte.",),
    )


def make_case(case_id: str, study_id: str, patient_id: str, view_id: str | None = None, **more: object) -> Case:
    """A left hip with one frontal view."""
    parts: dict[str, object] = {"side": Side.LEFT, "frontal_id": view_id} | more
    return Case(id=case_id, study_id=study_id, patient_id=patient_id, **parts)  # type: ignore[arg-type]


def add_study(project: ProjectStore, number: int, *, seed: int = 0, picture: int | None = None) -> tuple[str, str]:
    """Bring in one patient with one study, one image and one case, as an import would; returns view id and address.

    Args:
        project: open for writing.
        number: gives the identifiers.
        seed: gives the image, together with the number.
        picture: gives the image instead of the number.
    """
    sha256 = project.images.put(make_image(seed * 1_000_003 + (number if picture is None else picture)))
    patient, study, view, case = f"P{number:06d}", f"2.25.{number}", f"view-{number}", f"case-{number}"
    with project.transaction():
        project.patients.add(Patient(id=patient, sex="F", name_check=number % 256, birth_check=None), author="import")
        project.studies.add(Study(id=study, patient_id=patient, date="2020-02-03"), author="import")
        project.views.add(make_view(view, study, sha256), header=HEADER, offset=0, author="import")
        project.cases.replace_for_study(study, [make_case(case, study, patient, view)], author="import")
        project.sources.add(
            source_sha256=f"{number:064x}", object_key=f"key-{number}", view_id=view, outcome="imported"
        )
    return view, sha256


def make_project(path: Path, *, studies: int = 6, decisions: int = 20, seed: int = 1) -> None:
    """A closed project with some studies and some decisions of people."""
    choose = random.Random(seed)
    with ProjectStore.create(path, name="Test") as project:
        for number in range(studies):
            add_study(project, number, seed=seed)
        for number in range(decisions):
            view = f"view-{choose.randrange(studies)}"
            project.views.confirm(view, side=choose.choice(list(Side)), author=f"reader {number % 3}")
            project.events.append(target=f"case:case-{number % studies}", field="garden", after=choose.randrange(4))
