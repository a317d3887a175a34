"""Scan the headers of 10,000 DICOM files: Coxa's parser against pydicom, with every value compared.

    python -m bench.header_scan [--files 10000]

Baseline: `pydicom.dcmread(stop_before_pixels=True)`, serial, then the same attributes as text.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from app.store.reading import syntaxes
from app.store.reading.elements import whole_text
from app.store.reading.header import HEAD_BYTES, HeaderScanner
from tests.support.foreign_files import DX, to_bytes

WANTED = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality", "SeriesDescription",
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "BodyPartExamined", "ViewPosition",
    "StudyInstanceUID", "SeriesInstanceUID", "PatientOrientation", "ImageLaterality", "PhotometricInterpretation",
    "Rows", "Columns", "BitsStored",
)  # fmt: skip
ELEMENTS = 87


def main() -> int:
    """Print files a second and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    count = parser.parse_args().files
    with tempfile.TemporaryDirectory() as place:
        paths = make_files(Path(place), count)
        for path in paths:
            path.read_bytes()  # warm cache for all
        reading_s = clock(lambda: [read_head(path) for path in paths])
        # the parser first and last, so that a change of the machine's load shows
        first_s, ours = timed(lambda: scan(paths))
        baseline_s = clock(lambda: [pydicom.dcmread(path, stop_before_pixels=True) for path in paths])
        values_s, theirs = timed(lambda: [with_pydicom(path) for path in paths])
        last_s, _ = timed(lambda: scan(paths))
        halves = [paths[index::2] for index in range(2)]
        with ProcessPoolExecutor(2) as processes:
            list(processes.map(scan, [[], []]))  # started and imported
            pair_s, _ = timed(lambda: list(processes.map(scan, halves)))
    differing = sum(mine != other for mine, other in zip(ours, theirs, strict=True))
    values = count * len(WANTED)
    print(f"{count} files of {ELEMENTS} elements, {len(WANTED)} attributes each, warm cache")
    print(f"open and read {HEAD_BYTES >> 10} KB   {count / reading_s:9,.0f} files/s")
    print(f"pydicom, serial          {count / baseline_s:9,.0f} files/s   1.0×  (parsing alone, no value converted)")
    print(f"pydicom, values too      {count / values_s:9,.0f} files/s {baseline_s / values_s:5.1f}×")
    for name, seconds in (("Coxa, one process", min(first_s, last_s)), ("Coxa, two processes", pair_s)):
        print(f"{name:24} {count / seconds:9,.0f} files/s {baseline_s / seconds:5.1f}×")
    print(f"compared {values:,} values; files that differ: {differing}")
    return 1 if differing else 0


def make_files(folder: Path, count: int) -> list[Path]:
    """DX-like files whose identifying values differ; some with accents, several values, empty values."""
    generator = np.random.default_rng(7)
    template = Dataset()
    template.SpecificCharacterSet = "ISO_IR 100"
    template.ImageType = ["ORIGINAL", "PRIMARY", ""]
    template.SOPClassUID = DX
    template.Modality = "DX"
    template.PatientBirthDate = "19500101"
    template.PatientSex = "F"
    template.BodyPartExamined = "HIP"
    template.StudyDate = "20200102"
    template.PatientOrientation = ["L", "F"]
    template.PhotometricInterpretation = "MONOCHROME2"
    template.Rows, template.Columns, template.BitsAllocated, template.BitsStored, template.HighBit = 8, 8, 16, 12, 11
    template.SamplesPerPixel, template.PixelRepresentation = 1, 0
    template.ImageLaterality = ""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-15710", "SRT", "Hip joint"
    template.AnatomicRegionSequence = [item]
    template.PixelData = bytes(128)
    template["PixelData"].VR = "OW"
    fillers = [
        "StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstitutionName", "Manufacturer", "StationName",
        "StudyDescription", "ManufacturerModelName", "PatientAge", "PatientComments", "DeviceSerialNumber",
        "SoftwareVersions", "ProtocolName", "KVP", "Exposure", "ExposureTime", "XRayTubeCurrent", "FilterType",
        "DistanceSourceToDetector", "DistanceSourceToPatient", "RelativeXRayExposure", "DetectorType", "DetectorID",
        "AcquisitionNumber", "InstanceNumber", "SeriesNumber", "StudyID", "AccessionNumber", "ReferringPhysicianName",
        "OperatorsName", "WindowCenter", "WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType",
        "BurnedInAnnotation", "PresentationIntentType", "ImagerPixelSpacing", "PixelSpacing", "SeriesDate",
        "AcquisitionDate", "ContentDate", "InstanceCreationDate", "InstanceCreationTime", "ConversionType",
        "LossyImageCompression", "PixelIntensityRelationship", "PixelIntensityRelationshipSign", "PresentationLUTShape",
        "ImageComments", "BodyPartThickness", "Grid", "FocalSpots", "ExposuresOnPlate", "PlateType", "CassetteSize",
        "AcquisitionDeviceProcessingDescription", "AcquisitionDeviceProcessingCode", "Sensitivity", "PatientPosition",
    ]  # fmt: skip
    samples = {"TM": "101112", "DA": "20200102", "DS": "1.5", "IS": "3", "CS": "YES", "AS": "070Y", "SS": 1, "US": 1}
    from pydicom.datadict import dictionary_VR

    for keyword in fillers:
        if keyword not in template and len(template) + 4 < ELEMENTS:
            setattr(template, keyword, samples.get(dictionary_VR(keyword), "Text"))
    paths = []
    for index in range(count):
        template.SOPInstanceUID = f"1.2.826.0.1.3680043.10.7.{index}.1"
        template.StudyInstanceUID = f"1.2.826.0.1.3680043.10.7.{index}"
        template.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.7.{index}.2"
        template.PatientID = f"P{generator.integers(1 << 30)}"
        template.PatientName = ("Müller^Zoë", "Doe^Jane", "O'Brien^Séan^^Dr")[index % 3]
        template.SeriesDescription = ("Becken a.p.", "Hüfte axial li", " Hip LAT ")[index % 3]
        template.ViewPosition = ("AP", "LL", "")[index % 3]
        path = folder / f"{index:05d}.dcm"
        path.write_bytes(to_bytes(template, syntaxes.EXPLICIT_LITTLE))
        paths.append(path)
    found = len(pydicom.dcmread(paths[0], stop_before_pixels=True))
    if abs(found - ELEMENTS) > 3:
        raise AssertionError(f"{found} elements, not {ELEMENTS}")
    return paths


def read_head(path: Path) -> bytes:
    """What any parser has to do at least."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.read(handle, HEAD_BYTES)
    finally:
        os.close(handle)


def scan(paths: list[Path]) -> list[dict[str, str]]:
    """Coxa's parser."""
    scanner = HeaderScanner(WANTED)
    return [scanner.scan_file(path) for path in paths]


def with_pydicom(path: Path) -> dict[str, str]:
    """The baseline."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    return {name: whole_text(dataset, name) for name in WANTED}


def timed(work: object) -> tuple[float, list[dict[str, str]]]:
    """Seconds and result."""
    start = time.perf_counter()
    result = work()  # type: ignore[operator]
    return time.perf_counter() - start, result


def clock(work: object) -> float:
    """Seconds."""
    return timed(work)[0]


if __name__ == "__main__":
    sys.exit(main())
