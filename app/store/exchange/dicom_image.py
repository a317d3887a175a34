"""De-identified radiographs as DICOM objects: computed and digital radiographs as such, anything else as secondary
capture (PS3.3 A.2, A.26, A.8).

The header that a project keeps holds nothing identifying. Here it is made whole again: what its class requires and
nobody knows is there and empty, what a person has decided since stands in for what was missing, and the grey scale is
written anew from what Coxa reads, so that the object shows what Coxa shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.uid import SecondaryCaptureImageStorage

from app.core.case import Assessment, Certainty, Side, View, ViewFlag
from app.core.grey import GreyScale, Lut, Photometric, Rescale, StoredImage, Window
from app.core.grey_tables import is_shown_inverse, is_usable
from app.core.pixel_review import PixelVerdict
from app.core.spacing import SpacingSource
from app.store.exchange import dicom_codes as terms
from app.store.exchange.dicom_parts import (
    SERIES,
    Header,
    Owner,
    decimal,
    image_class,
    image_uid,
    say_deidentified,
    say_owner,
    value_of,
    without,
)

DIGITAL = ("1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1")
COMPUTED = "1.2.840.10008.5.1.4.1.1.1"
SIDE_LETTERS = {Side.LEFT: "L", Side.RIGHT: "R", Side.BOTH: "B"}

# written anew below, or about what is not there any more
_NOT_COPIED = frozenset(
    {
        "SOPClassUID", "SOPInstanceUID", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
        "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
        "SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue", "PixelPaddingRangeLimit",
        "WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleIntercept", "RescaleSlope", "RescaleType",
        "PresentationLUTShape", "ImageType", "BurnedInAnnotation", "SourceImageSequence", "PatientName", "PatientID",
        "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
        "LongitudinalTemporalInformationModified", "ImagesInAcquisition",
    }
)  # fmt: skip
# Type 2 of the classes: there, and empty where nobody knows
_EMPTY_IF_MISSING: Mapping[str, tuple[str, ...]] = {
    "": ("SeriesNumber", "InstanceNumber", "PatientOrientation"),
    COMPUTED: ("BodyPartExamined", "ViewPosition", "Manufacturer"),
    DIGITAL[0]: ("Manufacturer", "DetectorType", "AcquisitionContextSequence", "AnatomicRegionSequence"),
    DIGITAL[1]: ("Manufacturer", "DetectorType", "AcquisitionContextSequence", "AnatomicRegionSequence"),
}


def image_object(view: View, header: Header, image: StoredImage, owner: Owner) -> Dataset:
    """A radiograph as a DICOM object.

    Args:
        view: as it stands now; it may leave.
        header: its de-identified header, DICOM JSON model.
        image: (H, W) its pixels as they may leave.
        owner: whose it is.
    """
    dataset = image_reference(view, header, owner)
    _say_pixels(dataset, view, image)
    return dataset


def image_reference(view: View, header: Header, owner: Owner) -> Dataset:
    """The same object without its pixel values: what reports and presentation states refer to."""
    dataset = _copied(header)
    dataset.SOPClassUID = image_class(view, header)
    dataset.SOPInstanceUID = image_uid(view, header, owner)
    is_masked = view.pixel_review is not None and view.pixel_review.verdict is PixelVerdict.MASKED
    say_owner(dataset, owner, header)
    say_deidentified(dataset, header, is_masked=is_masked)
    _say_series(dataset, view, header, owner)
    _say_image_type(dataset, view, header, is_masked=is_masked)
    _say_anatomy(dataset, view)
    _say_spacing(dataset, view)
    _say_grey(dataset, view.grey)
    dataset.Rows, dataset.Columns = view.rows, view.cols
    dataset.BurnedInAnnotation = "NO"  # what says otherwise was seen by a person before it may leave
    if ViewFlag.LOSSY in view.flags:
        dataset.LossyImageCompression = "01"
    elif dataset.SOPClassUID in DIGITAL:
        dataset.LossyImageCompression = "00"
    for keyword in (*_EMPTY_IF_MISSING[""], *_EMPTY_IF_MISSING.get(dataset.SOPClassUID, ())):
        if keyword not in dataset:
            setattr(dataset, keyword, Sequence() if keyword.endswith("Sequence") else "")
    if "ImageLaterality" in dataset:  # PS3.3 C.7.3.1: one of the two
        without(dataset, ["Laterality"])
    elif "Laterality" not in dataset:
        dataset.Laterality = ""
    return dataset


def _copied(header: Header) -> Dataset:
    """What is taken along from the header as it is; codes get the standard's words back."""
    dataset = Dataset()
    for tag, element in header.items():
        keyword = keyword_for_tag(int(tag, 16))
        if not keyword or keyword in _NOT_COPIED:
            continue
        value = _values(element)
        if element["vr"] == "SQ":
            items = [_copied(item) for item in element.get("Value", [])]
            value = Sequence([_named(item) for item in items])
        setattr(dataset, keyword, value)
    return dataset


