"""DICOM files of invented patients for the demo project: marked as synthetic in every way that DICOM offers."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from app.core.case import Projection, Side
from app.engine.phantom.case import SyntheticCase, build_case
from app.engine.phantom.demo_cases import DemoCase, demo_cases
from app.engine.phantom.views import ViewKind
from app.engine.synthesis.radiographs import ExposedView, Quality, expose_case

STUDY_YEAR = 2020
MOST_JOBS = 8
VIEW_CODES = {
    Projection.FRONTAL: ("399348003", "antero-posterior"),
    Projection.FROG_LEG: ("399067008", "lateral"),
    Projection.CROSS_TABLE: ("399061009", "axial"),
}
VIEW_WORDS = {
    Projection.FRONTAL: "AP",
    Projection.FROG_LEG: "frog-leg",
    Projection.CROSS_TABLE: "cross-table lateral",
}
REGIONS = {
    "pelvis": ("12921003", "Pelvis structure", "PELVIS"),
    "hip": ("24136001", "Hip joint structure", "HIP"),
    "femur": ("71341001", "Bone structure of femur", "FEMUR"),
}


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
    # spawn: the caller may hold threads and locks, and a forked child would inherit them
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        futures = [pool.submit(_write_study, folder, case.number) for case in wanted]
        try:
            for future in futures:
                yield from future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """A worker must not outlive a command that was killed: the pool's own pipes would not tell it."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


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
        _dataset(demo, case, exposed, index).save_as(path, enforce_file_format=True)
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


def _dataset(demo: DemoCase, case: SyntheticCase, exposed: ExposedView, index: int) -> FileDataset:
    kind = exposed.view.setup.kind
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = _uid("object", demo.number, index)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid("implementation")
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    _say_who(ds, demo, case)
    ds.StudyInstanceUID = _uid("study", demo.number)
    ds.SeriesInstanceUID = _uid("series", demo.number, index)
    date = f"{STUDY_YEAR}{1 + demo.number // 28:02d}{1 + demo.number % 28:02d}"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = date
    ds.StudyTime = "101500"
    ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "101800" if index == 1 else "102200"
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = str(demo.number), f"SYN{demo.number:05d}", ""
    ds.SeriesNumber, ds.InstanceNumber = str(index), "1"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "DX", "Coxa", "Synthetic hip"
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImageComments = "SYNTHETIC IMAGE, NOT A PATIENT"
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    _say_what(ds, demo, case, kind)
    _say_how(ds, demo, exposed)
    return ds


def _say_who(ds: Dataset, demo: DemoCase, case: SyntheticCase) -> None:
    ds.PatientName = f"SYNTHETIC^{demo.name}"
    ds.PatientID, ds.IssuerOfPatientID = f"SYNTHETIC-{demo.patient + 1:03d}", "COXA DEMO"
    ds.PatientBirthDate = f"{STUDY_YEAR - case.patient.age_years}0615"
    ds.PatientSex = case.patient.sex.value
    ds.PatientComments = "SYNTHETIC, NOT A PERSON"
    ds.ResponsibleOrganization = "Coxa demo"


def _say_what(ds: Dataset, demo: DemoCase, case: SyntheticCase, kind: ViewKind) -> None:
    if demo.is_silent:
        ds.SeriesDescription = "SYNTHETIC"
        return
    side = Side.BOTH if kind.shows_both_hips else case.labels.side
    is_femur = kind in (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL)
    part = "pelvis" if side is Side.BOTH else "femur" if is_femur else "hip"
    code, meaning, examined = REGIONS[part]
    anatomy = _code("SCT", code, meaning)
    if side is not Side.BOTH:
        modifier = ("7771000", "Left") if side is Side.LEFT else ("24028007", "Right")
        anatomy.AnatomicRegionModifierSequence = Sequence([_code("SCT", *modifier)])
    ds.AnatomicRegionSequence = Sequence([anatomy])
    ds.BodyPartExamined = examined
    ds.ImageLaterality = {Side.LEFT: "L", Side.RIGHT: "R", Side.BOTH: "B"}[side]
    projection = kind.projection
    ds.ViewCodeSequence = Sequence([_code("SCT", *VIEW_CODES[projection])])
    if projection is Projection.FRONTAL:
        ds.ViewPosition = "AP"
        ds.PatientOrientation = ["L", "F"]
    what = "pelvis" if side is Side.BOTH else f"{side.value} {part}"
    words = "lateral" if kind is ViewKind.SHAFT_LATERAL else VIEW_WORDS[projection]
    ds.SeriesDescription = f"SYNTHETIC {what} {words}"


def _say_how(ds: Dataset, demo: DemoCase, exposed: ExposedView) -> None:
    radiograph, setup = exposed.radiograph, exposed.view.setup
    top = (1 << radiograph.bits_stored) - 1
    pixels = np.asarray(top - radiograph.pixels, np.uint16) if demo.is_monochrome1 else radiograph.pixels
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME1" if demo.is_monochrome1 else "MONOCHROME2"
    ds.PresentationLUTShape = "INVERSE" if demo.is_monochrome1 else "IDENTITY"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, radiograph.bits_stored, radiograph.bits_stored - 1
    ds.PixelRepresentation = 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1 if demo.is_monochrome1 else -1
    half = (top + 1) // 2
    ds.WindowCenter, ds.WindowWidth = [str(half), str(half)], [str(top + 1), str(round(0.6 * top))]
    ds.WindowCenterWidthExplanation = ["Normal", "Harder"]
    pitch = f"{setup.geometry.pixel_mm:.5f}"
    ds.ImagerPixelSpacing = [pitch, pitch]
    ds.EstimatedRadiographicMagnificationFactor = f"{setup.magnification:.4f}"
    ds.DistanceSourceToDetector = f"{setup.geometry.source_to_detector_mm:.1f}"
    ds.DistanceSourceToPatient = f"{setup.geometry.source_to_detector_mm / setup.magnification:.1f}"
    ds.KVP = f"{radiograph.technique.kvp:.0f}"
    ds.Rows, ds.Columns = pixels.shape
    ds.PixelData = pixels.astype("<u2").tobytes()


def _code(scheme: str, value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = scheme, value, meaning
    return item


def _uid(*parts: object) -> UID:
    digest = hashlib.sha256("/".join(("coxa-demo", *map(str, parts))).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")
