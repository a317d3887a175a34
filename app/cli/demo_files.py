"""DICOM files of invented patients for the demo project: marked as synthetic in every way that DICOM offers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from app.core.case import Projection, Side
from app.engine.placeholder import BITS_STORED, SPACING_MM, PlaceholderHip, frontal, lateral, pelvis

MAGNIFICATION = 1.15  # tube 1.15 m, object about 15 cm above the detector
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPatient:
    """One invented patient with one study.

    Args:
        number: makes the identifiers.
        name: a tree, so that nobody mistakes it for a person.
        sex: `F` or `M`.
        birth_year: invented.
        hip: the hip that is examined; its side and second view come from it.
        views: `F` frontal, `L` second view, `P` frontal view of the whole pelvis.
        is_silent: leave out everything that says which side and which projection.
        is_monochrome1: store the values the other way round.
    """

    number: int
    name: str
    sex: str
    birth_year: int
    hip: PlaceholderHip
    views: str = "FL"
    is_silent: bool = False
    is_monochrome1: bool = False


_LEFT, _RIGHT = Side.LEFT, Side.RIGHT
_FROG, _CROSS = Projection.FROG_LEG, Projection.CROSS_TABLE

PATIENTS = (
    DemoPatient(number=1, name="ALDER", sex="F", birth_year=1941, hip=PlaceholderHip(seed=11, side=_LEFT)),
    DemoPatient(number=2, name="BIRCH", sex="F", birth_year=1936, hip=PlaceholderHip(
        seed=22, side=_RIGHT, lateral=_CROSS, neck_gap_mm=1.2, density=0.85)),
    DemoPatient(number=3, name="CEDAR", sex="M", birth_year=1952, hip=PlaceholderHip(
        seed=33, side=_LEFT, neck_gap_mm=1.8, neck_step_mm=5.0)),
    DemoPatient(number=4, name="DOGWOOD", sex="F", birth_year=1930, hip=PlaceholderHip(
        seed=44, side=_RIGHT, lateral=_CROSS, density=0.62)),
    DemoPatient(number=5, name="ELM", sex="M", birth_year=1967, hip=PlaceholderHip(seed=55, side=_LEFT, dose=0.15)),
    DemoPatient(number=6, name="FIR", sex="F", birth_year=1948, hip=PlaceholderHip(
        seed=66, side=_RIGHT, neck_gap_mm=1.5, neck_step_mm=3.0), is_monochrome1=True),
    DemoPatient(number=7, name="GORSE", sex="M", birth_year=1959, hip=PlaceholderHip(
        seed=77, side=_LEFT), is_silent=True),
    DemoPatient(number=8, name="HAZEL", sex="F", birth_year=1944, hip=PlaceholderHip(
        seed=88, side=_RIGHT, lateral=_FROG, density=0.9), views="PL"),
)  # fmt: skip


def write_demo_files(folder: Path) -> Iterator[Path]:
    """Write the files one by one, the same bytes every time.

    Args:
        folder: an existing folder.

    Yields:
        Each file once it is written.
    """
    for patient in PATIENTS:
        for number, kind in enumerate(patient.views, start=1):
            path = folder / f"{patient.name.lower()}-{number}.dcm"
            _dataset(patient, kind).save_as(path, enforce_file_format=True)
            yield path


def file_count() -> int:
    """How many files `write_demo_files` writes."""
    return sum(len(patient.views) for patient in PATIENTS)


def _pixels(patient: DemoPatient, kind: str) -> npt.NDArray[np.uint16]:
    image = {"F": frontal, "L": lateral, "P": pelvis}[kind](patient.hip)
    return np.asarray(2**BITS_STORED - 1 - image, np.uint16) if patient.is_monochrome1 else image


def _dataset(patient: DemoPatient, kind: str) -> FileDataset:
    projection = patient.hip.lateral if kind == "L" else Projection.FRONTAL
    pixels = _pixels(patient, kind)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = _uid("object", patient.number, kind)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid("implementation")
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    _say_who(ds, patient)
    ds.StudyInstanceUID = _uid("study", patient.number)
    ds.SeriesInstanceUID = _uid("series", patient.number, kind)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = f"202003{patient.number:02d}"
    ds.StudyTime = "101500"
    ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "102200" if kind == "L" else "101800"
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = str(patient.number), f"SYN{patient.number:05d}", ""
    ds.SeriesNumber, ds.InstanceNumber = ("2" if kind == "L" else "1"), "1"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "DX", "Coxa", "Placeholder radiographs"
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImageComments = "SYNTHETIC IMAGE, NOT A PATIENT"
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    _say_what(ds, patient, kind, projection)
    _say_how(ds, patient)
    ds.Rows, ds.Columns = pixels.shape
    ds.PixelData = pixels.astype("<u2").tobytes()
    return ds


def _say_who(ds: Dataset, patient: DemoPatient) -> None:
    ds.PatientName = f"SYNTHETIC^{patient.name}"
    ds.PatientID, ds.IssuerOfPatientID = f"SYNTHETIC-{patient.number:03d}", "COXA DEMO"
    ds.PatientBirthDate, ds.PatientSex = f"{patient.birth_year}0615", patient.sex
    ds.PatientComments = "SYNTHETIC, NOT A PERSON"
    ds.ResponsibleOrganization = "Coxa demo"


def _say_what(ds: Dataset, patient: DemoPatient, kind: str, projection: Projection) -> None:
    if patient.is_silent:
        ds.SeriesDescription = "SYNTHETIC"
        return
    side = Side.BOTH if kind == "P" else patient.hip.side
    region = ("12921003", "Pelvis structure") if kind == "P" else ("24136001", "Hip joint structure")
    anatomy = _code("SCT", *region)
    if side is not Side.BOTH:
        code = ("7771000", "Left") if side is Side.LEFT else ("24028007", "Right")
        anatomy.AnatomicRegionModifierSequence = Sequence([_code("SCT", *code)])
    ds.AnatomicRegionSequence = Sequence([anatomy])
    ds.BodyPartExamined = "PELVIS" if kind == "P" else "HIP"
    ds.ImageLaterality = {Side.LEFT: "L", Side.RIGHT: "R", Side.BOTH: "B"}[side]
    ds.ViewCodeSequence = Sequence([_code("SCT", *VIEW_CODES[projection])])
    if projection is Projection.FRONTAL:
        ds.ViewPosition = "AP"
        ds.PatientOrientation = ["L", "F"]
    what = "pelvis" if kind == "P" else f"{side.value} hip"
    ds.SeriesDescription = f"SYNTHETIC {what} {VIEW_WORDS[projection]}"


def _say_how(ds: Dataset, patient: DemoPatient) -> None:
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME1" if patient.is_monochrome1 else "MONOCHROME2"
    ds.PresentationLUTShape = "INVERSE" if patient.is_monochrome1 else "IDENTITY"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, BITS_STORED, BITS_STORED - 1, 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1 if patient.is_monochrome1 else -1
    center = 4095 - 2000 if patient.is_monochrome1 else 2000
    ds.WindowCenter, ds.WindowWidth = [str(center), str(center)], ["3400", "2000"]
    ds.WindowCenterWidthExplanation = ["Normal", "Harder"]
    ds.ImagerPixelSpacing = [f"{SPACING_MM:.3f}", f"{SPACING_MM:.3f}"]
    ds.EstimatedRadiographicMagnificationFactor = f"{MAGNIFICATION:.2f}"


def _code(scheme: str, value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = scheme, value, meaning
    return item


def _uid(*parts: object) -> UID:
    digest = hashlib.sha256("/".join(("coxa-demo", *map(str, parts))).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")
