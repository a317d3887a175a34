"""Importing archives that have a table instead of headers."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from app.core.case import Side
from app.core.event import target_of
from app.core.spacing import SpacingSource
from app.store.fracatlas import read_fracatlas
from app.store.import_report import Outcome
from app.store.importer import import_sources, mapping_sources
from app.store.mapping import read_mapping
from app.store.project import ProjectStore
from tests.support.dicom_files import picture
from tests.support.imports import hung, import_paths, outcomes, state

pytestmark = pytest.mark.usefixtures("lent_readers")


def png(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture(seed))
    return path


MAPPING = """path,patient,side,projection,spacing_mm,fracture,name
a/1.png,p1,left,frontal,0.2,neck,Doe
a/2.png,p1,left,lateral,0.2,,Doe
b/3.png,p2,both,ap,,none,Roe
c/missing.png,p3,left,ap,,,
"""


def test_a_png_archive_with_its_mapping(project: ProjectStore, tmp_path: Path) -> None:
    for number, name in enumerate(("a/1.png", "a/2.png", "b/3.png", "b/unlisted.png")):
        png(tmp_path / name, number)
    (tmp_path / "map.csv").write_text(MAPPING)
    mapping = read_mapping(tmp_path / "map.csv")
    report = import_sources(project, mapping_sources(mapping), mapping=mapping, author="tester", workers=1)
    kinds = outcomes(report)
    missing = kinds.pop("c/missing.png")
    assert missing not in ("imported", "")
    assert kinds == {"a/1.png": "imported", "a/2.png": "imported", "b/3.png": "imported"}
    cases = project.cases.all()
    assert hung(cases) == {("left", True, True, False), ("left", True, False, False), ("right", True, False, False)}
    pair = next(case for case in cases if case.lateral_id)
    assert project.events.current_of(target_of("case", pair.id))["label.fracture"] == "neck"
    first = project.views.get(pair.frontal_id or "")
    assert first is not None
    assert (first.spacing.row_mm, first.spacing.source, first.spacing.is_trusted) == (0.2, SpacingSource.MAPPING, True)
    assert first.side.evidence[0].source == "Mapping file"
    pelvis = next(view for view in project.views.all() if view.side.value is Side.BOTH)
    assert project.events.current_of(target_of("view", pelvis.id))["label.fracture"] == "none"
    assert "Doe" not in repr(state(project))


def test_a_fracatlas_folder(project: ProjectStore, tmp_path: Path) -> None:
    header = (
        "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique\n"
    )
    png(tmp_path / "images" / "Fractured" / "IMG1.png", 1)
    png(tmp_path / "images" / "Non_fractured" / "IMG2.png", 2)
    (tmp_path / "dataset.csv").write_text(
        f"{header}IMG1.png,0,0,1,0,0,1,0,1,1,1,0,0\nIMG2.png,1,0,0,0,0,0,0,0,0,1,0,0\n"
    )
    mapping = read_fracatlas(tmp_path)
    report = import_sources(project, mapping_sources(mapping), mapping=mapping, author="tester", workers=1)
    assert outcomes(report) == {"images/Fractured/IMG1.png": "imported"}
    assert report.notes == mapping.notes
    [entry] = report.cases
    assert (entry.case.side, entry.case.frontal_id is not None) == (None, True)
    labels = project.events.current_of(target_of("case", entry.case.id))
    assert (labels["label.fractured"], labels["label.hardware"]) == ("1", "1")


def test_labels_can_be_added_later_and_what_differs_is_said(project: ProjectStore, tmp_path: Path) -> None:
    png(tmp_path / "1.png", 1)
    for text in ("path,patient,side\n1.png,p,left\n", "path,patient,side,fracture\n1.png,p,right,neck\n"):
        (tmp_path / "map.csv").write_text(text)
        mapping = read_mapping(tmp_path / "map.csv")
        report = import_sources(project, mapping_sources(mapping), mapping=mapping, author="tester", workers=1)
    [item] = report.items
    assert item.outcome is Outcome.DUPLICATE
    assert item.remedy == f"The mapping says side right; decide with `coxa cases resolve {item.view_id}`."
    [case] = project.cases.all()
    assert case.side is Side.LEFT
    assert project.events.current_of(target_of("case", case.id))["label.fracture"] == "neck"


def test_pictures_without_a_mapping_stand_alone(project: ProjectStore, tmp_path: Path) -> None:
    png(tmp_path / "in" / "patient1_left_ap.png", 1)
    png(tmp_path / "in" / "patient1_left_lat.png", 2)
    import_paths(project, tmp_path / "in")
    assert len(project.patients.all()) == 2
    assert all(case.questions for case in project.cases.all())


def test_a_file_that_the_mapping_does_not_list_is_refused(project: ProjectStore, tmp_path: Path) -> None:
    png(tmp_path / "a" / "1.png", 1)
    (tmp_path / "map.csv").write_text("path,patient\na/2.png,p\n")
    mapping = read_mapping(tmp_path / "map.csv")
    report = import_paths(project, tmp_path / "a", mapping=mapping)
    assert outcomes(report) == {"1.png": "not-listed"}
