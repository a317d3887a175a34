"""Small DICOM files made for tests: hips that never existed, with tags that each test chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, JPEGLSNearLossless

ROOT_UID = "1.2.826.0.1.3680043.10.999"


def picture(seed: int = 0, *, rows: int = 60, cols: int = 50, bits: int = 12) -> npt.NDArray[np.uint16]:
    """A smooth grey picture, another one for every seed."""
    noise = np.random.default_rng(seed).normal(size=(rows, cols)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    low, high = float(smooth.min()), float(smooth.max())
    return ((smooth - low) / (high - low) * (2**bits - 1)).astype(np.uint16)


def make_dataset(pixels: npt.NDArray[np.uint16], *, bits: int = 12, **tags: Any) -> Dataset:
    """A CR image; `tags` are keywords, None removes one.

    UIDs may be given as numbers: `study=3` is one study, `series` follows it, `instance=7` is one object.
    """
    study, instance = tags.pop("study", 1), tags.pop("instance", 1)
    patient = tags.pop("patient", "PID-1")
    dataset = Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": ComputedRadiographyImageStorage,
        "SOPInstanceUID": f"{ROOT_UID}.3.{instance}",
        "StudyInstanceUID": f"{ROOT_UID}.1.{study}",
        "SeriesInstanceUID": f"{ROOT_UID}.2.{study}",
        "Modality": "CR",
        "PatientID": patient,
        "PatientName": f"Doe^{patient}",
        "PatientBirthDate": "19500101",
        "PatientSex": "F",
        "StudyDate": "20200310",
        "AcquisitionDate": "20200310",
        "AcquisitionTime": "101500",
        "BodyPartExamined": "HIP",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "PixelSpacing": [0.15, 0.15],
    }
    for keyword, value in (values | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = pixels.astype("<u2").tobytes()
    return dataset


def write_dicom(path: Path, pixels: npt.NDArray[np.uint16] | None = None, **tags: Any) -> Path:
    """Write a DICOM file.

    Args:
        path: where.
        pixels: (H, W) uint16; a picture of the instance number when left out.
        tags: see `make_dataset`; `copy_of=N` says that instance N is the uncompressed predecessor, `near` makes a lossy
            JPEG-LS copy that differs by at most that much, `jpegls=True` a lossless one.
    """
    copy_of, near, is_jpegls = tags.pop("copy_of", None), tags.pop("near", 0), tags.pop("jpegls", False)
    if pixels is None:
        pixels = picture(int(tags.get("instance", 1)))
    dataset = make_dataset(pixels, **tags)
    if copy_of is not None:
        dataset.SourceImageSequence = Sequence([_predecessor(copy_of)])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    if near or is_jpegls:
        dataset.compress(
            JPEGLSNearLossless if near else JPEGLSLossless, **({"jls_error": near} if near else {}),
            generate_instance_uid=False,
        )  # fmt: skip
        dataset.LossyImageCompression = "01" if near else "00"
    dataset.save_as(path, enforce_file_format=True)
    return path


def _predecessor(instance: object) -> Dataset:
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = "121320", "DCM", "Uncompressed predecessor"
    item = Dataset()
    item.ReferencedSOPClassUID = ComputedRadiographyImageStorage
    item.ReferencedSOPInstanceUID = f"{ROOT_UID}.3.{instance}"
    item.PurposeOfReferenceCodeSequence = Sequence([purpose])
    return item
