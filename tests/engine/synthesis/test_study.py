from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from app.engine.phantom.fracture import CaseKind
from app.engine.phantom.views import ViewKind
from app.engine.projection.geometry import Geometry
from app.engine.synthesis.study import (
    TRUTH,
    Examination,
    FileFormat,
    Series,
    case_folder,
    table_of,
    write_case,
)

SMALL = Series(seed=3, kinds=(CaseKind.NECK_NON_DISPLACED,), height_px=160, is_coarse=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    return write_case(SMALL, 2, folder)


def test_a_study_holds_two_views_and_its_truth(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == ["1-frontal.dcm", "2-cross-table.dcm", TRUTH]
    truth = json.loads((written / TRUTH).read_text(encoding="utf-8"))
    assert truth["synthetic"] is True
    assert truth["labels"]["has_fracture"] is True
    first = pydicom.dcmread(written / "1-frontal.dcm")
    assert (first.Rows, first.Columns) == (truth["views"][0]["rows"], truth["views"][0]["cols"])
    assert first.PatientID == truth["patient"]["id"]


def test_the_geometry_in_the_truth_projects_the_hip_centre_near_the_head(written: Path) -> None:
    truth = json.loads((written / TRUTH).read_text(encoding="utf-8"))
    for view in truth["views"]:
        values = view["geometry"]
        geometry = Geometry(
            source=values["source_mm"],
            corner=values["corner_mm"],
            u=values["u"],
            v=values["v"],
            pixel_mm=values["pixel_mm"],
            rows=view["rows"],
            cols=view["cols"],
        )
        expected = np.array(view["truth"]["head_centre"])
        np.testing.assert_allclose(geometry.project_points([0, 0, 0]), expected, atol=12 / values["pixel_mm"])


def test_the_same_bytes_again_and_the_callers_threads_come_back(written: Path, tmp_path: Path) -> None:
    before = cv2.getNumThreads()
    again = write_case(SMALL, 2, tmp_path)
    assert cv2.getNumThreads() == before
    for path in written.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_a_finished_study_is_left_alone(written: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in written.iterdir()}
    write_case(SMALL, 2, written.parent)
    assert {path: path.stat().st_mtime_ns for path in written.iterdir()} == stamps


def test_arrays_hold_the_difference_image(tmp_path: Path) -> None:
    series = Series(seed=3, kinds=(CaseKind.GARDEN_4,), height_px=160, is_coarse=True, format=FileFormat.NPZ)
    folder = write_case(series, 0, tmp_path)
    with np.load(folder / "1-frontal.npz") as arrays:
        assert arrays["pixels"].dtype == np.uint16
        assert np.abs(arrays["difference"]).max() > 0.05


def test_every_tenth_study_is_of_an_earlier_patient() -> None:
    requests = [SMALL.request(number) for number in range(20)]
    patients = [request.patient_seed for request in requests]
    assert patients[9] == patients[4]
    assert len(set(patients)) == 18
    assert len({request.seed for request in requests}) == 20


def test_the_usual_mix_has_both_classes_and_shafts_get_shaft_views() -> None:
    kinds = [Series(seed=1).request(number).kind for number in range(200)]
    assert 70 < kinds.count(CaseKind.NORMAL) < 130
    assert 35 < kinds.count(CaseKind.NECK_NON_DISPLACED) < 85
    shaft = Series(seed=1, kinds=(CaseKind.SHAFT_ATYPICAL,)).request(0)
    assert shaft.views == Examination.SHAFT.views
    assert Series(seed=1, examination=Examination.FROG_LEG).request(0).views[1] is ViewKind.FROG_LEG


def test_numbers_beyond_a_series_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        SMALL.request(-1)


def test_the_table_has_one_row_a_study(written: Path) -> None:
    truth = json.loads((written / TRUTH).read_text(encoding="utf-8"))
    rows = list(csv.DictReader(io.StringIO(table_of([truth, truth]))))
    assert len(rows) == 2
    assert rows[0]["case"] == case_folder(Path(), 2).name
    assert rows[0]["kind"] == "neck-non-displaced"
    assert float(rows[0]["fracture_1_x"]) == pytest.approx(truth["views"][0]["truth"]["fracture_centre"][0])
