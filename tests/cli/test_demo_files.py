"""The demo's files: readable, marked as synthetic, the same bytes for any number of processes, faults as planned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from app.cli.demo_files import file_count, truth_of, write_demo_files
from app.engine.phantom.demo_cases import demo_cases


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    assert len(list(write_demo_files(folder, cases=4, jobs=1))) == file_count(4) == 8
    return folder


@pytest.mark.slow
def test_the_number_of_processes_does_not_change_a_byte(files: Path, tmp_path: Path) -> None:
    paths = list(write_demo_files(tmp_path, cases=2, jobs=2))
    assert [p.name for p in paths] == sorted(p.name for p in files.glob("0[12]-*.dcm"))
    for path in paths:
        assert path.read_bytes() == (files / path.name).read_bytes()
    alone = truth_of(files)
    assert truth_of(tmp_path) == {name: alone[name] for name in alone if name.startswith(("01-", "02-"))}


def test_every_object_says_that_it_is_synthetic_and_has_a_scale(files: Path) -> None:
    for path in files.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        assert str(dataset.PatientName).startswith("SYNTHETIC^")
        assert dataset.PatientID.startswith("SYNTHETIC-")
        assert "SYNTHETIC" in dataset.ImageComments
        assert float(dataset.ImagerPixelSpacing[0]) == pytest.approx(300 / 768, abs=1e-4)
        assert 1.1 < float(dataset.EstimatedRadiographicMagnificationFactor) < 1.4
        assert dataset.pixel_array.max() < 1 << dataset.BitsStored


def test_a_silent_study_names_neither_side_nor_projection(files: Path) -> None:
    silent = [case for case in demo_cases()[:4] if case.is_silent]
    assert [case.number for case in silent] == [4]
    for path in files.glob("04-*.dcm"):
        dataset = pydicom.dcmread(path)
        assert not dataset.get("ImageLaterality")
        assert not dataset.get("ViewPosition")
        assert "ViewCodeSequence" not in dataset
    talking = pydicom.dcmread(next(files.glob("01-*-1.dcm")))
    assert talking.ImageLaterality in ("L", "R")
    assert talking.ViewPosition == "AP"


def test_an_inverted_study_shows_the_same_picture(tmp_path: Path) -> None:
    from dataclasses import replace

    from app.cli.demo_files import _file
    from app.engine.phantom.case import build_case
    from app.engine.phantom.femur_model import Resolution
    from app.engine.synthesis.radiographs import expose_case

    demo = next(case for case in demo_cases() if case.is_monochrome1)
    rough = replace(demo.request, height_px=128, resolution=Resolution(femur=1.5, pelvis=3.0, soft=10.0))
    case = build_case(rough)
    exposed = next(expose_case(case))
    (tmp_path / "a.dcm").write_bytes(_file(demo, case, exposed, 1))
    (tmp_path / "b.dcm").write_bytes(_file(replace(demo, is_monochrome1=False), case, exposed, 1))
    inverted, plain = pydicom.dcmread(tmp_path / "a.dcm"), pydicom.dcmread(tmp_path / "b.dcm")
    assert (inverted.PhotometricInterpretation, plain.PhotometricInterpretation) == ("MONOCHROME1", "MONOCHROME2")
    top = (1 << plain.BitsStored) - 1
    np.testing.assert_array_equal(top - inverted.pixel_array, plain.pixel_array)


def test_the_truth_of_each_study_lies_beside_it(files: Path) -> None:
    truth = truth_of(files)
    assert sorted(truth) == sorted(p.name for p in files.glob("*-1.dcm"))
    for case in demo_cases()[:4]:
        known = truth[f"{case.number:02d}-{case.name.lower()}-1.dcm"]
        assert known["kind"] == case.request.kind
        assert known["labels"]["side"] == case.request.side
        assert known["is_hold_out"] is case.is_hold_out
        assert len(known["views"]) == 2
        if known["labels"]["has_fracture"]:
            assert len(known["views"][0]["fracture_centre"]) == 2