def _values(element: Mapping[str, Any]) -> Any:
    values = list(element.get("Value") or [])
    if element["vr"] == "DS":
        values = [decimal(value) if isinstance(value, int | float) else str(value) for value in values]
    return "" if not values else values[0] if len(values) == 1 else values


def _named(item: Dataset) -> Dataset:
    """A code with its meaning; anything else as it is."""
    if "CodeValue" in item and "CodingSchemeDesignator" in item:
        item.CodeMeaning = terms.meaning_of(item.CodingSchemeDesignator, item.CodeValue)
    return item


def _say_series(dataset: Dataset, view: View, header: Header, owner: Owner) -> None:
    is_capture = dataset.SOPClassUID == SecondaryCaptureImageStorage
    if not value_of(header, SERIES) or value_of(header, "00080016") != dataset.SOPClassUID:
        dataset.SeriesInstanceUID = owner.uid("series", owner.study.id, str(value_of(header, SERIES)), view.id)
    own = str(value_of(header, "00080060"))
    if is_capture:
        dataset.Modality = own or "OT"
        dataset.ConversionType = value_of(header, "00080064") or "WSD"
    else:
        dataset.Modality = "CR" if dataset.SOPClassUID == COMPUTED else "DX"
    if dataset.SOPClassUID in DIGITAL:
        is_raw = dataset.SOPClassUID == DIGITAL[1]
        dataset.PresentationIntentType = "FOR PROCESSING" if is_raw else "FOR PRESENTATION"


def _say_image_type(dataset: Dataset, view: View, header: Header, *, is_masked: bool) -> None:
    words = [str(word) for word in header.get("00080008", {}).get("Value") or []]
    is_derived = is_masked or ViewFlag.NOT_NATIVE in view.flags or not words
    first = "DERIVED" if is_derived else words[0]
    second = words[1] if len(words) > 1 else "SECONDARY" if ViewFlag.NOT_NATIVE in view.flags else "PRIMARY"
    dataset.ImageType = [first, second, *words[2:]]


def _say_anatomy(dataset: Dataset, view: View) -> None:
    """Side and projection: what a person confirmed; where nobody did, what the header says, else what was found."""
    letter = SIDE_LETTERS.get(view.side.value) if view.side.value else None
    if letter is not None and (_is_decided(view.side) or not dataset.get("ImageLaterality")):
        if dataset.SOPClassUID in DIGITAL:
            dataset.ImageLaterality = letter
        if letter != "B":
            dataset.Laterality = letter
        elif "Laterality" in dataset:
            dataset.Laterality = ""
    if dataset.SOPClassUID in DIGITAL and not dataset.get("PatientOrientation") and view.orientation:
        dataset.PatientOrientation = list(view.orientation)


def _is_decided(assessment: Assessment[Any]) -> bool:
    return assessment.certainty is Certainty.CONFIRMED


def _say_spacing(dataset: Dataset, view: View) -> None:
    """What a person measured, or a mapping file said; everything else is in the header already."""
    spacing = view.spacing
    if spacing.row_mm is None or spacing.col_mm is None:
        return
    if spacing.source in (SpacingSource.MANUAL, SpacingSource.MAPPING):
        dataset.PixelSpacing = [decimal(spacing.row_mm), decimal(spacing.col_mm)]
    if spacing.source is SpacingSource.MANUAL:
        dataset.PixelSpacingCalibrationType = "FIDUCIAL"
        dataset.PixelSpacingCalibrationDescription = "Known length measured on the image in Coxa"


