"""Mapping files and the FracAtlas layout."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import Projection, Side
from app.core.errors import UserError
from app.store.fracatlas import read_fracatlas
from app.store.mapping import MappingRow, column_key, parse_mapping, read_mapping

ROOT = Path("/archive")


def parse(text: str, encoding: str = "utf-8") -> dict[str, MappingRow]:
    return dict(parse_mapping(text.encode(encoding), root=ROOT).rows)


def refusal(text: str) -> str:
    with pytest.raises(UserError) as error:
        parse(text)
    assert error.value.kind == "mapping"
    assert error.value.remedy
    return error.value.reason


@pytest.mark.parametrize("hint", ["sep=;", '"sep=;"', "sep=;;;"])
def test_the_line_that_spreadsheets_put_on_top_is_understood(hint: str) -> None:
    rows = parse(f"{hint}\npath;patient;side\na.png;p;left\n")
    assert rows["a.png"].side is Side.LEFT


FULL = """path,patient,side,projection,study,date,spacing_mm,Fracture Type,note
a/1.png,p1,left,AP,s1,2020-03-01,0.2,neck,
a\\2.png,p1,L,Lauenstein,s1,,,,second
b/3.png,p2,,,,,,,
"""


def test_a_whole_mapping() -> None:
    rows = parse(FULL)
    assert rows["a/1.png"] == MappingRow(
        path="a/1.png",
        patient="p1",
        side=Side.LEFT,
        projection=Projection.FRONTAL,
        study="s1",
        date="2020-03-01",
        spacing_mm=0.2,
        labels={"fracture_type": "neck"},
    )
    assert rows["a/2.png"].projection is Projection.FROG_LEG
    assert rows["a/2.png"].labels == {"note": "second"}
    assert rows["b/3.png"] == MappingRow(path="b/3.png", patient="p2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_write(encoding: str, separator: str) -> None:
    text = "Datei,Patient,Seite,Projektion\r\nbild_ü.png,p1,rechts,seitlich\r\n".replace(",", separator)
    [row] = parse(text, encoding).values()
    assert (row.path, row.side, row.projection) == ("bild_ü.png", Side.RIGHT, Projection.LATERAL)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The mapping file is empty."),
        ("path,patient\n", "The mapping file has a heading but no rows."),
        ("path,side\na.png,left\n", "The heading has no column patient."),
        ("a.png,p1\n", "The heading has no column path and patient."),
        ("path,patient,Path\na,b,c\n", "The heading names column 'path' twice."),
        ("path,patient,side\na.png,p1,upper\n", "Row 2, column 'side': 'upper' is not known."),
        ("path,patient,View\na.png,p1,sky\n", "Row 2, column 'View': 'sky' is not known."),
        ("path,patient\n\na.png,\n", "Row 3, column 'patient': the patient is empty."),
        ("path,patient\n,p1\n", "Row 2, column 'path': the path is empty."),
        ("path,patient\n../a.png,p1\n", "Row 2, column 'path': the path leaves the folder of the mapping file."),
        ("path,patient\n/etc/a.png,p1\n", "Row 2, column 'path': the path leaves the folder of the mapping file."),
        ("path,patient\nC:\\a.png,p1\n", "Row 2, column 'path': the path leaves the folder of the mapping file."),
        ("path,patient\na.png,p1\na.png,p2\n", "Row 3, column 'path': the same image is in row 2 already."),
        ("path,patient,date\na.png,p1,1.4.\n", "Row 2, column 'date': '1.4.' is not a date."),
        ("path,patient,date\na.png,p1,2020-13-01\n", "Row 2, column 'date': '2020-13-01' is not a date."),
        ("path,patient,spacing\na.png,p1,big\n", "Row 2, column 'spacing': 'big' is not a distance of pixels."),
        ("path,patient,spacing\na.png,p1,150\n", "Row 2, column 'spacing': '150' is not a distance of pixels."),
        ("path,patient\na.png,p1,left\n", "Row 2 has 3 cells, the heading has 2."),
        ('path,patient\n"a.png,p1\n', "The mapping file is not a CSV table."),
        ("path\x00,patient\n", "The mapping file is not a text file."),
    ],
)
def test_what_is_wrong_is_said_with_row_and_column(text: str, reason: str) -> None:
    assert refusal(text) == reason


def test_columns_that_identify_a_person_are_not_kept() -> None:
    text = "path,patient,patient_name,DOB,Name,Hospital,fracture,filename_original\na.png,p1,Doe,1979,J,X,yes,q\n"
    mapping = parse_mapping(text.encode(), root=ROOT)
    assert mapping.rows["a.png"].labels == {"fracture": "yes", "filename_original": "q"}
    assert mapping.notes == ("Not kept, since it may identify a person: column patient_name, DOB, Name, Hospital.",)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: no such file"):
        read_mapping(tmp_path / "none.csv")


def test_column_names() -> None:
    assert column_key(" Fracture-Type (AO) ") == "fracture_type_ao"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_mapping_or_a_sentence(content: bytes) -> None:
    with contextlib.suppress(UserError):
        parse_mapping(content, root=ROOT)


HEADING = "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique\n"


def fracatlas(folder: Path, rows: str) -> Path:
    """A FracAtlas folder with empty image files."""
    for name in ("Fractured", "Non_fractured"):
        (folder / "images" / name).mkdir(parents=True)
    (folder / "dataset.csv").write_text(HEADING + rows)
    for line in rows.splitlines():
        cells = line.split(",")
        (folder / "images" / ("Fractured" if cells[8] == "1" else "Non_fractured") / cells[0]).touch()
    return folder


def test_fracatlas_gives_its_hips(tmp_path: Path) -> None:
    folder = fracatlas(
        tmp_path / "FracAtlas",
        "IMG0000001.jpg,0,0,1,0,0,1,0,1,2,1,0,0\n"
        "IMG0000002.jpg,0,0,1,0,0,0,1,0,0,1,1,0\n"
        "IMG0000003.jpg,1,0,0,0,0,0,0,0,0,1,0,0\n"
        "IMG0000004.jpg,0,0,1,0,0,0,0,0,0,0,0,1\n",
    )
    (folder / "images" / "Non_fractured" / "IMG0000004.jpg").unlink()
    mapping = read_fracatlas(tmp_path)
    assert mapping.root == folder
    assert list(mapping.rows) == ["images/Fractured/IMG0000001.jpg", "images/Non_fractured/IMG0000002.jpg"]
    first, second = mapping.rows.values()
    assert (first.projection, first.side) == (Projection.FRONTAL, None)
    assert first.labels["fractured"] == "1"
    assert first.labels["fracture_count"] == "2"
    assert second.projection is None  # two projections in one image
    assert first.patient != second.patient
    assert mapping.notes == (
        "FracAtlas: 2 hip images; 1 images of other parts of the body are left out.",
        "1 hip images are listed in dataset.csv, but their files are missing.",
    )


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (None, "There is no dataset.csv in this folder."),
        ("IMG1.jpg,1,0,0,0,0,0,0,0,0,1,0,0\n", "None of the images in this folder is marked as a hip."),
        ("IMG1.jpg,0,0,maybe,0,0,0,0,0,0,1,0,0\n", "Row 2, column 'hip': 'maybe' is neither 0 nor 1."),
    ],
)
def test_a_folder_that_is_not_fracatlas_is_refused(tmp_path: Path, rows: str | None, reason: str) -> None:
    if rows is not None:
        fracatlas(tmp_path / "d", rows)
    with pytest.raises(UserError) as error:
        read_fracatlas(tmp_path / "d")
    assert error.value.reason == reason
