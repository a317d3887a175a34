"""Coded concepts of exported DICOM objects: standard codes where there are any, Coxa's own scheme for the rest.

Code meanings never stay when a header is de-identified, since they are free text; the standard's own words are put
back from its dictionaries.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from app.core.case import Projection, Side
from app.core.measurement import LandmarkKind, MeasurementKind

OWN_SCHEME = "99COXA"  # PS3.16 8.2: private schemes begin with 99
OWN_SCHEME_NAME = "Coxa: fields of label sets, findings and crops"
SHORT_CODE = 16  # longest Code Value (SH); longer ones go into Long Code Value

IMAGING_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
RADIOGRAPHY = Code("363680008", "SCT", "Radiographic imaging procedure")
HIP_JOINT = Code("24136001", "SCT", "Hip joint")
LENGTH = Code("410668003", "SCT", "Length")
ANGLE = Code("1483009", "SCT", "Angle")
PROBABILITY = Code("122157", "DCM", "Probability")
SIDES = {
    Side.LEFT: Code("7771000", "SCT", "Left"),
    Side.RIGHT: Code("24028007", "SCT", "Right"),
    Side.BOTH: Code("51440002", "SCT", "Bilateral"),
}
NO_UNITS = Code("1", "UCUM", "no units")
PERCENT = Code("%", "UCUM", "Percent")
MILLIMETRE = Code("mm", "UCUM", "millimeter")
PIXELS = Code("{pixels}", "UCUM", "pixels")
DEGREE = Code("deg", "UCUM", "Degree")


def own(value: str, meaning: str) -> Code:
    """A concept of Coxa's own scheme."""
    return Code(value, OWN_SCHEME, meaning[:64])


MEASURES = {
    MeasurementKind.LENGTH: LENGTH,
    MeasurementKind.ANGLE: ANGLE,
    MeasurementKind.TWO_LINES: own("two-lines", "Acute angle between two lines"),
    MeasurementKind.NECK_SHAFT: own("neck-shaft", "Neck-shaft angle"),
    MeasurementKind.PAUWELS: own("pauwels", "Pauwels angle"),
}
LANDMARKS = {
    LandmarkKind.HEAD_CENTRE: own("head-centre", "Centre of the femoral head"),
    LandmarkKind.GREATER_TROCHANTER: own("greater-troch", "Tip of the greater trochanter"),
    LandmarkKind.LESSER_TROCHANTER: own("lesser-troch", "Most medial point of the lesser trochanter"),
    LandmarkKind.TEARDROP: own("teardrop", "Lowest point of the acetabular teardrop"),
    LandmarkKind.ACETABULAR_EDGE: own("acetabular-edge", "Lateral edge of the acetabular roof"),
    LandmarkKind.NECK_CENTRE: own("neck-centre", "Centre of the femoral neck"),
}
ALIGNED_CROP = own("aligned-crop", "Aligned crop: fracture in the centre, shaft vertical")
AXIS_ANGLE = own("axis-angle", "Angle of the femoral shaft from the vertical")
CROP_SIDE = own("crop-side", "Side of the aligned crop")
HIP_REGION = own("hip-region", "Region box around the hip")
MODEL_REGION = own("model-region", "What a model looked at")
PROJECTION = own("projection", "Projection of the image")
CALIBRATION_LENGTH = own("known-length", "Known length that the image was calibrated with")
THRESHOLD = own("threshold", "Probability from which the model counts a finding as found")
DISTANCE = own("distance", "Distance from the cases that the model was trained on")
VERDICT = own("verdict", "What the model's finding comes to")
PROJECTIONS = {projection: own(f"view-{projection.value}", projection.value) for projection in Projection}
SOURCE_OF_SCALE = own("length-scale", "Where the length scale comes from")


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    if len(value) > SHORT_CODE:
        item.LongCodeValue = value
    else:
        item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning[:64]
    return item


@cache
def _meanings() -> dict[tuple[str, str], str]:
    """(scheme, value) -> the standard's words, with the older SNOMED-RT codes too."""
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    dictionary: dict[str, dict[str, dict[str, Any]]] = concepts  # type: ignore[assignment]
    found: dict[tuple[str, str], str] = {}
    for scheme, words in dictionary.items():
        for entry in words.values():
            for value, parts in entry.items():
                found.setdefault((scheme, value), str(parts[0]))
    for old, new in mapping["SRT"].items():
        if ("SCT", new) in found:
            found.setdefault(("SRT", old), found["SCT", new])
            found.setdefault(("SNM3", old), found["SCT", new])
    return found


def meaning_of(scheme: str, value: str) -> str:
    """The standard's words for a code; the code itself where the dictionaries do not know it."""
    return _meanings().get((scheme, value), value)[:64]
