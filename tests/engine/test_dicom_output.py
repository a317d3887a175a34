from __future__ import annotations

import io
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from app.core.case import Projection, Side
from app.core.evidence import assess_projection, assess_side
from app.core.spacing import SpacingSource, resolve_spacing
from app.engine.dicom_output import SyntheticObject, dicom_bytes, synthetic_uid
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source
from app.store.resources import load_evidence_tables

ABOUT = SyntheticObject(
    study_key="test/1",
    number=1,
    patient_id="SYN-00000001",
    date="20200103",
    projection=Projection.FRONTAL,
    side=Side.LEFT,
    body_part="HIP",
    bits_stored=12,
    pixel_mm=0.3,
    magnification=1.18,
    source_to_detector_mm=1100,
    kvp=75,
    sex="F",
    age_years=81,
)
PIXELS = np.random.default_rng(0).integers(0, 4096, (60, 50)).astype(np.uint16)
VARIANTS = [
    ABOUT,
    replace(ABOUT, number=2, projection=Projection.CROSS_TABLE, side=Side.RIGHT),
    replace(ABOUT, projection=Projection.FROG_LEG, bits_stored=14),
    replace(ABOUT, side=Side.BOTH, body_part="PELVIS"),
    replace(ABOUT, body_part="FEMUR", projection=Projection.LATERAL, has_side=False, has_view=False),
]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert dicom_bytes(PIXELS, ABOUT) == dicom_bytes(PIXELS, ABOUT)
    assert synthetic_uid("a", 1) == synthetic_uid("a", 1) != synthetic_uid("a", 2)
    assert len(synthetic_uid("a")) <= 64


@pytest.mark.parametrize("about", VARIANTS)
def test_every_object_says_that_it_is_synthetic(about: SyntheticObject) -> None:
    dataset = pydicom.dcmread(io.BytesIO(dicom_bytes(PIXELS, about)))
    assert dataset.SyntheticData == "YES"
    assert dataset.QualityControlImage == "YES"
    assert "SYNTHETIC" in dataset.ImageComments
    assert str(dataset.PatientName).startswith("Synthetic")


def test_our_reader_gets_the_pixels_the_scale_and_the_facts(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(dicom_bytes(PIXELS, ABOUT))
    with ReaderPool(scratch=tmp_path / "scratch", workers=1) as pool:
        image = pool.read(Source(path=path))
        stored = pool.pixels(image)
    np.testing.assert_array_equal(stored.pixels, PIXELS)
    spacing = resolve_spacing(image.facts)
    assert spacing.source is SpacingSource.MAGNIFICATION
    assert spacing.row_mm == pytest.approx(0.3 / 1.18, rel=1e-4)
    assert image.facts.image_laterality == "L"


@pytest.mark.parametrize("about", VARIANTS[:4])
def test_dciodvfy_finds_no_error(about: SyntheticObject, tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("dciodvfy")
    program = str(beside) if beside.exists() else shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (package dicom3tools) is not installed")
    path = tmp_path / "image.dcm"
    path.write_bytes(dicom_bytes(PIXELS, about))
    result = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    report = result.stdout + result.stderr
    assert "DXImageForPresentation" in report
    assert [line for line in report.splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("about", VARIANTS[:4])
def test_the_importer_believes_projection_and_side(about: SyntheticObject, tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(dicom_bytes(PIXELS, about))
    with ReaderPool(scratch=tmp_path / "scratch", workers=1) as pool:
        facts = pool.read(Source(path=path)).facts
    tables = load_evidence_tables()
    projection = assess_projection(facts, tables)
    assert projection.value is about.projection
    assert assess_side(facts, tables, projection=projection.value).value is about.side


@pytest.mark.parametrize(
    ("change", "message"),
    [({"body_part": "FOOT"}, "body part"), ({"bits_stored": 20}, "bits"), ({"number": 0}, "numbered")],
)
def test_impossible_headers_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ABOUT, **change)  # type: ignore[arg-type]


def test_pixels_beyond_the_stored_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="stored bits"):
        dicom_bytes(np.full((4, 4), 5000, np.uint16), ABOUT)
