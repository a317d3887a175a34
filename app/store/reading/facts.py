"""From a DICOM data set to `ObjectFacts`: what the object says about itself, as plain text."""

from __future__ import annotations

from pydicom.dataset import Dataset

from app.core.messages import CodedConcept, ObjectFacts
from app.store.reading import syntaxes
from app.store.reading.elements import items, text, texts, whole_text

_PREDECESSOR = ("DCM", "121320")  # "Uncompressed predecessor", PS3.16 CID 7202

# Free text that may name a projection, a side or a body part.
_WORDS = {
    "Study Description": "StudyDescription",
    "Series Description": "SeriesDescription",
    "Protocol Name": "ProtocolName",
    "Performed Protocol Type": "PerformedProtocolType",
    "Performed Procedure Step Description": "PerformedProcedureStepDescription",
    "Requested Procedure Description": "RequestedProcedureDescription",
    "Acquisition Device Processing Description": "AcquisitionDeviceProcessingDescription",
    "Acquisition Protocol Description": "AcquisitionProtocolDescription",
    "Image Comments": "ImageComments",
    "Derivation Description": "DerivationDescription",
}

_MOMENTS = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)


def read_facts(dataset: Dataset, *, syntax: str, frame_count: int, frame: int | None = None) -> ObjectFacts:
    """Collect the facts of one object.

    Args:
        dataset: the data set without its pixel data, with decoded character sets.
        syntax: transfer syntax UID.
        frame_count: number of frames.
        frame: the frame that is asked for, for values that may differ between frames.
    """
    groups = functional_groups(dataset, frame or 0)
    anatomy = _region_items(dataset, groups)
    view = items(dataset, "ViewCodeSequence")
    measures = next((item for group in groups for item in items(group, "PixelMeasuresSequence")), dataset)
    spacing_of = measures if "PixelSpacing" in measures else dataset
    return ObjectFacts(
        format="DICOM",
        sop_class_uid=text(dataset, "SOPClassUID"),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        transfer_syntax_uid=syntax,
        predecessor_uid=_predecessor(dataset),
        patient_id=text(dataset, "PatientID"),
        patient_id_issuer=_issuer(dataset),
        patient_name=text(dataset, "PatientName"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex"),
        study_date=text(dataset, "StudyDate"),
        acquired=_acquired(dataset),
        modality=text(dataset, "Modality"),
        image_type=texts(dataset, "ImageType"),
        body_part=text(dataset, "BodyPartExamined"),
        regions=tuple(code for item in anatomy if (code := _code(item)) is not None),
        region_modifiers=tuple(
            code
            for item in anatomy
            for modifier in items(item, "AnatomicRegionModifierSequence")
            if (code := _code(modifier)) is not None
        ),
        view_codes=tuple(code for item in view if (code := _code(item)) is not None),
        view_modifiers=tuple(
            code
            for item in view
            for modifier in items(item, "ViewModifierCodeSequence")
            if (code := _code(modifier)) is not None
        ),
        view_position=text(dataset, "ViewPosition"),
        image_laterality=text(dataset, "ImageLaterality") or _frame_laterality(groups),
        laterality=text(dataset, "Laterality"),
        patient_orientation=texts(dataset, "PatientOrientation"),
        words={name: found for name, keyword in _WORDS.items() if (found := whole_text(dataset, keyword))},
        presentation_intent=text(dataset, "PresentationIntentType"),
        burned_in_annotation=text(dataset, "BurnedInAnnotation"),
        pixel_spacing=texts(spacing_of, "PixelSpacing"),
        imager_pixel_spacing=texts(dataset, "ImagerPixelSpacing"),
        pixel_aspect_ratio=texts(dataset, "PixelAspectRatio"),
        calibration_type=text(dataset, "PixelSpacingCalibrationType"),
        magnification_factor=text(dataset, "EstimatedRadiographicMagnificationFactor"),
        source_to_detector_mm=text(dataset, "DistanceSourceToDetector"),
        source_to_patient_mm=text(dataset, "DistanceSourceToPatient"),
        frame_count=frame_count,
        is_lossy=text(dataset, "LossyImageCompression") == "01" or syntax in syntaxes.LOSSY,
    )


def functional_groups(dataset: Dataset, frame: int) -> list[Dataset]:
    """The functional groups that hold for one frame, its own first (PS3.3 C.7.6.16)."""
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    return own[frame : frame + 1] + items(dataset, "SharedFunctionalGroupsSequence")[:1]


def _region_items(dataset: Dataset, groups: list[Dataset]) -> list[Dataset]:
    found = items(dataset, "AnatomicRegionSequence")
    for group in groups:
        for anatomy in items(group, "FrameAnatomySequence"):
            found += items(anatomy, "AnatomicRegionSequence")
    return found


def _frame_laterality(groups: list[Dataset]) -> str:
    for group in groups:
        for anatomy in items(group, "FrameAnatomySequence"):
            if found := text(anatomy, "FrameLaterality"):
                return found
    return ""


def _code(item: Dataset) -> CodedConcept | None:
    value = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
    if not value:
        return None
    return CodedConcept(scheme=text(item, "CodingSchemeDesignator"), value=value, meaning=text(item, "CodeMeaning"))


def _predecessor(dataset: Dataset) -> str:
    """The object that this one re-encodes (PS3.3 C.7.6.1.1.3 with purpose 121320)."""
    for source in items(dataset, "SourceImageSequence"):
        for purpose in items(source, "PurposeOfReferenceCodeSequence"):
            if (text(purpose, "CodingSchemeDesignator"), text(purpose, "CodeValue")) == _PREDECESSOR:
                return text(source, "ReferencedSOPInstanceUID")
    return ""


def _issuer(dataset: Dataset) -> str:
    if found := text(dataset, "IssuerOfPatientID"):
        return found
    for item in items(dataset, "IssuerOfPatientIDQualifiersSequence"):
        if found := text(item, "UniversalEntityID"):
            return found
    return ""


def _acquired(dataset: Dataset) -> str:
    """The best available date and time of acquisition, `YYYYMMDDHHMMSS[.f]`."""
    if found := _digits(text(dataset, "AcquisitionDateTime")):
        return found
    for date_keyword, time_keyword in _MOMENTS:
        date = _digits(text(dataset, date_keyword))
        if len(date) != 8:
            continue
        time = _digits(text(dataset, time_keyword))
        return date + time if len(time) >= 4 else date
    return ""


def _digits(moment: str) -> str:
    """Digits and the fraction of a date or time, without a zone and the separators of old files (PS3.5 6.2)."""
    kept = moment.split("+")[0].split("-")[0] if len(moment) > 12 else moment
    return "".join(letter for letter in kept if letter.isascii() and (letter.isdigit() or letter == "."))
