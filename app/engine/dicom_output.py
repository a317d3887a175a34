"""Synthetic radiographs as DICOM objects: Digital X-Ray Image Storage, for presentation (PS3.3 A.26).

Every object says that it is synthetic in four places: Synthetic Data, Quality Control Image, Image Comments and the
patient's name. Identifiers follow from the study's key, so the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from app.core.case import Projection, Side

_ROOT = "coxa-synthetic"
_COMMENT = "SYNTHETIC IMAGE, NOT A PATIENT. RESEARCH USE ONLY."
_REGIONS = {
    "HIP": ("24136001", "Hip joint"),
    "PELVIS": ("12921003", "Pelvis"),
    "FEMUR": ("71341001", "Femur"),
}
_VIEWS = {
    Projection.FRONTAL: ("399348003", "antero-posterior"),
    Projection.LATERAL: ("399067008", "lateral"),
    Projection.FROG_LEG: ("399067008", "lateral"),
    Projection.CROSS_TABLE: ("399061009", "axial"),
    Projection.OBLIQUE: ("399182000", "oblique"),
}
_WORDS = {
    Projection.FRONTAL: "AP",
    Projection.LATERAL: "lateral",
    Projection.FROG_LEG: "frog-leg lateral",
    Projection.CROSS_TABLE: "cross-table lateral",
    Projection.OBLIQUE: "oblique",
}
_SIDES = {Side.LEFT: ("7771000", "Left"), Side.RIGHT: ("24028007", "Right"), Side.BOTH: ("51440002", "Bilateral")}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticObject:
    """What the header of a synthetic radiograph says.

    Args:
        study_key: text that identifies the study; its UIDs follow from it.
        number: 1-based number of the image in the study.
        patient_id: the invented patient's identifier.
        date: study date, YYYYMMDD.
        projection: how the beam passed.
        side: LEFT, RIGHT, or BOTH for a pelvis.
        body_part: `HIP`, `PELVIS` or `FEMUR`.
        bits_stored: depth of the pixel values.
        pixel_mm: detector pixel, mm.
        magnification: of the hip.
        source_to_detector_mm: SID, mm.
        kvp: tube voltage, kV.
        sex: `F`, `M`, `O` or empty.
        age_years: age, or None.
        has_view: whether the header names the projection (without it the object breaks the standard, as many do).
        has_side: whether the header names the side (likewise).
    """

    study_key: str
    number: int
    patient_id: str
    date: str
    projection: Projection
    side: Side
    body_part: str
    bits_stored: int
    pixel_mm: float
    magnification: float
    source_to_detector_mm: float
    kvp: float
    sex: str = ""
    age_years: int | None = None
    has_view: bool = True
    has_side: bool = True

    def __post_init__(self) -> None:
        if self.body_part not in _REGIONS:
            raise ValueError(f"the body part is one of {', '.join(_REGIONS)}")
        if not 8 <= self.bits_stored <= 16:
            raise ValueError("8 to 16 bits can be stored")
        if self.number < 1:
            raise ValueError("images are numbered from 1")


def dicom_bytes(pixels: NDArray[np.uint16], about: SyntheticObject) -> bytes:
    """A DICOM file: DX for presentation, explicit VR little endian, uncompressed.

    Args:
        pixels: (rows, cols) uint16 stored values, MONOCHROME2, each below 2**bits_stored.
        about: what the header says.
    """
    if pixels.ndim != 2 or int(pixels.max(initial=0)) >> about.bits_stored:
        raise ValueError("pixels must be one grey image within the stored bits")
    dataset = Dataset()
    _say_patient(dataset, about)
    _say_study(dataset, about)
    _say_anatomy(dataset, about)
    _say_acquisition(dataset, about)
    _say_pixels(dataset, pixels, about)
    dataset.file_meta = _file_meta(dataset)
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def synthetic_uid(*parts: object) -> str:
    """A UID under 2.25 that follows from its parts (PS3.5 B.2)."""
    digest = hashlib.sha256("\0".join((_ROOT, *map(str, parts))).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(synthetic_uid("implementation"))
    meta.ImplementationVersionName = "COXA"
    return meta


def _say_patient(dataset: Dataset, about: SyntheticObject) -> None:
    dataset.PatientName = f"Synthetic^{about.patient_id}"
    dataset.PatientID = about.patient_id
    dataset.IssuerOfPatientID = "COXA SYNTHETIC"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = about.sex
    dataset.PatientComments = "SYNTHETIC, NOT A PERSON"
    dataset.QualityControlSubject = "YES"
    if about.age_years is not None:
        dataset.PatientAge = f"{about.age_years:03d}Y"


def _say_study(dataset: Dataset, about: SyntheticObject) -> None:
    time = f"10{min(15 + 3 * about.number, 59):02d}00"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = UID(synthetic_uid("object", about.study_key, about.number))
    dataset.StudyInstanceUID = UID(synthetic_uid("study", about.study_key))
    dataset.SeriesInstanceUID = UID(synthetic_uid("series", about.study_key, about.number))
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = about.date
    dataset.StudyTime, dataset.SeriesTime = "101500", time
    dataset.AcquisitionTime = dataset.ContentTime = time
    dataset.StudyID = ""
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber, dataset.InstanceNumber = str(about.number), "1"
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer, dataset.ManufacturerModelName = "Coxa", "Synthetic hip"
    dataset.ImageType = ["DERIVED", "PRIMARY", ""]
    dataset.DerivationDescription = "Computed from a model; no radiation was used"
    dataset.ImageComments = _COMMENT
    dataset.QualityControlImage = "YES"
    dataset.SyntheticData = "YES"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"  # the side marker is lead in the beam


def _say_anatomy(dataset: Dataset, about: SyntheticObject) -> None:
    region = _code(*_REGIONS[about.body_part])
    words = ["SYNTHETIC", about.body_part.lower()]
    if about.has_side:
        region.AnatomicRegionModifierSequence = Sequence([_code(*_SIDES[about.side])])
        if about.side is not Side.BOTH:
            words.insert(1, about.side.value)
    dataset.BodyPartExamined = about.body_part
    dataset.ImageLaterality = {Side.LEFT: "L", Side.RIGHT: "R", Side.BOTH: "B"}[about.side] if about.has_side else ""
    dataset.AnatomicRegionSequence = Sequence([region])
    if about.has_view:
        words.append(_WORDS[about.projection])
        view = _code(*_VIEWS[about.projection])
        view.ViewModifierCodeSequence = Sequence([])
        if about.projection is Projection.CROSS_TABLE:
            view.ViewModifierCodeSequence = Sequence([_code("111069", "Crosstable", scheme="DCM")])
        dataset.ViewCodeSequence = Sequence([view])
        if about.projection is Projection.FRONTAL:
            dataset.ViewPosition = "AP"
        dataset.PatientOrientation = _orientation(about)
    dataset.SeriesDescription = " ".join(words)


def _orientation(about: SyntheticObject) -> list[str]:
    """Directions of rows and columns; in a cross-table view anterior is up and the hip's own side decides the rest."""
    if about.projection in (Projection.CROSS_TABLE, Projection.LATERAL):
        return ["H" if about.side is Side.RIGHT else "F", "P"]
    return ["L", "F"]


def _say_acquisition(dataset: Dataset, about: SyntheticObject) -> None:
    pitch = f"{about.pixel_mm:.6f}"
    dataset.ImagerPixelSpacing = [pitch, pitch]
    dataset.DetectorType = "SCINTILLATOR"
    dataset.DetectorConfiguration = "AREA"
    dataset.DistanceSourceToDetector = f"{about.source_to_detector_mm:.2f}"
    dataset.DistanceSourceToPatient = f"{about.source_to_detector_mm / about.magnification:.2f}"
    dataset.EstimatedRadiographicMagnificationFactor = f"{about.magnification:.6f}"
    dataset.PositionerType = "NONE"
    dataset.KVP = f"{about.kvp:.1f}"
    dataset.AcquisitionContextSequence = Sequence([])


def _say_pixels(dataset: Dataset, pixels: NDArray[np.uint16], about: SyntheticObject) -> None:
    top = (1 << about.bits_stored) - 1
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, about.bits_stored, about.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.WindowCenter, dataset.WindowWidth = str((top + 1) // 2), str(top + 1)
    dataset.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()


def _code(value: str, meaning: str, *, scheme: str = "SCT") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