def _say_grey(dataset: Dataset, grey: GreyScale) -> None:
    """Modality and VOI LUT modules, photometric interpretation and presentation shape (PS3.3 C.11, C.8.11.3)."""
    is_inverse = is_shown_inverse(grey)
    is_digital = dataset.SOPClassUID in DIGITAL
    if isinstance(grey.presentation, Lut):  # beyond the class, and still what the source shows
        dataset.PresentationLUTSequence = Sequence([_lut_item(grey.presentation, is_signed=False)])
        dataset.PhotometricInterpretation = grey.photometric.value
    else:
        photometric = Photometric.MONOCHROME1 if is_inverse else Photometric.MONOCHROME2
        dataset.PhotometricInterpretation = photometric.value
        if is_digital:
            dataset.PresentationLUTShape = "INVERSE" if is_inverse else "IDENTITY"
    if isinstance(grey.modality, Rescale):
        dataset.RescaleIntercept, dataset.RescaleSlope = decimal(grey.modality.intercept), decimal(grey.modality.slope)
        dataset.RescaleType = "US"
    elif isinstance(grey.modality, Lut):
        item = _lut_item(grey.modality, is_signed=grey.is_signed)
        item.ModalityLUTType = "US"
        dataset.ModalityLUTSequence = Sequence([item])
    elif is_digital:
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    windows = [voi for voi in grey.voi if isinstance(voi, Window) and is_usable(voi)]
    luts = [voi for voi in grey.voi if isinstance(voi, Lut)]
    if windows:
        function = windows[0].function
        same = [window for window in windows if window.function is function]
        dataset.WindowCenter = [decimal(window.center) for window in same]
        dataset.WindowWidth = [decimal(window.width) for window in same]
        dataset.VOILUTFunction = function.value
    if luts:
        dataset.VOILUTSequence = Sequence([_lut_item(lut, is_signed=_is_signed_after(grey)) for lut in luts])
    if is_digital and not windows and not luts and dataset.SOPClassUID == DIGITAL[0]:
        full = 1 << grey.bits_stored
        dataset.WindowCenter, dataset.WindowWidth = str(full // 2), str(full)
    if grey.padding is not None:
        low, high = sorted(grey.padding)
        vr = "SS" if grey.is_signed else "US"
        dataset.add_new("PixelPaddingValue", vr, low)
        if high != low:
            dataset.add_new("PixelPaddingRangeLimit", vr, high)


def _is_signed_after(grey: GreyScale) -> bool:
    """Whether values after the modality stage may be negative: then the first value of a VOI LUT is signed."""
    if isinstance(grey.modality, Rescale):
        return grey.is_signed or grey.modality.intercept < 0 or grey.modality.slope < 0
    return grey.is_signed and grey.modality is None


def _lut_item(lut: Lut, *, is_signed: bool) -> Dataset:
    """One LUT (PS3.3 C.11.1.1); 65,536 entries are written as 0."""
    item = Dataset()
    vr = "SS" if is_signed else "US"
    item.add_new("LUTDescriptor", vr, [len(lut.entries) % 65536, lut.first, lut.bits])
    item.add_new("LUTData", "OW", np.asarray(lut.entries, "<u2").tobytes())
    return item


def _say_pixels(dataset: Dataset, view: View, image: StoredImage) -> None:
    """Image Pixel module (PS3.3 C.7.6.3): stored values, unpacked; 8 bits where they suffice."""
    grey = view.grey
    rows, cols = image.pixels.shape
    if (rows, cols) != (view.rows, view.cols):
        raise ValueError("an image has the size of its view")
    bits = grey.bits_stored
    dataset.SamplesPerPixel = 1
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(grey.is_signed)
    kind = ("i" if grey.is_signed else "u") + str(dataset.BitsAllocated // 8)
    stored = image.pixels if image.offset == 0 else image.pixels.astype(np.int32) + image.offset
    content = stored.astype(f"<{kind}", copy=False).tobytes()
    dataset.add_new("PixelData", "OB" if dataset.BitsAllocated == 8 else "OW", content + b"\0" * (len(content) % 2))


def values_of(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of an attribute as texts; none when it is absent or empty."""
    value = dataset.get(keyword)
    if value in (None, ""):
        return ()
    return tuple(str(each) for each in value) if isinstance(value, MultiValue | list) else (str(value),)
