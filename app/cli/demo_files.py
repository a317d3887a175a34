"""DICOM files of invented patients for the demo project, made study by study on several processors."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from app.core.case import Projection, Side
from app.engine.dicom_output import SyntheticObject, dicom_bytes
from app.engine.phantom.case import SyntheticCase, build_case
from app.engine.phantom.demo_cases import DemoCase, demo_cases
from app.engine.phantom.views import ViewKind
from app.engine.synthesis.pool import worker_pool
from app.engine.synthesis.radiographs import ExposedView, Quality, expose_case

STUDY_YEAR = 2020
MOST_JOBS = 8


def file_names(case: DemoCase) -> list[str]:
    """The files of one study, frontal view first."""
    return [f"{case.number:02d}-{case.name.lower()}-{view}.dcm" for view in range(1, len(case.request.views) + 1)]


def file_count(cases: int | None = None) -> int:
    """How many files `write_demo_files` writes."""
    return sum(len(case.request.views) for case in demo_cases()[:cases])


def write_demo_files(folder: Path, *, cases: int | None = None, jobs: int | None = None) -> Iterator[Path]:
    """Write the files study by study, the same bytes every time, on several processors.

    Args:
        folder: an existing folder.
        cases: how many studies, from the first one on; None = all.
        jobs: processes; None = one a processor, at most eight.

    Yields:
        Each file once it is written.
    """
    wanted = demo_cases()[:cases]
    workers = min(jobs or os.cpu_count() or 1, MOST_JOBS, len(wanted))
    if workers == 1:
        for case in wanted:
            yield from _write_study(folder, case.number)
        return
    with worker_pool(workers) as pool:
        for future in [pool.submit(_write_study, folder, case.number) for case in wanted]:
            yield from future.result()


def truth_of(folder: Path) -> dict[str, dict[str, Any]]:
    """What `write_demo_files` knows about each study, by the name of its first file."""
    found = {}
    for path in sorted(folder.glob("*.truth.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        found[str(truth.pop("file"))] = truth
    return found


def _write_study(folder: Path, number: int) -> list[Path]:
    import cv2

    cv2.setNumThreads(1)  # one process a processor is enough
    demo = demo_cases()[number - 1]
    case = build_case(demo.request)
    faults = Quality(dose_factor=demo.dose, has_marker=demo.has_marker, is_marker_wrong=demo.is_marker_wrong)
    paths = [folder / name for name in file_names(demo)]
    views = []
    for index, (path, exposed) in enumerate(zip(paths, expose_case(case, quality=faults), strict=True), start=1):
        path.write_bytes(_file(demo, case, exposed, index))
        views.append(asdict(exposed.view.truth))
    truth = {
        "file": paths[0].name,
        "study": demo.number,
        "kind": demo.request.kind,
        "labels": asdict(case.labels),
        "is_hold_out": demo.is_hold_out,
        "is_marker_wrong": demo.is_marker_wrong,
        "dose": demo.dose,
        "views": views,
    }
    text = json.dumps(truth, sort_keys=True)
    (folder / f"{demo.number:02d}.truth.json").write_text(text, encoding="utf-8")
    return paths


def _file(demo: DemoCase, case: SyntheticCase, exposed: ExposedView, index: int) -> bytes:
    """The DICOM object, with a tree for a name and, where planned, the grey scale the other way round."""
    setup, radiograph = exposed.view.setup, exposed.radiograph
    is_femur = setup.kind in (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL)
    both = setup.kind.shows_both_hips
    about = SyntheticObject(
        study_key=f"demo/{demo.number}",
        number=index,
        patient_id=f"SYNTHETIC-{demo.patient + 1:03d}",
        date=f"{STUDY_YEAR}{1 + demo.number // 28:02d}{1 + demo.number % 28:02d}",
        projection=Projection.LATERAL if setup.kind is ViewKind.SHAFT_LATERAL else setup.kind.projection,
        side=Side.BOTH if both else case.labels.side,
        body_part="PELVIS" if both else "FEMUR" if is_femur else "HIP",
        bits_stored=radiograph.bits_stored,
        pixel_mm=setup.geometry.pixel_mm,
        magnification=setup.magnification,
        source_to_detector_mm=setup.geometry.source_to_detector_mm,
        kvp=radiograph.technique.kvp,
        sex=case.patient.sex.value,
        age_years=case.patient.age_years,
        has_view=not demo.is_silent,
        has_side=not demo.is_silent,
    )
    dataset = pydicom.dcmread(io.BytesIO(dicom_bytes(radiograph.pixels, about)))
    dataset.PatientName = f"SYNTHETIC^{demo.name}"  # for people: nobody mistakes a tree for a person
    if demo.is_monochrome1:
        top = (1 << radiograph.bits_stored) - 1
        dataset.PhotometricInterpretation = "MONOCHROME1"
        dataset.PresentationLUTShape = "INVERSE"
        dataset.PixelIntensityRelationshipSign = 1
        dataset.PixelData = (top - radiograph.pixels).astype(np.dtype("<u2")).tobytes()
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
