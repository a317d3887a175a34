"""What every DICOM object of an export has in common: whose it is, what made it, identifiers, and its file.

Nothing here, or in what builds on it, looks at the clock or rolls dice: the same project state gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from app import __version__
from app.core.case import Patient, Side, Study, View
from app.core.deidentify import BASIC_PROFILE, METHOD, MODIFIED_DATES, OPTION_MEANINGS, PATIENT_CHARACTERISTICS
from app.core.pixel_review import PixelVerdict
from app.core.pseudonym import Pseudonyms
from app.store.exchange.dicom_codes import code_item

CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")  # PS3.16 CID 7050
MAKER, MODEL = "Coxa", "Coxa"
MARK = "RESEARCH USE ONLY. NOT FOR DIAGNOSIS."
NO_DATE = "19000101"  # of derived objects of a study that has no date: a dummy, as PS3.15 asks for
IMPLEMENTATION = "2.25.266563870927653109178426160411466817378"
SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = "00080016", "00080018", "0020000D", "0020000E"
# series of derived objects: far from the numbers that modalities give
REPORT_SERIES, PRESENTATION_SERIES, HEATMAP_SERIES = 9701, 9702, 9703
Header = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose objects these are; everything here is de-identified already.

    Args:
        patient: the patient.
        study: the study.
        pseudonyms: of the project; makes identifiers of derived objects.
    """

    patient: Patient
    study: Study
    pseudonyms: Pseudonyms

    def uid(self, *parts: str) -> str:
        """An identifier that follows from its parts and the project's key."""
        digest = hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
        return self.pseudonyms.uid(f"export|{digest}")


def value_of(header: Header, tag: str, default: Any = "") -> Any:
    """The first value of an attribute in the DICOM JSON model."""
    values = header.get(tag, {}).get("Value") or [default]
    return values[0]


def image_uid(view: View, header: Header, owner: Owner) -> str:
    """SOP Instance UID of a view in exports. With other pixels (masks, a frame, brightness of colours) it is another.

    Args:
        view: as it stands now.
        header: its de-identified header.
        owner: whose it is.
    """
    own = str(value_of(header, SOP_INSTANCE))
    review = view.pixel_review
    if review is not None and review.verdict is PixelVerdict.MASKED:
        places = [f"{box.left},{box.top},{box.right},{box.bottom}" for box in review.masks]
        return owner.uid("masked", view.id, view.image_sha256, *places)
    if not own or image_class(view, header) != value_of(header, SOP_CLASS) or is_of_many_frames(header):
        return owner.uid("image", view.id, view.image_sha256)
    return own


NATIVE_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, for presentation
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray, for processing
    }
)


def image_class(view: View, header: Header) -> str:
    """SOP class in which a view is exported: its own for computed and digital radiographs, else secondary capture."""
    own = str(value_of(header, SOP_CLASS))
    is_native = "not-native" not in view.flags and not is_of_many_frames(header)
    return own if is_native and own in NATIVE_CLASSES else str(SecondaryCaptureImageStorage)


def is_of_many_frames(header: Header) -> bool:
    """Whether the object that a view was taken from had several frames."""
    return int(value_of(header, "00280008", 1) or 1) > 1


def say_owner(dataset: Dataset, owner: Owner, header: Header) -> None:
    """Patient, General Study and Patient Study modules (PS3.3 C.7.1.1, C.7.2.1), and how it was de-identified."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = ""
    dataset.PatientID = owner.patient.id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = value_of(header, "00100040") or owner.patient.sex
    if age := value_of(header, "00101010"):
        dataset.PatientAge = age
    dataset.StudyInstanceUID = owner.study.id
    dataset.StudyDate = value_of(header, "00080020") or owner.study.date.replace("-", "")
    dataset.StudyTime = value_of(header, "00080030")
    dataset.StudyID = ""
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""


def say_deidentified(dataset: Dataset, header: Header, *, is_masked: bool) -> None:
    """How patients were made unknown (PS3.15 E.1.1).

    Args:
        dataset: gets the attributes.
        header: the view's; says which edition of the table was used.
        is_masked: whether pixels were painted over.
    """
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = header.get("00120063", {}).get("Value") or [METHOD]
    used = [(code, OPTION_MEANINGS[code]) for code in (BASIC_PROFILE, MODIFIED_DATES, PATIENT_CHARACTERISTICS)]
    used += [CLEAN_PIXELS] if is_masked else []
    items = [code_item(code, "DCM", meaning) for code, meaning in used]
    dataset.DeidentificationMethodCodeSequence = Sequence(items)
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"


def say_moment(dataset: Dataset, header: Header, study: Study) -> None:
    """When a derived object was made, as far as it may be told.

    The study's own, shifted date stands in: a true date beside a shifted one would tell how far it was shifted.
    """
    date = str(value_of(header, "00080020") or study.date.replace("-", "") or NO_DATE)
    time = str(value_of(header, "00080030") or "000000")
    dataset.InstanceCreationDate = dataset.SeriesDate = dataset.ContentDate = date
    dataset.InstanceCreationTime = dataset.SeriesTime = dataset.ContentTime = time


def side_letter(view: View) -> str:
    """Laterality (0020,0060) of what an image shows: empty for both hips, and where it is not known."""
    return {Side.LEFT: "L", Side.RIGHT: "R"}.get(view.side.value, "") if view.side.value else ""


def say_maker(dataset: Dataset) -> None:
    """General Equipment of an object that Coxa made (PS3.3 C.7.5.1)."""
    dataset.Manufacturer = MAKER
    dataset.ManufacturerModelName = MODEL
    dataset.SoftwareVersions = __version__
    dataset.DeviceSerialNumber = "0"


def file_bytes(dataset: Dataset) -> bytes:
    """The object as a file: explicit VR little endian, an empty preamble."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = "COXA"
    dataset.file_meta = meta
    dataset.preamble = bytes(128)
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def text_value(text: str, longest: int = 64) -> str:
    """A text as LO or SH take it: one line, no backslash, not too long; stripped."""
    plain = "".join(letter if letter.isprintable() and letter != "\\" else " " for letter in text)
    return " ".join(plain.split())[:longest].strip()


def decimal(value: float) -> str:
    """A number as DS takes it (PS3.5 6.2): 16 characters at most, the same everywhere."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(float(value))


def without(dataset: Dataset, keywords: Iterable[str]) -> None:
    """Remove attributes that are there."""
    for keyword in keywords:
        if keyword in dataset:
            delattr(dataset, keyword)
